//! `minutia demo`: a folder of works, a small seized folder, and the true answers beside what was found.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use minutia_report::escape::text;
use minutia_report::{FindingRecord, ItemRecord, Line, Record, format};

use super::index_add;
use super::scan::{self, Sink};
use crate::args;
use crate::exit::Exit;
use crate::settings::{Reading, Roots, shown};

/// Indexes the works, scans the seized folder, and compares with the truth. Ends with 2 where they differ.
pub(crate) fn run(args: args::Demo) -> Result<Exit> {
    let images = images(args.testdata)?;
    let truth = Truth::read(&images.join("seized.truth.csv"))?;
    let (works, seized) = (images.join("reference"), images.join("seized"));
    let scratch = tempfile::tempdir().context("making a directory for the index")?;
    let index = scratch.path().join("works.idx");
    let mut out = BufWriter::new(stdout().lock());

    writeln!(out, "$ minutia index add works.idx {} --catalogue {}", shown(&works), shown(&works.join("works.csv")))?;
    out.flush()?;
    let added = index_add::add(&index_add::Settings {
        catalogue: Some(works.join("works.csv")),
        roots: Roots::of(vec![works])?,
        index: index.clone(),
        owner: None,
        thumbnails: false,
        reading: Reading::all(),
    })?;
    ensure!(added.troubles == 0, "expected to add every work of the demonstration, and {} were not", added.troubles);
    writeln!(out, "{}\n", added.shown())?;

    writeln!(out, "$ minutia scan {} --index works.idx", shown(&seized))?;
    out.flush()?;
    let mut records = Records::default();
    let settings =
        scan::Settings { roots: Roots::of(vec![seized.clone()])?, index, case: None, reading: Reading::all() };
    let (summary, head) = scan::scan(&settings, &mut records)?;
    writeln!(out, "{}\n", format::summary(&summary, &head))?;

    let right = truth.compare(&seized, &records.0, &mut out)?;
    out.flush()?;
    Ok(if right { Exit::Nothing } else { Exit::Unexamined })
}

/// The folder of pictures: where it was said to be, or in the repository that this is run in.
fn images(testdata: Option<PathBuf>) -> Result<PathBuf> {
    let images = testdata.unwrap_or_else(|| PathBuf::from("testdata")).join("image");
    if !images.join("seized.truth.csv").is_file() {
        bail!(
            "{}: expected the pictures of the demonstration; run this in the repository's folder, or name its test media \
             with --testdata",
            shown(&images)
        );
    }
    Ok(images)
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
        let (mut right, mut found, mut copies, mut false_findings) = (0, 0, 0, 0);
        let items = records.len();
        writeln!(out, "     {:<34} {:<44} found", "file", "truth")?;
        for item in records {
            let name = Path::new(&item.path).strip_prefix(seized).unwrap_or(Path::new(&item.path));
            let answer = self.0.remove(&*name.to_string_lossy());
            let verdict = answer.as_ref().is_some_and(|answer| answer.is_met(item));
            let true_work = answer.as_ref().and_then(|answer| answer.work.as_deref());
            right += usize::from(verdict);
            copies += usize::from(true_work.is_some());
            let matched = |finding: &&FindingRecord| finding.level == "match";
            found += usize::from(item.findings.iter().filter(matched).any(|f| Some(f.work.as_str()) == true_work));
            false_findings +=
                item.findings.iter().filter(matched).filter(|f| Some(f.work.as_str()) != true_work).count();
            let truth = answer.map_or_else(|| "not listed".to_owned(), |answer| answer.shown());
            let seen = match item.findings.first() {
                Some(finding) => format!("{} {}: {}", item.outcome, text(&finding.work), format::described(finding)),
                None => format!("{}{}", item.outcome, reason(item)),
            };
            let mark = if verdict { "ok" } else { "NO" };
            writeln!(out, "{mark:>3}  {:<34} {:<44} {seen}", text(&name.to_string_lossy()), truth)?;
        }
        for (missing, answer) in &self.0 {
            writeln!(out, " NO  {:<34} {:<44} not there", text(missing), answer.shown())?;
        }
        writeln!(
            out,
            "\n{right} of {} files as they should be: {found} of {copies} copies found, {false_findings} false matches",
            items + self.0.len()
        )?;
        Ok(right == items && self.0.is_empty() && items > 0)
    }
}

impl Answer {
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

    fn shown(&self) -> String {
        match &self.work {
            Some(work) => format!("{}: {}, {}", self.expected, text(work), text(&self.alteration)),
            None => format!("{}: {}", self.expected, text(&self.alteration)),
        }
    }
}

fn reason(item: &ItemRecord) -> String {
    item.problems.first().map_or_else(String::new, |problem| format!(": {}", text(&problem.message)))
}
