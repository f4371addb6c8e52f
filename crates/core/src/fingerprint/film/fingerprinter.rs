//! From decoded frames to the fingerprint, shot by shot.

use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;

use minutia_media::Luma;

use super::super::Code;
use super::super::pdq::{self, Low};
use super::bases::{Bases, SLANTED_FOUND};
use super::between::{Between, Kept};
use super::perspective::Corners;
use super::plane::Plane;
use super::shot::trimmed;
use super::slanted::slanted_parts;
use super::transforms::{NOTHING, codes, parts_of, whole};
use super::views::{FilmBase, FilmView, FilmViews, views};
use super::{FilmFingerprint, FilmFrame, Thumbnail, narrow_views};

/// Samples of steps of a shot that are held at once, and of all; a longer shot is taken in pieces.
const MOST_HELD: usize = 64;
const MOST_PLANES: usize = 2 * MOST_HELD;
/// Shots of so many samples of steps in all, or half of the most, are looked at together for what stays when the film is cut.
const GROUP: usize = 32;
/// A sample is of a frame that begins no later than this behind where its step begins.
const LATE_US: u64 = 250_000;
/// A frame that stays longer than so many samples is not sampled again.
const MOST_REPEATS: u64 = 40;
/// Times are counted in 32 bits of milliseconds.
const LATEST_US: u64 = u32::MAX as u64 * 1_000;
/// A frame of a reference whose views all are within so many bits of the frame before is that frame.
const SAME_BITS: u32 = 4;

/// A reference has all views of a frame so long after the last that has: where its first view is further from that one's than
/// so many bits a second after, else later.
const OTHER_BITS: u32 = 60;
const MOVED_STEP_MS: u32 = 1_500;
const SAME_STEP_MS: u32 = 3_000;

/// Makes the fingerprint of one video stream. Holds the small planes of a shot, at most 64 samples of steps, and of the shots before
/// it, at most 31, and of a query what stands between these, at most 200 in all.
#[derive(Debug)]
pub struct FilmFingerprinter {
    is_reference: bool,
    /// A query with both looks: what moves fast is sampled in the middle of steps, and thumbnails are kept.
    is_fine: bool,
    /// Each frame is a sample, at its own time.
    of_key_frames: bool,
    step_us: u64,
    /// Whether a frame came, the time of the last one, and how long the one before it stayed.
    begun: bool,
    at_us: u64,
    stayed_us: u64,
    last: Option<Shown>,
    between: Between,
    /// The next sample's time.
    next_us: u64,
    shot: Vec<Sample>,
    /// Shots whose codes are not made yet: a filmed screen stays where it is when what it shows is cut.
    group: Vec<Vec<Sample>>,
    /// The transform of the last sampled frame, all of it.
    before: Option<Low>,
    /// The time and the first code of the last frame that has all views.
    wide: Option<(u32, Code)>,
    /// The views that are made of one transform, which stand together.
    parts: Vec<Range<usize>>,
    made: FilmFingerprint,
    /// When a query with both looks has lasted too long for the second, and what was made of it up to then.
    second_look_us: u64,
    beginning: Option<FilmFingerprint>,
}

/// The last frame that came.
#[derive(Debug)]
enum Shown {
    /// And when it began, as samples count.
    Frame(Luma, u64),
    /// It was sampled so many times.
    Sampled(Rc<Plane>, u64),
}

#[derive(Debug)]
struct Sample {
    /// Where it stands among the steps.
    time_ms: u32,
    /// When it is on screen: of a query when its frame begins, if it is the first of its step.
    shown_ms: u32,
    plane: Rc<Plane>,
    /// False for one between steps that are too near each other for it to be sampled.
    wanted: bool,
    /// Whether the views for a second look are made of it.
    second: bool,
}

