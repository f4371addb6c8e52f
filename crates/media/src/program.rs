//! The `ffmpeg` program as it is asked for sound and for film: what it is, how it comes at the evidence, and what is the same
//! in every command.
//!
//! No shell; the environment is empty. The demuxer is forced to what our own probe recognised, so that no playlist is
//! followed, and the only protocol is the one through which the evidence comes: as standard input, opened by us.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};

use rustix::fs::{MemfdFlags, memfd_create};

use crate::{Ffmpeg, Format, Limits, Problem, Source};

/// The longest answer to a question about itself that is read.
const MAX_ANSWER_BYTES: u64 = 64 << 10;

/// The demuxer that an ffmpeg has or has not, as it was built: what the others need is part of every one.
const MODULES: &str = "libopenmpt";

/// How ffmpeg comes at the evidence, which is always its standard input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// By its descriptor, with random access.
    Descriptor,
    /// From start to end.
    Stream,
    /// Opened anew by the name of the descriptor (`/proc/self/fd/0`), for containers whose directory is at the end, and demuxers that go back. That
    /// touches the access time of a file: whoever minds gives it a copy, or the film from start to end with its directory in
    /// front (`DirectoryFirst`, with the feature `video`).
    Reopened,
}

impl Ffmpeg {
    /// Asks the program at `program` what it is.
    ///
    /// # Errors
    /// [`Problem::Io`] where it cannot be started, [`Problem::Unsupported`] where it is no ffmpeg.
    pub fn at(program: &Path) -> Result<Ffmpeg, Problem> {
        let banner = ask(program, &["-version"])?;
        let version = banner.strip_prefix("ffmpeg version ").and_then(|rest| rest.split_whitespace().next());
        let Some(version) = version.filter(|version| version.len() <= 64) else {
            let hint = "name the ffmpeg program of https://ffmpeg.org".to_owned();
            return Err(Problem::Unsupported { format: format!("the program {}", program.display()), hint });
        };
        let numbers = |c: char| c.is_ascii_digit() || c == '.';
        let short = version.split(|c| !numbers(c)).next().filter(|short| !short.is_empty()).unwrap_or(version);
        let protocols = ask(program, &["-hide_banner", "-protocols"])?;
        let reads_descriptors = protocols.lines().any(|line| line.trim() == "fd");
        // What it was built with is part of the banner.
        let plays_modules = banner.split_whitespace().any(|option| option == "--enable-libopenmpt");
        Ok(Ffmpeg { program: program.to_owned(), version: short.to_owned(), reads_descriptors, plays_modules })
    }

    /// How it would read a file of this format; `None` where it is not to be asked.
    pub fn access(&self, format: Format) -> Option<Access> {
        let demuxer = format.row().demuxer?;
        if demuxer == MODULES && !self.plays_modules {
            return None;
        }
        Some(match format {
            _ if self.reads_descriptors => Access::Descriptor,
            // Those of DSDIFF and of WavPack with more than two channels or of one bit go back, and that of modules wants to know a length.
            Format::Mp4 | Format::M4a | Format::Caf | Format::Dsdiff | Format::WavPack | Format::TrackerModule => {
                Access::Reopened
            }
            _ => Access::Stream,
        })
    }

    /// The command as far as its input, a file of this format that comes so as standard input, with `options` for reading it.
    /// Standard input and output are for the caller to set. `None` where it is not to be asked.
    pub(crate) fn reading(&self, format: Format, access: Access, options: &[String]) -> Option<Command> {
        let demuxer = format.row().demuxer?;
        let (protocol, input): (&str, &[&str]) = match access {
            Access::Descriptor => ("fd", &["-fd", "0", "-i", "fd:"]),
            Access::Stream => ("pipe", &["-i", "pipe:0"]),
            Access::Reopened => ("file", &["-i", "file:/proc/self/fd/0"]),
        };
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .current_dir("/")
            .stderr(Stdio::null())
            .args(["-nostdin", "-hide_banner", "-loglevel", "quiet", "-threads", "1"])
            .args(options)
            .args(["-protocol_whitelist", protocol, "-f", demuxer])
            .args(input);
        Some(command)
    }

    /// What standard input is for such a command; where it is a pipe, [`feed`] fills it.
    ///
    /// # Errors
    /// [`Problem::Limit`] for what has to be copied and is too long, [`Problem::Io`].
    pub(crate) fn input(&self, source: &Source, format: Format, limits: &Limits) -> Result<Stdio, Problem> {
        Ok(match (self.access(format), source.file()) {
            (Some(Access::Stream), None) => Stdio::piped(),
            (Some(Access::Stream | Access::Descriptor), Some(file)) => {
                Stdio::from(rewound(file).map_err(|error| Problem::io("starting ffmpeg", &error))?)
            }
            _ => Stdio::from(in_memory(source, limits.file_bytes)?),
        })
    }
}

/// The evidence at its start, for a program that reads on from where it stands. Nothing else here moves or minds the place.
///
/// # Errors
/// What the system refused.
pub fn rewound(file: &File) -> std::io::Result<File> {
    let mut file = file.try_clone()?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

/// A file without a name that holds the source: for what is opened anew, or is in memory only. It stands at its start.
///
/// # Errors
/// [`Problem::Limit`] for a source of more than `max_bytes`, [`Problem::Io`].
pub fn in_memory(source: &Source, max_bytes: u64) -> Result<File, Problem> {
    let bytes = source.read_all(max_bytes)?;
    let copy = || {
        let mut file = File::from(memfd_create("minutia-source", MemfdFlags::CLOEXEC)?);
        file.write_all(&bytes)?;
        file.seek(SeekFrom::Start(0))?;
        Ok(file)
    };
    copy().map_err(|error: std::io::Error| Problem::io("copying a source", &error))
}

/// Writes what is in memory only.
pub(crate) fn feed(mut stdin: ChildStdin, source: &Source) {
    let mut chunk = vec![0; 64 << 10];
    let mut at = 0;
    while let Ok(read @ 1..) = source.read_at(at, &mut chunk) {
        if stdin.write_all(&chunk[..read]).is_err() {
            break;
        }
        at += read as u64;
    }
}

fn ask(program: &Path, arguments: &[&str]) -> Result<String, Problem> {
    let io = |error: std::io::Error| Problem::io(&format!("asking {}", program.display()), &error);
    let mut command = Command::new(program);
    command.env_clear().args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(io)?;
    let mut answer = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(MAX_ANSWER_BYTES).read_to_end(&mut answer).map_err(io)?;
    }
    child.wait().map_err(io)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
