//! The `ffmpeg` program: for codecs and containers that no decoder here can read, and for speed.
//!
//! It takes the luma plane out of each frame and writes it as it is, with its time in microseconds, into a pipe
//! ([`decode_pipe`]). Of frames that are not wanted it is asked to hand over as few as it can know of; which are taken is
//! decided here.

use std::io::{self, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::thread;

use super::{Decoded, Film, FrameSink, Selection, Wanted, decode_pipe, describe, unsupported};
pub use crate::program::Access;
use crate::program::{feed, rewound};
use crate::{Ffmpeg, Format, Limits, Problem, Source};

/// The share of pictures that it may fail to decode: recordings of broadcasts begin and end in the midst of one.
const MOST_ERRORS: &str = "0.02";
/// Its exit status where there were more.
const TOO_MANY_ERRORS: i32 = 69;

/// Where luma is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planes {
    /// Out of the frames as they are stored.
    Stored,
    /// Out of frames that were converted: those stored as red, green and blue have none, and the program ends without a picture.
    /// It chooses a format by what all frames may have, so that one command cannot do both without touching stored luma.
    Converted,
}

/// Whether a program that ended with this exit status before a picture came may do better with [`Planes::Converted`].
#[must_use]
pub fn may_need_conversion(code: i32) -> bool {
    !matches!(code, 0 | TOO_MANY_ERRORS)
}

/// What the program's end says of a film of which all that came was read, by its exit status or the signal that ended it. `None`
/// where it ended well.
#[must_use]
pub fn told_by_end(code: Option<i32>, signal: Option<i32>) -> Option<Problem> {
    let detail = match (code, signal) {
        (Some(0), _) => return None,
        (Some(TOO_MANY_ERRORS), _) => TOO_MANY.to_owned(),
        (Some(code), _) => format!("{ENDED} exit status {code}"),
        (None, Some(signal)) => format!("{ENDED} signal {signal}"),
        (None, None) => format!("{ENDED} a signal"),
    };
    Some(Problem::Damaged { detail })
}

/// Whether a problem is one of [`told_by_end`].
#[must_use]
pub fn is_told_by_end(problem: &Problem) -> bool {
    matches!(problem, Problem::Damaged { detail } if detail == TOO_MANY || detail.starts_with(ENDED))
}

const ENDED: &str = "ffmpeg ended with";
const TOO_MANY: &str = "ffmpeg could not decode more than 2 % of it";

/// What a signal says that ended the program before anything came of it: that it failed, and nothing about the film. `None` for
/// the signal of a pipe that nobody reads.
#[must_use]
pub fn crashed(signal: i32) -> Option<Problem> {
    let detail = format!("{ENDED} signal {signal}, before it had decoded anything");
    (signal != SIGPIPE).then_some(Problem::Crashed { detail })
}

const SIGPIPE: i32 = 13;

/// How much before the wanted part it is told to begin: seeking goes by decoding time, which is less.
const SEEK_MARGIN_US: u64 = 1_000_000;

