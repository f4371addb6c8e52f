//! A source: the bytes of one file (or of one member of a container), opened by somebody else.
//!
//! A source is never a path: whoever walks the evidence opens it read-only and hands over the descriptor, so that
//! nothing below can follow a name out of the given root. It is never mapped either: a file that is cut short while it
//! is mapped raises SIGBUS.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crate::{LimitKind, Problem};

/// The bytes of one piece of media, with random access and no name.
///
/// ```
/// # use minutia_media::Source;
/// let source = Source::from_bytes(b"GIF89a".to_vec());
/// assert_eq!(source.len(), 6);
/// assert_eq!(source.head(3)?, b"GIF");
/// # Ok::<(), minutia_media::Problem>(())
/// ```
#[derive(Debug)]
pub struct Source {
    data: Data,
    len: u64,
    piped: Option<Piped>,
    piped_film: Option<Piped>,
}

/// Sound or pictures that a program is decoding from a source, for a reader that may start none.
#[derive(Debug)]
pub struct Piped {
    /// The program with its version, as records carry it.
    pub decoder: String,
    /// The end of a pipe to read from: WAV for sound, NUT for pictures.
    pub pipe: File,
}

#[derive(Debug)]
enum Data {
    Bytes(Vec<u8>),
    File(File),
}

impl Source {
    /// Takes a file that was opened for reading. Its length is taken now; its cursor is never moved.
    ///
    /// # Errors
    /// [`Problem::Io`] when the file's length cannot be read.
    pub fn from_file(file: File) -> Result<Source, Problem> {
        let len = file.metadata().map_err(|e| Problem::io("reading the length", &e))?.len();
        Ok(Source::from_file_of(file, len))
    }

    /// Takes a file whose length in bytes is known, where nothing but reading is allowed.
    pub fn from_file_of(file: File, len: u64) -> Source {
        Source { data: Data::File(file), len, piped: None, piped_film: None }
    }

    /// Takes bytes that are in memory already.
    pub fn from_bytes(bytes: Vec<u8>) -> Source {
        Source { len: bytes.len() as u64, data: Data::Bytes(bytes), piped: None, piped_film: None }
    }

    /// The same source, with its sound as a program decodes it.
    pub fn with_piped(self, piped: Piped) -> Source {
        Source { piped: Some(piped), ..self }
    }

    /// Its sound as a program decodes it, where one does. It can be read once.
    pub fn piped(&self) -> Option<&Piped> {
        self.piped.as_ref()
    }

    /// The same source, with its pictures as a program decodes them.
    pub fn with_piped_film(self, piped: Piped) -> Source {
        Source { piped_film: Some(piped), ..self }
    }

    /// Its pictures as a program decodes them, where one does. They can be read once.
    pub fn piped_film(&self) -> Option<&Piped> {
        self.piped_film.as_ref()
    }

    /// Length in bytes when the source was made.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// True for a source of no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The descriptor, where the source is a file: what is handed to a confined worker.
    pub fn file(&self) -> Option<&File> {
        match &self.data {
            Data::File(file) => Some(file),
            Data::Bytes(_) => None,
        }
    }

    /// Reads up to `buffer.len()` bytes from `offset`; fewer only at the end of the source.
    ///
    /// # Errors
    /// [`Problem::Io`] when the medium cannot be read there.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, Problem> {
        match &self.data {
            Data::Bytes(bytes) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
                let n = buffer.len().min(bytes.len() - start);
                buffer[..n].copy_from_slice(&bytes[start..start + n]);
                Ok(n)
            }
            Data::File(file) => {
                let mut done = 0;
                while done < buffer.len() {
                    match file.read_at(&mut buffer[done..], offset.saturating_add(done as u64)) {
                        Ok(0) => break,
                        Ok(n) => done += n,
                        Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                        Err(e) => return Err(Problem::io(&format!("reading at byte {offset}"), &e)),
                    }
                }
                Ok(done)
            }
        }
    }

    /// The first `n` bytes, or all where the source is shorter.
    ///
    /// # Errors
    /// As [`Source::read_at`].
    pub fn head(&self, n: usize) -> Result<Vec<u8>, Problem> {
        let mut head = vec![0; n.min(usize::try_from(self.len).unwrap_or(usize::MAX))];
        let read = self.read_at(0, &mut head)?;
        head.truncate(read);
        Ok(head)
    }

    /// All bytes, where they are at most `max_bytes`.
    ///
    /// # Errors
    /// [`Problem::Limit`] for a longer source, [`Problem::Io`] when it cannot be read.
    pub fn read_all(&self, max_bytes: u64) -> Result<Vec<u8>, Problem> {
        if self.len > max_bytes {
            return Err(Problem::Limit { limit: LimitKind::FileBytes, allowed: max_bytes, found: self.len });
        }
        self.head(usize::try_from(self.len).unwrap_or(usize::MAX))
    }
}
