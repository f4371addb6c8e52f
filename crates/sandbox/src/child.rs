//! One worker as its parent sees it: a process, a socket to it, and the end of its standard error.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use minutia::scan::{Item, Request};
use minutia_media::{LimitKind, Piped, Problem};
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, WaitOptions, kill_process_group, waitid, waitpid,
};

use crate::Config;
use crate::confine::Confinement;
use crate::socket;
use crate::wire::{
    Answer, Ask, BUILD, MAX_ANSWER_BYTES, MAX_ITEMS, Pieces, WireError, check_item, check_problem, encode, take,
};

/// How long a worker may take to start.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long the end of a worker is waited for that hung up or was killed: only an uninterruptible read of broken media
/// holds it longer.
pub(crate) const GRACE: Duration = Duration::from_secs(2);

/// The one variable of a worker: up to 32 MiB that one picture freed are kept for the next. With glibc's defaults a small
/// JPEG cost 56 page faults, a tenth of its time (`cargo bench -p minutia-benches --bench sandbox`). Other C libraries
/// know nothing of it.
const ALLOCATOR: (&str, &str) =
    ("GLIBC_TUNABLES", "glibc.malloc.mmap_threshold=33554432:glibc.malloc.trim_threshold=33554432");

/// The most that is read of a worker's standard error.
const MAX_LAST_WORDS: u64 = 4_096;

/// Why no worker could be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The system did not start the program.
    #[error("a worker process could not be started: {0}")]
    Spawn(io::Error),
    /// The program is no worker of this build, or could not confine itself.
    #[error("a worker process did not become ready: {found}")]
    Handshake {
        /// What it did instead.
        found: String,
    },
}

// Without a source, since the message has it.
impl From<io::Error> for StartError {
    fn from(error: io::Error) -> StartError {
        StartError::Spawn(error)
    }
}

/// What programs decode of a source for a worker.
#[derive(Debug, Default)]
pub(crate) struct PipedParts {
    pub(crate) sound: Option<Piped>,
    pub(crate) film: Option<Piped>,
}

/// A running worker.
#[derive(Debug)]
pub(crate) struct Worker {
    process: Child,
    socket: UnixStream,
    inbox: Vec<u8>,
    chunk: Vec<u8>,
    confinement: Confinement,
}

impl Worker {
    pub(crate) fn start(config: &Config) -> Result<Worker, StartError> {
        leaving().retain(|&pid| matches!(waitpid(Some(pid), WaitOptions::NOHANG), Ok(None)));
        let (socket, theirs) = UnixStream::pair()?;
        // The command holds the worker's end of the socket: it must go before an end of the stream can be seen.
        let process = Command::new(&config.launch.program)
            .args(&config.launch.arguments)
            .env_clear()
            .envs([ALLOCATOR])
            .current_dir("/")
            // An interrupt from the terminal is the parent's to answer; and the group can be killed as one.
            .process_group(0)
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let (inbox, chunk) = (Vec::new(), vec![0; 64 << 10]);
        let mut worker = Worker { process, socket, inbox, chunk, confinement: Confinement::default() };
        worker.confinement = worker
            .shake_hands(config.address_space_bytes)
            .map_err(|problem| StartError::Handshake { found: problem.to_string() })?;
        Ok(worker)
    }

    pub(crate) fn confinement(&self) -> &Confinement {
        &self.confinement
    }

    fn shake_hands(&mut self, address_space_bytes: u64) -> Result<Confinement, Problem> {
        self.ask(&Ask::Start { address_space_bytes }, &[])?;
        match self.answer(Instant::now() + PATIENCE, PATIENCE, &mut 0)? {
            Answer::Ready { build, confinement }
                if build == BUILD && confinement.process_limits && is_as_before(&confinement) =>
            {
                Ok(confinement)
            }
            _ => Err(distrust(&WireError::Turn)),
        }
    }

