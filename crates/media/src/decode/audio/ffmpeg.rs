//! The `ffmpeg` program: for codecs and containers that no decoder here can read.
//!
//! It writes 16-bit PCM, mono or stereo at the recording's own rate, into a pipe ([`decode_pipe`]).

use std::ops::ControlFlow;
use std::process::{Command, Stdio};
use std::thread;

use super::{Decoded, SampleSink, declared, decode_pipe};
use crate::program::feed;
pub use crate::program::{Access, in_memory, rewound};
use crate::{Ffmpeg, Format, Limits, Problem, Source};

impl Ffmpeg {
    /// The command that decodes the first sound track of its standard input, a file of this format, to its standard
    /// output. Standard input and output are for the caller to set.
    pub fn command(&self, format: Format, access: Access) -> Option<Command> {
        let mut command = self.reading(format, access, &[])?;
        command
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
        let command = self.access(format).and_then(|access| self.command(format, access));
        let mut command = command.ok_or_else(|| super::unsupported(format, None))?;
        let declared = declared(source, format);
        if let Some(by) = declared.locked_by {
            return Err(Problem::Protected { by });
        }
        let io = |error: &std::io::Error| Problem::io("starting ffmpeg", error);
        let stdin = self.input(source, format, limits)?;
        let mut child = command.stdin(stdin).stdout(Stdio::piped()).spawn().map_err(|error| io(&error))?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let mut broken_off = false;
        let read = thread::scope(|scope| {
            // Ends with the program, which closes its end.
            stdin.map(|stdin| scope.spawn(|| feed(stdin, source)));
            let mut pipe = stdout.ok_or_else(|| Problem::Crashed { detail: "ffmpeg without a pipe".to_owned() })?;
            let read = decode_pipe(&mut pipe, &self.decoder(), format, declared, limits, &mut |samples| {
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
