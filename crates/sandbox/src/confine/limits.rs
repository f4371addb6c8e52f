//! Limits of a process (getrlimit(2)).

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

/// Descriptors that a worker may have: three standard ones, the socket, the evidence and a pipe, and their duplicates.
const WORKER_DESCRIPTORS: u64 = 16;

/// Descriptors that a program may have. It opens its libraries one after another.
const PROGRAM_DESCRIPTORS: u64 = 32;

/// A worker's limits; the address space that it has.
pub(super) fn of_worker(address_space_bytes: u64) -> io::Result<u64> {
    // Nobody's number of processes but root's, who has seccomp alone to keep it from more.
    lower(Resource::Nproc, 0)?;
    of_both(address_space_bytes, WORKER_DESCRIPTORS)
}

/// A program's limits; the address space that it has.
pub(super) fn of_program(address_space_bytes: u64, cpu_seconds: u64) -> io::Result<u64> {
    lower(Resource::Cpu, cpu_seconds)?;
    of_both(address_space_bytes, PROGRAM_DESCRIPTORS)
}

fn of_both(address_space_bytes: u64, descriptors: u64) -> io::Result<u64> {
    lower(Resource::Fsize, 0)?;
    lower(Resource::Core, 0)?;
    lower(Resource::Nofile, descriptors)?;
    lower(Resource::As, address_space_bytes)
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
