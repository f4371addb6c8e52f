//! The `ffmpeg` program at work on one file: started by the parent, read by a worker.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};

use minutia_media::decode::video::DirectoryFirst;
use minutia_media::decode::video::ffmpeg::{crashed, may_need_conversion, told_by_end};
use minutia_media::{Ffmpeg, Piped, Problem, Source};
use rustix::fs::{Mode, OFlags, fcntl_getfl, open};
use rustix::pipe::fcntl_setpipe_size;
use rustix::process::{Pid, Signal, kill_process_group};

use crate::Launch;
use crate::StartError;
use crate::child::{GRACE, end};
use crate::confine::Confinement;
use crate::launcher::{Cost, FAILED, confined, tell, told};

/// What confines the program, once it has been seen to start so.
pub(crate) fn tried(launch: &Launch, cost: Cost, ffmpeg: &Ffmpeg) -> Result<Confinement, StartError> {
    let mut launcher = tell(launch, cost);
    let answer = launcher.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).output()?;
    let lost = |what: &[u8]| StartError::Handshake { found: String::from_utf8_lossy(what).trim().to_owned() };
    let confinement = told(&answer.stdout).ok_or_else(|| lost(&answer.stderr))?;
    let mut version = Command::new(&ffmpeg.program);
    version.arg("-version");
    let mut version = confined(launch, cost, &version);
    let answer = version.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).output()?;
    if answer.status.success() && answer.stdout.starts_with(b"ffmpeg version ") {
        return Ok(confinement);
    }
    Err(lost(&[answer.status.to_string().as_bytes(), b": ", &answer.stderr].concat()))
}

/// The same file with a place of its own, at its start: two programs that read one file would otherwise move one place.
/// Access times stay as protected as they were.
fn opened_anew(evidence: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let noatime = fcntl_getfl(evidence)? & OFlags::NOATIME;
    let name = format!("/proc/self/fd/{}", evidence.as_raw_fd());
    Ok(open(name, OFlags::RDONLY | OFlags::CLOEXEC | noatime, Mode::empty())?)
}

/// What a pipe holds, where the system lets it.
const PIPE_BYTES: usize = 1 << 20;

/// How the evidence comes to a program, as its standard input.
#[derive(Debug)]
pub(crate) enum Input<'a> {
    /// The evidence itself.
    Evidence(BorrowedFd<'a>),
    /// A copy of it in memory.
    Copy(File),
    /// Through a pipe, from start to end.
    Fed { film: DirectoryFirst, source: &'a Source },
}

/// A running program. It ends with this value.
#[derive(Debug)]
pub(crate) struct Program {
    process: Child,
    /// Writes what the program reads from a pipe.
    feeder: Option<JoinHandle<()>>,
}

impl Program {
    /// Starts a command of `ffmpeg` on `input`; it writes into the pipe.
    ///
    /// # Errors
    /// What the system refused.
    pub(crate) fn start(
        launch: &Launch,
        cost: Cost,
        ffmpeg: &Ffmpeg,
        command: &Command,
        input: &Input<'_>,
    ) -> io::Result<(Program, Piped)> {
        let stdin = match input {
            Input::Evidence(evidence) => Stdio::from(opened_anew(*evidence)?),
            Input::Copy(copy) => Stdio::from(opened_anew(copy.as_fd())?),
            Input::Fed { .. } => Stdio::piped(),
        };
        let mut process = confined(launch, cost, command)
            .process_group(0)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (stdin, stdout) = (process.stdin.take(), process.stdout.take());
        let mut program = Program { process, feeder: None };
        if let (Input::Fed { film, source }, Some(mut pipe)) = (input, stdin) {
            let file = source.file().ok_or_else(|| io::Error::other("a source that is no file"))?;
            let (film, source) = (film.clone(), Source::from_file_of(file.try_clone()?, source.len()));
            // What is not read shows in what the program makes of it.
            let feed = move || drop(film.write(&source, &mut pipe));
            program.feeder = Some(thread::Builder::new().name("feeder".to_owned()).spawn(feed)?);
        }
        let pipe = stdout.ok_or_else(|| io::Error::other("ffmpeg without a pipe"))?;
        // A frame of film takes megabytes, of which the usual 64 KiB let neither end go on without the other. Where the
        // system refuses, the pipe stays as it is.
        let _ = fcntl_setpipe_size(&pipe, PIPE_BYTES);
        Ok((program, Piped { decoder: ffmpeg.decoder(), pipe: File::from(OwnedFd::from(pipe)) }))
    }

    /// Whether it was never started, since it could not be confined.
    pub(crate) fn was_refused(&self) -> bool {
        end(&self.process, GRACE).is_some_and(|status| status.exit_status() == Some(i32::from(FAILED)))
    }

    /// Whether it may do better with converted frames, where no picture came.
    pub(crate) fn may_need_conversion(&self) -> bool {
        end(&self.process, GRACE).and_then(|status| status.exit_status()).is_some_and(may_need_conversion)
    }

    /// What went wrong with it, once all that it wrote was read.
    pub(crate) fn problem(&self) -> Option<Problem> {
        let status = end(&self.process, GRACE)?;
        told_by_end(status.exit_status(), status.terminating_signal())
    }

    /// What a signal says that ended it, where nothing came of it.
    pub(crate) fn crash(&self) -> Option<Problem> {
        crashed(end(&self.process, GRACE)?.terminating_signal()?)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // The group's number is this process's own for as long as nobody has waited for it.
        let _ = kill_process_group(Pid::from_child(&self.process), Signal::KILL);
        let _ = self.process.wait();
        // Nobody holds the other end of its pipe any more.
        if let Some(feeder) = self.feeder.take() {
            let _ = feeder.join();
        }
    }
}
