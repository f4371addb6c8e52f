//! Measuring one entry of a walk: its digests, taken here, and its items, read by a reader.

use std::io;
use std::os::unix::ffi::OsStrExt;

use minutia::scan::{Item, Pass, Reader, Request};
use minutia::verdict::Outcome;
use minutia_media::{Kind, Problem, Source, probe};
use minutia_report::FileFacts;
use sha2::{Digest, Sha256};

use crate::reading::Hand;
use crate::walk::{Entry, Met};

/// Bytes read at a time for the digests.
const CHUNK_BYTES: usize = 256 << 10;

/// What was learnt of an entry without an index.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) facts: FileFacts,
    pub(crate) content: Content,
}

/// What is in an entry.
#[derive(Debug)]
pub(crate) enum Content {
    /// It was not opened: the outcome, a code and a sentence.
    Unopened(Outcome, &'static str, String),
    /// At least one item; the file itself where nothing else is in it.
    Items(Vec<Item>),
}

/// Measures one entry after another.
pub(crate) struct Measurer {
    reader: Hand,
    request: Request,
    buffer: Vec<u8>,
}

impl Measurer {
    pub(crate) fn new(reader: Hand, request: Request) -> Measurer {
        Measurer { reader, request, buffer: vec![0; CHUNK_BYTES] }
    }

    /// Measures the entry of this number in its walk, from 0.
    pub(crate) fn measure(&mut self, number: u64, entry: Entry) -> Measured {
        let (path, triage) = (entry.path.as_os_str().as_bytes().to_vec(), self.request.pass == Pass::Triage);
        let mut facts = FileFacts { path, triage, ..FileFacts::default() };
        let content = match entry.met {
            Met::File(opened) => {
                facts.modified = Some(opened.modified);
                facts.access_time_unprotected = opened.unprotected;
                match Source::from_file(opened.file) {
                    Ok(source) => {
                        facts.batch = self.reader.turn_to(number);
                        Content::Items(self.read(&source, &mut facts))
                    }
                    Err(problem) => Content::Unopened(Outcome::Unreadable, problem.code(), problem.to_string()),
                }
            }
            Met::Skipped(code, message) => Content::Unopened(Outcome::Skipped, code, message.to_owned()),
            Met::Unreadable { during, error } => {
                let problem = Problem::io(during, &error);
                Content::Unopened(Outcome::Unreadable, problem.code(), problem.to_string())
            }
            Met::Passed(_) => Content::Unopened(Outcome::Skipped, "passed", "not looked into".to_owned()),
        };
        Measured { facts, content }
    }

    /// Takes the digests and the items of a file. Problems of the file as a whole go to the item that is the file.
    fn read(&mut self, source: &Source, facts: &mut FileFacts) -> Vec<Item> {
        facts.size = Some(source.len());
        // A quick pass does not read the whole of what is long.
        let is_film = || probe(source).is_ok_and(|format| format.row().kind == Kind::Video);
        let mut of_file = match facts.triage && is_film() {
            true => None,
            false => match self.digests(source) {
                Ok((blake3, sha256)) => {
                    (facts.blake3, facts.sha256) = (Some(blake3), Some(sha256));
                    None
                }
                Err(problem) => Some(problem),
            },
        };
        let mut items = Vec::new();
        let read = self.reader.read(source, &self.request, &mut |item| items.push(item));
        // What kept the file from being read says more than that it could not be read to its end.
        of_file = read.err().or(of_file);
        if let Some(problem) = of_file {
            match items.iter_mut().find(|item| item.member.is_empty()) {
                Some(file) => file.problems.push(problem),
                None => items.push(without_content(source, problem)),
            }
        } else if items.is_empty() {
            let detail = "the reader gave nothing for it".to_owned();
            items.push(without_content(source, Problem::Crashed { detail }));
        }
        items
    }

    /// BLAKE3 and SHA-256 of all bytes.
    fn digests(&mut self, source: &Source) -> Result<([u8; 32], [u8; 32]), Problem> {
        let (mut blake3, mut sha256) = (blake3::Hasher::new(), Sha256::new());
        let mut offset = 0;
        loop {
            let read = source.read_at(offset, &mut self.buffer)?;
            blake3.update(&self.buffer[..read]);
            sha256.update(&self.buffer[..read]);
            offset += read as u64;
            if read < self.buffer.len() {
                break;
            }
        }
        if offset != source.len() {
            let found = format!("its length changed from {} to {offset} bytes meanwhile", source.len());
            return Err(Problem::io("reading it to its end", &io::Error::other(found)));
        }
        Ok((blake3.finalize().into(), sha256.finalize().into()))
    }
}

/// The item that stands for a file in which nothing could be read.
fn without_content(source: &Source, problem: Problem) -> Item {
    let format = match problem {
        Problem::NotMedia { .. } | Problem::Io { .. } => None,
        _ => probe(source).ok(),
    };
    Item { problems: vec![problem], ..Item::of(format) }
}