impl FilmFingerprinter {
    /// For the stream of that number in its file.
    #[must_use]
    pub fn new(stream: u32, wanted: FilmViews) -> FilmFingerprinter {
        let is_reference = wanted == FilmViews::Reference;
        let step = if is_reference { FilmFingerprint::REFERENCE_STEP_MS } else { FilmFingerprint::QUERY_STEP_MS };
        let views = views(wanted);
        FilmFingerprinter {
            is_reference,
            is_fine: wanted == FilmViews::BothLooks,
            of_key_frames: false,
            step_us: u64::from(step) * 1_000,
            begun: false,
            at_us: 0,
            stayed_us: 0,
            last: None,
            between: Between::new(u64::from(step) * 1_000),
            next_us: 0,
            shot: Vec::new(),
            group: Vec::new(),
            before: None,
            wide: None,
            parts: parts_of(&views),
            made: FilmFingerprint { stream, views, ..FilmFingerprint::default() },
            second_look_us: FilmFingerprint::SECOND_LOOK_MS * 1_000,
            beginning: None,
        }
    }

    /// For a query with both looks that is known to be longer than so many milliseconds, which have the second.
    #[must_use]
    pub fn second_look_until(self, ms: u64) -> FilmFingerprinter {
        FilmFingerprinter { second_look_us: ms.saturating_mul(1_000), ..self }
    }

    /// For the key frames of a stream alone, which are seconds apart: each is sampled once, at its own time.
    #[must_use]
    pub fn of_key_frames(stream: u32, wanted: FilmViews) -> FilmFingerprinter {
        FilmFingerprinter { of_key_frames: true, ..FilmFingerprinter::new(stream, wanted) }
    }

    /// Takes the next frame, in order of presentation, with its time from the film's zero, which sound counts from too. One
    /// that is earlier than the frame before is left out, and so is one that comes later than 49 days.
    ///
    /// Samples stand at the multiples of a step. Each is of the first frame that begins 20 ms before that time or later, but
    /// within a quarter of a second, and where none does, of the one that is on screen: so a film is sampled alike where all of
    /// its frames come and where of each step only the first does, and one of pictures that stay is not sampled ahead. A query
    /// with both looks has samples in the middle of steps too, where it moves fast: of the first frame of the step's second half, if
    /// that is not the next step's. One that turns out longer than [`FilmFingerprint::SECOND_LOOK_MS`] has the first look alone,
    /// and a [beginning](FilmFingerprinter::beginning) with both.
    pub fn push(&mut self, time_us: u64, frame: Luma) {
        if !(self.at_us..=LATEST_US).contains(&time_us) {
            return;
        }
        let begins_us = time_us + FilmFingerprint::EARLY_US;
        let step_begins_us = begins_us / self.step_us * self.step_us;
        if self.begun {
            self.stayed_us = time_us - self.at_us;
            // A frame that comes late leaves its step to the one that is on screen then.
            let is_late = begins_us - step_begins_us >= LATE_US;
            self.sample_before(step_begins_us + u64::from(is_late));
            self.keep_between();
        } else {
            // Before the first frame that frame is shown.
            self.next_us = step_begins_us;
            self.begun = true;
        }
        if self.is_fine && time_us > self.second_look_us {
            self.leave_second_look(time_us);
        }
        self.at_us = time_us;
        self.last = Some(Shown::Frame(frame, begins_us));
        if self.of_key_frames {
            self.next_us = time_us;
        }
        if self.next_us <= begins_us {
            self.sample();
        }
    }

    /// Whether the views are made by which a query is found that nothing else explains.
    #[must_use]
    pub fn has_second_look(&self) -> bool {
        self.made.views.iter().any(FilmView::is_second_look)
    }

    /// Of a query that turned out too long for a second look: its [beginning](FilmFingerprint::BEGINNING_MS) with both looks,
    /// once.
    pub fn beginning(&mut self) -> Option<FilmFingerprint> {
        self.beginning.take()
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
        self.sample_before(end_us.max(self.at_us + 1));
        self.end_shot();
        self.end_group();
        self.made.duration_ms = end_us / 1_000;
        self.made
    }

