//! A source as symphonia's demuxers see it: from behind its tags, and with what they are told in place of what the file says.

use std::io::{self, Read, Seek, SeekFrom};

use symphonia::core::io::MediaSource;

use crate::Source;

/// What a demuxer is told about where the sound ends, in place of what the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Bytes that it reads in place of those in the file, each at its place.
    pub(super) replaced: Vec<(u64, Vec<u8>)>,
    /// Bytes that should be behind the end of the file.
    pub(super) missing_bytes: u64,
    /// Whether the file does not say how long it is: then its end is no damage.
    pub(super) is_open: bool,
}

impl Told {
    /// The bytes at `at`, with what is replaced.
    fn replace(&self, at: u64, bytes: &mut [u8]) {
        for (place, replacement) in &self.replaced {
            for (place, byte) in (*place..).zip(replacement) {
                let within = place.checked_sub(at).and_then(|within| usize::try_from(within).ok());
                if let Some(there) = within.and_then(|within| bytes.get_mut(within)) {
                    *there = *byte;
                }
            }
        }
    }
}

/// A source as symphonia reads it, from where its sound begins.
pub(super) struct Window<'a> {
    source: &'a Source,
    start: u64,
    at: u64,
    seekable: bool,
    told: Told,
}

impl<'a> Window<'a> {
    pub(super) fn new(source: &'a Source, start: u64, seekable: bool, told: Told) -> Window<'a> {
        Window { source, start, at: 0, seekable, told }
    }
}

impl Read for Window<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let at = self.start.saturating_add(self.at);
        let read = self.source.read_at(at, buffer).map_err(io::Error::other)?;
        self.told.replace(at, &mut buffer[..read]);
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Window<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => (self.source.len() - self.start).checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = to.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

impl MediaSource for Window<'_> {
    fn is_seekable(&self) -> bool {
        self.seekable
    }

    fn byte_len(&self) -> Option<u64> {
        self.seekable.then(|| self.source.len() - self.start)
    }
}
