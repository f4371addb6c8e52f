//! `minutia index info | verify | compact | remove`.

use std::io::{Write, stdout};
use std::path::Path;

use anyhow::Result;
use minutia::index::{Commit, Index, Removed, WorkId, Writer};
use minutia_report::escape::{self, text};
use minutia_report::many;
use serde_json::json;

use crate::exit::Exit;
use crate::indexes;
use crate::progress;
use crate::settings::shown;

/// Says what an index consists of.
pub(crate) fn info(path: &Path, as_json: bool) -> Result<Exit> {
    let info = indexes::open(path)?.info()?;
    let algorithms: Vec<String> = info
        .algorithms
        .iter()
        .map(|id| id.row().map_or_else(|| format!("number {}", id.0), |row| row.name.to_owned()))
        .collect();
    if as_json {
        let line = json!({
            "generation": info.generation,
            "manifest_digest": hex(&info.manifest_digest),
            "algorithms": algorithms,
            "works": info.works,
            "files": info.items,
            "pictures": info.pictures,
            "references": info.references,
            "removed_references": info.tombstones,
            "codes": info.codes,
            "hot_codes": info.hot_codes,
            "largest_cluster": info.largest_cluster,
            "films": info.films,
            "film_ms": info.film_ms,
            "film_codes": info.film_codes,
            "recordings": info.tracks,
            "sound_ms": info.sound_ms,
            "peaks": info.peaks,
            "landmarks": info.landmarks,
            "stop_keys": info.stop_keys,
            "segments": info.segments,
            "bytes": info.bytes,
        });
        writeln!(stdout().lock(), "{}", escape::json(&line)?)?;
        return Ok(Exit::Nothing);
    }
    let rows = [
        ("index", shown(path)),
        ("generation", info.generation.to_string()),
        ("state", hex(&info.manifest_digest)),
        ("algorithms", algorithms.join(", ")),
        ("works", info.works.to_string()),
        ("files", info.items.to_string()),
        ("pictures", info.pictures.to_string()),
        ("references", format!("{} (views of the pictures)", info.references)),
        ("removed", format!("{}, gone with the next compact", many(info.tombstones, "reference"))),
        (
            "codes",
            format!(
                "{} different, {} of them shared by many references; the most shared one by {}",
                info.codes, info.hot_codes, info.largest_cluster
            ),
        ),
        (
            "films",
            match info.films {
                0 => "none".to_owned(),
                films => format!(
                    "{films}, {} in all; {} codes of their frames",
                    super::index_add::length(info.film_ms),
                    info.film_codes
                ),
            },
        ),
        (
            "sound",
            match info.tracks {
                0 => "none".to_owned(),
                tracks => format!("{}, {} in all", many(tracks, "recording"), super::index_add::length(info.sound_ms)),
            },
        ),
        ("landmarks", format!("{} of {} peaks; {} keys shared by many", info.landmarks, info.peaks, info.stop_keys)),
        ("segments", info.segments.to_string()),
        (
            "bytes",
            match info.bytes_per_reference() {
                Some(each) => format!("{} ({each:.1} a reference)", info.bytes),
                None => info.bytes.to_string(),
            },
        ),
    ];
    let mut out = stdout().lock();
    for (name, value) in rows {
        writeln!(out, "{name:<12}{value}")?;
    }
    Ok(Exit::Nothing)
}

/// Looks at every byte.
pub(crate) fn verify(path: &Path) -> Result<Exit> {
    let index = indexes::open(path)?;
    let damages = index.verify();
    for damage in &damages {
        writeln!(stdout().lock(), "{}", text(&damage.to_string()))?;
    }
    if !damages.is_empty() {
        return Ok(Exit::Unexamined);
    }
    let info = index.info()?;
    writeln!(
        stdout().lock(),
        "undamaged: {}, {} bytes, {}, {}, {}",
        many(info.segments as u64, "segment"),
        info.bytes,
        many(info.references, "reference"),
        many(info.tracks, "recording"),
        many(info.films, "film")
    )?;
    Ok(Exit::Nothing)
}

/// Merges all segments into one.
pub(crate) fn compact(path: &Path) -> Result<Exit> {
    let mut writer = open_for_writing(path)?;
    let references = writer.base().map(Index::info).transpose()?.map_or(0, |info| info.references);
    let bar = progress::waiting(format!("merging {}", many(references, "reference")));
    let commit = writer.compact();
    bar.finish_and_clear();
    told(&commit?)
}

/// Removes works.
pub(crate) fn remove(path: &Path, works: &[String]) -> Result<Exit> {
    let mut writer = open_for_writing(path)?;
    let (mut exit, mut removed) = (Exit::Nothing, Vec::new());
    for work in works {
        let mut known = WorkId::new(work.as_str());
        if let (Some(id), Some(base)) = (&known, writer.base())
            && base.work(id)?.is_none()
        {
            known = None;
        }
        let Some(id) = known else {
            anstream::eprintln!(
                "minutia: {}: expected the id of a work of this index; `minutia index export` lists them",
                text(work)
            );
            exit = Exit::Unexamined;
            continue;
        };
        removed.push((work, writer.remove(&id)?));
    }
    // What is said to be gone is gone for certain.
    let commit = writer.commit()?;
    for (work, Removed { files, references }) in removed {
        let (files, references) = (many(files, "file"), many(references, "reference"));
        writeln!(stdout().lock(), "{}: {files} removed, with {references}", text(work))?;
    }
    told(&commit)?;
    Ok(exit)
}

/// A writer for an index that is there already: only `add` makes one.
fn open_for_writing(path: &Path) -> Result<Writer> {
    indexes::open(path)?;
    Ok(indexes::writer(path, 0)?)
}

fn told(commit: &Commit) -> Result<Exit> {
    writeln!(stdout().lock(), "generation {}, {} segments", commit.generation, commit.segments)?;
    Ok(Exit::Nothing)
}

/// Bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