    /// Puts what was made with both looks up to that time aside, and goes on with the first alone.
    fn leave_second_look(&mut self, time_us: u64) {
        self.end_shot();
        self.end_group();
        self.is_fine = false;
        self.between.forget();
        let both = std::mem::take(&mut self.made);
        let is_first: Vec<bool> = both.views.iter().map(|view| !view.is_second_look()).collect();
        let codes = both.codes.iter().zip(is_first.iter().cycle()).filter(|&(_, &first)| first);
        self.made = FilmFingerprint {
            stream: both.stream,
            width: both.width,
            height: both.height,
            views: both.views.iter().filter(|view| !view.is_second_look()).copied().collect(),
            frames: both.frames.clone(),
            codes: codes.map(|(&code, _)| code).collect(),
            ..FilmFingerprint::default()
        };
        self.parts = parts_of(&self.made.views);
        // A search of what is twenty minutes long would take four times as long.
        let mut beginning = both;
        beginning.duration_ms = (time_us / 1_000).min(FilmFingerprint::BEGINNING_MS);
        let kept = beginning.frames.partition_point(|frame| u64::from(frame.time_ms) < beginning.duration_ms);
        beginning.frames.truncate(kept);
        beginning.codes.truncate(kept * beginning.views.len());
        beginning.codes.shrink_to_fit();
        beginning.thumbnails.retain(|thumbnail| (thumbnail.frame as usize) < kept);
        self.beginning = Some(beginning);
    }

    /// Samples the last frame at the times before that one that have no sample.
    fn sample_before(&mut self, end_us: u64) {
        if self.of_key_frames {
            return;
        }
        while self.next_us < end_us && self.sample() {}
        // Long stills are not sampled on and on.
        if self.next_us < end_us {
            self.next_us += (end_us - self.next_us).div_ceil(self.step_us) * self.step_us;
        }
    }

    /// Keeps the last frame, before another comes, if it was not sampled and stands where it may have to be.
    fn keep_between(&mut self) {
        if self.of_key_frames || !self.is_fine {
            return;
        }
        let Some(&Shown::Frame(_, begins_us)) = self.last.as_ref() else { return };
        if let Some(time_us) = self.between.place_of(begins_us)
            && let Some(Shown::Frame(frame, _)) = self.last.take()
        {
            self.between.keep(time_us, begins_us, frame);
        }
    }

    /// Samples the last frame at the next time; false where there is none, or where it was sampled often enough.
    fn sample(&mut self) -> bool {
        let (plane, times, begins_us) = match self.last.take() {
            Some(Shown::Frame(frame, begins_us)) => (self.plane_of(frame), 0, begins_us),
            Some(Shown::Sampled(plane, times)) => (plane, times, 0),
            None => return false,
        };
        let time_ms = u32::try_from(self.next_us / 1_000).ok().filter(|_| times < MOST_REPEATS);
        self.last = Some(Shown::Sampled(Rc::clone(&plane), times + 1));
        let Some(time_ms) = time_ms else { return false };
        let of_steps = self.shot.iter().filter(|sample| self.is_of_step(sample)).count();
        if of_steps >= MOST_HELD || self.shot.len() >= MOST_PLANES {
            self.end_shot();
        }
        let shown_ms = self.shown_ms(time_ms, begins_us);
        let second = self.is_reference || time_ms.is_multiple_of(FilmFingerprint::SECOND_LOOK_STEP_MS);
        self.shot.push(Sample { time_ms, shown_ms, plane, wanted: true, second });
        self.next_us += self.step_us;
        true
    }

    /// The plane of a frame that is sampled next, which may begin another shot.
    fn plane_of(&mut self, frame: Luma) -> Rc<Plane> {
        (self.made.width, self.made.height) = (frame.width(), frame.height());
        let plane = Rc::new(Plane::of(frame));
        let whole = whole(&plane);
        let other_size = self.shot.last().is_some_and(|sample| sample.plane.size() != plane.size());
        if other_size {
            self.between.forget();
            self.end_shot();
            self.end_group();
        } else {
            self.sample_between(&plane, &whole);
        }
        self.before = Some(whole);
        plane
    }

    /// Takes the frames between the last sample and the next, and ends shots where they end.
    fn sample_between(&mut self, plane: &Plane, whole: &Low) {
        let told = self.between.end_step(self.next_us, self.before.as_ref(), (plane, whole));
        let behind = told.kept.len();
        for (number, kept) in told.kept.into_iter().enumerate() {
            if told.cut == Some(number) {
                self.end_shot();
            }
            let time_ms = u32::try_from(kept.time_us / 1_000).unwrap_or(u32::MAX);
            let shown_ms = self.shown_ms(time_ms, kept.begins_us);
            let Kept { plane, second, .. } = kept;
            self.shot.push(Sample { time_ms, shown_ms, plane, wanted: told.is_fast, second });
        }
        if told.cut == Some(behind) {
            self.end_shot();
        }
    }

