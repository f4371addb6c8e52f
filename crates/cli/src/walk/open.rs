//! Opening evidence: read-only, beneath a directory that is open already, without following a link, without waiting for
//! a pipe, and without touching access times where the system allows that.

use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;

/// How a name was opened.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) descriptor: OwnedFd,
    /// Without `O_NOATIME`: only the owner of a file, or a privileged user, may ask for it.
    pub(super) unprotected: bool,
}

/// How names are resolved here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resolution {
    /// The kernel keeps every name beneath its directory and off links (Linux 5.6).
    Openat2,
    /// One component at a time, none of them a link.
    Openat,
}

/// How often an opening is tried that another process's rename disturbed.
const TRIES: usize = 16;

impl Resolution {
    /// What this system has. Sandboxes refuse unknown system calls as not permitted.
    pub(crate) fn here() -> Resolution {
        let tried = openat2(CWD, c".", OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::BENEATH);
        if tried.is_ok() { Resolution::Openat2 } else { Resolution::Openat }
    }

    /// The name that records use.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Resolution::Openat2 => "openat2",
            Resolution::Openat => "openat",
        }
    }

    /// Opens `name`, one component, in `directory`.
    pub(super) fn open(self, directory: impl AsFd, name: &CStr, flags: OFlags) -> Result<Opened, Errno> {
        let directory = directory.as_fd();
        let flags = flags | OFlags::NOFOLLOW;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        protected(flags, |flags| match self {
            Resolution::Openat2 => openat2(directory, name, flags, Mode::empty(), resolve),
            Resolution::Openat => openat(directory, name, flags, Mode::empty()),
        })
    }
}

/// Opens what the user named: the one place where links are followed, since the user chose them.
pub(super) fn open_named(path: &CStr, flags: OFlags) -> Result<Opened, Errno> {
    protected(flags, |flags| openat(CWD, path, flags, Mode::empty()))
}

fn protected(flags: OFlags, open: impl Fn(OFlags) -> Result<OwnedFd, Errno>) -> Result<Opened, Errno> {
    let flags = flags | OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let patiently = |flags| {
        let mut tries = 1;
        loop {
            match open(flags) {
                Err(Errno::INTR | Errno::AGAIN) if tries < TRIES => tries += 1,
                opened => return opened,
            }
        }
    };
    match patiently(flags | OFlags::NOATIME) {
        Err(Errno::PERM) => Ok(Opened { descriptor: patiently(flags)?, unprotected: true }),
        opened => Ok(Opened { descriptor: opened?, unprotected: false }),
    }
}
