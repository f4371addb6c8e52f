//! From decoded frames to the fingerprint, shot by shot.

use std::rc::Rc;

use minutia_media::{Luma, Picture};

use super::super::Code;
use super::super::image::{has_content, part};
use super::super::pdq;
use super::super::region::{Part, reduced, turned_values, values};
use super::super::trim::Rect;
use super::frames::rectangles;
use super::shot::trimmed;
use super::views::{FRAMED, FilmBase, FilmView, FilmViews, views};
use super::{FilmFingerprint, FilmFrame};

/// Frames that are more bits away from the one before begin a new shot.
const CUT_BITS: u32 = 90;
/// Samples of a shot that are held at once; a longer shot is taken in pieces.
const MOST_HELD: usize = 64;
/// A frame that stays longer than so many samples is not sampled again.
const MOST_REPEATS: u64 = 40;
/// Times are counted in 32 bits of milliseconds.
const LATEST_US: u64 = u32::MAX as u64 * 1_000;
/// A frame of a reference whose views all are within so many bits of the frame before is that frame.
const SAME_BITS: u32 = 4;

/// Makes the fingerprint of one video stream. Holds the small planes of one shot, at most 64 samples.
#[derive(Debug)]
pub struct FilmFingerprinter {
    is_reference: bool,
    /// Each frame is a sample, at its own time.
    of_key_frames: bool,
    step_us: u64,
    /// Whether a frame came, the time of the last one, and how long the one before it stayed.
    begun: bool,
    at_us: u64,
    stayed_us: u64,
    last: Option<Luma>,
    /// The next sample's time.
    next_us: u64,
    shot: Vec<Sample>,
    before: Option<Code>,
    /// From when on the next frame of a reference has all views.
    wide_from_ms: u32,
    made: FilmFingerprint,
}

#[derive(Debug)]
struct Sample {
    time_ms: u32,
    plane: Rc<Luma>,
}

impl FilmFingerprinter {
    /// For the stream of that number in its file.
    #[must_use]
    pub fn new(stream: u32, wanted: FilmViews) -> FilmFingerprinter {
        let is_reference = wanted == FilmViews::Reference;
        let step = if is_reference { FilmFingerprint::REFERENCE_STEP_MS } else { FilmFingerprint::QUERY_STEP_MS };
        FilmFingerprinter {
            is_reference,
            of_key_frames: false,
            step_us: u64::from(step) * 1_000,
            begun: false,
            at_us: 0,
            stayed_us: 0,
            last: None,
            next_us: 0,
            shot: Vec::new(),
            before: None,
            wide_from_ms: 0,
            made: FilmFingerprint { stream, views: views(wanted), ..FilmFingerprint::default() },
        }
    }

    /// For the key frames of a stream alone, which are seconds apart: each is sampled once, at its own time.
    #[must_use]
    pub fn of_key_frames(stream: u32, wanted: FilmViews) -> FilmFingerprinter {
        FilmFingerprinter { of_key_frames: true, ..FilmFingerprinter::new(stream, wanted) }
    }

    /// Takes the next frame, in order of presentation, with its time from the film's zero, which sound counts from too. One
    /// that is earlier than the frame before is left out, and so is one that comes later than 49 days.
    pub fn push(&mut self, time_us: u64, frame: Luma) {
        if !(self.at_us..=LATEST_US).contains(&time_us) {
            return;
        }
        if self.begun {
            self.sample_until(time_us);
            self.stayed_us = time_us - self.at_us;
        } else {
            // Samples stand at the multiples of a step; before the first frame, that frame.
            self.next_us = time_us / self.step_us * self.step_us;
            self.begun = true;
        }
        self.at_us = time_us;
        self.last = Some(frame);
    }

    /// Whether the views are made by which a query is found that nothing else explains.
    #[must_use]
    pub fn has_second_look(&self) -> bool {
        self.made.views.iter().any(FilmView::is_second_look)
    }

    /// The fingerprint. The last frame is taken to stay as long as the one before it.
    #[must_use]
    pub fn finish(self) -> FilmFingerprint {
        let end_us = self.at_us.saturating_add(self.stayed_us);
        self.finish_at(end_us)
    }

    /// The fingerprint of a film of which it is known when its last frame is no longer shown, in microseconds.
    #[must_use]
    pub fn finish_at(mut self, end_us: u64) -> FilmFingerprint {
        let end_us = end_us.clamp(self.at_us, LATEST_US.max(self.at_us));
        self.sample_until(end_us.max(self.at_us + 1));
        self.end_shot();
        self.made.duration_ms = end_us / 1_000;
        self.made
    }