    /// When a sample at that time, of a frame that begins at that one as samples count, is on screen.
    fn shown_ms(&self, time_ms: u32, begins_us: u64) -> u32 {
        // References stay on the grid, by which their frames are told apart.
        if self.is_reference || begins_us / 1_000 < u64::from(time_ms) {
            return time_ms;
        }
        u32::try_from(begins_us.saturating_sub(FilmFingerprint::EARLY_US) / 1_000).unwrap_or(time_ms)
    }

    /// Whether a sample stands where a step begins.
    fn is_of_step(&self, sample: &Sample) -> bool {
        self.of_key_frames || (u64::from(sample.time_ms) * 1_000).is_multiple_of(self.step_us)
    }

    /// Makes the codes of the shots that were collected, if they are enough.
    fn end_shot(&mut self) {
        let mut shot = std::mem::take(&mut self.shot);
        // What is sampled is compared with what was shown a second before.
        let wanted: Vec<u32> = shot.iter().filter(|sample| sample.wanted).map(|sample| sample.time_ms).collect();
        let is_before =
            |time_ms: u32| wanted.binary_search(&time_ms.saturating_add(FilmFingerprint::MOTION_LAG_MS)).is_ok();
        shot.retain(|sample| sample.wanted || is_before(sample.time_ms));
        self.group.push(shot);
        let of_steps = self.group.iter().flatten().filter(|sample| self.is_of_step(sample)).count();
        let all: usize = self.group.iter().map(Vec::len).sum();
        if !self.has_second_look() || of_steps >= GROUP || all >= MOST_PLANES / 2 {
            self.end_group();
        }
    }

    /// Makes the codes of the shots that were collected.
    fn end_group(&mut self) {
        let group = std::mem::take(&mut self.group);
        let mut of_group = Vec::new();
        if group.len() > 1 {
            let planes: Vec<&Plane> = group.iter().flatten().map(|sample| &*sample.plane).collect();
            of_group = slanted_parts(&planes, SLANTED_FOUND);
        }
        for shot in &group {
            self.add_shot(shot, &of_group);
        }
    }

    /// Makes the codes of a shot; with it come slanted pictures that it and the shots around it have.
    fn add_shot(&mut self, shot: &[Sample], of_group: &[Corners]) {
        // Borders and pictures are looked for in the samples of steps: those between these are of the same shot.
        let of_steps = shot.iter().filter(|sample| self.is_of_step(sample));
        let mut planes: Vec<&Plane> = of_steps.map(|sample| &*sample.plane).collect();
        if planes.is_empty() {
            planes.extend(shot.iter().map(|sample| &*sample.plane));
        }
        let lumas: Vec<&Luma> = planes.iter().map(|plane| &plane.luma).collect();
        let Some(trimmed) = trimmed(&lumas) else { return };
        let is_found = |view: &FilmView| !matches!(view.base, FilmBase::Trimmed | FilmBase::Whole);
        let bases = Bases::of(&planes, &lumas, trimmed, self.made.views.iter().any(is_found), of_group);
        // Of the last second: frame differences are to the first of these.
        let mut last: VecDeque<Transforms> = VecDeque::new();
        let mut numbers = 0..;
        for sample in shot {
            let number = if self.is_of_step(sample) { numbers.next() } else { None };
            let time_ms = sample.time_ms;
            let second = sample.second;
            let views = &self.made.views;
            let narrow = if self.is_reference { narrow_views(views) } else { views.len() };
            let parts = self.parts.partition_point(|part| part.start < narrow);
            let still = last.back().filter(|last| Rc::ptr_eq(&last.plane, &sample.plane) && (last.second || !second));
            let now = match still {
                Some(still) => Transforms { time_ms, ..still.clone() },
                None => Transforms::of((number, sample), second, self.is_fine, views, &self.parts[..parts], &bases),
            };
            let lag_ms = if self.of_key_frames { 0 } else { FilmFingerprint::MOTION_LAG_MS };
            while last.front().is_some_and(|before| time_ms.saturating_sub(before.time_ms) > lag_ms) {
                last.pop_front();
            }
            let before = last.front().filter(|before| time_ms.saturating_sub(before.time_ms) == lag_ms);
            let mut codes = codes(&now.lows, before.map(|before| &before.lows), views, &self.parts[..parts]);
            let wide = !self.is_reference || self.is_due(time_ms, &codes[0]);
            if self.is_reference && wide {
                let others = Transforms::of((number, sample), second, false, views, &self.parts[parts..], &bases);
                codes.extend(self::codes(&others.lows, None, views, &self.parts[parts..]));
            }
            let quality = now.quality;
            last.push_back(now);
            if !sample.wanted || self.is_reference && self.is_as_before(&codes) {
                continue;
            }
            if wide {
                self.wide = Some((time_ms, codes[0]));
            }
            let frame = self.made.frames.len() as u32;
            let thumbnails = last.back().into_iter().flat_map(|now| now.thumbnails.iter());
            self.made.thumbnails.extend(thumbnails.map(|thumbnail| thumbnail.of_frame(frame)));
            self.made.codes.extend(codes);
            self.made.frames.push(FilmFrame { time_ms: sample.shown_ms, quality, wide });
            self.made.codes.resize(self.made.frames.len() * self.made.views.len(), NOTHING);
        }
    }
}

