//! The catalogue that an owner hands in: a CSV file that says which file is which work.

use std::collections::{HashMap, HashSet};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};
use minutia::index::{Identifier, Policy, Work, WorkId};
use minutia_report::escape::text;

use crate::settings::shown;

/// The columns; the first two must be there.
const COLUMNS: [&str; 8] = ["file", "work_id", "title", "holder", "identifiers", "territory", "window", "policy"];
/// How many columns must be there.
const NEEDED: usize = 2;

/// A catalogue, every row of it valid.
#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    rows: Vec<Row>,
    by_file: HashMap<PathBuf, usize>,
}

#[derive(Debug)]
struct Row {
    line: u64,
    file: String,
    work: Work,
}

impl Catalogue {
    /// Reads the catalogue at `path`.
    ///
    /// # Errors
    /// Everything that is wrong in it, with line numbers.
    pub(crate) fn read(path: &Path) -> Result<Catalogue> {
        let bytes = std::fs::read(path).with_context(|| format!("{}: reading the catalogue", shown(path)))?;
        Catalogue::parse(&bytes).with_context(|| format!("{}: not a catalogue", shown(path)))
    }

    fn parse(bytes: &[u8]) -> Result<Catalogue> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(bytes);
        let header = reader.headers().context("line 1")?.clone();
        let place = |name: &str| header.iter().position(|column| column.eq_ignore_ascii_case(name));
        if let Some(column) = header.iter().find(|column| !COLUMNS.iter().any(|name| name.eq_ignore_ascii_case(column)))
        {
            bail!("line 1: expected the columns {}, found {}", COLUMNS.join(","), text(column));
        }
        if let Some(missing) = COLUMNS[..NEEDED].iter().find(|name| place(name).is_none()) {
            bail!("line 1: expected a column {missing}, found {}", text(&header.iter().collect::<Vec<_>>().join(",")));
        }
        let places = COLUMNS.map(place);

        let mut catalogue = Catalogue::default();
        let mut wrong = Vec::new();
        let mut works: HashMap<WorkId, usize> = HashMap::new();
        for record in reader.records() {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    wrong.push(error.to_string());
                    continue;
                }
            };
            let line = record.position().map_or(0, csv::Position::line);
            let cell = |column: usize| places[column].and_then(|place| record.get(place)).unwrap_or("");
            let found = if record.len() > header.len() {
                Err(format!("expected {} cells, found {}; quote cells that hold commas", header.len(), record.len()))
            } else {
                work(cell)
            };
            let work = match found {
                Ok(work) => work,
                Err(error) => {
                    wrong.push(format!("line {line}: {error}"));
                    continue;
                }
            };
            let number = catalogue.rows.len();
            let first = *works.entry(work.id.clone()).or_insert(number);
            if let Some(earlier) = catalogue.rows.get(first).filter(|earlier| earlier.work != work) {
                let (id, earlier) = (text(work.id.as_str()), earlier.line);
                wrong.push(format!(
                    "line {line}: expected of the work {id} what line {earlier} says, found something else"
                ));
            }
            let file = cell(0).to_owned();
            if let Some(&earlier) = catalogue.by_file.get(&plain(Path::new(&file))) {
                let earlier = catalogue.rows[earlier].line;
                wrong.push(format!(
                    "line {line}: expected each file once, found {} on line {earlier} already",
                    text(&file)
                ));
                continue;
            }
            catalogue.by_file.insert(plain(Path::new(&file)), number);
            catalogue.rows.push(Row { line, file, work });
        }
        if wrong.is_empty() { Ok(catalogue) } else { bail!("{}", wrong.join("\n")) }
    }

    /// The row of a file that was walked as `path` and lies at `below` in what was named.
    pub(crate) fn row_of(&self, path: &Path, below: &Path) -> Option<usize> {
        self.by_file.get(&plain(path)).or_else(|| self.by_file.get(&plain(below))).copied()
    }

    /// The work of a row.
    pub(crate) fn work(&self, row: usize) -> &Work {
        &self.rows[row].work
    }

    /// Line and file of each row that is not among those `used`.
    pub(crate) fn unused(&self, used: &HashSet<usize>) -> impl Iterator<Item = (u64, &str)> {
        let rows = self.rows.iter().enumerate().filter(|(row, _)| !used.contains(row));
        rows.map(|(_, row)| (row.line, row.file.as_str()))
    }
}

