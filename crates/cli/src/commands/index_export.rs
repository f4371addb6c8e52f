//! `minutia index export`: what an index holds, for people's scripts, for other tools, and for other indexes.

mod films;

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::{BufWriter, Write, stdout};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result, bail};
use minutia::fingerprint::{CHROMAPRINT_2, Fingerprint};
use minutia::index::{Index, WorkId};
use minutia_report::archive::{self, Member};
use minutia_report::escape;
use minutia_report::lists::recordings::{Recording, line};
use minutia_report::lists::{self, Hash};
use minutia_report::many;
use serde_json::{Value, json};

use super::index::hex;
use super::index_union;
use crate::args::{ExportFormat, IndexExport};
use crate::exit::Exit;
use crate::indexes::{self, ASIDE, Opened, directory_of};
use crate::settings::shown;

/// The schema of the lines of JSON.
const SCHEMA: &str = "minutia/export/0";

/// Exports as typed.
pub(crate) fn run(args: &IndexExport) -> Result<Exit> {
    let Some(output) = &args.output else {
        let mut out = BufWriter::new(stdout().lock());
        match args.format {
            ExportFormat::Json => json_lines(&sound(&args.index)?, &mut out)?,
            ExportFormat::Csv => csv(&sound(&args.index)?, &mut out)?,
            ExportFormat::Fpcalc => recordings(&sound(&args.index)?, &mut out)?,
            ExportFormat::Vpdq => films::one(&sound(&args.index)?, &mut out)?,
            ExportFormat::Minutia => bail!("expected --output FILE beside --format minutia: it is not text"),
        }
        out.flush()?;
        return Ok(Exit::Nothing);
    };
    let exists = || format!("{}: expected a new file, found one; remove it or choose another name", shown(output));
    if output.exists() {
        bail!(exists());
    }
    if args.format == ExportFormat::Vpdq {
        films::into_directory(&sound(&args.index)?, output)?;
        return Ok(Exit::Nothing);
    }
    // Under its name it is whole or not there. The process's mask takes from the mode what it must.
    let beside = directory_of(output);
    let aside = tempfile::Builder::new().prefix(ASIDE).permissions(Permissions::from_mode(0o666)).tempfile_in(beside);
    let mut aside = aside.with_context(|| format!("{}: making the file", shown(output)))?;
    let mut out = BufWriter::with_capacity(1 << 20, aside.as_file_mut());
    match args.format {
        ExportFormat::Json => json_lines(&sound(&args.index)?, &mut out)?,
        ExportFormat::Csv => csv(&sound(&args.index)?, &mut out)?,
        ExportFormat::Fpcalc => recordings(&sound(&args.index)?, &mut out)?,
        ExportFormat::Vpdq | ExportFormat::Minutia => one_file(&args.index, beside, &mut out)?,
    }
    out.flush().with_context(|| format!("{}: writing", shown(output)))?;
    drop(out);
    aside.as_file().sync_all()?;
    aside.persist_noclobber(output).with_context(exists)?;
    Ok(Exit::Nothing)
}

/// The index, whose every byte was looked at: a list has no checksum that would tell.
fn sound(path: &Path) -> Result<Index> {
    let index = indexes::open(path)?;
    indexes::sound(&index).with_context(|| format!("{}: not a sound index", shown(path)))?;
    Ok(index)
}

/// Every hash as a row, the hashes of a file together.
fn csv(index: &Index, out: &mut dyn Write) -> Result<()> {
    writeln!(out, "{}", lists::header())?;
    for entry in index.entries() {
        let (entry, algorithm) = entry?;
        for hash in lists::hashes(&entry, algorithm) {
            writeln!(out, "{}", lists::row(&hash))?;
        }
        films::rows(&entry, out)?;
    }
    tell_left_out(index)
}

/// Says that sound and most views of films are not in a list of hashes.
fn tell_left_out(index: &Index) -> Result<()> {
    let recordings = index.info()?.tracks;
    if recordings > 0 {
        anstream::eprintln!(
            "note: {} left out: `--format fpcalc` writes Chromaprint items, and `--format minutia` everything",
            many(recordings, "recording")
        );
    }
    films::tell_further_views(index)
}

