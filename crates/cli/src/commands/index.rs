//! `minutia index info | verify | compact | remove | export`.

use std::io::{BufWriter, Write, stdout};
use std::path::Path;

use anyhow::{Context, Result};
use minutia::index::{Access, Commit, Index, WorkId, Writer};
use minutia_report::escape::{self, text};
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::settings::shown;

/// Says what an index consists of.
pub(crate) fn info(path: &Path) -> Result<Exit> {
    let info = Index::open(path, Access::Mapped)?.info()?;
    let algorithms: Vec<String> = info
        .algorithms
        .iter()
        .map(|id| id.row().map_or_else(|| format!("number {}", id.0), |row| row.name.to_owned()))
        .collect();
    let rows = [
        ("index", shown(path)),
        ("generation", info.generation.to_string()),
        ("state", hex(&info.manifest_digest)),
        ("algorithms", algorithms.join(", ")),
        ("works", info.works.to_string()),
        ("files", info.items.to_string()),
        ("pictures", info.pictures.to_string()),
        ("references", format!("{} (views of the pictures)", info.references)),
        ("removed", format!("{} references, gone with the next compact", info.tombstones)),
        (
            "codes",
            format!(
                "{} different; {} shared by many, one by {} references",
                info.codes, info.hot_codes, info.largest_cluster
            ),
        ),
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
    let index = Index::open(path, Access::Mapped)?;
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
        "sound: {} segments, {} bytes, {} references",
        info.segments,
        info.bytes,
        info.references
    )?;
    Ok(Exit::Nothing)
}

/// Merges all segments into one.
pub(crate) fn compact(path: &Path) -> Result<Exit> {
    let commit = open_for_writing(path)?.compact()?;
    told(&commit)
}

/// Removes works.
pub(crate) fn remove(path: &Path, works: &[String]) -> Result<Exit> {
    let mut writer = open_for_writing(path)?;
    let mut exit = Exit::Nothing;
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
        let removed = writer.remove(&id)?;
        writeln!(stdout().lock(), "{}: {removed} references removed", text(work))?;
    }
    told(&writer.commit()?)?;
    Ok(exit)
}

/// A writer for an index that is there already: only `add` makes one.
fn open_for_writing(path: &Path) -> Result<Writer> {
    Index::open(path, Access::Mapped)?;
    Ok(Writer::open(path)?)
}

fn told(commit: &Commit) -> Result<Exit> {
    writeln!(stdout().lock(), "generation {}, {} segments", commit.generation, commit.segments)?;
    Ok(Exit::Nothing)
}

/// Prints everything that an index holds.
pub(crate) fn export(path: &Path) -> Result<Exit> {
    let index = Index::open(path, Access::Mapped)?;
    let mut out = BufWriter::new(stdout().lock());
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
    for file in index.files() {
        let file = file?;
        line(json!({
            "schema": SCHEMA,
            "record": "file",
            "work": file.work.as_str(),
            "file": file.source_name,
            "blake3": file.source_digest.map(|digest| hex(&digest)),
            "references": file.references,
        }))?;
    }
    // Every reference of this format is one of this algorithm; an index names it once.
    let algorithms = index.info()?.algorithms;
    let algorithm = algorithms.first().and_then(|id| id.row()).map(|row| row.name);
    for reference in index.references() {
        let reference = reference?;
        let region = reference.region;
        line(json!({
            "schema": SCHEMA,
            "record": "reference",
            "work": reference.work.as_str(),
            "file": reference.source_name,
            "blake3": reference.source_digest.map(|digest| hex(&digest)),
            "frame": reference.frame,
            "time_ms": reference.time_ms,
            "width": reference.size.0,
            "height": reference.size.1,
            "region": [region.left, region.top, region.right, region.bottom],
            "region_kind": region.kind,
            "algorithm": algorithm,
            "hex": reference.code.to_string(),
            "quality": reference.quality,
        }))?;
    }
    out.flush()?;
    Ok(Exit::Nothing)
}

/// The schema of what `export` prints.
const SCHEMA: &str = "minutia/export/0";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
