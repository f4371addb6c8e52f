//! The reader without a sandbox: for those who link the library and trust their input, and inside the worker itself.

use std::any::Any;
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use minutia_media::decode::image::{Channels, Frame, decode, preview};
use minutia_media::{Ffmpeg, Format, Kind, Picture, Preview, Problem, Source, probe};

use super::animation::Animation;
use super::recording::{film_item, sound_item, vpdq_item};
use super::{Coverage, Exchange, Item, Reader, Request};
use crate::fingerprint::{
    AlgorithmId, Code, Dihedral, Fingerprint, ImageFingerprint, Region, RegionKind, View, fingerprint_image,
};

/// Reads in this process. A decoder's panic is caught and ends as [`Problem::Crashed`], with what was read before it;
/// nothing else confines the decoders: a stack overflow or a memory bomb ends the caller too.
///
/// Rust prints a panic's message before it is caught; a caller who does not want that sets its own panic hook.
#[derive(Debug, Default)]
pub struct InProcess;

/// As [`InProcess`], and the `ffmpeg` program is started for the pictures of films, and for sound that no decoder here can
/// read.
#[derive(Clone, Debug)]
pub struct WithFfmpeg(pub Ffmpeg);

impl Reader for InProcess {
    fn read(&mut self, source: &Source, request: &Request, sink: &mut dyn FnMut(Item)) -> Result<(), Problem> {
        read(source, request, None, sink)
    }
}

impl Reader for WithFfmpeg {
    fn read(&mut self, source: &Source, request: &Request, sink: &mut dyn FnMut(Item)) -> Result<(), Problem> {
        read(source, request, Some(&self.0), sink)
    }
}

fn read(
    source: &Source,
    request: &Request,
    ffmpeg: Option<&Ffmpeg>,
    sink: &mut dyn FnMut(Item),
) -> Result<(), Problem> {
    let format = caught(|| probe(source))?;
    sink(match (format.row().kind, request.exchange) {
        (Kind::Video, Some(Exchange::Vpdq { every_frame })) => vpdq_item(source, format, request, every_frame, ffmpeg)?,
        (Kind::Image | Kind::Other, Some(Exchange::Code(algorithm))) => code_item(source, format, request, algorithm)?,
        (_, Some(exchange)) => return Err(unfit(format, exchange)),
        (Kind::Audio, None) => sound_item(source, format, request, ffmpeg)?,
        (Kind::Video, None) => film_item(source, format, request, ffmpeg)?,
        (Kind::Image | Kind::Other, None) => image_item(source, format, request)?,
    });
    Ok(())
}

/// What is asked for is made of other media.
fn unfit(format: Format, exchange: Exchange) -> Problem {
    let of = match exchange {
        Exchange::Code(_) => "pictures",
        Exchange::Vpdq { .. } => "films",
    };
    let hint = format!("this algorithm is for {of}; choose one for what this is");
    Problem::Unsupported { format: format.row().name.to_owned(), hint }
}

/// The code of a picture by one algorithm.
fn code_item(source: &Source, format: Format, request: &Request, algorithm: AlgorithmId) -> Result<Item, Problem> {
    let Some(row) = algorithm.row() else {
        let hint = format!("this build has no algorithm of pictures with number {}", algorithm.0);
        return Err(Problem::Unsupported { format: format.row().name.to_owned(), hint });
    };
    let mut made = None;
    let decoded = caught(|| {
        decode(source, format, Channels::Rgb, &request.limits, &mut |frame| {
            let (code, quality) = (row.code)(&frame.picture);
            let (width, height) = match &frame.picture {
                Picture::Luma(luma) => (luma.width(), luma.height()),
                Picture::Rgb(rgb) => (rgb.width(), rgb.height()),
            };
            let region = Region { kind: RegionKind::Whole, left: 0, top: 0, right: 10_000, bottom: 10_000 };
            let quality = quality.unwrap_or(0);
            let views = vec![View { region, turn: Dihedral::Identity, code, quality, plain_rim: 0 }];
            let orientation = frame.orientation;
            made = Some(ImageFingerprint { frame: 0, time_ms: 0, width, height, orientation, views });
            ControlFlow::Break(())
        })
    })?;
    let made = made.ok_or_else(|| Problem::Damaged { detail: "no picture in it".to_owned() })?;
    let partial_rows = decoded.partial_rows;
    Ok(Item {
        coverage: Coverage { frames_read: 1, frames_kept: 1, partial_rows, ..Coverage::default() },
        fingerprints: vec![Fingerprint::Image(made)],
        problems: decoded.problems,
        ..Item::of(format)
    })
}

