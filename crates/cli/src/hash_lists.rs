//! Hash lists as they are named: files and standard input, read one after the other. What cannot be read is told on standard
//! error with its line, and counted.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, IsTerminal, Read as Bytes, stderr, stdin};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{channel, sync_channel};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use indicatif::ProgressBar;
use minutia::fingerprint::{ALGORITHMS, Algorithm, AlgorithmId};
use minutia_report::escape::text;
use minutia_report::lists::{Hash, ListedFilm, ListedWork, Read, Reader, Wrong};

use crate::settings::shown;

/// Lines of one list that are told; those behind them are counted.
const MOST_TOLD: u64 = 1000;
/// Kinds of what is left out that are told by name.
const MOST_KINDS: usize = 64;

/// What a thread that reads hands over at once, at most, and how often it does before it waits.
const BATCH: usize = 1024;
const BATCH_BYTES: u64 = 1 << 20;
const BATCHES: usize = 4;

/// What a list has for those who read it.
pub(crate) enum Listed<'l> {
    Hash(&'l Hash),
    Film(&'l ListedFilm),
    Work(&'l ListedWork),
}

/// Lists that are read, and what was wrong with them so far.
pub(crate) struct Lists {
    algorithm: &'static Algorithm,
    /// Whose codes the index holds: of the first hash, where it holds none yet.
    pub(crate) space: Option<AlgorithmId>,
    bar: ProgressBar,
    pub(crate) hashes: u64,
    /// Lines of frames of films.
    frames: u64,
    pub(crate) wrong: u64,
    /// Sound, and nothing to compare: how many of each kind.
    left_out: BTreeMap<String, u64>,
    /// Of the list that is read.
    told: u64,
}

impl Lists {
    /// For lists beside an index of codes of `space`, whose hashes are of the algorithm of this `name` where they do not say
    /// it; of the index's own, or of `pdq`, where there is no name.
    pub(crate) fn of(name: Option<&str>, space: Option<AlgorithmId>) -> Result<Lists> {
        let fits = |row: &&'static Algorithm| space.is_none_or(|space| row.id.compares_with(space));
        let own = space.filter(|&space| space != AlgorithmId::PDQ_AREA).unwrap_or(AlgorithmId::PDQ);
        let found = match name {
            Some(name) => AlgorithmId::named(name).filter(fits),
            None => own.row(),
        };
        let Some(algorithm) = found else {
            let names: Vec<&str> = ALGORITHMS.iter().filter(fits).map(|row| row.name).collect();
            let found = name.map_or_else(|| format!("number {}", own.0), text);
            bail!("expected an algorithm whose codes the index can hold ({}), found {found}", names.join(", "));
        };
        let bar = if stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        bar.enable_steady_tick(Duration::from_millis(250));
        Ok(Lists { algorithm, space, bar, hashes: 0, frames: 0, wrong: 0, left_out: BTreeMap::new(), told: 0 })
    }

    /// Refuses what cannot be a list, before anything is begun.
    pub(crate) fn check(paths: &[PathBuf]) -> Result<()> {
        let stdins = paths.iter().filter(|path| is_stdin(path)).count();
        if stdins > 1 {
            bail!("-: standard input is read once; name it once");
        }
        for path in paths.iter().filter(|path| !is_stdin(path)) {
            let metadata = std::fs::metadata(path)
                .with_context(|| format!("{}: expected a hash list; check the path", shown(path)))?;
            if metadata.is_dir() {
                bail!(
                    "{}: expected a hash list, found a directory; indexes are put together by `index union`",
                    shown(path)
                );
            }
        }
        Ok(())
    }

    /// Reads the list at `path`, `-` for standard input.
    pub(crate) fn read(&mut self, path: &Path, take: impl FnMut(Listed<'_>) -> Result<()>) -> Result<()> {
        self.read_from(ListFile::open(path)?, take)
    }

    /// Reads a list that is open.
    pub(crate) fn read_from(&mut self, file: ListFile, take: impl FnMut(Listed<'_>) -> Result<()>) -> Result<()> {
        let stem = file.stem();
        let ListFile { name: list, from, .. } = file;
        let list = list.as_str();
        self.begin();
        let before = (self.hashes, self.frames, self.wrong);
        let left_out_before = self.left_out();
        let reader = Reader::new(from, self.algorithm);
        let reader = match &stem {
            Some(stem) => reader.named(stem),
            None => reader,
        };
        self.read_beside(reader, list, take)?;
        self.end(list);
        if (self.hashes, self.frames, self.wrong) == before {
            let others = self.left_out() - left_out_before;
            self.wrong += 1;
            self.tell(&format!("{list}: expected hashes of pictures or films, found none ({others} of other kinds)"));
        }
        Ok(())
    }

    /// Takes what a reader has while it reads on, on a thread of its own.
    fn read_beside(
        &mut self,
        mut reader: Reader<Box<dyn BufRead + Send>>,
        list: &str,
        mut take: impl FnMut(Listed<'_>) -> Result<()>,
    ) -> Result<()> {
        let (send, receive) = sync_channel::<Vec<Read>>(BATCHES);
        // What was taken goes back: memory is given up most quickly by the thread that asked for it.
        let (give_back, taken) = channel::<Vec<Read>>();
        let reading = std::thread::spawn(move || -> io::Result<()> {
            loop {
                let (mut batch, start) = (taken.try_recv().unwrap_or_default(), reader.bytes());
                batch.clear();
                let mut ended = None;
                while ended.is_none() && batch.len() < BATCH && reader.bytes() - start < BATCH_BYTES {
                    match reader.next() {
                        Some(Ok(read)) => batch.push(read),
                        Some(Err(error)) => ended = Some(Err(error)),
                        None => ended = Some(Ok(())),
                    }
                }
                // Where one was refused nobody takes any more.
                if send.send(batch).is_err() {
                    return Ok(());
                }
                if let Some(ended) = ended {
                    return ended;
                }
            }
        });
        // Where one is refused nobody waits for a thread that may wait for standard input: it ends when it has read on.
        for batch in &receive {
            batch.iter().try_for_each(|read| self.take_read(read, list, &mut take))?;
            // The thread may have ended.
            let _ = give_back.send(batch);
        }
        let read = reading.join();
        let read = read.map_err(|_| anyhow!("{list}: reading the list was broken off by a fault in this program"))?;
        read.with_context(|| format!("{list}: reading the list"))
    }

    fn take_read(&mut self, read: &Read, list: &str, take: &mut impl FnMut(Listed<'_>) -> Result<()>) -> Result<()> {
        match read {
            Read::Hash(hash) if self.space.is_some_and(|space| !hash.algorithm.compares_with(space)) => {
                let name = hash.algorithm.row().map_or("another algorithm", |row| row.name);
                self.leave_out(name);
            }
            Read::Hash(hash) => {
                self.space = Some(hash.algorithm.space());
                self.hashes += 1;
                if self.hashes.is_multiple_of(1024) {
                    self.bar.set_message(format!("{} hashes", self.hashes));
                }
                take(Listed::Hash(hash))?;
            }
            Read::Film(film) => {
                self.frames += 1;
                take(Listed::Film(film))?;
            }
            Read::Work(work) => take(Listed::Work(work))?,
            Read::Other(kind) => self.leave_out(kind),
            Read::Wrong(wrong) => self.wrong(list, wrong),
        }
        Ok(())
    }

    /// Begins the count of a list's lines that are told.
    pub(crate) fn begin(&mut self) {
        self.told = 0;
    }

    /// Counts the lines that were not told.
    pub(crate) fn end(&self, list: &str) {
        if self.told > MOST_TOLD {
            self.tell(&format!("{list}: {} further lines cannot be read", self.told - MOST_TOLD));
        }
    }

    /// Tells and counts what is wrong on a line.
    pub(crate) fn wrong(&mut self, list: &str, wrong: &Wrong) {
        self.wrong += 1;
        self.told += 1;
        if self.told <= MOST_TOLD {
            self.tell(&format!("{list} line {}: {}", wrong.line, wrong.message));
        }
    }

    /// Prints something while the progress is out of the way.
    pub(crate) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    fn tell(&self, message: &str) {
        self.aside(|| anstream::eprintln!("{message}"));
    }

    /// Counts what is sound and not asked for.
    pub(crate) fn leave_out(&mut self, kind: &str) {
        let kind = kind.chars().take(40).collect::<String>();
        let full = self.left_out.len() >= MOST_KINDS && !self.left_out.contains_key(&kind);
        *self.left_out.entry(if full { "other kinds".to_owned() } else { kind }).or_default() += 1;
    }

    /// How much was left out, since it is no hash of a picture.
    pub(crate) fn left_out(&self) -> u64 {
        self.left_out.values().sum()
    }

    /// Tells what was left out, by kind.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
        if !self.left_out.is_empty() {
            let kinds: Vec<String> =
                self.left_out.iter().map(|(kind, count)| format!("{} ({count})", text(kind))).collect();
            anstream::eprintln!(
                "note: left out, since they are no codes that compare with the index's: {}",
                kinds.join(", ")
            );
        }
    }
}

/// A list that is open, and how it begins.
pub(crate) struct ListFile {
    /// As it was named.
    pub(crate) name: String,
    /// `None` for standard input.
    path: Option<PathBuf>,
    head: Vec<u8>,
    from: Box<dyn BufRead + Send>,
}

impl ListFile {
    /// Bytes that are looked at to tell what is listed: more than the fields before a recording's fingerprint have.
    const HEAD_BYTES: u64 = 64 << 10;

    /// Opens the list at `path`, `-` for standard input.
    pub(crate) fn open(path: &Path) -> Result<ListFile> {
        let (name, mut from): (String, Box<dyn Bytes + Send>) = if is_stdin(path) {
            ("-".to_owned(), Box::new(stdin()))
        } else {
            let file = File::open(path).with_context(|| format!("{}: opening the list", shown(path)))?;
            (shown(path), Box::new(file))
        };
        let mut head = Vec::new();
        let read = (&mut from).take(ListFile::HEAD_BYTES).read_to_end(&mut head);
        read.with_context(|| format!("{name}: reading the list"))?;
        let from = Cursor::new(head.clone()).chain(BufReader::with_capacity(1 << 18, from));
        let path = (!is_stdin(path)).then(|| path.to_owned());
        Ok(ListFile { name, path, head, from: Box::new(from) })
    }

    /// True for recordings as `fpcalc -json` prints them: JSON with a field `fingerprint` in its first object.
    pub(crate) fn is_of_recordings(&self) -> bool {
        let head = self.head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.head).trim_ascii_start();
        let name = br#""fingerprint""#;
        let is_field = |at: usize| head[at + name.len()..].trim_ascii_start().starts_with(b":");
        let mut places = head.windows(name.len()).enumerate().filter(|(_, window)| window == name);
        matches!(head.first(), Some(b'{' | b'[')) && places.any(|(at, _)| is_field(at))
    }

    /// What films in it are called that have no other name: the file's, without its extension.
    fn stem(&self) -> Option<String> {
        let stem = self.path.as_ref()?.file_stem()?;
        Some(stem.to_string_lossy().into_owned())
    }

    /// Where it is read from.
    pub(crate) fn into_read(self) -> Box<dyn BufRead + Send> {
        self.from
    }
}

/// `-` is standard input.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}