/// The Chromaprint items of each recording, as `fpcalc -json` prints them, with work and file.
fn recordings(index: &Index, out: &mut dyn Write) -> Result<()> {
    let mut silent = 0_u64;
    for entry in index.entries() {
        let (entry, _) = entry?;
        for audio in entry.fingerprints.iter().filter_map(Fingerprint::audio) {
            if audio.chromaprint.is_empty() {
                silent += 1;
                continue;
            }
            let recording = Recording {
                line: 0,
                items: audio.chromaprint.clone(),
                algorithm: CHROMAPRINT_2,
                duration_ms: Some(audio.duration_ms),
                id: Some(entry.work.id.as_str().to_owned()),
                file: Some(entry.source_name.clone()),
            };
            writeln!(out, "{}", line(&recording))?;
        }
    }
    if silent > 0 {
        anstream::eprintln!("note: {} left out: too short for an item", many(silent, "recording"));
    }
    let info = index.info()?;
    if info.pictures > 0 {
        anstream::eprintln!("note: {} left out: `--format csv` writes hashes", many(info.pictures, "picture"));
    }
    if info.films > 0 {
        let films = many(info.films, "film");
        anstream::eprintln!("note: the pictures of {films} left out: `--format vpdq` writes them");
    }
    Ok(())
}

/// Works, files and hashes, one a line.
fn json_lines(index: &Index, out: &mut dyn Write) -> Result<()> {
    let mut line = |value: Value| -> Result<()> {
        let json = escape::json(&value).context("writing JSON")?;
        Ok(writeln!(out, "{json}")?)
    };
    for work in index.works() {
        let work = work?;
        line(json!({
            "schema": SCHEMA,
            "record": "work",
            "work": work.id.as_str(),
            "title": work.title,
            "holder": work.holder,
            "identifiers": work.identifiers.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "territory": work.territory,
            "window": work.window,
            "policy": work.policy.name(),
        }))?;
    }
    let mut recordings: BTreeMap<(WorkId, String), u32> = BTreeMap::new();
    for track in index.tracks()? {
        *recordings.entry((track.work, track.source_name)).or_default() += 1;
    }
    for file in index.files() {
        let file = file?;
        let recordings = recordings.get(&(file.work.clone(), file.source_name.clone())).copied().unwrap_or(0);
        line(json!({
            "schema": SCHEMA,
            "record": "file",
            "work": file.work.as_str(),
            "file": file.source_name,
            "blake3": file.source_digest.map(|digest| hex(&digest)),
            "references": file.references,
            "recordings": recordings,
        }))?;
    }
    for entry in index.entries() {
        let (entry, algorithm) = entry?;
        for hash in lists::hashes(&entry, algorithm) {
            line(reference(&hash))?;
        }
        films::records(&entry, &mut line)?;
    }
    tell_left_out(index)
}

fn reference(hash: &Hash) -> Value {
    let region = hash.region;
    json!({
        "schema": SCHEMA,
        "record": "reference",
        "work": hash.work.id.as_str(),
        "file": hash.file,
        "blake3": hash.digest.map(|digest| hex(&digest)),
        "frame": hash.frame,
        "time_ms": hash.time_ms,
        "width": hash.size.0,
        "height": hash.size.1,
        "region": [region.left, region.top, region.right, region.bottom],
        "region_kind": region.kind,
        "algorithm": hash.algorithm.row().map(|row| row.name),
        "hex": hash.digits(),
        "quality": hash.quality,
    })
}

/// The compacted index as an archive. It is made anew beside the output, so that what was removed is gone, and that the
/// same works give the same bytes however the index grew.
fn one_file(path: &Path, beside: &Path, out: &mut dyn Write) -> Result<()> {
    let opened = Opened::at(path, beside)?;
    let aside = tempfile::Builder::new().prefix(ASIDE).tempdir_in(beside)?;
    let directory = aside.path().join("index");
    index_union::make(&directory, [opened])?;
    let mut members = Vec::new();
    for entry in fs::read_dir(&directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if archive::is_member(&name) {
            members.push(Member { name, bytes: entry.metadata()?.len() });
        }
    }
    // The manifest's name comes before those of the others.
    members.sort_by(|a, b| a.name.cmp(&b.name));
    for member in &members {
        archive::write(member, &mut File::open(directory.join(&member.name))?, out)?;
    }
    Ok(archive::finish(out)?)
}