fn image_item(source: &Source, format: Format, request: &Request) -> Result<Item, Problem> {
    let mut frames = Frames::default();
    let mut animation = Animation::new(request);
    let decoded = caught(|| {
        decode(source, format, Channels::Luma, &request.limits, &mut |frame| {
            frames.take(&frame, request);
            if let Some(animation) = &mut animation {
                animation.take(frame);
            }
            ControlFlow::Continue(())
        })
    });
    let (mut problems, partial_rows) = match decoded {
        Ok(decoded) => (decoded.problems, decoded.partial_rows),
        Err(problem) if frames.read == 0 => return Err(problem),
        Err(problem) => (vec![problem], None),
    };
    let frames_kept = frames.kept.len() as u32;
    let mut fingerprints = frames.kept;
    let mut film = None;
    match caught(|| Ok(animation.and_then(|animation| animation.finish(format, !problems.is_empty())))) {
        Ok(Some((print, coverage))) => {
            fingerprints.push(Fingerprint::Film(print));
            film = Some(coverage);
        }
        Ok(None) => {}
        Err(problem) => problems.push(problem),
    }
    Ok(Item {
        coverage: Coverage { frames_read: frames.read, frames_kept, partial_rows, film, ..Coverage::default() },
        fingerprints,
        preview: request.preview_px.and_then(|px| preview_of(source, format, px, request)),
        problems,
        ..Item::of(format)
    })
}

/// The first frame, small. It is read once more in colour, so that the codes are those of a reading without a preview;
/// what goes wrong only here (colour takes three times the memory) costs the preview and nothing else.
fn preview_of(source: &Source, format: Format, px: u16, request: &Request) -> Option<Preview> {
    let mut small = None;
    let read = caught(|| {
        decode(source, format, Channels::Rgb, &request.limits, &mut |frame| {
            small = preview(&frame.picture, px).ok();
            ControlFlow::Break(())
        })
    });
    let (width, height, jpeg) = read.ok().and(small)?;
    Some(Preview { width, height, jpeg })
}

/// The frames of one source, as far as they were read.
#[derive(Default)]
struct Frames {
    read: u32,
    kept: Vec<Fingerprint>,
    seen: HashSet<Option<(Region, Code)>>,
}

impl Frames {
    /// Keeps what is new in `frame`. One whose first view (the whole picture) has the code of an earlier frame is found
    /// through that one at the same distance, and its other views, which may differ in detail, are let go. Of the frames
    /// without anything to compare the first is kept, so that a blank animation still shows as one.
    fn take(&mut self, frame: &Frame, request: &Request) {
        if request.tiers.codes {
            let mut fingerprint = fingerprint_image(&frame.picture, frame.orientation, request.views);
            if self.seen.insert(fingerprint.views.first().map(|view| (view.region, view.code))) {
                fingerprint.frame = frame.number;
                fingerprint.time_ms = frame.time_ms;
                self.kept.push(Fingerprint::Image(fingerprint));
            }
        }
        self.read += 1;
    }
}

/// What `work` answers, or its panic as a problem.
pub(super) fn caught<T>(work: impl FnOnce() -> Result<T, Problem>) -> Result<T, Problem> {
    // Nothing that `work` has left half done is looked at again: frames are counted once they are complete.
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(Problem::Crashed { detail: format!("panic: {}", message(&*panic)) }))
}

/// A panic's message, its first 200 characters: some print whole buffers.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message").chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_problem_with_its_message() {
        let check = |work: fn() -> Result<u8, Problem>, expected: Result<u8, &str>| {
            let expected = expected.map_err(|detail| Problem::Crashed { detail: detail.to_owned() });
            assert_eq!(caught(work), expected);
        };
        check(|| Ok(7), Ok(7));
        check(|| panic!("plain"), Err("panic: plain"));
        check(|| panic!("number {}", 3), Err("panic: number 3"));
        check(|| std::panic::panic_any(3_u8), Err("panic: without a message"));
        check(|| panic!("{}", "é".repeat(1_000)), Err(&format!("panic: {}", "é".repeat(200))));
    }
}