/// The work of a row, or what is wrong with it.
fn work<'r>(cell: impl Fn(usize) -> &'r str) -> Result<Work, String> {
    let optional = |column| Some(cell(column)).filter(|cell: &&str| !cell.is_empty()).map(str::to_owned);
    if cell(0).is_empty() {
        return Err("expected a file, found an empty cell".to_owned());
    }
    let id = WorkId::new(cell(1));
    let id = id.ok_or_else(|| {
        format!("expected a work_id of 1 to 512 bytes without control characters, found {:?}", cell(1))
    })?;
    let identifiers = cell(4).split([' ', ';']).filter(|part| !part.is_empty());
    let identifiers = identifiers.map(|part| Identifier::parse(part).map_err(|error| error.to_string()));
    let policy = match cell(7) {
        "" => Policy::default(),
        name => Policy::named(&name.to_ascii_lowercase()).ok_or_else(|| {
            let names = Policy::ALL.map(Policy::name).join(", ");
            format!("expected a policy ({names}), found {}", text(name))
        })?,
    };
    let window = optional(6);
    if let Some(window) = window.as_deref().filter(|window| !is_window(window)) {
        let example = "FROM/TO, for example 2020-01-31/..";
        return Err(format!("expected a window {example}, found {}", text(window)));
    }
    Ok(Work {
        title: optional(2),
        holder: optional(3),
        identifiers: identifiers.collect::<Result<_, _>>()?,
        territory: optional(5),
        window,
        policy,
        ..Work::new(id)
    })
}

/// `FROM/TO`: dates of ISO 8601 (`2020`, `2020-01`, `2020-01-31`) or `..`.
fn is_window(text: &str) -> bool {
    let in_range = |part: &str, length, range: std::ops::RangeInclusive<u32>| {
        part.len() == length
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && part.parse().is_ok_and(|number| range.contains(&number))
    };
    let is_date = |date: &str| {
        let mut parts = date.split('-');
        let year = parts.next().is_some_and(|year| in_range(year, 4, 0..=9999));
        let month = parts.next().is_none_or(|month| in_range(month, 2, 1..=12));
        let day = parts.next().is_none_or(|day| in_range(day, 2, 1..=31));
        year && month && day && parts.next().is_none()
    };
    text.split_once('/').is_some_and(|(from, to)| [from, to].into_iter().all(|side| side == ".." || is_date(side)))
}

/// A path without `.` parts and doubled slashes, so that `./a//b` is `a/b`.
fn plain(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != Component::CurDir).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "file,work_id,title,holder,identifiers,territory,window,policy\n";

    #[test]
    fn a_row_is_a_work() {
        let rows = format!(
            "\u{feff}{HEADER}./a//b.jpg, W-1 ,\"Harbour, at dawn\",Jo,ISBN:978-0-306-40615-7 isrc:USRC17607839,DE;AT,2020-01-31/..,Licensed\nc.jpg,W-1,\"Harbour, at dawn\",Jo,ISBN:9780306406157 ISRC:USRC17607839,DE;AT,2020-01-31/..,licensed\nd.jpg,D,,,,,,\n"
        );
        let catalogue = Catalogue::parse(rows.as_bytes()).unwrap();
        let row_of = |path: &str, below: &str| catalogue.row_of(Path::new(path), Path::new(below));
        let row = row_of("masters/a/b.jpg", "a/b.jpg").unwrap();
        let work = catalogue.work(row);
        assert_eq!((work.id.as_str(), work.policy), ("W-1", Policy::Licensed));
        assert_eq!(work.title.as_deref(), Some("Harbour, at dawn"));
        assert_eq!(work.identifiers.len(), 2);
        let plain = row_of("./d.jpg", "x").unwrap();
        assert_eq!(*catalogue.work(plain), Work::new(WorkId::new("D").unwrap()));
        assert!(row_of("masters/a.jpg", "a.jpg").is_none());
        assert_eq!(catalogue.unused(&HashSet::from([row, plain])).collect::<Vec<_>>(), [(3, "c.jpg")]);
    }

    #[test]
    fn everything_wrong_is_told_with_its_line() {
        let check = |rows: &str, expected: &[&str]| {
            let error = format!("{:#}", Catalogue::parse(rows.as_bytes()).unwrap_err());
            for part in expected {
                assert!(error.contains(part), "{rows:?} gave {error:?}, not {part:?}");
            }
        };
        check("", &["line 1", "file"]);
        check("file,work\n", &["line 1", "work_id", "found work"]);
        check("file,title\n", &["line 1", "work_id"]);
        let row = |row: &str| format!("{HEADER}{row}\n");
        check(&row(",W,,,,,,"), &["line 2", "expected a file"]);
        check(&row("a,,,,,,,"), &["line 2", "work_id"]);
        check(&row("a,W,,,,,,forbidden"), &["line 2", "infringing, licensed, ignore", "forbidden"]);
        check(&row("a,W,,,ISBN:978-0-306-40615-8,,,"), &["line 2", "ISBN"]);
        check(&row("a,W,,,,,yesterday,"), &["line 2", "FROM/TO"]);
        check(&row("a,W,,,,,2020-13-01/..,"), &["line 2", "FROM/TO"]);
        check(&row("a,W,,,,,,,more"), &["line 2", "8 cells, found 9"]);
        check(&row("a,W,,,,,,\na,V,,,,,,"), &["line 3", "line 2"]);
        check(&row("a,W,One,,,,,\nb,W,Other,,,,,"), &["line 3", "line 2", "work W"]);
        check(&row("a,W,,,,,,maybe\nb,,,,,,,"), &["line 2", "line 3"]);
    }
}
