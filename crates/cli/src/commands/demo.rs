//! `minutia demo`: a folder of works, a small seized folder, and the true answers beside what was found.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use minutia::scan::Pass;
use minutia_report::escape::text;
use minutia_report::{ItemRecord, Line, Record, format};

use super::index_add;
use super::scan::{self, Sink};
use crate::args;
use crate::exit::Exit;
use crate::reading::Reading;
use crate::settings::{Roots, shown};

/// Indexes the works, scans the seized folder, and compares with the truth. Ends with 2 where they differ.
pub(crate) fn run(args: args::Demo) -> Result<Exit> {
    let testdata = args.testdata.unwrap_or_else(|| PathBuf::from("testdata"));
    let images = images(&testdata)?;
    let mut out = BufWriter::new(stdout().lock());
    writeln!(
        out,
        "Rights holders hand over an index of their works; a scan finds copies of these works on a drive that was seized.\n\
         Both are done here with pictures, sound and films of the repository, and the findings are shown beside what is true.\n"
    )?;
    let (mut right, records) = part(&images, &mut out)?;
    for further in ["audio", "video"].map(|name| testdata.join(name)) {
        if is_part(&further) {
            writeln!(out)?;
            right &= part(&further, &mut out)?.0;
        }
    }
    if let Some((suspect, original)) = farthest(&records) {
        try_next(&suspect.path, &images.join("reference").join(original), &mut out)?;
    }
    out.flush()?;
    Ok(if right { Exit::Nothing } else { Exit::Unexamined })
}

/// Indexes the works of one folder and scans what was seized; true where the findings are what is true.
fn part(media: &Path, out: &mut impl Write) -> Result<(bool, Vec<ItemRecord>)> {
    let truth = Truth::read(&media.join("seized.truth.csv"))?;
    let (works, seized) = (media.join("reference"), media.join("seized"));
    let scratch = tempfile::tempdir().context("making a directory for the index")?;
    let index = scratch.path().join("works.idx");
    writeln!(out, "$ minutia index add works.idx {} --catalogue {}", shown(&works), shown(&works.join("works.csv")))?;
    out.flush()?;
    let added = index_add::add(&index_add::Settings {
        catalogue: Some(works.join("works.csv")),
        roots: Roots::of(vec![works.clone()])?,
        index: index.clone(),
        owner: None,
        min_quality: 0,
        thumbnails: false,
        reading: Reading::all(),
    })?;
    ensure!(added.troubles == 0, "expected to add every work of the demonstration, and {} were not", added.troubles);
    writeln!(out, "{}\n", added.shown())?;

    writeln!(out, "$ minutia scan {} --index works.idx", shown(&seized))?;
    out.flush()?;
    let mut records = Records::default();
    let settings = scan::Settings {
        roots: Roots::of(vec![seized.clone()])?,
        index,
        in_memory: false,
        case: None,
        passes: &[Pass::Full],
        reading: Reading::all(),
    };
    let (summary, head) = scan::scan(&settings, &mut records)?;
    writeln!(out, "{}\n", format::summary(&summary, &head))?;
    let right = truth.compare(&seized, &records.0, out)?;
    Ok((right, records.0))
}

/// The folder of pictures: where it was said to be, or in the repository that this is run in.
fn images(testdata: &Path) -> Result<PathBuf> {
    let images = testdata.join("image");
    if !is_part(&images) {
        bail!(
            "{}: expected the pictures of the demonstration; run this in the repository's folder, or name its test media \
             with --testdata",
            shown(&images)
        );
    }
    Ok(images)
}

fn is_part(media: &Path) -> bool {
    media.join("seized.truth.csv").is_file()
}

/// The items of a scan, kept.
#[derive(Default)]
struct Records(Vec<ItemRecord>);

