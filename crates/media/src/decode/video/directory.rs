//! An MP4 or QuickTime file with its directory in front of what that lists: for a program that reads from start to end and
//! cannot go back. Cameras and muxers write the directory last, since they know it last. What is in the film stays as it is:
//! the directory is moved, and the places of chunks are counted on by its length (ISO 14496-12:2022, 8.7.5).

use std::io::{self, Write};
use std::ops::Range;

use super::demux::{be32, be64, read};
use super::mp4::box_at;
use crate::{Problem, Source};

/// The longest directory that is moved. Films of some hours have a few megabytes.
const MAX_DIRECTORY_BYTES: u64 = 64 << 20;
/// The most boxes of a file, and of its directory, that are looked at.
const MAX_BOXES: u32 = 100_000;

/// How to write a film with its directory in front.
#[derive(Clone, Debug)]
pub struct DirectoryFirst {
    /// The directory as it is in front; empty where it was there already.
    directory: Vec<u8>,
    /// Parts of the file, between the first and the others of which it stands.
    parts: [Range<u64>; 3],
}

impl DirectoryFirst {
    /// Finds the directory of a film. `None` where there is none that can be moved: none at all, one of more than 64 MiB, one
    /// of fragments behind them, or one whose numbers have no room for the places that it would list.
    ///
    /// # Errors
    /// [`Problem::Io`].
    pub fn of(source: &Source) -> Result<Option<DirectoryFirst>, Problem> {
        let (mut at, mut first_media) = (0, None);
        for _ in 0..MAX_BOXES {
            let Some(found) = box_at(source, at, source.len())? else { break };
            match &found.kind {
                b"moov" => {
                    let Some(first_media) = first_media else {
                        let parts = [0..source.len(), 0..0, 0..0];
                        return Ok(Some(DirectoryFirst { directory: Vec::new(), parts }));
                    };
                    return moved(source, first_media, at..found.body.end);
                }
                b"mdat" | b"moof" => first_media = first_media.or(Some(at)),
                _ => {}
            }
            at = found.body.end;
        }
        Ok(None)
    }

    /// Writes the film to `to`, until it ends or takes no more.
    ///
    /// # Errors
    /// What `to` said, and what reading the source met.
    pub fn write(&self, source: &Source, to: &mut impl Write) -> io::Result<()> {
        let mut chunk = vec![0; 1 << 18];
        for (number, part) in self.parts.iter().enumerate() {
            let mut at = part.start;
            while at < part.end {
                let wanted = chunk.len().min(usize::try_from(part.end - at).unwrap_or(usize::MAX));
                let got = source.read_at(at, &mut chunk[..wanted]).map_err(io::Error::other)?;
                if got == 0 {
                    break;
                }
                to.write_all(&chunk[..got])?;
                at += got as u64;
            }
            if number == 0 {
                to.write_all(&self.directory)?;
            }
        }
        Ok(())
    }
}

/// A film whose directory stands at `directory`, moved to where its media begin.
fn moved(source: &Source, first_media: u64, directory: Range<u64>) -> Result<Option<DirectoryFirst>, Problem> {
    let length = directory.end - directory.start;
    if length > MAX_DIRECTORY_BYTES {
        return Ok(None);
    }
    let mut bytes = read(source, directory.start, length as usize)?;
    if bytes.len() as u64 != length {
        return Ok(None);
    }
    let mut moving = Moving { length, media: first_media..directory.start, left: MAX_BOXES };
    if moving.level(&mut bytes, 0).is_none() {
        return Ok(None);
    }
    let parts = [0..first_media, first_media..directory.start, directory.end..source.len()];
    Ok(Some(DirectoryFirst { directory: bytes, parts }))
}

/// The media between are moved back by so many bytes.
struct Moving {
    length: u64,
    media: Range<u64>,
    left: u32,
}

impl Moving {
    /// Counts on what the boxes of `bytes` say of places; `None` where that cannot be.
    fn level(&mut self, bytes: &mut [u8], depth: u32) -> Option<()> {
        let mut at = 0;
        while bytes.len() - at >= 8 {
            self.left = self.left.checked_sub(1)?;
            let (mut size, mut header) = (u64::from(be32(&bytes[at..at + 4])), 8);
            if size == 1 && bytes.len() - at >= 16 {
                (size, header) = (be64(&bytes[at + 8..at + 16]), 16);
            } else if size == 0 {
                size = (bytes.len() - at) as u64;
            }
            if size < header as u64 {
                break;
            }
            let end = usize::try_from(size).map_or(bytes.len(), |size| at.saturating_add(size).min(bytes.len()));
            let kind: [u8; 4] = std::array::from_fn(|n| bytes[at + 4 + n]);
            let body = &mut bytes[at + header..end];
            match &kind {
                b"moov" | b"trak" | b"mdia" | b"minf" | b"stbl" if depth < 8 => self.level(body, depth + 1)?,
                // Fragments say where they are in ways of their own.
                b"mvex" => return None,
                b"stco" => self.places(
                    body.get_mut(8..).unwrap_or_default().as_chunks_mut::<4>().0,
                    u32::from_be_bytes,
                    u32::to_be_bytes,
                )?,
                b"co64" => self.places(
                    body.get_mut(8..).unwrap_or_default().as_chunks_mut::<8>().0,
                    u64::from_be_bytes,
                    u64::to_be_bytes,
                )?,
                _ => {}
            }
            at = end;
        }
        Some(())
    }

    fn places<const WIDTH: usize, N: Copy + Into<u64> + TryFrom<u64>>(
        &self,
        places: &mut [[u8; WIDTH]],
        from: impl Fn([u8; WIDTH]) -> N,
        to: impl Fn(N) -> [u8; WIDTH],
    ) -> Option<()> {
        for place in places {
            let before: u64 = from(*place).into();
            if self.media.contains(&before) {
                *place = to(N::try_from(before.checked_add(self.length)?).ok()?);
            }
        }
        Some(())
    }
}