impl Ffmpeg {
    /// The command that decodes what is wanted of the pictures of its standard input, a file of this format that comes so, to
    /// its standard output. Standard input and output are for the caller to set. `None` where it is not to be asked.
    pub fn film_command(
        &self,
        format: Format,
        access: Access,
        wanted: &Wanted,
        limits: &Limits,
        planes: Planes,
    ) -> Option<Command> {
        let mut options: Vec<String> = Vec::new();
        let mut option = |words: &[&str]| options.extend(words.iter().map(|&word| word.to_owned()));
        // Before a frame is allocated.
        option(&["-max_pixels", &limits.film_pixels.min(i32::MAX as u64).to_string()]);
        match wanted.selection {
            Selection::All => {}
            Selection::Sparse => option(&["-skip_frame", "noref", "-skip_loop_filter", "all"]),
            // Raw streams have no times, nor has MXF that is read from start to end, and those of key frames alone would be made
            // up: the filter chooses among all.
            Selection::KeyFrames if matches!(format, Format::H264 | Format::Hevc | Format::MpegVideo | Format::Mxf) => {
            }
            // AVI has times of decoding alone, by which key frames of H.264 came two seconds late.
            Selection::KeyFrames if format == Format::Avi => option(&["-fflags", "+genpts", "-skip_frame", "nokey"]),
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
            .args(["-an", "-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1", "-vf", &filters(wanted, planes)])
            .args(if self.reads_descriptors { ["-fps_mode", "passthrough"] } else { ["-vsync", "passthrough"] })
            // What it hides inside of pictures shows in its exit status, so that a film of holes is no whole one.
            .args(["-max_error_rate", MOST_ERRORS])
            // Of what is converted, the same bits on every processor.
            .args(["-sws_flags", "bicubic+accurate_rnd+full_chroma_int+bitexact"])
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
        let stored = self.decode_luma(source, &film, format, wanted, limits, Planes::Stored, sink)?;
        let (Err(Problem::Unsupported { .. } | Problem::Damaged { .. }), Some(code)) = (&stored.0, stored.1) else {
            return stored.0;
        };
        if !may_need_conversion(code) {
            return stored.0;
        }
        // Nothing was handed over yet.
        self.decode_luma(source, &film, format, wanted, limits, Planes::Converted, sink)?.0
    }

    /// What came of it, and the exit status where the program ended by itself.
    #[allow(clippy::too_many_arguments, clippy::type_complexity, reason = "one caller, twice")]
    fn decode_luma(
        &self,
        source: &Source,
        film: &Film,
        format: Format,
        wanted: &Wanted,
        limits: &Limits,
        planes: Planes,
        sink: FrameSink<'_>,
    ) -> Result<(Result<Decoded, Problem>, Option<i32>), Problem> {
        let command = self.access(format).and_then(|access| self.film_command(format, access, wanted, limits, planes));
        let mut command = command.ok_or_else(|| unsupported(format, None))?;
        let io = |error: std::io::Error| Problem::io("starting ffmpeg", &error);
        // Films are too long to be copied.
        let stdin = match source.file() {
            Some(file) => Stdio::from(rewound(file).map_err(io)?),
            None => self.input(source, format, limits)?,
        };
        let mut child = command.stdin(stdin).stdout(Stdio::piped()).spawn().map_err(io)?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let mut ended = false;
        let read = thread::scope(|scope| {
            // Ends with the program, which closes its end.
            stdin.map(|stdin| scope.spawn(|| feed(stdin, source)));
            let Some(pipe) = stdout else {
                let _ = child.kill();
                return Err(Problem::Crashed { detail: "ffmpeg without a pipe".to_owned() });
            };
            let mut pipe = Watched { pipe, ended: false };
            let read = decode_pipe(&mut pipe, &self.decoder(), film.clone(), wanted, limits, sink);
            // What has closed its end has ended, and how is its own doing.
            if !pipe.ended {
                let _ = child.kill();
            }
            ended = pipe.ended;
            read
        });
        let status = child.wait().map_err(io)?;
        let read = match read {
            Ok(mut decoded) => {
                if decoded.to_the_end {
                    decoded.problems.extend(told_by_end(status.code(), status.signal()));
                }
                Ok(decoded)
            }
            Err(problem @ (Problem::Unsupported { .. } | Problem::Damaged { .. })) if ended => {
                Err(status.signal().and_then(crashed).unwrap_or(problem))
            }
            Err(problem) => Err(problem),
        };
        Ok((read, status.code().filter(|_| ended)))
    }
}

/// A pipe that knows whether its end was seen.
struct Watched<R> {
    pipe: R,
    ended: bool,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.pipe.read(buffer)?;
        self.ended |= read == 0 && !buffer.is_empty();
        Ok(read)
    }
}

/// Lets time go on where a clock jumps back by more than a second, as in recordings that were put one behind the other: what
/// follows comes a step behind the latest frame. Further on it would be taken for late. A frame with one wrong time does not
/// move those behind it: the shift before is kept as well, and taken again where it fits.
///
/// Of the registers 0 is the shift, 1 the last step, 2 the latest time, 3 the shift before.
const ONE_CLOCK: &str = "setpts='\
    if(isnan(PREV_INPTS),st(2,PTS+ld(0)),\
    if(lt(PTS+ld(0),ld(2)-1/TB),st(3,ld(0));st(0,ld(2)+max(ld(1),1)-PTS),\
    if(gt(PTS+ld(0),ld(2)+1/TB)*between(PTS+ld(3),ld(2),ld(2)+1/TB),st(0,ld(3)),\
    if(between(PTS-PREV_INPTS,1,1/TB),st(1,PTS-PREV_INPTS)))));\
    st(2,max(ld(2),PTS+ld(0)));PTS+ld(0)'";

/// Takes luma as it is stored, of frames that come in the order of their times: those of others would be made up further
/// on. For a rate, lets through whatever may be the first frame of a part of a second, give or take a millisecond.
fn filters(wanted: &Wanted, planes: Planes) -> String {
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
    let select = format!("select='{key}{within}(isnan(prev_selected_pts)+gt(pts,prev_selected_pts){begins})'");
    let convert = if planes == Planes::Converted { "format=yuv444p," } else { "" };
    format!("{ONE_CLOCK},{select},{convert}extractplanes=y")
}