    /// Samples the last frame for as long as it is on screen.
    fn sample_until(&mut self, end_us: u64) {
        if self.of_key_frames {
            self.next_us = self.at_us;
        }
        let Some(frame) = self.last.take().filter(|_| self.next_us < end_us) else { return };
        (self.made.width, self.made.height) = (frame.width(), frame.height());
        let plane = Rc::new(reduced(&Picture::Luma(frame)));
        let whole = code_of(&values(&plane, part(Rect::of(&plane))));
        let other_size = self
            .shot
            .last()
            .is_some_and(|sample| sample.plane.width() != plane.width() || sample.plane.height() != plane.height());
        if other_size || self.before.is_some_and(|before| before.distance(&whole) > CUT_BITS) {
            self.end_shot();
        }
        self.before = Some(whole);
        let most_repeats = if self.of_key_frames { 1 } else { MOST_REPEATS };
        let mut repeats = 0;
        while self.next_us < end_us && repeats < most_repeats {
            let Ok(time_ms) = u32::try_from(self.next_us / 1_000) else { return };
            if self.shot.len() >= MOST_HELD {
                self.end_shot();
            }
            self.shot.push(Sample { time_ms, plane: Rc::clone(&plane) });
            self.next_us += self.step_us;
            repeats += 1;
        }
        // Long stills are not sampled on and on.
        if self.next_us < end_us {
            self.next_us += (end_us - self.next_us).div_ceil(self.step_us) * self.step_us;
        }
    }

    /// Makes the codes of the shot that was collected.
    fn end_shot(&mut self) {
        let shot = std::mem::take(&mut self.shot);
        let planes: Vec<&Luma> = shot.iter().map(|sample| &*sample.plane).collect();
        let Some(trimmed) = trimmed(&planes) else { return };
        let is_framed = |view: &FilmView| matches!(view.base, FilmBase::Framed(_));
        let framed = match self.made.views.iter().any(is_framed) {
            true => rectangles(&planes, FRAMED.into()),
            false => Vec::new(),
        };
        let mut before: Option<&Sample> = None;
        // The beginning of a shot has all views.
        self.wide_from_ms = 0;
        for sample in &shot {
            if before.is_some_and(|before| Rc::ptr_eq(&before.plane, &sample.plane)) {
                if !self.is_reference {
                    let from = self.made.codes.len() - self.made.views.len();
                    self.made.codes.extend_from_within(from..);
                    let last = self.made.frames.last().copied().unwrap_or_default();
                    self.made.frames.push(FilmFrame { time_ms: sample.time_ms, ..last });
                }
                continue;
            }
            before = Some(sample);
            let all = self.made.views.len();
            let wide = !self.is_reference || sample.time_ms >= self.wide_from_ms;
            let (quality, codes) =
                codes(&sample.plane, &self.made.views[..if wide { all } else { 1 }], trimmed, &framed);
            let last = &self.made.codes[self.made.codes.len().saturating_sub(all)..];
            // A view that the frame before has not may be new, but then the first view is.
            let same = |(a, b): (&Code, &Code)| *b == NOTHING || a.distance(b) <= SAME_BITS;
            let first_is_same = last.first().is_some_and(|last| codes[0].distance(last) <= SAME_BITS);
            if self.is_reference && first_is_same && codes.iter().zip(last).all(same) {
                continue;
            }
            if wide {
                self.wide_from_ms = sample.time_ms.saturating_add(FilmFingerprint::WIDE_STEP_MS);
            }
            self.made.codes.extend_from_slice(&codes);
            self.made.frames.push(FilmFrame { time_ms: sample.time_ms, quality, wide });
            self.made.codes.resize(self.made.frames.len() * all, NOTHING);
        }
    }
}

/// A code that stands for nothing to see.
const NOTHING: Code = Code([0; 32]);

/// The codes of one frame and the quality of its first view.
fn codes(plane: &Luma, views: &[FilmView], trimmed: Rect, framed: &[Rect]) -> (u8, Vec<Code>) {
    let mut codes = Vec::with_capacity(views.len());
    let mut quality = 0;
    for same in views.chunk_by(|a, b| (a.base, a.crop, a.degrees) == (b.base, b.crop, b.degrees)) {
        let base = match same[0].base {
            FilmBase::Trimmed => Some(trimmed),
            FilmBase::Whole => Some(Rect::of(plane)).filter(|&whole| whole != trimmed),
            FilmBase::Framed(number) => framed.get(usize::from(number)).copied(),
        };
        let Some(base) = base else {
            codes.extend(same.iter().map(|_| NOTHING));
            continue;
        };
        let part = cut(part(base), same[0].crop);
        let values = match same[0].degrees {
            0 => values(plane, part),
            degrees => turned_values(plane, part, degrees.into()),
        };
        if codes.is_empty() {
            quality = pdq::quality(&values);
        }
        let low = pdq::transform(&values);
        let content = has_content(&low);
        codes.extend(same.iter().map(|view| if content { pdq::code(&pdq::turned(&low, view.turn)) } else { NOTHING }));
    }
    (quality, codes)
}

fn code_of(values: &[f32]) -> Code {
    let low = pdq::transform(values);
    if has_content(&low) { pdq::code(&low) } else { NOTHING }
}

fn cut(part: Part, crop: [u16; 4]) -> Part {
    let (width, height) = (part.right - part.left, part.bottom - part.top);
    let at = |start: f32, side: f32, thousandths: u16| start + side * f32::from(thousandths) / 1000.0;
    Part {
        left: at(part.left, width, crop[0]),
        top: at(part.top, height, crop[1]),
        right: at(part.left, width, crop[2]),
        bottom: at(part.top, height, crop[3]),
    }
}
