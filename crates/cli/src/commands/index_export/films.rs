//! The films of an index as lists: frames as vPDQ has them, in text files of their own, in rows, and in lines of JSON.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use minutia::fingerprint::{Fingerprint, VpdqFrame};
use minutia::index::{Entry, Index};
use minutia_report::lists::{films, vpdq_line};
use minutia_report::many;
use serde_json::{Value, json};

use super::super::index::hex;
use super::SCHEMA;
use crate::indexes::{ASIDE, directory_of};
use crate::settings::shown;

/// The longest name that is made for a file, in bytes.
const MOST_NAME: usize = 200;

/// The frames of the one film of an index, as the reference's tool writes them.
pub(super) fn one(index: &Index, out: &mut dyn Write) -> Result<()> {
    let count = index.info()?.films;
    if count != 1 {
        bail!("expected an index of one film, found {count}; --output DIR writes a file for each");
    }
    each(index, &mut |_, frames| lines(frames, out))?;
    tell_left_out(index)
}

/// A file for each film, in a new directory, which is there only when it is whole.
pub(super) fn into_directory(index: &Index, output: &Path) -> Result<()> {
    let aside = tempfile::Builder::new().prefix(ASIDE).tempdir_in(directory_of(output))?;
    let mut names = BTreeSet::new();
    each(index, &mut |entry, frames| {
        let name = name_of(entry, &mut names);
        let file = File::create_new(aside.path().join(&name)).with_context(|| format!("{name}: making the file"))?;
        let mut out = BufWriter::new(file);
        lines(frames, &mut out)?;
        Ok(out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?)
    })?;
    let aside = aside.keep();
    fs::rename(&aside, output).with_context(|| format!("{}: giving the directory its name", shown(output)))?;
    tell_left_out(index)
}

/// A row for each frame of the films of a file, behind the hashes of its pictures.
pub(super) fn rows(entry: &Entry, out: &mut dyn Write) -> Result<()> {
    for (_, frames) in films(entry) {
        for frame in &frames {
            writeln!(out, "{}", minutia_report::lists::vpdq_row(entry, frame))?;
        }
    }
    Ok(())
}

/// A line of JSON for each film of a file, and one for each frame of it.
pub(super) fn records(entry: &Entry, line: &mut impl FnMut(Value) -> Result<()>) -> Result<()> {
    let of_file = |record: &str| {
        json!({
            "schema": SCHEMA,
            "record": record,
            "work": entry.work.id.as_str(),
            "file": entry.source_name,
            "blake3": entry.source_digest.map(|digest| hex(&digest)),
        })
    };
    for film in entry.fingerprints.iter().filter_map(Fingerprint::film) {
        let frames = film.listed();
        let mut record = of_file("film");
        record["stream"] = json!(film.stream);
        record["duration_ms"] = json!(film.duration_ms);
        record["width"] = json!(film.width);
        record["height"] = json!(film.height);
        record["frames"] = json!(frames.len());
        record["views_left_out"] = json!(film.views.len().saturating_sub(1));
        line(record)?;
        for VpdqFrame { time_ms, number, quality, code } in &frames {
            let mut record = of_file("frame");
            record["algorithm"] = json!("vpdq");
            record["frame"] = json!(number);
            record["time_ms"] = json!(time_ms);
            record["quality"] = json!(quality);
            record["hex"] = json!(code.to_string());
            line(record)?;
        }
    }
    Ok(())
}

/// Says what of films no list holds.
pub(super) fn tell_further_views(index: &Index) -> Result<()> {
    let (mut further, mut silent) = (0_u64, 0_u64);
    for entry in index.entries() {
        let (entry, _) = entry?;
        for film in entry.fingerprints.iter().filter_map(Fingerprint::film) {
            further += u64::from(!film.is_of_list());
            silent += u64::from(film.listed().is_empty());
        }
    }
    if further > 0 {
        anstream::eprintln!(
            "note: {} written by one view of each frame, the frame without its border: `--format minutia` has the others",
            many(further, "film")
        );
    }
    if silent > 0 {
        anstream::eprintln!("note: {} left out: no frame with something in it", many(silent, "film"));
    }
    Ok(())
}

fn tell_left_out(index: &Index) -> Result<()> {
    tell_further_views(index)?;
    let info = index.info()?;
    for (count, kind, how) in
        [(info.pictures, "picture", "--format csv"), (info.tracks, "recording", "--format fpcalc")]
    {
        if count > 0 {
            anstream::eprintln!("note: {} left out: `{how}` writes what is left out here", many(count, kind));
        }
    }
    Ok(())
}

/// Calls `with` for each film that has a frame with something in it.
fn each(index: &Index, with: &mut dyn FnMut(&Entry, &[VpdqFrame]) -> Result<()>) -> Result<()> {
    for entry in index.entries() {
        let (entry, _) = entry?;
        for (_, frames) in films(&entry) {
            if !frames.is_empty() {
                with(&entry, &frames)?;
            }
        }
    }
    Ok(())
}

fn lines(frames: &[VpdqFrame], out: &mut dyn Write) -> Result<()> {
    for frame in frames {
        writeln!(out, "{}", vpdq_line(frame))?;
    }
    Ok(())
}

/// A name of plain characters that no other film has: work and file.
fn name_of(entry: &Entry, names: &mut BTreeSet<String>) -> String {
    let (work, file) = (entry.work.id.as_str(), entry.source_name.as_str());
    let both =
        if file == work || file.starts_with(&format!("{work}.")) { file.to_owned() } else { format!("{work}-{file}") };
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let mut name: String = both.chars().map(plain).take(MOST_NAME).collect();
    if name.starts_with('.') || name.is_empty() {
        name.insert(0, '_');
    }
    let candidates =
        (1..).map(|number| if number == 1 { format!("{name}.txt") } else { format!("{name}-{number}.txt") });
    let mut free = candidates.skip_while(|candidate| names.contains(&candidate.to_lowercase()));
    let chosen = free.next().unwrap_or_default();
    names.insert(chosen.to_lowercase());
    chosen
}

#[cfg(test)]
mod tests {
    use minutia::index::{Work, WorkId};

    use super::*;

    #[test]
    fn names_are_plain_and_no_two_alike() {
        let mut names = BTreeSet::new();
        let mut check = |work: &str, file: &str, expected: &str| {
            let entry = Entry {
                work: Work::new(WorkId::new(work).unwrap()),
                source_name: file.to_owned(),
                source_digest: None,
                fingerprints: Vec::new(),
                thumbnail: None,
            };
            assert_eq!(name_of(&entry, &mut names), expected);
        };
        check("W-1", "film.mp4", "W-1-film.mp4.txt");
        check("film", "film.mp4", "film.mp4.txt");
        check("w-1", "Film.mp4", "w-1-Film.mp4-2.txt");
        check("../..", "/etc/passwd", "_.._..-_etc_passwd.txt");
        check("x", &"é".repeat(400), &format!("x-{}.txt", "_".repeat(198)));
    }
}
