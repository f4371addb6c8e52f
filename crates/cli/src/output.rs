//! Where records go: standard output in one of the report's formats, and troubles to standard error beside them.

use std::io::{BufWriter, Stdout, Write, stdout};

use anyhow::{Context, Result};
use minutia::verdict::Outcome;
use minutia_report::format::{FORMATS, Format};
use minutia_report::{ItemRecord, Line, Record, escape};

/// Standard output in one format.
pub(crate) struct Output {
    format: &'static Format,
    out: BufWriter<Stdout>,
    /// Whether troubles are told on standard error: in JSON they are in the records.
    tells: bool,
}

impl Output {
    /// Output in the format of this name.
    pub(crate) fn named(name: &str) -> Result<Output> {
        let format = FORMATS.iter().find(|format| format.name == name);
        let format = format.with_context(|| format!("expected the name of a format, found {name}"))?;
        Ok(Output { format, out: BufWriter::new(stdout()), tells: name == "text" })
    }

    /// Writes one record.
    pub(crate) fn record(&mut self, line: &Line, json: &str) -> Result<()> {
        if let Some(text) = (self.format.write)(line, json) {
            writeln!(self.out, "{text}")?;
        }
        if self.tells
            && let Record::Item(item) = &line.record
            && let Some(trouble) = trouble(item)
        {
            self.flush()?;
            anstream::eprintln!("{trouble}");
        }
        Ok(())
    }

    /// Hands over what was written so far.
    pub(crate) fn flush(&mut self) -> Result<()> {
        Ok(self.out.flush()?)
    }
}

/// What a person should know of an item that could not be examined.
fn trouble(item: &ItemRecord) -> Option<String> {
    let told = [Outcome::Unreadable, Outcome::Protected, Outcome::Failed, Outcome::Damaged, Outcome::Unsupported];
    if !told.iter().any(|outcome| outcome.name() == item.outcome) {
        return None;
    }
    let reasons: Vec<String> = item.problems.iter().map(|problem| escape::text(&problem.message)).collect();
    Some(format!("{:<10} {}: {}", item.outcome, item.shown_path(), reasons.join("; ")))
}