    /// Has the worker read `evidence`, and its sound and pictures from pipes where programs decode them.
    ///
    /// # Errors
    /// `Err` when the worker is lost: it died, hung or sent what no worker sends. What it said of the source itself is
    /// inside `Ok`.
    pub(crate) fn read(
        &mut self,
        evidence: BorrowedFd<'_>,
        piped: PipedParts,
        request: &Request,
        allowed: Duration,
        sink: &mut dyn FnMut(Item),
    ) -> Result<Result<(), Problem>, Problem> {
        let deadline = Instant::now() + allowed;
        let cpu_seconds = allowed.as_secs().saturating_add(1);
        let PipedParts { sound, film } = &piped;
        let [of_sound, of_film] = [sound, film].map(|part| part.as_ref().map(|piped| piped.decoder.clone()));
        let pipes = [sound, film].into_iter().flatten().map(|piped| piped.pipe.as_fd());
        let beside: Vec<BorrowedFd<'_>> = [evidence].into_iter().chain(pipes).collect();
        self.ask(&Ask::Read { request: request.clone(), cpu_seconds, sound: of_sound, film: of_film }, &beside)?;
        // The worker's alone from here: the programs must notice when nobody reads.
        drop(piped);
        let mut answered = 0;
        let mut items = 0;
        let mut pieces = Pieces::default();
        loop {
            match self.answer(deadline, allowed, &mut answered)? {
                Answer::Piece { of, piece } => pieces.take(of, piece).map_err(|error| distrust(&error))?,
                Answer::Item(mut item) => {
                    items += 1;
                    if items > MAX_ITEMS {
                        let (found, allowed) = (items as u64, MAX_ITEMS as u64);
                        return Err(distrust(&WireError::TooMany { what: "items", found, allowed }));
                    }
                    pieces.complete(&mut item).map_err(|error| distrust(&error))?;
                    check_item(&item, request).map_err(|error| distrust(&error))?;
                    sink(item);
                }
                Answer::Done(done) => {
                    if let Err(problem) = &done {
                        check_problem(problem).map_err(|error| distrust(&error))?;
                    }
                    return if self.inbox.is_empty() && pieces.is_settled() {
                        Ok(done)
                    } else {
                        Err(distrust(&WireError::Turn))
                    };
                }
                Answer::Ready { .. } => return Err(distrust(&WireError::Turn)),
            }
        }
    }