impl FilmFingerprinter {
    /// True for a frame of a reference that says nothing which the frame before it does not say.
    fn is_as_before(&self, codes: &[Code]) -> bool {
        let all = self.made.views.len();
        let last = &self.made.codes[self.made.codes.len().saturating_sub(all)..];
        let Some(before) = last.first() else { return false };
        // A view that the frame before has not may be new, but then the first view is; what moves is always new.
        let same = |((code, before), view): ((&Code, &Code), &FilmView)| match view.motion {
            true => *code == NOTHING,
            false => *before == NOTHING || code.distance(before) <= SAME_BITS,
        };
        codes[0].distance(before) <= SAME_BITS && codes.iter().zip(last).zip(&self.made.views).all(same)
    }

    /// True for a frame of a reference that is to have all views: the more it differs from the last that has, the sooner.
    fn is_due(&self, time_ms: u32, first: &Code) -> bool {
        let Some((before_ms, before)) = &self.wide else { return true };
        let bits = before.distance(first);
        let after_ms = match bits {
            bits if bits > OTHER_BITS => FilmFingerprint::WIDE_STEP_MS,
            bits if bits > FilmFingerprint::UNCHANGED_BITS => MOVED_STEP_MS,
            _ => SAME_STEP_MS,
        };
        time_ms.saturating_sub(*before_ms) >= after_ms
    }
}

/// The transforms of some parts of one frame.
#[derive(Clone)]
struct Transforms {
    time_ms: u32,
    plane: Rc<Plane>,
    /// Whether those that only views for a second look are made of are among them.
    second: bool,
    /// PDQ quality of the first part.
    quality: u8,
    /// What bases look like, where views for a second look are made.
    thumbnails: Rc<[Thumbnail]>,
    /// One for each part, `None` where there is no such part.
    lows: Vec<Option<Low>>,
}

impl Transforms {
    /// Of the shot's frame of that number.
    fn of(
        (number, sample): (Option<usize>, &Sample),
        second: bool,
        thumbnailed: bool,
        views: &[FilmView],
        parts: &[Range<usize>],
        bases: &Bases,
    ) -> Transforms {
        let (mut quality, mut thumbnails) = (0, Vec::new());
        let low = |part: &Range<usize>| {
            let of_part = &views[part.clone()];
            let has = |is: fn(&FilmView) -> bool| of_part.iter().any(is);
            let wanted = if sample.wanted {
                second || has(FilmView::is_dense)
            } else {
                has(|view| view.motion && view.is_dense())
            };
            let values = bases.values(number, &sample.plane, of_part.first().filter(|_| wanted)?)?;
            if part.start == 0 {
                quality = pdq::quality(&values);
            }
            if let Some(view) = of_part.first()
                && thumbnailed
                && Thumbnail::is_of(view)
                && (second || view.is_dense())
            {
                thumbnails.push(Thumbnail::of(view.base, bases.shape(view.base), &values));
            }
            Some(pdq::transform(&values))
        };
        let lows = parts.iter().map(low).collect();
        Transforms {
            time_ms: sample.time_ms,
            plane: Rc::clone(&sample.plane),
            second,
            quality,
            thumbnails: thumbnails.into(),
            lows,
        }
    }
}
