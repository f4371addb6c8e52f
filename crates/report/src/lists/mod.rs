//! Hash lists: codes that others made and share without the media, read and written.
//!
//! Read are CSV (`table`), JSON in lines, arrays and single objects (`json`), plain lines of a hash (`plain`), and the frames
//! of a film (`vpdq`);
//! which of them a list is shows in its first line. `docs/LISTS.md` documents the forms for users. Sources: the command
//! `threatexchange` of python-threatexchange 1.2.17 (`dataset --print-signals`, with and without `--csv`; `hash`; its
//! file exchange and its `.te` files) and the answers of Hasher-Matcher-Actioner 2's interface (`/h/hash`,
//! `/c/bank/…/content`, `/c/bank/…/signal`), both of Meta, 2026. Lists of sound are read in [`recordings`].
//!
//! A list is hostile input: whatever its bytes are, reading goes on behind what is wrong, each wrong line is handed out
//! with its number, and no more than a line or object of [`MOST_BYTES`] is held.

mod fields;
mod json;
mod plain;
pub mod recordings;
mod table;
mod text;
mod vpdq;
mod write;

use std::collections::VecDeque;
use std::io::{self, BufRead};

use minutia::fingerprint::{Algorithm, AlgorithmId, Code, Region};
use minutia::index::{Identifier, Policy, Work, WorkId};

pub use fields::COLUMNS;
pub use vpdq::{ListedFilm, films, id_of_frames, vpdq_line, vpdq_row};
pub use write::{hashes, header, row};

use text::Text;

/// The longest line, or JSON object, that is read, in bytes.
pub const MOST_BYTES: usize = 1 << 20;

/// What stood in a list.
#[derive(Clone, Debug, PartialEq)]
pub enum Read {
    /// A hash.
    Hash(Box<Hash>),
    /// What a catalogue says of a work whose hashes follow: in exports of an index.
    Work(Box<ListedWork>),
    /// Frames of a film.
    Film(Box<ListedFilm>),
    /// Something sound that is no hash of a picture or a film, such as a text or a file's digest; with the name of its kind.
    Other(String),
    /// What could not be read.
    Wrong(Wrong),
}

/// One hash of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Hash {
    /// The line that it stands on, or that its object begins on, from 1; 0 for what does not come from a list.
    pub line: u64,
    /// The code.
    pub code: Code,
    /// Whose code it is.
    pub algorithm: AlgorithmId,
    /// Its quality, 0..=100, where the list says it.
    pub quality: Option<u8>,
    /// The work, whose id is the list's id; where the list has none, the file's name, and where it has neither, the code in
    /// hexadecimal digits.
    pub work: ListedWork,
    /// The file that it was made of.
    pub file: Option<String>,
    /// BLAKE3 of that file.
    pub digest: Option<[u8; 32]>,
    /// Frame number in the file, 0 for stills.
    pub frame: u32,
    /// The frame's time in milliseconds.
    pub time_ms: u64,
    /// Width and height of the picture in pixels, 0 where the list does not say them.
    pub size: (u32, u32),
    /// The part of the picture: the whole unless the list says something else.
    pub region: Region,
}

/// What a list says of a work: of everything but its id perhaps nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the field of the same name of minutia::index::Work")]
pub struct ListedWork {
    pub id: WorkId,
    pub title: Option<String>,
    pub holder: Option<String>,
    pub identifiers: Option<Vec<Identifier>>,
    pub territory: Option<String>,
    pub window: Option<String>,
    pub policy: Option<Policy>,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The line, from 1.
    pub line: u64,
    /// What was expected and what was found; safe to print.
    pub message: String,
}

impl Hash {
    /// The code's hexadecimal digits, as many as its algorithm has.
    pub fn digits(&self) -> String {
        self.algorithm.digits(&self.code)
    }
}

impl From<Work> for ListedWork {
    /// Everything that is known of the work.
    fn from(work: Work) -> ListedWork {
        let Work { id, title, holder, identifiers, territory, window, policy } = work;
        ListedWork { id, title, holder, identifiers: Some(identifiers), territory, window, policy: Some(policy) }
    }
}

impl ListedWork {
    /// A work of which nothing but its id is known.
    pub fn new(id: WorkId) -> ListedWork {
        ListedWork { id, title: None, holder: None, identifiers: None, territory: None, window: None, policy: None }
    }

    /// True where nothing but its id is said.
    pub fn says_nothing(&self) -> bool {
        let ListedWork { id: _, title, holder, identifiers, territory, window, policy } = self;
        let texts = [title, holder, territory, window];
        texts.iter().all(|text| text.is_none()) && identifiers.is_none() && policy.is_none()
    }

