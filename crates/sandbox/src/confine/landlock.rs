//! Landlock: which files can be reached by a name, and no network (<https://docs.kernel.org/userspace-api/landlock.html>).
//!
//! Files that are open already, and those that come over a socket, are not touched by it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, LandlockStatus, PathBeneath, Ruleset, RulesetAttr, RulesetCreated,
    RulesetCreatedAttr, RulesetError, Scope,
};
use rustix::fs::{Mode, OFlags, fcntl_get_seals, fstat, open};

use super::Barrier;

/// The newest version whose rights are asked for; of older kernels as much as they know.
const NEWEST: ABI = ABI::V10;

/// Something that stays in reach.
#[derive(Clone, Debug)]
pub(crate) enum Admitted {
    /// What is in this file, or beneath this folder, can be read; nothing where there is none.
    Read(PathBuf),
    /// This file can be started, too.
    Run(PathBuf),
    /// The file that is standard input can be opened once more, under the names that `/proc` has for it.
    Input,
}

/// Confines this thread for good: nothing can be reached by name but what is `admitted`.
///
/// # Errors
/// What the system refused that offers it.
pub(crate) fn admit(admitted: &[Admitted]) -> io::Result<Barrier> {
    let refused = |error: RulesetError| io::Error::other(format!("Landlock: {error}"));
    let mut rules = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(NEWEST)))
        .and_then(|rules| rules.scope(Scope::from_all(NEWEST)))
        .and_then(Ruleset::create)
        .map_err(refused)?;
    for admitted in admitted {
        rules = match admitted {
            Admitted::Read(path) => with_path(rules, path, AccessFs::ReadFile.into())?,
            Admitted::Run(path) => with_path(rules, path, AccessFs::ReadFile | AccessFs::Execute)?,
            Admitted::Input => with_input(rules)?,
        };
    }
    let status = rules.restrict_self().map_err(refused)?;
    Ok(match status.landlock {
        LandlockStatus::Available { effective_abi, .. } => {
            let abi = (effective_abi as i32).min(NEWEST as i32);
            Barrier::InForce { what: format!("abi {abi}") }
        }
        LandlockStatus::NotEnabled => Barrier::missing("the kernel has it, but it was not enabled at boot"),
        LandlockStatus::NotImplemented => Barrier::missing("the kernel has none, or a sandbox hides it"),
    })
}

fn with_path(rules: RulesetCreated, path: &PathBuf, rights: BitFlags<AccessFs>) -> io::Result<RulesetCreated> {
    // By name alone, without opening it: to look for it must have no effect.
    let Ok(there) = open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) else { return Ok(rules) };
    with(rules, there.as_fd(), rights)
}

fn with_input(rules: RulesetCreated) -> io::Result<RulesetCreated> {
    let input = io::stdin();
    // Only files have names. What lives in memory alone is on no file system that Landlock looks at, and never closed.
    let is_file = rustix::fs::FileType::from_raw_mode(fstat(&input)?.st_mode) == rustix::fs::FileType::RegularFile;
    if !is_file || (fstat(&input)?.st_nlink == 0 && fcntl_get_seals(&input).is_ok()) {
        return Ok(rules);
    }
    with(rules, input.as_fd(), AccessFs::ReadFile.into())
}

fn with(rules: RulesetCreated, there: BorrowedFd<'_>, rights: BitFlags<AccessFs>) -> io::Result<RulesetCreated> {
    rules.add_rule(PathBeneath::new(there, rights)).map_err(|error| io::Error::other(format!("Landlock: {error}")))
}
