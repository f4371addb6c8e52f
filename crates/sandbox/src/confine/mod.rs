//! What a process takes away from itself before it meets any evidence.
//!
//! All of it is applied after the program has been started anew: what the parent holds in memory or open is not there any
//! more. Four layers, each of which holds where another fails: limits of the process, no capabilities, no name of a file
//! (Landlock), no system call that reading does not need (seccomp). The last two are the kernel's to offer;
//! where it does not, [`Barrier::Missing`] says why, and the run's record carries it.

mod inherited;
pub(crate) mod landlock;
mod limits;
mod seccomp;

use std::fmt::{self, Display, Formatter};
use std::io;

use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities, set_no_new_privs};
use serde::{Deserialize, Serialize};

pub use inherited::close_inherited_descriptors;
pub use limits::budget_cpu;

/// What holds in a process, for the record of a run. A process that cannot apply what the kernel offers does not start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// Address space in bytes: the configured limit, or the system's where that is less.
    pub address_space_bytes: u64,
    /// No file can be made longer (`RLIMIT_FSIZE` 0), no core is dumped, few descriptors can be open, no capability is
    /// left and no privilege can be gained by starting a program, no descriptor is inherited but the socket.
    pub process_limits: bool,
    /// Landlock: no file can be reached by its name.
    pub landlock: Barrier,
    /// Seccomp: no system calls but those that reading needs.
    pub seccomp: Barrier,
}

/// A barrier of the kernel's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Barrier {
    /// It stands.
    InForce {
        /// What of it, for example `abi 7`.
        what: String,
    },
    /// This kernel, or what confines this process already, does not offer it.
    Missing {
        /// What it answered.
        why: String,
    },
}

impl Barrier {
    /// Whether it stands.
    pub fn holds(&self) -> bool {
        matches!(self, Barrier::InForce { .. })
    }

    pub(crate) fn missing(why: impl Display) -> Barrier {
        Barrier::Missing { why: why.to_string() }
    }
}

impl Default for Barrier {
    fn default() -> Barrier {
        Barrier::missing("not asked for")
    }
}

impl Display for Barrier {
    /// As records have it: `abi 7`, or `not available: why`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Barrier::InForce { what } => f.write_str(what),
            Barrier::Missing { why } => write!(f, "not available: {why}"),
        }
    }
}

/// Makes this process a worker for good: it can reach nothing but the descriptors that it has and is handed. It must have
/// one thread, or the others stay as they are.
///
/// # Errors
/// What the system refused.
pub fn confine(address_space_bytes: u64) -> io::Result<Confinement> {
    let address_space_bytes = limits::of_worker(address_space_bytes)?;
    give_up_privileges()?;
    let landlock = landlock::admit(&[])?;
    // The last: it closes the calls that the others are made with.
    let seccomp = seccomp::of_worker()?;
    Ok(Confinement { address_space_bytes, process_limits: true, landlock, seccomp })
}

/// Confines this process before it becomes the program that decodes for a worker: it can open the files of `admitted`, and
/// start those that are to be run. See [`crate::launcher`].
pub(crate) fn confine_program(
    address_space_bytes: u64,
    cpu_seconds: u64,
    admitted: &[landlock::Admitted],
) -> io::Result<Confinement> {
    let address_space_bytes = limits::of_program(address_space_bytes, cpu_seconds)?;
    give_up_privileges()?;
    let landlock = landlock::admit(admitted)?;
    let seccomp = seccomp::of_program()?;
    Ok(Confinement { address_space_bytes, process_limits: true, landlock, seccomp })
}

/// Leaves a process of root's with what it owns and nothing that root may do beside, and keeps it from getting that back
/// by starting a program.
fn give_up_privileges() -> io::Result<()> {
    set_no_new_privs(true)?;
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
    // A core handler that is a program ignores the limit of zero, and a core would hold pieces of evidence.
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}
