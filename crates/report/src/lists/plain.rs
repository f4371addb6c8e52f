//! Plain lines: a hash, before it perhaps the name of its algorithm, behind it anything: what `threatexchange hash`,
//! `threatexchange dataset --print-signals` and `minutia fingerprint` print. Empty lines and lines that begin with `#`
//! are passed over.

use std::collections::VecDeque;
use std::io::{self, BufRead};

use minutia::fingerprint::{Algorithm, AlgorithmId};

use super::fields::{self, Field, is_digits, shown};
use super::text::Text;
use super::{Read, Wrong, vpdq};

/// Words that may stand before a hash: a position such as `ROTATE90`, and the algorithm.
const MOST_BEFORE: usize = 2;

/// Reads one line; false at the end.
pub(super) fn read<R: BufRead>(
    text: &mut Text<R>,
    algorithm: &'static Algorithm,
    ready: &mut VecDeque<Read>,
) -> io::Result<bool> {
    let Some(line) = text.line()? else { return Ok(false) };
    let number = line.number;
    match line.text {
        Ok(text) => ready.extend(of_line(number, text.trim(), algorithm)),
        Err(message) => ready.push_back(Read::Wrong(Wrong { line: number, message })),
    }
    Ok(true)
}

fn of_line(line: u64, text: &str, algorithm: &'static Algorithm) -> Option<Read> {
    if text.is_empty() || text.starts_with('#') {
        return None;
    }
    // A film's text has commas and quotes, but no white space that matters.
    if let Some((_, film)) = text.split_once(['[', '{']).filter(|(before, _)| fields::is_vpdq(before)) {
        let film = &text[text.len() - film.len() - 1..];
        return Some(vpdq::of_text(
            line,
            film.rsplit_once([']', '}']).map_or(film, |(inner, _)| &film[..=inner.len()]),
            |_| None,
        ));
    }
    let mut before: Vec<&str> = Vec::new();
    let mut words = text.split_whitespace();
    let hash = words.by_ref().find(|word| {
        let found = is_digits(word) || before.len() == MOST_BEFORE;
        if !found {
            before.push(word);
        }
        found
    });
    // Text and addresses have no hash, and may hold a word that looks like one.
    if let Some(kind) = before.first().filter(|word| fields::is_other_signal(word)) {
        return Some(Read::Other((*kind).to_owned()));
    }
    let Some(hash) = hash else {
        let message = format!("expected a hash, perhaps after the name of its algorithm, found {}", shown(text));
        return Some(Read::Wrong(Wrong { line, message }));
    };
    let behind: Vec<&str> = words.collect();
    // Quality, algorithm and file, as `minutia fingerprint` prints them.
    let (quality, of, file) = match behind[..] {
        [quality, of, ref file @ ..] if AlgorithmId::named(of).is_some() => {
            (Some(quality).filter(|&quality| quality != "-"), Some(of), (!file.is_empty()).then(|| file.join(" ")))
        }
        _ => (None, before.last().copied(), None),
    };
    // A category such as NEGATIVE_CLASS says that it must not be taken for a match.
    let category = behind.iter().find(|word| fields::is_category(word));
    Some(fields::read(line, algorithm, |field| match field {
        Field::Hash => Some(hash.into()),
        Field::Algorithm => of.map(Into::into),
        Field::Quality => quality.map(Into::into),
        Field::File => file.as_deref().map(Into::into),
        Field::Category => category.map(|&word| word.into()),
        _ => None,
    }))
}