    /// The work, with what was `known` of it where the list says nothing.
    pub fn over(self, known: Option<&Work>) -> Work {
        let mut work = known.cloned().unwrap_or_else(|| Work::new(self.id.clone()));
        work.id = self.id;
        work.title = self.title.or(work.title);
        work.holder = self.holder.or(work.holder);
        work.identifiers = self.identifiers.unwrap_or(work.identifiers);
        work.territory = self.territory.or(work.territory);
        work.window = self.window.or(work.window);
        work.policy = self.policy.unwrap_or(work.policy);
        work
    }
}

/// Reads a list, one thing after the other. Hashes whose algorithm the list does not name are of `algorithm`.
///
/// ```
/// use minutia::fingerprint::AlgorithmId;
/// use minutia_report::lists::{Read, Reader};
///
/// let list = "hash,id\nf8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6339c4e9c9b22,W-17\nnonsense,W-18\n";
/// let pdq = AlgorithmId::PDQ.row().ok_or("pdq is always known")?;
/// let read: Vec<Read> = Reader::new(list.as_bytes(), pdq).collect::<Result<_, _>>()?;
/// assert!(matches!(&read[0], Read::Hash(hash) if hash.work.id.as_str() == "W-17"));
/// assert!(matches!(&read[1], Read::Wrong(wrong) if wrong.line == 3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Reader<R> {
    text: Text<R>,
    algorithm: &'static Algorithm,
    form: Option<Form>,
    /// Read and not yet handed out: one object may hold several hashes.
    ready: VecDeque<Read>,
    /// The list's name.
    name: Option<String>,
}

enum Form {
    Table(table::Table),
    Json(json::Json),
    Plain,
    /// The frames of one film, a line each.
    Film,
    /// Nothing of it can be read, or everything was.
    Ended,
}

impl<R: BufRead> Reader<R> {
    /// A reader of the list `from`.
    pub fn new(from: R, algorithm: &'static Algorithm) -> Reader<R> {
        Reader { text: Text::new(from), algorithm, form: None, ready: VecDeque::new(), name: None }
    }

    /// The same of a list that has a name: what it holds of a film that has none is named after it.
    #[must_use]
    pub fn named(self, name: &str) -> Reader<R> {
        Reader { name: Some(name.to_owned()), ..self }
    }

    /// How many bytes of the list were read so far.
    pub fn bytes(&self) -> u64 {
        self.text.bytes()
    }

    /// Which form the list has, from its first line.
    fn form(&mut self) -> io::Result<Form> {
        match self.text.first()? {
            None => return Ok(Form::Ended),
            Some(b'{' | b'[') => return Ok(Form::Json(json::Json::default())),
            Some(0xff | 0xfe) => {
                let message = "expected text in UTF-8, found other bytes (UTF-16?); save the list as UTF-8".to_owned();
                self.ready.push_back(Read::Wrong(Wrong { line: 1, message }));
                return Ok(Form::Ended);
            }
            Some(_) => {}
        }
        let Some(line) = self.text.line()? else { return Ok(Form::Ended) };
        let form = match &line.text {
            Ok(text) if vpdq::is_line(text) => {
                self.text.unread(line);
                return Ok(Form::Film);
            }
            Ok(text) => table::Table::of(text, self.algorithm),
            // What the list is shows in a later line.
            Err(_) => None,
        };
        match form {
            Some(table::Begin::Header(table)) => return Ok(Form::Table(table)),
            Some(table::Begin::Row(table)) => {
                self.text.unread(line);
                return Ok(Form::Table(table));
            }
            Some(table::Begin::NoHash(message)) => {
                self.ready.push_back(Read::Wrong(Wrong { line: line.number, message }));
                return Ok(Form::Ended);
            }
            None => self.text.unread(line),
        }
        Ok(Form::Plain)
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = io::Result<Read>;

    fn next(&mut self) -> Option<io::Result<Read>> {
        loop {
            if let Some(mut ready) = self.ready.pop_front() {
                if let (Read::Film(film), Some(name)) = (&mut ready, &self.name) {
                    film.name(name);
                }
                return Some(Ok(ready));
            }
            let more = match &mut self.form {
                None => self.form().map(|form| {
                    self.form = Some(form);
                    true
                }),
                Some(Form::Table(table)) => table.read(&mut self.text, self.algorithm, &mut self.ready),
                Some(Form::Json(json)) => json.read(&mut self.text, self.algorithm, &mut self.ready),
                Some(Form::Plain) => plain::read(&mut self.text, self.algorithm, &mut self.ready),
                Some(Form::Film) => vpdq::read(&mut self.text, &mut self.ready),
                Some(Form::Ended) => return None,
            };
            match more {
                Ok(true) => {}
                Ok(false) => self.form = Some(Form::Ended),
                Err(error) => {
                    self.form = Some(Form::Ended);
                    return Some(Err(error));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
