//! The walk: every entry of the named files and folders, once, in the order of the names' bytes.
//!
//! Directories are held open and names are opened in them, so that nothing that is renamed or linked meanwhile leads out
//! of the tree. The walk keeps a list instead of recursing, and of a deep tree only the lowest directories open; one that
//! was closed is opened again from the root, and must be the same one (device and inode). Mount points are crossed.

mod open;

use std::collections::VecDeque;
use std::ffi::{CStr, CString, OsString};
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, OFlags, RawDir, Stat, fstat, stat, statat};
use rustix::io::Errno;

pub(crate) use open::Resolution;

/// Directories held open below the root; the rest of a deeper tree is opened again when the walk comes back to it.
const MOST_OPEN: usize = 64;

/// One thing that was met.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The root as it was named and the way down from it.
    pub(crate) path: PathBuf,
    /// What it is.
    pub(crate) met: Met,
}

/// What an entry is.
#[derive(Debug)]
pub(crate) enum Met {
    /// A regular file, open for reading.
    File(Opened),
    /// Of a kind that is never opened: a stable code and a sentence.
    Skipped(&'static str, &'static str),
    /// It could not be opened, or a directory not be listed.
    Unreadable {
        /// What was being done.
        during: &'static str,
        /// What the system said.
        error: io::Error,
    },
    /// Passed without opening; its size where it is a regular file. See [`Walk::pass`].
    Passed(u64),
}

/// A regular file, open for reading.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) file: File,
    /// Seconds since 1970 and nanoseconds.
    pub(crate) modified: (i64, u32),
    /// Opened without `O_NOATIME`.
    pub(crate) unprotected: bool,
}

/// Walks named files and folders.
#[derive(Debug)]
pub(crate) struct Walk {
    roots: VecDeque<PathBuf>,
    resolution: Resolution,
    /// The path of the directory on top of `levels`.
    path: Vec<u8>,
    levels: Vec<Level>,
    /// A directory's listing that ended early, to be told before its entries.
    trouble: Option<Entry>,
    unprotected_directories: u64,
}

/// A directory on the way down.
#[derive(Debug)]
struct Level {
    name: CString,
    held: Held,
    /// Device and inode.
    identity: (u64, u64),
    names: std::vec::IntoIter<(CString, FileType)>,
    path_len: usize,
}

#[derive(Debug)]
enum Held {
    Open(OwnedFd),
    /// Closed to save descriptors.
    Closed,
    /// Not to be found again.
    Lost,
}

/// The one file that is named by `path`; a directory is not looked into.
pub(crate) fn one(path: &Path) -> Entry {
    if path.is_dir() {
        let met = Met::Skipped("directory", "a directory, where a file was expected");
        return Entry { path: path.to_owned(), met };
    }
    let mut walk = Walk::new(&[path.to_owned()], Resolution::here());
    let vanished = || Met::Unreadable { during: "opening", error: io::ErrorKind::NotFound.into() };
    walk.next().unwrap_or_else(|| Entry { path: path.to_owned(), met: vanished() })
}

impl Walk {
    /// A walk of `roots`, in that order.
    pub(crate) fn new(roots: &[PathBuf], resolution: Resolution) -> Walk {
        Walk {
            roots: roots.iter().cloned().collect(),
            resolution,
            path: Vec::new(),
            levels: Vec::new(),
            trouble: None,
            unprotected_directories: 0,
        }
    }

    /// Directories so far that had to be opened without `O_NOATIME`.
    pub(crate) fn unprotected_directories(&self) -> u64 {
        self.unprotected_directories
    }

    /// The next entry without opening it, where it is a file.
    pub(crate) fn pass(&mut self) -> Option<Entry> {
        self.step(false)
    }

    fn step(&mut self, open: bool) -> Option<Entry> {
        loop {
            if let Some(trouble) = self.trouble.take() {
                return Some(trouble);
            }
            let Some(top) = self.levels.last_mut() else {
                let root = self.roots.pop_front()?;
                match self.root(root, open) {
                    Some(entry) => return Some(entry),
                    None => continue,
                }
            };
            self.path.truncate(top.path_len);
            let Some((name, kind)) = top.names.next() else {
                self.levels.pop();
                continue;
            };
            if let Some(entry) = self.entry(name, kind, open) {
                return Some(entry);
            }
        }
    }

