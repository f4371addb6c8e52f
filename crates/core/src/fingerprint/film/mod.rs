//! The fingerprint of a film: PDQ codes of its frames, several views each, in order of time.
//!
//! A frame is sampled by presentation time: what is on screen at each multiple of a fixed step, whatever the frame rate.
//! All views of a frame are cut from one plane as those of pictures are, so that the codes are `pdq-area`'s. References
//! have few views, all of them but the first once a second, and drop the frames that look like the one before; queries
//! have many views, mirrored ones among them.

mod bases;
mod between;
mod fingerprinter;
mod frames;
mod perspective;
mod plane;
mod sharp;
mod shot;
mod slanted;
mod steady;
mod thumbnail;
mod transforms;
mod views;
mod vpdq;

use between::FAST_BITS;
pub use fingerprinter::FilmFingerprinter;
pub use thumbnail::Thumbnail;
pub(crate) use thumbnail::ThumbnailPart;
#[cfg(test)]
pub(crate) use views::FILM_VIEW_SET;
pub use views::{FilmBase, FilmView, FilmViews};
pub(crate) use views::{film_view_set, film_views};
pub(crate) use vpdq::is_listed_set;
pub use vpdq::{VpdqFrame, vpdq};

use super::Code;

/// How many views, the first of a reference's, every frame has.
pub(crate) fn narrow_views(views: &[FilmView]) -> usize {
    views.iter().take_while(|view| view.is_narrow()).count()
}

/// What is kept of the picture of one video stream.
///
/// ```
/// # use minutia::fingerprint::{Code, FilmFingerprint, FilmFingerprinter, FilmViews};
/// # use minutia::media::Luma;
/// let mut fingerprinter = FilmFingerprinter::new(0, FilmViews::Reference);
/// for frame in 0..50_u64 {
///     let scene = (0..64 * 48_u64).map(|n| (n % 64 * (n / 64 + frame / 25 * 7) * 3 % 251) as u8).collect();
///     fingerprinter.push(frame * 40_000, Luma::new(64, 48, scene).ok_or("size and bytes disagree")?);
/// }
/// let film = fingerprinter.finish();
/// assert_eq!((film.duration_ms, film.frames.len()), (2_000, 2));
/// assert_eq!(film.codes.len(), film.frames.len() * film.views.len());
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FilmFingerprint {
    /// The stream's number in its file, from 0.
    pub stream: u32,
    /// The end of what was decoded, in milliseconds from the film's zero.
    pub duration_ms: u64,
    /// Width of the frames in pixels.
    pub width: u32,
    /// Height of the frames in pixels.
    pub height: u32,
    /// The views that each frame has, the first being the whole frame without its border.
    pub views: Vec<FilmView>,
    /// The frames that were sampled, in order of time.
    pub frames: Vec<FilmFrame>,
    /// The codes: those of a frame together, in the order of the views. All zero bits where a view has nothing to see, and
    /// for all views but the first of frames that are not wide.
    pub codes: Vec<Code>,
    /// Of queries with both looks what frames look like, and pictures that are found in those that have the views for a second
    /// look, in order. By these a search fits the part of a query that is a view of a reference. None of references.
    #[cfg_attr(feature = "serde", serde(default))]
    pub thumbnails: Vec<Thumbnail>,
}

/// A sampled frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FilmFrame {
    /// When it is on screen, in milliseconds from the film's zero. It stays until the next
    /// one. Of references a multiple of the step, of queries when it begins.
    pub time_ms: u32,
    /// PDQ quality of its first view, 0..=100.
    pub quality: u8,
    /// True where it has all views; false for those frames of a reference that have the first ones alone.
    pub wide: bool,
}

impl FilmFingerprint {
    /// From one sample of a reference to the next, in milliseconds.
    pub const REFERENCE_STEP_MS: u32 = 500;
    /// A frame difference is to what was on screen so long before.
    pub const MOTION_LAG_MS: u32 = 1_000;
    /// From one frame of a reference that has all views to the next, in milliseconds, at least.
    pub const WIDE_STEP_MS: u32 = 1_000;
    /// A frame whose first view is no further from that of a frame before has the other views of that one.
    pub const UNCHANGED_BITS: u32 = 16;
    /// From one sample of a query to the next: twice as dense, so that one of its samples is within an eighth of a second of a reference's.
    pub const QUERY_STEP_MS: u32 = 250;
    /// From a sample of a query to one in the middle of a step, where what it shows moves fast, in milliseconds.
    pub const FAST_STEP_MS: u32 = FilmFingerprint::QUERY_STEP_MS / 2;
    /// From one sample of a query to the next, at least, where it moves so fast that each frame is sampled, in milliseconds.
    pub const FRAME_STEP_MS: u32 = 25;
    /// So many samples of a query stand closer than in the middle of steps, at most: of each there are some 13 kB of codes.
    pub const MOST_FRAME_BY_FRAME: u32 = 1_200;
    /// How much of a film is looked at frame by frame, in milliseconds, from where it begins to move so fast.
    pub const FRAME_BY_FRAME_MS: u32 = FilmFingerprint::MOST_FRAME_BY_FRAME * FilmFingerprint::FRAME_STEP_MS;
    /// A query that is longer, in milliseconds, has the first look alone, but for its beginning: what the second looks at takes 70 to
    /// 190 kB a second.
    pub const SECOND_LOOK_MS: u64 = 20 * 60 * 1_000;
    /// How much of the beginning of a query that is longer has a second look, in milliseconds. Of a whole film that
    /// was turned, framed or filmed from a screen it is enough.
    pub const BEGINNING_MS: u64 = 5 * 60 * 1_000;
    /// A sample is of the first frame that begins so long before it or later, in microseconds.
    pub const EARLY_US: u64 = 20_000;
    /// From one frame of a query that has the views for a second look to the next, in milliseconds.
    pub const SECOND_LOOK_STEP_MS: u32 = 500;

