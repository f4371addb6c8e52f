//! The `ffmpeg` program: for codecs and containers that no decoder here can read, and for speed.
//!
//! It takes the luma plane out of each frame and writes it as it is, with its time in microseconds, into a pipe
//! ([`decode_pipe`]). Of frames that are not wanted it is asked to hand over as few as it can know of; which are taken is
//! decided here.

use std::process::{Command, Stdio};
use std::thread;

use super::{Decoded, FrameSink, Selection, Wanted, decode_pipe, describe, unsupported};
pub use crate::program::Access;
use crate::program::{feed, rewound};
use crate::{Ffmpeg, Format, Limits, Problem, Source};

/// The share of pictures that it may fail to decode: recordings of broadcasts begin and end in the midst of one.
const MOST_ERRORS: &str = "0.02";
/// Its exit status where there were more.
const TOO_MANY_ERRORS: i32 = 69;

/// What an exit status of the program says, other than 0; `None` for a death by a signal.
#[must_use]
pub fn told_by_exit(status: Option<i32>) -> String {
    match status {
        Some(TOO_MANY_ERRORS) => "ffmpeg could not decode more than 2 % of it".to_owned(),
        Some(code) => format!("ffmpeg ended with exit status {code}"),
        None => "ffmpeg ended with a signal".to_owned(),
    }
}

/// How much before the wanted part it is told to begin: seeking goes by decoding time, which is less.
const SEEK_MARGIN_US: u64 = 1_000_000;

impl Ffmpeg {
    /// The command that decodes what is wanted of the pictures of its standard input, a file of this format that comes so, to
    /// its standard output. Standard input and output are for the caller to set. `None` where it is not to be asked.
    pub fn film_command(&self, format: Format, access: Access, wanted: &Wanted, limits: &Limits) -> Option<Command> {
        let mut options: Vec<String> = Vec::new();
        let mut option = |words: &[&str]| options.extend(words.iter().map(|&word| word.to_owned()));
        // Before a frame is allocated.
        option(&["-max_pixels", &limits.film_pixels.min(i32::MAX as u64).to_string()]);
        match wanted.selection {
            Selection::All => {}
            Selection::Sparse => option(&["-skip_frame", "noref", "-skip_loop_filter", "all"]),
            // Not `-discard nokey` too: demuxers then make up times.
            Selection::KeyFrames => option(&["-skip_frame", "nokey"]),
        }
        // Times as the container has them; where its clock has no zero, from where the first stream begins.
        let has_zero = matches!(format, Format::Mp4 | Format::M4a | Format::Matroska);
        option(if has_zero { &["-noautorotate", "-copyts"] } else { &["-noautorotate", "-copyts", "-start_at_zero"] });
        let start_us = wanted.span_us.as_ref().map_or(0, |span| span.start).saturating_sub(SEEK_MARGIN_US);
        if start_us > 0 && access != Access::Stream {
            option(&["-noaccurate_seek", "-seek_timestamp", if has_zero { "1" } else { "0" }]);
            option(&["-ss", &format!("{}.{:06}", start_us / 1_000_000, start_us % 1_000_000)]);
        }
        let mut command = self.reading(format, access, &options)?;
        command
            .arg("-map")
            .arg(format!("0:V:{}", wanted.track.unwrap_or(0)))
            .args(["-an", "-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1", "-vf", &filters(wanted)])
            .args(if self.reads_descriptors { ["-fps_mode", "passthrough"] } else { ["-vsync", "passthrough"] })
            // What it hides inside of pictures shows in its exit status, so that a film of holes is no whole one.
            .args(["-max_error_rate", MOST_ERRORS])
            .args(["-enc_time_base", "1:1000000", "-c:v", "rawvideo", "-threads", "1"])
            .args(["-fflags", "+bitexact", "-flags:v", "+bitexact", "-f", "nut", "pipe:1"]);
        Some(command)
    }

    /// Decodes in a process that this one starts and waits for. Nothing confines it but its command. A program that cannot
    /// read descriptors (before 6.0) opens MP4 and QuickTime files anew, which touches their access time.
    ///
    /// # Errors
    /// As [`decode`](super::decode).
    pub fn decode_film(
        &self,
        source: &Source,
        format: Format,
        wanted: &Wanted,
        limits: &Limits,
        sink: FrameSink<'_>,
    ) -> Result<Decoded, Problem> {
        let film = describe(source, format, wanted.track.unwrap_or(0))?;
        if let Some(problem) = film.refused(wanted.track.unwrap_or(0)) {
            return Err(problem);
        }
        let command = self.access(format).and_then(|access| self.film_command(format, access, wanted, limits));
        let mut command = command.ok_or_else(|| unsupported(format, None))?;
        let io = |error: std::io::Error| Problem::io("starting ffmpeg", &error);
        // Films are too long to be copied.
        let stdin = match source.file() {
            Some(file) => Stdio::from(rewound(file).map_err(io)?),
            None => self.input(source, format, limits)?,
        };
        let mut child = command.stdin(stdin).stdout(Stdio::piped()).spawn().map_err(io)?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let read = thread::scope(|scope| {
            // Ends with the program, which closes its end.
            stdin.map(|stdin| scope.spawn(|| feed(stdin, source)));
            let read = match stdout {
                Some(mut pipe) => decode_pipe(&mut pipe, &self.decoder(), film, wanted, limits, sink),
                None => Err(Problem::Crashed { detail: "ffmpeg without a pipe".to_owned() }),
            };
            if !read.as_ref().is_ok_and(|decoded| decoded.to_the_end) {
                let _ = child.kill();
            }
            read
        });
        let status = child.wait().map_err(io)?;
        let mut decoded = read?;
        if decoded.to_the_end && decoded.problems.is_empty() && !status.success() {
            decoded.problems.push(Problem::Damaged { detail: told_by_exit(status.code()) });
        }
        Ok(decoded)
    }
}

/// Takes luma as it is stored, of frames that come in the order of their times: those of others would be made up further
/// on. For a rate, lets through whatever may be the first frame of a part of a second, give or take a millisecond.
fn filters(wanted: &Wanted) -> String {
    let rate = wanted.rate_fps.map(|rate| rate.max(1));
    let milliseconds = Wanted::EARLY_US / 1_000;
    let [later, earlier] = [milliseconds + 1, milliseconds - 1].map(|early| format!("0.{early:03}"));
    let begins = rate.map_or(String::new(), |rate| {
        format!("*gt(floor((t+{later})*{rate}),floor((prev_selected_t+{earlier})*{rate}))")
    });
    // Not every decoder knows of `-skip_frame`.
    let key = if wanted.selection == Selection::KeyFrames { "key*" } else { "" };
    // What is before the wanted part is not the first of any part of a second.
    let start_us = wanted.span_us.as_ref().map_or(0, |span| span.start).saturating_sub(1_000);
    let within = match start_us {
        0 => String::new(),
        _ => format!("gte(t,{}.{:06})*", start_us / 1_000_000, start_us % 1_000_000),
    };
    format!("select='{key}{within}(isnan(prev_selected_pts)+gt(pts,prev_selected_pts){begins})',extractplanes=y")
}
