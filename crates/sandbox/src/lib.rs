//! Reading hostile files without being hurt: the [`Reader`](minutia::scan::Reader) of `minutia`, in a worker process.
//!
//! Decoders are large and their input is chosen by those who are being investigated. [`Isolated`] therefore reads in a
//! child process that gets one open descriptor after another and sends back items. A crash, a hang or a memory bomb
//! ends that child and one item; the scan goes on with the next.
//!
//! What confines a worker now: an address space limit, no growth of any file, no core dump, no privileges to be gained,
//! nothing of the parent's environment, no inherited descriptor but its socket and the evidence being read, a wall clock
//! kept by the parent and a budget of processor time kept by the kernel. The parent checks every value that it is sent.
//!
//! What does *not* confine it yet: a worker runs as the same user and sees the same file system and network, and it may
//! start processes. Code injected into a decoder could use all of these; Landlock and seccomp will take them away, in
//! [`confine`]. Until then this is protection from accidents and from decoders that fail, not from a full takeover.
//!
//! Where [`Config::ffmpeg`] names the `ffmpeg` program, the parent starts it for sound that no decoder of ours reads: with
//! an empty environment, the evidence as its standard input, the demuxer that our probe chose, no protocol but that one,
//! and limits of address space, processor time and file size. The worker gets the other end of its pipe. It is confined
//! by nothing else yet, and lives no longer than the reading of its source.
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
