//! CSV: a header that names the columns, in any order, or none, and then the hash and the id. Cells are separated by
//! commas, semicolons or tabs and may be quoted (RFC 4180); a quoted cell may hold a few line breaks.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::{self, BufRead};

use minutia::fingerprint::Algorithm;

use super::fields::{self, Field, is_digits, shown};
use super::text::{Line, Text};
use super::write::unguarded;
use super::{MOST_BYTES, Read, Wrong};

/// Lines that one row may take: an open quote must not swallow the rest of a list.
const MOST_LINES: usize = 32;

/// A table, and what its columns are.
pub(super) struct Table {
    separator: u8,
    columns: Vec<Option<Field>>,
    /// The algorithm that the hash's column is named after.
    algorithm: Option<&'static Algorithm>,
    has_header: bool,
}

/// What the first line of a list says.
pub(super) enum Begin {
    /// It names the columns.
    Header(Table),
    /// It is a row already.
    Row(Table),
    /// It names columns, and no hash among them.
    NoHash(String),
}

impl Table {
    /// The table that begins with this line; `None` where this is not a table.
    pub(super) fn of(first: &str, default: &'static Algorithm) -> Option<Begin> {
        let separator = [b',', b';', b'\t'].into_iter().find(|&byte| first.as_bytes().contains(&byte));
        let mut cells = Vec::new();
        split(first, separator.unwrap_or(b','), &mut cells);
        let mut algorithm = None;
        let mut seen = Vec::new();
        let columns = cells.iter().map(|cell| {
            let field = fields::named(cell.trim()).or_else(|| {
                algorithm = algorithm.or(fields::algorithm(cell));
                algorithm.map(|_| Field::Hash).filter(|_| fields::algorithm(cell).is_some())
            });
            // The first column of a field counts.
            let field = field.filter(|field| !seen.contains(field));
            seen.extend(field);
            field
        });
        let columns: Vec<Option<Field>> = columns.collect();
        let separator_or = separator.unwrap_or(b',');
        if columns.contains(&Some(Field::Hash)) {
            let named_hash = columns
                .iter()
                .zip(&cells)
                .any(|(field, cell)| *field == Some(Field::Hash) && fields::named(cell.trim()).is_some());
            let algorithm = algorithm.filter(|_| !named_hash);
            return Some(Begin::Header(Table { separator: separator_or, columns, algorithm, has_header: true }));
        }
        separator?;
        if is_digits(cells.first()?.trim()) {
            let columns = vec![Some(Field::Hash), Some(Field::Id)];
            return Some(Begin::Row(Table { separator: separator_or, columns, algorithm: None, has_header: false }));
        }
        // Plain lines may hold commas as well, but a name of a column is none of them.
        let message = format!(
            "expected a column hash, and perhaps {}; found {}. Name the column of the {} codes `hash`; nothing of this \
             list was read",
            fields::COLUMNS[1..].join(", "),
            shown(first),
            default.name,
        );
        (!seen.is_empty() || cells.iter().all(|cell| !cell.trim().contains(' '))).then_some(Begin::NoHash(message))
    }

    /// Reads one row; false at the end.
    pub(super) fn read<R: BufRead>(
        &mut self,
        text: &mut Text<R>,
        default: &'static Algorithm,
        ready: &mut VecDeque<Read>,
    ) -> io::Result<bool> {
        let Some(Line { number, text: first }) = text.line()? else { return Ok(false) };
        let wrong = |message| Read::Wrong(Wrong { line: number, message });
        let mut row = match first {
            Ok(row) => row,
            Err(message) => {
                ready.push_back(wrong(message));
                return Ok(true);
            }
        };
        if !is_closed(&row, self.separator)
            && let Some(message) = read_on(&mut row, self.separator, text)?
        {
            ready.push_back(wrong(message));
            return Ok(true);
        }
        let mut cells = Vec::with_capacity(self.columns.len());
        split(&row, self.separator, &mut cells);
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            return Ok(true);
        }
        if self.has_header && cells.len() > self.columns.len() {
            let (expected, found) = (self.columns.len(), cells.len());
            ready.push_back(wrong(format!("expected {expected} cells, found {found}; quote cells that hold commas")));
            return Ok(true);
        }
        let get = |field| -> Option<Cow<'_, str>> {
            let place = self.columns.iter().position(|&column| column == Some(field))?;
            cells.get(place).map(|cell| match cell {
                Cow::Borrowed(cell) => Cow::Borrowed(unguarded(cell)),
                Cow::Owned(cell) => Cow::Owned(unguarded(cell).to_owned()),
            })
        };
        ready.push_back(fields::read(number, self.algorithm.unwrap_or(default), get));
        Ok(true)
    }
}

/// Reads the lines of a row whose quote is open; why that cannot be, when what was read on is unread again.
fn read_on<R: BufRead>(row: &mut String, separator: u8, text: &mut Text<R>) -> io::Result<Option<String>> {
    let mut further: Vec<Line> = Vec::new();
    loop {
        let next = if further.len() + 1 < MOST_LINES { text.line()? } else { None };
        let fits = |line: &Line| line.text.as_ref().is_ok_and(|text| row.len() + text.len() < MOST_BYTES);
        let ends = !next.as_ref().is_some_and(fits);
        if let (Some(Line { text: Ok(text), .. }), false) = (&next, ends) {
            row.push('\n');
            row.push_str(text);
        }
        further.extend(next);
        if ends {
            // The quote is what is wrong, not the lines behind it.
            further.into_iter().rev().for_each(|line| text.unread(line));
            let message =
                format!("expected the quote to be closed within {MOST_LINES} lines, found it open: {}", shown(row));
            return Ok(Some(message));
        }
        if is_closed(row, separator) {
            return Ok(None);
        }
    }
}

/// True for a row of which no quoted cell lacks its end.
fn is_closed(row: &str, separator: u8) -> bool {
    !row.as_bytes().contains(&b'"') || split(row, separator, &mut Vec::new())
}

/// Splits a row into its cells, without the white space around what is not quoted; false where a quoted cell has no end.
pub(super) fn split<'r>(row: &'r str, separator: u8, cells: &mut Vec<Cow<'r, str>>) -> bool {
    let mut rest = row;
    loop {
        let mut quote = None;
        // White space before a quote is none of the cell's.
        if let Some(quoted) = rest.trim_start_matches(' ').strip_prefix('"') {
            let cell = quote.insert(String::new());
            rest = quoted;
            loop {
                let Some((before, after)) = rest.split_once('"') else { return false };
                cell.push_str(before);
                match after.strip_prefix('"') {
                    Some(after) => {
                        cell.push('"');
                        rest = after;
                    }
                    None => {
                        rest = after;
                        break;
                    }
                }
            }
        }
        let end = rest.bytes().position(|byte| byte == separator);
        let plain = &rest[..end.unwrap_or(rest.len())];
        cells.push(match quote {
            Some(cell) => Cow::Owned(cell + plain.trim_end()),
            None => Cow::Borrowed(plain.trim()),
        });
        match end {
            Some(end) => rest = &rest[end + 1..],
            None => return true,
        }
    }
}