    /// True for what an index takes: the views of references or of lists, frames in order of time, and a code for each view
    /// of each, and no thumbnails.
    #[must_use]
    pub fn is_reference(&self) -> bool {
        let ordered = self.frames.is_sorted_by(|a, b| a.time_ms < b.time_ms);
        let whole = self.frames.len().checked_mul(self.views.len()) == Some(self.codes.len());
        let narrow = self.frames.iter().enumerate().filter(|(_, frame)| !frame.wide);
        let mut others = narrow.flat_map(|(number, _)| self.codes_of(number).iter().skip(self.narrow_views()));
        ordered
            && whole
            && self.thumbnails.is_empty()
            && others.all(|code| code.0 == [0; 32])
            && film_view_set(&self.views).is_some()
    }

    /// When a query begins to move so fast that each frame is another picture, in milliseconds: where in a fiftieth of what was sampled,
    /// and three times at least, samples an eighth of a second apart are far from each other. Only a sample of the very
    /// frame finds what a reference has of it, so that all frames are worth being looked at.
    #[must_use]
    pub fn moves_very_fast_from(&self) -> Option<u32> {
        let far = |a: usize| {
            let (before, after) = (&self.frames[a], &self.frames[a + 1]);
            let bits = self.codes_of(a)[0].distance(&self.codes_of(a + 1)[0]);
            // Nearer than two steps, whose frames are a quarter apart.
            bits >= FAST_BITS && after.time_ms.saturating_sub(before.time_ms) <= 200
        };
        let pairs = self.frames.len().saturating_sub(1);
        let mut fast = (1..pairs).filter(|&pair| far(pair - 1) && far(pair)).peekable();
        let first = *fast.peek()?;
        let fast = fast.count();
        (fast >= 3 && fast >= self.frames.len() / 50).then(|| self.frames[first - 1].time_ms)
    }

    /// This fingerprint with the samples of another of the same views in a part of its time, in milliseconds, in place of its own.
    #[cfg(feature = "image")]
    pub(crate) fn with_part(&self, part: &std::ops::Range<u32>, of: &FilmFingerprint) -> FilmFingerprint {
        let mut both =
            FilmFingerprint { frames: Vec::new(), codes: Vec::new(), thumbnails: Vec::new(), ..self.clone() };
        let frames =
            |film: &FilmFingerprint, until_ms: u32| film.frames.partition_point(|frame| frame.time_ms < until_ms);
        let pieces = [
            (self, 0..frames(self, part.start)),
            (of, frames(of, part.start)..frames(of, part.end)),
            (self, frames(self, part.end)..self.frames.len()),
        ];
        for (film, piece) in pieces {
            let before = both.frames.len();
            let thumbnails = film.thumbnails.iter().filter(|thumbnail| piece.contains(&(thumbnail.frame as usize)));
            let renumbered =
                |thumbnail: &Thumbnail| thumbnail.of_frame((thumbnail.frame as usize - piece.start + before) as u32);
            both.thumbnails.extend(thumbnails.map(renumbered));
            both.frames.extend_from_slice(&film.frames[piece.clone()]);
            both.codes.extend_from_slice(&film.codes[piece.start * film.views.len()..piece.end * film.views.len()]);
        }
        both
    }

    /// How many views a frame has that is not wide: the first of all.
    #[must_use]
    pub fn narrow_views(&self) -> usize {
        narrow_views(&self.views)
    }

    /// The codes of a frame, one a view; none for a number that no frame has.
    #[must_use]
    pub fn codes_of(&self, frame: usize) -> &[Code] {
        let views = self.views.len();
        self.codes.get(frame * views..(frame + 1) * views).unwrap_or(&[])
    }
}
