//! The text of a list: lines with their numbers, and single bytes for JSON, which need not have lines. Nothing longer than
//! [`MOST_BYTES`] is held.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read as _};

use super::MOST_BYTES;

/// Bytes that a line may be expected to have.
const MOST_EXPECTED: usize = 1024;

/// The bytes of a list, and how far they were read.
pub(super) struct Text<R> {
    from: R,
    /// Line feeds read so far.
    feeds: u64,
    bytes: u64,
    last_length: usize,
    unread: VecDeque<Line>,
}

/// A line without its end.
#[derive(Debug)]
pub(super) struct Line {
    /// From 1.
    pub(super) number: u64,
    /// The text, or why it is none.
    pub(super) text: Result<String, String>,
}

impl<R: BufRead> Text<R> {
    pub(super) fn new(from: R) -> Text<R> {
        Text { from, feeds: 0, bytes: 0, last_length: 0, unread: VecDeque::new() }
    }

    /// The first byte that shows something, which remains to be read; what stands before it does not: a byte order mark
    /// and white space. `None` for a list of nothing.
    pub(super) fn first(&mut self) -> io::Result<Option<u8>> {
        // The mark's other bytes alone would be no text, and are told as such.
        for byte in [0xef, 0xbb, 0xbf] {
            if self.peek()? == Some(byte) {
                self.from.consume(1);
            }
        }
        while let Some(byte) = self.peek()? {
            if !byte.is_ascii_whitespace() {
                return Ok(Some(byte));
            }
            self.byte()?;
        }
        Ok(None)
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        loop {
            match self.from.fill_buf() {
                Ok(bytes) => return Ok(bytes.first().copied()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The next byte.
    pub(super) fn byte(&mut self) -> io::Result<Option<u8>> {
        let byte = self.peek()?;
        if byte.is_some() {
            self.from.consume(1);
            self.bytes += 1;
        }
        self.feeds += u64::from(byte == Some(b'\n'));
        Ok(byte)
    }

    /// The line that the next byte stands on.
    pub(super) fn number(&self) -> u64 {
        self.feeds + 1
    }

    /// How many bytes were read so far, but for those that show nothing before the first that does.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Puts a line back: it is the next one again, before those that were put back earlier.
    pub(super) fn unread(&mut self, line: Line) {
        self.unread.push_front(line);
    }

    /// The next line.
    pub(super) fn line(&mut self) -> io::Result<Option<Line>> {
        if let Some(line) = self.unread.pop_front() {
            return Ok(Some(line));
        }
        // Lines of a list are about as long as each other.
        let mut bytes = Vec::with_capacity(self.last_length);
        self.from.by_ref().take(MOST_BYTES as u64 + 1).read_until(b'\n', &mut bytes)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        self.bytes += bytes.len() as u64;
        self.last_length = bytes.len().min(MOST_EXPECTED);
        let number = self.number();
        if bytes.pop_if(|&mut last| last == b'\n').is_some() {
            self.feeds += 1;
        } else if bytes.len() > MOST_BYTES {
            let found = MOST_BYTES as u64 + 1 + self.skip_line()?;
            let text = Err(format!("expected a line of at most {MOST_BYTES} bytes, found {found}"));
            return Ok(Some(Line { number, text }));
        }
        bytes.pop_if(|&mut last| last == b'\r');
        let text = String::from_utf8(bytes).map_err(|error| {
            format!("expected text in UTF-8, found other bytes after {} of the line", error.utf8_error().valid_up_to())
        });
        Ok(Some(Line { number, text }))
    }

    /// Passes over the rest of the line; its bytes.
    pub(super) fn skip_line(&mut self) -> io::Result<u64> {
        let mut bytes = 0;
        while let Some(byte) = self.byte()? {
            if byte == b'\n' {
                break;
            }
            bytes += 1;
        }
        Ok(bytes)
    }
}