    fn ask(&mut self, ask: &Ask, beside: &[BorrowedFd<'_>]) -> Result<(), Problem> {
        let frame = encode(ask).map_err(|error| distrust(&error))?;
        // A worker that is gone has closed its end; how it went is more telling than that it went.
        socket::send_now(&self.socket, &frame, beside).map_err(|error| self.last_words(&error.to_string()))
    }

    /// The next answer, of which `answered` counts the bytes.
    fn answer(&mut self, deadline: Instant, allowed: Duration, answered: &mut usize) -> Result<Answer, Problem> {
        loop {
            if let Some(answer) = take(&mut self.inbox).map_err(|error| distrust(&error))? {
                return Ok(answer);
            }
            match socket::receive_until(&self.socket, &mut self.inbox, &mut self.chunk, deadline) {
                Ok(None) => {
                    let after_ms = u64::try_from(allowed.as_millis()).unwrap_or(u64::MAX);
                    return Err(Problem::TimedOut { after_ms });
                }
                Ok(Some(0)) => return Err(self.last_words("it hung up")),
                Ok(Some(received)) => *answered += received,
                Err(error) => return Err(self.last_words(&error.to_string())),
            }
            if *answered > MAX_ANSWER_BYTES {
                let (found, allowed) = (*answered as u64, MAX_ANSWER_BYTES as u64);
                return Err(distrust(&WireError::TooMany { what: "bytes of answers", found, allowed }));
            }
        }
    }

    /// How a worker that is gone went; `otherwise` where it lives on.
    fn last_words(&mut self, otherwise: &str) -> Problem {
        let Some(status) = end(&self.process, GRACE) else {
            return Problem::Crashed { detail: format!("the worker broke off: {otherwise}") };
        };
        // The process is gone and took its end of the pipe along; what it started may hold another, and is not waited for.
        let mut text = Vec::new();
        if let Some(stderr) = self.process.stderr.take() {
            let _ = rustix::io::ioctl_fionbio(&stderr, true);
            let _ = stderr.take(MAX_LAST_WORDS).read_to_end(&mut text);
        }
        meaning(&status, &String::from_utf8_lossy(&text), self.confinement.address_space_bytes)
    }
}

impl Drop for Worker {
    /// Ends the worker and all that it started.
    fn drop(&mut self) {
        // The group's number is this worker's own for as long as nobody has waited for the worker.
        let _ = kill_process_group(Pid::from_child(&self.process), Signal::KILL);
        if end(&self.process, GRACE).is_some() {
            let _ = self.process.wait();
        } else {
            leaving().push(Pid::from_child(&self.process));
        }
    }
}

/// Whether the barriers are those of this process's first worker: what a record says of one holds for all.
fn is_as_before(confinement: &Confinement) -> bool {
    static FIRST: OnceLock<[bool; 2]> = OnceLock::new();
    let barriers = [confinement.landlock.holds(), confinement.seccomp.holds()];
    *FIRST.get_or_init(|| barriers) == barriers
}

/// Workers that were killed and had not ended in time.
fn leaving() -> MutexGuard<'static, Vec<Pid>> {
    static LEAVING: Mutex<Vec<Pid>> = Mutex::new(Vec::new());
    LEAVING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How a process ended, without taking its number away; waits in steps that grow, since most are gone at the first look.
pub(crate) fn end(process: &Child, patience: Duration) -> Option<WaitIdStatus> {
    let deadline = Instant::now() + patience;
    let mut step = Duration::from_micros(50);
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    loop {
        match waitid(WaitId::Pid(Pid::from_child(process)), look) {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < deadline => thread::sleep(step),
            _ => return None,
        }
        step = (step * 2).min(Duration::from_millis(20));
    }
}

/// What an exit means. Of the text only the last line is told: those before it carry process numbers, and records must
/// not depend on these.
fn meaning(status: &WaitIdStatus, text: &str, address_space_bytes: u64) -> Problem {
    let telling = |line: &&str| !line.trim().is_empty() && !line.starts_with("note: ");
    let last: String = text.lines().rfind(telling).unwrap_or("").trim().chars().take(200).collect();
    // What Rust's runtime says before it aborts (std, `alloc::default_alloc_error_hook`).
    let wanted = last.strip_prefix("memory allocation of ").and_then(|rest| rest.split(' ').next()?.parse().ok());
    if let Some(wanted) = wanted {
        return Problem::Limit {
            limit: LimitKind::WorkerBytes,
            allowed: address_space_bytes,
            found: address_space_bytes.max(wanted),
        };
    }
    let how = match (status.terminating_signal(), status.exit_status()) {
        // What seccomp does to a worker (see `confine`).
        (Some(31), _) => "killed by SIGSYS: it asked the system for what no reader needs".to_owned(),
        (Some(signal), _) => format!("killed by {}", signal_name(signal)),
        (None, code) => format!("exit status {}", code.unwrap_or(-1)),
    };
    Problem::Crashed { detail: if last.is_empty() { how } else { format!("{how}: {last}") } }
}

/// The names of signal(7) that end a process which computes, with their numbers on Linux.
fn signal_name(signal: i32) -> String {
    const NAMES: &[(i32, &str)] = &[
        (4, "SIGILL"),
        (5, "SIGTRAP"),
        (6, "SIGABRT"),
        (7, "SIGBUS"),
        (8, "SIGFPE"),
        (9, "SIGKILL"),
        (11, "SIGSEGV"),
        (15, "SIGTERM"),
        (24, "SIGXCPU"),
        (25, "SIGXFSZ"),
        (31, "SIGSYS"),
    ];
    NAMES
        .iter()
        .find(|(number, _)| *number == signal)
        .map_or(format!("signal {signal}"), |(_, name)| (*name).to_owned())
}

fn distrust(error: &WireError) -> Problem {
    Problem::Crashed { detail: format!("the worker sent {error}") }
}
