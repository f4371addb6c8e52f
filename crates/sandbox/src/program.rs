//! The `ffmpeg` program at work on one file: started by the parent, read by a worker.

use std::fs::File;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};

use minutia_media::decode::audio::ffmpeg::rewound;
use minutia_media::{Ffmpeg, Format, Piped, Problem};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process_group, prlimit};

use crate::child::{GRACE, end};

/// A running program. It ends with this value.
#[derive(Debug)]
pub(crate) struct Program {
    process: Child,
}

impl Program {
    /// Starts it on `evidence`, a file of this format; it writes into the pipe. `None` where it is not to be asked.
    ///
    /// # Errors
    /// What the system refused.
    pub(crate) fn start(
        ffmpeg: &Ffmpeg,
        format: Format,
        evidence: BorrowedFd<'_>,
        address_space_bytes: u64,
        cpu_seconds: u64,
    ) -> io::Result<Option<(Program, Piped)>> {
        let Some(mut command) = ffmpeg.command(format) else { return Ok(None) };
        let evidence = rewound(&File::from(evidence.try_clone_to_owned()?))?;
        let mut process = command.process_group(0).stdin(evidence).stdout(Stdio::piped()).spawn()?;
        let stdout = process.stdout.take();
        let program = Program { process };
        // From outside, since nothing can be done in it before it runs; it is still being linked while these come to hold.
        let pid = Some(Pid::from_child(&program.process));
        for (resource, most) in [
            (Resource::As, address_space_bytes),
            (Resource::Cpu, cpu_seconds),
            (Resource::Fsize, 0),
            (Resource::Core, 0),
        ] {
            let current = rustix::process::getrlimit(resource).maximum;
            let most = Some(current.map_or(most, |maximum| maximum.min(most)));
            prlimit(pid, resource, Rlimit { current: most, maximum: most })?;
        }
        let pipe = stdout.ok_or_else(|| io::Error::other("ffmpeg without a pipe"))?;
        Ok(Some((program, Piped { decoder: ffmpeg.decoder(), pipe: File::from(OwnedFd::from(pipe)) })))
    }

    /// What went wrong with it, once all that it wrote was read.
    pub(crate) fn problem(&self) -> Option<Problem> {
        let status = end(&self.process, GRACE)?;
        let how = match (status.exit_status(), status.terminating_signal()) {
            (Some(0), _) => return None,
            (Some(code), _) => format!("exit status {code}"),
            (None, signal) => format!("signal {}", signal.unwrap_or(0)),
        };
        Some(Problem::Damaged { detail: format!("ffmpeg ended with {how}") })
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // The group's number is this process's own for as long as nobody has waited for it.
        let _ = kill_process_group(Pid::from_child(&self.process), Signal::KILL);
        let _ = self.process.wait();
    }
}
