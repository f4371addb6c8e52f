//! The manifest: which files make up a generation of the index. Text, so that a person can read what an index consists
//! of, with a checksum of its own in the last line.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use super::IndexError;
use super::layout::VERSION;

/// The manifest's name.
pub(super) const NAME: &str = "MANIFEST";
/// More bytes than a manifest can have: what is longer is none, and is not read.
pub(super) const MOST_BYTES: usize = 1 << 20;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    /// Counts the commits; 0 in a new index before the first.
    pub(super) generation: u64,
    /// The number that the next segment gets; none is ever used twice.
    pub(super) next_segment: u64,
    /// Oldest first.
    pub(super) segments: Vec<Listed>,
    /// The tombstones' file is named after this generation.
    pub(super) tombstones: Option<Listed>,
}

/// A file that the manifest names: its number, its length, and a checksum (of a segment's header, which holds those of
/// its sections; of the whole of the tombstones).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) number: u64,
    pub(super) bytes: u64,
    pub(super) checksum: u64,
}

pub(super) fn segment_name(number: u64) -> String {
    format!("segment-{number:010}")
}

pub(super) fn tombstones_name(generation: u64) -> String {
    format!("tombstones-{generation:010}")
}

/// True for the name of a file that a manifest may name.
pub(super) fn is_named_by(name: &str) -> bool {
    ["segment-", "tombstones-"].iter().any(|start| {
        name.strip_prefix(start).is_some_and(|rest| rest.len() >= 10 && rest.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

/// True for a directory with such files.
pub(super) fn holds_segments(directory: &Path) -> bool {
    let Ok(entries) = fs::read_dir(directory) else { return false };
    entries.flatten().any(|entry| is_named_by(&entry.file_name().to_string_lossy()))
}

impl Manifest {
    pub(super) fn encode(&self) -> String {
        let mut text = format!("minutia index {VERSION}\ngeneration {}\nnext {}\n", self.generation, self.next_segment);
        let mut line = |what: &str, file: &Listed| {
            let Listed { number, bytes, checksum } = file;
            writeln!(text, "{what} {number} bytes {bytes} checksum {checksum:016x}").expect("writing to a string");
        };
        self.segments.iter().for_each(|segment| line("segment", segment));
        self.tombstones.iter().for_each(|tombstones| line("tombstones", tombstones));
        let checksum = xxh3_64(text.as_bytes());
        writeln!(text, "end {checksum:016x}").expect("writing to a string");
        text
    }

    pub(super) fn decode(path: &Path, bytes: &[u8]) -> Result<Manifest, IndexError> {
        let damaged = |expected: &str, found: &str| IndexError::damaged(path, "manifest", expected, found);
        if bytes.len() > MOST_BYTES {
            return Err(damaged(&format!("at most {MOST_BYTES} bytes"), "more"));
        }
        let Ok(text) = std::str::from_utf8(bytes) else { return Err(damaged("text", "other bytes")) };
        let first = text.lines().next().unwrap_or("");
        let version = first.strip_prefix("minutia index ").and_then(|version| version.parse::<u32>().ok());
        match version {
            None => return Err(damaged("`minutia index` and a version in line 1", &format!("{first:?}"))),
            Some(found) if found > VERSION => {
                return Err(IndexError::Newer { path: path.to_owned(), found, known: VERSION });
            }
            Some(_) => {}
        }
        let Some((body, end)) = text.rsplit_once("end ") else { return Err(damaged("a last line `end`", "none")) };
        let checksum = format!("{:016x}\n", xxh3_64(body.as_bytes()));
        if end != checksum {
            return Err(damaged(&format!("`end {}`", end.trim_end()), &format!("checksum {}", checksum.trim_end())));
        }
        let mut manifest = Manifest::default();
        for line in body.lines().skip(1) {
            let words: Vec<&str> = line.split(' ').collect();
            let unknown = || damaged("a line of a manifest", &format!("{line:?}"));
            let number = |word: &str| word.parse::<u64>().map_err(|_| unknown());
            match words[..] {
                ["generation", generation] => manifest.generation = number(generation)?,
                ["next", next] => manifest.next_segment = number(next)?,
                [what @ ("segment" | "tombstones"), n, "bytes", bytes, "checksum", checksum] => {
                    let checksum = u64::from_str_radix(checksum, 16).map_err(|_| unknown())?;
                    let file = Listed { number: number(n)?, bytes: number(bytes)?, checksum };
                    if what == "segment" {
                        manifest.segments.push(file);
                    } else {
                        manifest.tombstones = Some(file);
                    }
                }
                _ => return Err(unknown()),
            }
        }
        Ok(manifest)
    }
}
