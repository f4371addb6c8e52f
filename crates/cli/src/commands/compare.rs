//! `minutia compare`: is A a copy of B?

use std::io::{Write, stdout};

use anyhow::Result;
use minutia::verdict::Outcome;
use minutia_report::escape::{name, text};

use crate::args;
use crate::exit::Exit;
use crate::pairs::{self, Compared, Side};

/// Compares as typed.
pub(crate) fn run(args: &args::Compare) -> Result<Exit> {
    let compared = pairs::compare(&args.a, &args.b, &args.scale)?;
    for side in [&compared.a, &compared.b] {
        tell_problems(side);
    }
    writeln!(stdout().lock(), "{}", verdict(&compared))?;
    Ok(exit(&compared))
}

/// What is wrong with a file, on standard error.
pub(super) fn tell_problems(side: &Side) {
    for problem in side.problems() {
        anstream::eprintln!("{}: {}", name(&side.facts.path), text(&problem));
    }
}

/// One line: the outcome and the numbers behind it.
pub(super) fn verdict(compared: &Compared) -> String {
    let outcome = compared.outcome().name();
    if compared.identical {
        return format!("{outcome}: byte for byte the same file");
    }
    let Some(best) = compared.best() else { return format!("{outcome}: nothing to compare") };
    let (expected, extrapolated) = compared.judge.expected_false_matches(best.score);
    let thresholds = compared.judge.thresholds();
    let at_most = |score: Option<u32>| score.map_or_else(|| "never".to_owned(), |score| format!("up to {score}"));
    format!(
        "{outcome}: distance {} bits, score {:.1} (match {}, possible {}), {expected:.1e} false matches expected{}",
        best.distance_bits,
        best.score,
        at_most(thresholds.match_score),
        at_most(thresholds.possible_score),
        if extrapolated { " (extrapolated)" } else { "" },
    )
}

/// As a scan would end.
pub(super) fn exit(compared: &Compared) -> Exit {
    match compared.outcome() {
        Outcome::Match => Exit::Found,
        Outcome::Possible | Outcome::NoMatch | Outcome::Undecided => Exit::Nothing,
        _ => Exit::Unexamined,
    }
}
