//! Reading hostile files without being hurt: the [`Reader`](minutia::scan::Reader) of `minutia`, in a worker process.
//!
//! Decoders are large and their input is chosen by those who are being investigated. [`Isolated`] therefore reads in a
//! child process that gets one open descriptor after another and sends back items. A crash, a hang or a memory bomb
//! ends that child and one item; the scan goes on with the next.
//!
//! What confines a worker, before it meets a byte of evidence (see [`confine`]):
//! - limits: address space, no file written, no core, 16 descriptors, no process beside it (which root is not held to); no
//!   capability is left, none can be gained; nothing of the parent's environment, no inherited descriptor but its socket;
//! - Landlock: no file by its name, no connection;
//! - seccomp: the system calls that reading needs. Names of files, and what a library tries and can do without, are refused;
//!   anything else kills the worker: processes, threads, programs, sockets, signals to others, memory to be executed;
//! - the parent: a wall clock beside the kernel's budget of processor time, a check of every value that it is sent, and a
//!   fresh worker after any problem, so that what was taken over lasts for a batch of files at most
//!   ([`Isolated::begin_batch`]).
//!
//! Where a kernel or a container offers no Landlock or no seccomp, the others hold and [`Confinement`] says what is missing
//! and why. What none of this hinders: a worker that was taken over can lie about the files of its batch, and use its time.
//!
//! Where [`Config::ffmpeg`] names the `ffmpeg` program, the parent starts it for sound that no decoder of ours reads: with
//! an empty environment, the evidence as its standard input, the demuxer that our probe chose and no protocol but that one.
//! The worker gets the other end of its pipe. Before it becomes ffmpeg, a process of our own program confines itself:
//! limits and capabilities as above, Landlock that admits the program, its linker, the folders of libraries and the one file,
//! to be read and no more, no network; of system calls those of a list, which has threads but no process. It lives no longer
//! than the reading of its source.
//!
//! ```no_run
//! use minutia::scan::{Reader, Request};
//! use minutia_media::Source;
//! use minutia_sandbox::{Config, Isolated, worker};
//!
//! fn main() -> std::process::ExitCode {
//!     if worker::requested() {
//!         return worker::run(); // this process was started as a worker
//!     }
//!     let mut reader = Isolated::new(Config::default());
//!     let source = Source::from_bytes(std::fs::read("suspect.jpg").unwrap_or_default());
//!     let read = reader.read(&source, &Request::query(), &mut |item| println!("{item:?}"));
//!     std::process::ExitCode::from(u8::from(read.is_err()))
//! }
//! ```
#![forbid(unsafe_code)]

mod child;
mod config;
pub mod confine;
mod launcher;
mod parent;
mod program;
mod socket;
pub mod wire;
pub mod worker;

pub use child::StartError;
pub use config::{Config, Launch};
pub use confine::{Barrier, Confinement};
pub use parent::Isolated;
