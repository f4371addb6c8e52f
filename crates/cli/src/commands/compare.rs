//! `minutia compare`: is A a copy of B? Or, with `--algorithm`, how far apart two codes are.

use std::io::{Write, stdout};
use std::path::Path;

use anyhow::Result;
use minutia::fingerprint::Algorithm;
use minutia::verdict::Outcome;
use minutia_report::escape::{name, text};

use super::fingerprint::{Hands, fingerprint, named};
use crate::args;
use crate::exit::Exit;
use crate::pairs::{self, Compared, Side};
use crate::settings::shown;

/// Compares as typed.
pub(crate) fn run(args: &args::Compare) -> Result<Exit> {
    if let Some(algorithm) = &args.algorithm {
        return codes(&args.a, &args.b, named(algorithm)?, &args.scale.decoding);
    }
    let compared = pairs::compare(&args.a, &args.b, &args.scale)?;
    for side in [&compared.a, &compared.b] {
        tell_problems(side);
    }
    if args.json {
        let record = pairs::record(&compared)?;
        writeln!(stdout().lock(), "{}", minutia_report::escape::json(&record)?)?;
        return Ok(exit(&compared));
    }
    writeln!(stdout().lock(), "{}", verdict(&compared))?;
    Ok(exit(&compared))
}

/// The distance of the two pictures' codes by one algorithm. What that says of a copy nobody has measured: a scan judges
/// by many views under a calibration, and here is one number without either.
fn codes(a: &Path, b: &Path, algorithm: &Algorithm, decoding: &args::Decoding) -> Result<Exit> {
    let mut hands = Hands::of(decoding)?;
    let mut made = Vec::new();
    for path in [a, b] {
        match fingerprint(path, algorithm, &mut hands) {
            Ok((code, _)) => made.push(code),
            Err(problem) => anstream::eprintln!("{}: {}", shown(path), text(&problem.to_string())),
        }
    }
    let [a, b] = made[..] else { return Ok(Exit::Unexamined) };
    writeln!(
        stdout().lock(),
        "{}: distance {} of {} bits; no verdict: there is no calibration for this comparison",
        algorithm.name,
        a.distance(&b),
        algorithm.bits
    )?;
    Ok(Exit::Nothing)
}

/// What is wrong with a file, on standard error.
pub(super) fn tell_problems(side: &Side) {
    for problem in side.problems() {
        anstream::eprintln!("{}: {}", name(&side.facts.path), text(&problem));
    }
}

/// The outcome and the numbers behind it: one line, and of sound and films one more for each stretch.
pub(super) fn verdict(compared: &Compared) -> String {
    let outcome = compared.outcome().name();
    if compared.identical {
        return format!("{outcome}: byte for byte the same file");
    }
    let pictures = compared.level().is_some();
    if let Some(heard) = compared.heard.as_ref().filter(|heard| !pictures || !heard.record.findings.is_empty()) {
        let lines = heard.lines();
        return match lines.len() {
            0 if compared.outcome() == Outcome::Undecided => format!("{outcome}: too little in it to tell"),
            0 => format!("{outcome}: nothing of A runs along B ({})", heard.thresholds()),
            _ => format!("{outcome}: A is it, B is the reference\n{}", lines.join("\n")),
        };
    }
    let Some(best) = compared.best() else {
        let pictures = [&compared.a, &compared.b].map(|side| side.pictures().next().is_some());
        let sounds = [&compared.a, &compared.b].map(Side::has_sound);
        let apart = pictures[0] && sounds[1] || pictures[1] && sounds[0];
        let why = if apart { "one is a picture and the other a recording: " } else { "" };
        return format!("{outcome}: {why}nothing to compare");
    };
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