    /// Begins a root: a directory becomes the first level and gives no entry.
    fn root(&mut self, root: PathBuf, open: bool) -> Option<Entry> {
        let entry = |met| Some(Entry { path: root.clone(), met });
        let unreadable = |during, error: Errno| entry(Met::Unreadable { during, error: error.into() });
        let Ok(path) = CString::new(root.as_os_str().as_bytes()) else {
            return unreadable("opening", Errno::INVAL);
        };
        let kind = match stat(&*path) {
            Ok(found) => FileType::from_raw_mode(found.st_mode),
            Err(error) => return unreadable("opening", error),
        };
        match kind {
            FileType::Directory => match open::open_named(&path, OFlags::DIRECTORY) {
                Ok(opened) => {
                    self.path = root.into_os_string().into_vec();
                    self.enter(path, opened);
                    None
                }
                Err(error) => unreadable("opening the directory", error),
            },
            FileType::RegularFile if !open => entry(Met::Passed(stat(&*path).map_or(0, |found| size_of(&found)))),
            FileType::RegularFile => entry(file(open::open_named(&path, OFlags::empty()))),
            other => entry(skipped(other)),
        }
    }

    /// The entry `name` of the directory on top; `None` for a directory that was entered.
    fn entry(&mut self, name: CString, kind: FileType, open: bool) -> Option<Entry> {
        if !self.reopen() {
            let error = io::Error::new(io::ErrorKind::NotFound, "its directory was moved or removed during the walk");
            return Some(Entry { path: self.below(&name), met: Met::Unreadable { during: "opening", error } });
        }
        let resolution = self.resolution;
        let path = self.below(&name);
        let directory = self.top()?;
        let unreadable = |during, error: Errno| Met::Unreadable { during, error: error.into() };
        // Some file systems leave the kind out of their listings.
        let kind = match kind {
            FileType::Unknown => match statat(directory, &*name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(found) => FileType::from_raw_mode(found.st_mode),
                Err(error) => return Some(Entry { path, met: unreadable("looking at it", error) }),
            },
            known => known,
        };
        let met = match kind {
            FileType::Directory => match resolution.open(directory, &name, OFlags::DIRECTORY) {
                Ok(opened) => {
                    self.path = path.into_os_string().into_vec();
                    self.enter(name, opened);
                    return None;
                }
                Err(error) => unreadable("opening the directory", error),
            },
            FileType::RegularFile if !open => {
                let found = statat(directory, &*name, AtFlags::SYMLINK_NOFOLLOW);
                Met::Passed(found.map_or(0, |found| size_of(&found)))
            }
            FileType::RegularFile => file(resolution.open(directory, &name, OFlags::empty())),
            other => skipped(other),
        };
        Some(Entry { path, met })
    }

    /// Lists an open directory, whose path is `self.path`, and puts it on top.
    fn enter(&mut self, name: CString, opened: open::Opened) {
        self.unprotected_directories += u64::from(opened.unprotected);
        let (names, trouble) = names(opened.descriptor.as_fd());
        let identity = fstat(&opened.descriptor).map(|found| identity(&found));
        if let Some(error) = trouble.or(identity.err()) {
            let met = Met::Unreadable { during: "listing the directory", error: error.into() };
            self.trouble = Some(Entry { path: OsString::from_vec(self.path.clone()).into(), met });
        }
        self.levels.push(Level {
            name,
            held: Held::Open(opened.descriptor),
            identity: identity.unwrap_or_default(),
            names: names.into_iter(),
            path_len: self.path.len(),
        });
        // The root stays open: all others can be found again from it.
        if let Some(above) = self.levels.len().checked_sub(MOST_OPEN + 1).filter(|&above| above > 0) {
            self.levels[above].held = Held::Closed;
        }
    }

