//! What a worker takes away from itself before it meets any evidence.
//!
//! Here belong Landlock (no file by name) and seccomp (no new process, no network), which will close what the crate's
//! page names as open. All of it is applied after the program has been started anew: what the parent holds in memory
//! or open is not there any more.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::{env, fs, io};

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};
use rustix::thread::set_no_new_privs;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// The bit of close-on-exec in the octal `flags` line of `/proc/self/fdinfo/N` (`O_CLOEXEC`; see proc(5)).
const CLOSE_ON_EXEC: u32 = 0o2000000;

/// What holds in a worker, for the record of a run. A worker that cannot apply what is `true` here does not start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// Address space in bytes: the configured limit, or the system's where that is less.
    pub address_space_bytes: u64,
    /// No file can be made longer (`RLIMIT_FSIZE` 0), no core is dumped, no privileges can be gained by starting a
    /// program, no descriptor is inherited but the socket.
    pub process_limits: bool,
    /// No file can be reached by its name.
    pub landlock: bool,
    /// No system calls but those that reading needs.
    pub seccomp: bool,
}

/// Applies all of it to this process, for good.
///
/// # Errors
/// What the system refused.
pub fn confine(address_space_bytes: u64) -> io::Result<Confinement> {
    let address_space_bytes = lower(Resource::As, address_space_bytes)?;
    lower(Resource::Fsize, 0)?;
    lower(Resource::Core, 0)?;
    // A core handler that is a program ignores the limit of zero, and a core would hold pieces of evidence.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    set_no_new_privs(true)?;
    Ok(Confinement { address_space_bytes, process_limits: true, landlock: false, seccomp: false })
}

/// Lowers a limit for good, never raises it; tells what holds now.
fn lower(resource: Resource, wanted: u64) -> io::Result<u64> {
    let limit = getrlimit(resource).maximum.map_or(wanted, |maximum| maximum.min(wanted));
    setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) })?;
    Ok(limit)
}

/// Lets this process use `seconds` of processor time from now on, and no more: the parent's deadline comes first, but a
/// parent that was killed keeps none, and a worker in an endless loop would outlive it.
///
/// # Errors
/// What the system refused.
pub fn budget_cpu(seconds: u64) -> io::Result<()> {
    let used = u64::try_from(clock_gettime(ClockId::ProcessCPUTime).tv_sec).unwrap_or(0);
    let maximum = getrlimit(Resource::Cpu).maximum;
    // One second more, since the time used was rounded down.
    let wanted = used.saturating_add(seconds).saturating_add(1);
    let current = maximum.map_or(wanted, |maximum| maximum.min(wanted));
    Ok(setrlimit(Resource::Cpu, Rlimit { current: Some(current), maximum })?)
}

/// Closes the descriptors above standard error that whoever started the program left open, by starting it again: they
/// have no owner here that could close them, but a new program does not inherit what is marked to be closed.
///
/// # Errors
/// What the system refused.
pub fn close_inherited_descriptors() -> io::Result<()> {
    if !inherits_descriptors()? {
        return Ok(());
    }
    close_fds::set_fds_cloexec(3, &[]);
    Err(Command::new("/proc/self/exe").args(env::args_os().skip(1)).exec())
}

/// At the start of a program whatever is open above standard error was inherited, and is not marked close-on-exec;
/// everything that Rust opens is.
fn inherits_descriptors() -> io::Result<bool> {
    for entry in fs::read_dir("/proc/self/fdinfo")? {
        let entry = entry?;
        if entry.file_name().to_str().and_then(|name| name.parse().ok()).is_none_or(|number: u32| number < 3) {
            continue;
        }
        let info = fs::read_to_string(entry.path())?;
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
        if flags.is_none_or(|flags| flags & CLOSE_ON_EXEC == 0) {
            return Ok(true);
        }
    }
    Ok(false)
}
