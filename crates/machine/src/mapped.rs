//! Files as bytes: mapped, or read into memory.
//!
//! A mapping is sound only while nobody changes or shortens the file. Index files earn that: they are written under
//! another name, synced, renamed, made read-only and never touched in place, and a [`Mapped`] holds a shared lock on its
//! file for as long as it lives. Evidence is never mapped.

use std::fs::{File, TryLockError};
use std::io::{self, Read};
use std::path::Path;

use memmap2::{Mmap, MmapMut};

/// The bytes of a file, aligned to a page.
#[derive(Debug)]
pub struct Mapped {
    map: Mmap,
    /// Holds the shared lock; `None` where the bytes were read into memory.
    _locked: Option<File>,
}

impl Mapped {
    /// Maps the file at `path` for reading. An empty file gives no bytes.
    ///
    /// # Errors
    /// What opening, locking (another process holds the file exclusively: `WouldBlock`) or mapping met.
    pub fn open(path: &Path) -> io::Result<Mapped> {
        let file = File::open(path)?;
        file.try_lock_shared().map_err(|error| match error {
            TryLockError::WouldBlock => io::Error::new(
                io::ErrorKind::WouldBlock,
                "another program holds the file for itself alone (flock); try again when it has ended",
            ),
            TryLockError::Error(error) => error,
        })?;
        if file.metadata()?.len() == 0 {
            return Ok(Mapped { map: MmapMut::map_anon(0)?.make_read_only()?, _locked: Some(file) });
        }
        // SAFETY: the mapping must not change while it lives. Files of an index are complete and read-only before they
        // get their name and are never opened for writing again (core, index/files.rs); removing one leaves its mapping
        // alone. The shared lock, held in `_locked`, tells cooperating programs the same.
        #[allow(unsafe_code)]
        let map = unsafe { Mmap::map(&file)? };
        Ok(Mapped { map, _locked: Some(file) })
    }

    /// Reads the whole file at `path` into memory, on large pages where the system has them: for removable or network
    /// media, whose mapping could fail later, and for the fastest look-ups.
    ///
    /// # Errors
    /// What opening or reading met; `UnexpectedEof` where the file got shorter meanwhile.
    pub fn read(path: &Path) -> io::Result<Mapped> {
        let mut file = File::open(path)?;
        let length = usize::try_from(file.metadata()?.len()).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let mut memory = MmapMut::map_anon(length)?;
        #[cfg(target_os = "linux")]
        {
            // Advice alone: where it is refused the pages are small.
            let _ = memory.advise(memmap2::Advice::HugePage);
        }
        file.read_exact(&mut memory)?;
        Ok(Mapped { map: memory.make_read_only()?, _locked: None })
    }
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        &self.map
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_give_the_bytes_of_the_file() {
        let folder = std::env::temp_dir().join(format!("minutia-mapped-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for length in [0, 1, 4095, 4096, 10_000] {
            let path = folder.join(length.to_string());
            let bytes: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(Mapped::open(&path).unwrap().as_ref(), bytes, "mapped, {length} bytes");
            assert_eq!(Mapped::read(&path).unwrap().as_ref(), bytes, "read, {length} bytes");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_mapping_keeps_writers_that_ask_away() {
        let path = std::env::temp_dir().join(format!("minutia-locked-{}", std::process::id()));
        std::fs::write(&path, b"bytes").unwrap();
        let mapped = Mapped::open(&path).unwrap();
        assert!(File::open(&path).unwrap().try_lock().is_err(), "an exclusive lock was given beside the shared one");
        drop(mapped);
        assert!(File::open(&path).unwrap().try_lock().is_ok());
        std::fs::remove_file(&path).unwrap();
    }
}
