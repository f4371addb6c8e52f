//! The `ffmpeg` program: for codecs and containers that no decoder here can read.
//!
//! No shell; the environment is empty. The demuxer is forced to what our own probe recognised, so that no playlist is
//! followed, and the only protocol is the one through which the evidence comes: as standard input, opened by us. It
//! writes 16-bit PCM, mono or stereo at the recording's own rate, into a pipe ([`decode_pipe`]).

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::thread;

use rustix::fs::{MemfdFlags, memfd_create};

use super::{Decoded, SampleSink, declared, decode_pipe};
use crate::{Ffmpeg, Format, Limits, Problem, Source};

/// The longest answer to a question about itself that is read.
const MAX_ANSWER_BYTES: u64 = 64 << 10;

/// How ffmpeg comes at the evidence, which is always its standard input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// By its descriptor, with random access.
    Descriptor,
    /// From start to end.
    Stream,
    /// Opened anew by the name of the descriptor (`/proc/self/fd/0`), for containers whose directory is at the end. That
    /// touches the access time of a file: whoever minds gives it a copy.
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
        Ok(Ffmpeg { program: program.to_owned(), version: short.to_owned(), reads_descriptors })
    }

    /// How it would read a file of this format; `None` where it is not to be asked.
    pub fn access(&self, format: Format) -> Option<Access> {
        format.row().demuxer?;
        Some(match format {
            _ if self.reads_descriptors => Access::Descriptor,
            Format::Mp4 | Format::M4a | Format::Caf => Access::Reopened,
            _ => Access::Stream,
        })
    }

    /// The command that decodes the first sound track of its standard input, a file of this format, to its standard
    /// output. Standard input and output are for the caller to set.
    pub fn command(&self, format: Format) -> Option<Command> {
        let (access, demuxer) = (self.access(format)?, format.row().demuxer?);
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
            .args(["-protocol_whitelist", protocol, "-f", demuxer])
            .args(input)
            .args(["-map", "0:a:0", "-vn", "-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1"])
            .args(["-af", "aformat=channel_layouts=mono|stereo", "-c:a", "pcm_s16le", "-threads", "1"])
            .args(["-fflags", "+bitexact", "-flags:a", "+bitexact", "-f", "wav", "pipe:1"]);
        Some(command)
    }

    /// Decodes in a process that this one starts and waits for. Nothing confines it but its command.
    ///
    /// # Errors
    /// As [`decode`](super::decode).
    pub fn decode(
        &self,
        source: &Source,
        format: Format,
        limits: &Limits,
        sink: SampleSink<'_>,
    ) -> Result<Decoded, Problem> {
        let mut command = self.command(format).ok_or_else(|| super::unsupported(format, None))?;
        let io = |error: &std::io::Error| Problem::io("starting ffmpeg", error);
        let stdin = match (self.access(format), source.file()) {
            (Some(Access::Stream), None) => Stdio::piped(),
            (Some(Access::Stream | Access::Descriptor), Some(file)) => {
                Stdio::from(rewound(file).map_err(|error| io(&error))?)
            }
            _ => Stdio::from(in_memory(source, limits.file_bytes)?),
        };
        let mut child = command.stdin(stdin).stdout(Stdio::piped()).spawn().map_err(|error| io(&error))?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let mut broken_off = false;
        let read = thread::scope(|scope| {
            // Ends with the program, which closes its end.
            stdin.map(|stdin| scope.spawn(|| feed(stdin, source)));
            let mut pipe = stdout.ok_or_else(|| Problem::Crashed { detail: "ffmpeg without a pipe".to_owned() })?;
            let read =
                decode_pipe(&mut pipe, &self.decoder(), format, declared(source, format), limits, &mut |samples| {
                    let flow = sink(samples);
                    broken_off = flow == ControlFlow::Break(());
                    flow
                });
            if broken_off || read.as_ref().is_ok_and(|decoded| !decoded.problems.is_empty()) {
                let _ = child.kill();
            }
            read
        });
        let status = child.wait().map_err(|error| io(&error))?;
        let mut decoded = read?;
        if !broken_off && decoded.problems.is_empty() && !status.success() {
            decoded.problems.push(Problem::Damaged { detail: format!("ffmpeg ended with {status}") });
        }
        Ok(decoded)
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
fn feed(mut stdin: ChildStdin, source: &Source) {
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