    /// Makes sure that the directory on top is open; false where it cannot be found again.
    fn reopen(&mut self) -> bool {
        let Some(last) = self.levels.len().checked_sub(1) else { return false };
        match self.levels[last].held {
            Held::Open(_) => return true,
            Held::Lost => return false,
            Held::Closed => {}
        }
        for place in 1..=last {
            let opened = match &self.levels[place - 1].held {
                Held::Open(above) => self.resolution.open(above, &self.levels[place].name, OFlags::DIRECTORY).ok(),
                Held::Closed | Held::Lost => None,
            };
            let same = |opened: &open::Opened| {
                fstat(&opened.descriptor).is_ok_and(|found| identity(&found) == self.levels[place].identity)
            };
            self.levels[place].held = match opened.filter(same) {
                Some(opened) => Held::Open(opened.descriptor),
                None => {
                    self.levels[place..].iter_mut().for_each(|level| level.held = Held::Lost);
                    return false;
                }
            };
            // Of the way down the last directories stay open, so that a deep tree is climbed in long steps.
            if place - 1 > 0 && place + MOST_OPEN <= last + 1 {
                self.levels[place - 1].held = Held::Closed;
            }
        }
        true
    }

    fn top(&self) -> Option<BorrowedFd<'_>> {
        match &self.levels.last()?.held {
            Held::Open(descriptor) => Some(descriptor.as_fd()),
            Held::Closed | Held::Lost => None,
        }
    }

    fn below(&self, name: &CStr) -> PathBuf {
        let mut path = Vec::with_capacity(self.path.len() + 1 + name.count_bytes());
        path.extend_from_slice(&self.path);
        if !path.ends_with(b"/") {
            path.push(b'/');
        }
        path.extend_from_slice(name.to_bytes());
        OsString::from_vec(path).into()
    }
}

impl Iterator for Walk {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        self.step(true)
    }
}

/// The names in a directory, sorted by their bytes, as far as they could be read.
fn names(directory: BorrowedFd<'_>) -> (Vec<(CString, FileType)>, Option<Errno>) {
    let mut buffer = [const { MaybeUninit::uninit() }; 32 << 10];
    let mut listing = RawDir::new(directory, &mut buffer);
    let mut names = Vec::new();
    let mut trouble = None;
    while let Some(entry) = listing.next() {
        match entry {
            Ok(entry) if [b".".as_slice(), b".."].contains(&entry.file_name().to_bytes()) => {}
            Ok(entry) => names.push((entry.file_name().to_owned(), entry.file_type())),
            Err(Errno::INTR) => {}
            Err(error) => {
                trouble = Some(error);
                break;
            }
        }
    }
    names.sort_unstable_by(|(a, _): &(CString, _), (b, _)| a.to_bytes().cmp(b.to_bytes()));
    (names, trouble)
}

/// A file that was opened, if it is one: it may have been replaced since it was listed.
fn file(opened: Result<open::Opened, Errno>) -> Met {
    let unreadable = |during, error: Errno| Met::Unreadable { during, error: error.into() };
    let opened = match opened {
        Ok(opened) => opened,
        Err(error) => return unreadable("opening", error),
    };
    let found = match fstat(&opened.descriptor) {
        Ok(found) => found,
        Err(error) => return unreadable("looking at it", error),
    };
    match FileType::from_raw_mode(found.st_mode) {
        FileType::RegularFile => Met::File(Opened {
            file: File::from(opened.descriptor),
            modified: (found.st_mtime, found.st_mtime_nsec as u32),
            unprotected: opened.unprotected,
        }),
        other => skipped(other),
    }
}

fn skipped(kind: FileType) -> Met {
    let (code, message) = match kind {
        FileType::Symlink => {
            ("symbolic_link", "a symbolic link: not followed, what it names is examined where it stands")
        }
        FileType::Fifo => ("fifo", "a named pipe: not opened"),
        FileType::Socket => ("socket", "a socket: not opened"),
        FileType::BlockDevice => ("block_device", "a block device: not opened"),
        FileType::CharacterDevice => ("character_device", "a character device: not opened"),
        _ => ("unknown_kind", "neither a file nor a directory: not opened"),
    };
    Met::Skipped(code, message)
}

fn identity(found: &Stat) -> (u64, u64) {
    (found.st_dev, found.st_ino)
}

fn size_of(found: &Stat) -> u64 {
    u64::try_from(found.st_size).unwrap_or(0)
}

#[cfg(test)]
mod tests;