impl Sink for Records {
    fn record(&mut self, line: &Line, _json: &str) -> Result<()> {
        if let Record::Item(item) = &line.record {
            self.0.push(item.as_ref().clone());
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// The columns of what is printed: two sides, the truth and what was found.
const COLUMNS: [&str; 9] = ["", "file", "work", "what it is", "outcome", "found", "score", "chance", "how"];

/// What is true of the seized files, by their way down from the folder.
struct Truth(BTreeMap<String, Answer>);

struct Answer {
    /// The work that it is a copy of.
    work: Option<String>,
    alteration: String,
    /// The outcome.
    expected: String,
}

impl Truth {
    fn read(path: &Path) -> Result<Truth> {
        let mut reader = csv::Reader::from_path(path).with_context(|| format!("{}: reading", shown(path)))?;
        let header = reader.headers()?.clone();
        let place = |name: &str| {
            let place = header.iter().position(|column| column == name);
            place.with_context(|| format!("{}: line 1: expected a column {name}", shown(path)))
        };
        let places = [place("path")?, place("work_id")?, place("alteration")?, place("expected")?];
        let mut answers = BTreeMap::new();
        for row in reader.records() {
            let row = row?;
            let [path, work, alteration, expected] = places.map(|place| row.get(place).unwrap_or("").to_owned());
            answers.insert(path, Answer { work: Some(work).filter(|work| !work.is_empty()), alteration, expected });
        }
        Ok(Truth(answers))
    }

    /// Prints truth and findings side by side, and a score; true where they agree everywhere.
    fn compare(mut self, seized: &Path, records: &[ItemRecord], out: &mut impl Write) -> Result<bool> {
        let mut rows = vec![COLUMNS.map(str::to_owned)];
        let (mut right, mut copies, mut found, mut expected_misses, mut false_matches) = (0, 0, 0, 0, 0);
        for item in records {
            let name = Path::new(&item.path).strip_prefix(seized).unwrap_or(Path::new(&item.path)).to_string_lossy();
            let answer = self.0.remove(&*name).unwrap_or_else(Answer::unlisted);
            let is_met = answer.is_met(item);
            let (good, bad): (Vec<_>, Vec<_>) = item
                .findings
                .iter()
                .filter(|finding| finding.level == "match")
                .partition(|finding| Some(&finding.work) == answer.work.as_ref());
            right += usize::from(is_met);
            copies += usize::from(answer.work.is_some());
            found += usize::from(!good.is_empty());
            expected_misses += usize::from(answer.is_miss());
            false_matches += bad.len();
            rows.push(answer.row(&name, is_met, &item.outcome, seen(item)));
        }
        let items = records.len();
        for (missing, answer) in &self.0 {
            rows.push(answer.row(missing, false, "gone", Default::default()));
        }
        write_columns(&rows, out)?;
        writeln!(
            out,
            "\nscore: {}. chance: unrelated works that are expected to score as well.",
            if records.iter().any(|item| item.coverage.as_ref().is_some_and(|coverage| coverage.film.is_some())) {
                "of films how much nearer frames are than under the same times a little shifted"
            } else if records.iter().any(|item| item.duration_ms.is_some()) {
                "of sound how much more coincides than by chance"
            } else {
                "bits that differ, and more where a picture has little in it"
            }
        )?;
        writeln!(
            out,
            "{right} of {} files are as they should be (ok). {found} of {copies} copies found, {expected_misses} misses \
             that are known, {false_matches} false matches.",
            items + self.0.len()
        )?;
        Ok(right == items && self.0.is_empty() && items > 0)
    }
}

impl Answer {
    /// For a file that the truth does not list; nothing meets it.
    fn unlisted() -> Answer {
        Answer { work: None, alteration: "not listed".to_owned(), expected: String::new() }
    }

    /// The outcome is the expected one, and what was found is a copy of the true work and of nothing else.
    fn is_met(&self, item: &ItemRecord) -> bool {
        let found = matches!(item.outcome.as_str(), "match" | "possible");
        item.outcome == self.expected
            && (!found || self.work.is_some())
            && item
                .findings
                .iter()
                .filter(|finding| finding.level == item.outcome)
                .all(|finding| Some(&finding.work) == self.work.as_ref())
    }

    /// A copy that this version is known not to find.
    fn is_miss(&self) -> bool {
        self.work.is_some() && self.expected != "match" && self.expected != "possible"
    }

    /// A row of the table: what is true, then what was found.
    fn row(&self, file: &str, is_met: bool, outcome: &str, seen: [String; 4]) -> [String; COLUMNS.len()] {
        let outcome = if outcome == self.expected {
            outcome.to_owned()
        } else {
            format!("{outcome}, expected {}", self.expected)
        };
        let mark = if is_met { "ok" } else { "NO" };
        let work = self.work.as_deref().unwrap_or("-");
        let [found, score, chance, how] = seen;
        let how = if is_met && self.is_miss() { "a known miss".to_owned() } else { how };
        [mark.to_owned(), text(file), text(work), text(&self.alteration), outcome, found, score, chance, how]
    }
}

/// What was found in an item: the work, the score, the false matches expected, and how; or what was wrong with it.
fn seen(item: &ItemRecord) -> [String; 4] {
    let Some(finding) = item.findings.first() else {
        // The outcome stands beside it, and what to do about it in the records.
        let reason = item.problems.first().map_or("", |problem| problem.message.as_str());
        let reason = reason.strip_prefix(&format!("{}: ", item.outcome)).unwrap_or(reason);
        let reason =
            reason.split_once(": ").filter(|_| item.outcome == "unsupported").map_or(reason, |(reason, _)| reason);
        return [String::new(), String::new(), String::new(), text(reason)];
    };
    let how = match finding.method.as_str() {
        "identical" => format!("byte for byte {}", text(&finding.reference)),
        // Room in a table is scarce.
        _ if finding.speed.is_some() => [" of the reference", ", picture only", " left to right"]
            .iter()
            .fold(format::along(finding), |how, more| how.replace(more, "")),
        _ => format::changes(finding),
    };
    let policy = if finding.policy == "infringing" { String::new() } else { format!(" ({})", text(&finding.policy)) };
    let score = finding.score.map_or_else(|| "-".to_owned(), |score| format!("{score:.0}"));
    let chance = finding.expected_false_matches;
    let chance = if chance == 0.0 { "0".to_owned() } else { format!("{chance:.0e}") };
    [text(&finding.work), score, chance, how + &policy]
}

/// Writes rows as columns, the last one as it is.
fn write_columns<const N: usize>(rows: &[[String; N]], out: &mut impl Write) -> Result<()> {
    let widths: [usize; N] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
    for row in rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

/// The copy that is farthest from its work, and the file of that.
fn farthest(records: &[ItemRecord]) -> Option<(&ItemRecord, &str)> {
    let found = records.iter().filter_map(|item| {
        let finding = item.findings.first().filter(|finding| finding.level == "match")?;
        Some((finding.score?, item, finding.reference.as_str()))
    });
    found.max_by(|(a, ..), (b, ..)| a.total_cmp(b)).map(|(_, item, reference)| (item, reference))
}

fn try_next(suspect: &str, original: &Path, out: &mut impl Write) -> Result<()> {
    let program = std::env::args_os().next().map_or_else(|| "minutia".to_owned(), |name| shown(Path::new(&name)));
    writeln!(
        out,
        "\nNow see every number behind the weakest of these matches, and then try it with your own pictures:\n  \
         {program} explain '{}' '{}'\n  \
         {program} index add works.idx FOLDER-OF-WORKS\n  \
         {program} scan FOLDER --index works.idx",
        text(suspect),
        shown(original),
    )?;
    Ok(())
}
