//! What is measured: recordings and films, cut into windows as a scan cuts them.

use std::path::Path;

use super::measure::{Hit, ScoreHistogram, Works, measure};
use crate::fingerprint::{
    AudioFingerprint, Chromaprint, FilmFingerprint, FilmFrame, Fingerprint, Mix, Peak, Thumbnail,
};
use crate::index::{Index, IndexError};
use crate::search::{FilmSearch, SoundSearch};

/// Length of a window of sound in milliseconds, as a scan searches.
pub const SOUND_WINDOW_MS: u64 = 30_000;
/// From the start of a window of sound to that of the next, in milliseconds.
pub const SOUND_STEP_MS: u64 = 30_000;
/// Windows of fewer peaks are not searched for: there is hardly anything in them.
const FEWEST_PEAKS: usize = 8;
/// Lower scores of sound count as 0.
const LEAST_SOUND_SCORE: f64 = 3.0;

/// The longest window of a film, in milliseconds, and from the start of one to that of the next.
pub const FILM_WINDOW_MS: u64 = 60_000;

/// A recording to measure by.
#[derive(Clone, Debug, PartialEq)]
pub struct SoundSample {
    /// Recordings of one set may be related and are never paired.
    pub set: u32,
    /// Its fingerprint, as a query's.
    pub sound: AudioFingerprint,
}

/// A film to measure by.
#[derive(Clone, Debug, PartialEq)]
pub struct FilmSample {
    /// Films of one set may be related and are never paired.
    pub set: u32,
    /// Its fingerprint as a query.
    pub query: FilmFingerprint,
    /// And as a reference.
    pub reference: FilmFingerprint,
}

/// Searches every window of every recording for the recordings of other sets, as a scan does; see
/// [`ScoreHistogram`]. The `keep` highest pairs of recordings are listed; `done` is told how many of [`PARTS`](super::PARTS)
/// were searched for.
///
/// Indexes are made in the directory `scratch`, one after another; nothing else must be in it.
///
/// # Errors
/// [`IndexError`] where an index cannot be made there.
pub fn measure_sound(
    samples: &[SoundSample],
    scratch: &Path,
    keep: usize,
    done: &mut dyn FnMut(usize),
) -> Result<ScoreHistogram, IndexError> {
    measure(&samples, scratch, keep, done)
}

/// Searches every minute of every film for the films of other sets, as [`measure_sound`] does recordings.
///
/// # Errors
/// [`IndexError`] where an index cannot be made in `scratch`.
pub fn measure_films(
    samples: &[FilmSample],
    scratch: &Path,
    keep: usize,
    done: &mut dyn FnMut(usize),
) -> Result<ScoreHistogram, IndexError> {
    measure(&samples, scratch, keep, done)
}

impl Works for &[SoundSample] {
    const STEPS: u32 = 1;
    type Search<'i> = SoundSearch<'i>;

    fn count(&self) -> usize {
        self.len()
    }

    fn set(&self, place: usize) -> u32 {
        self[place].set
    }

    fn reference(&self, place: usize) -> Fingerprint {
        Fingerprint::Audio(self[place].sound.clone())
    }

    /// Each window lies wholly in the recording, but a shorter recording is one window.
    fn starts(&self, place: usize) -> Vec<u64> {
        let last = self[place].sound.duration_ms.saturating_sub(SOUND_WINDOW_MS);
        (0..=last).step_by(SOUND_STEP_MS as usize).collect()
    }

    fn open<'i>(&self, index: &'i Index) -> Result<SoundSearch<'i>, IndexError> {
        SoundSearch::new(index)
    }

    fn references(search: &SoundSearch<'_>, _: &Index) -> Result<u64, IndexError> {
        Ok(search.tracks())
    }

    fn find(
        &self,
        search: &SoundSearch<'_>,
        index: &Index,
        place: usize,
        start_ms: u64,
    ) -> Result<Option<Vec<Hit>>, IndexError> {
        let window = window_of(&self[place].sound, start_ms);
        if window.mid.len() < FEWEST_PEAKS && window.side.len() < FEWEST_PEAKS {
            return Ok(None);
        }
        let named = search.find(&window, LEAST_SOUND_SCORE)?.into_iter().map(|found| {
            let name = index.track(found.segment, found.track)?.source_name;
            Ok(Hit { score: found.score, name, reference_ms: found.reference_span_ms.start })
        });
        named.collect::<Result<Vec<_>, IndexError>>().map(Some)
    }
}

impl Works for &[FilmSample] {
    const STEPS: u32 = 4;
    type Search<'i> = FilmSearch<'i>;

    fn count(&self) -> usize {
        self.len()
    }

    fn set(&self, place: usize) -> u32 {
        self[place].set
    }

    fn reference(&self, place: usize) -> Fingerprint {
        Fingerprint::Film(self[place].reference.clone())
    }

    /// Windows lie side by side; the last one is shorter.
    fn starts(&self, place: usize) -> Vec<u64> {
        (0..self[place].query.duration_ms.max(1)).step_by(FILM_WINDOW_MS as usize).collect()
    }

    fn open<'i>(&self, index: &'i Index) -> Result<FilmSearch<'i>, IndexError> {
        FilmSearch::new(index)
    }

    fn references(_: &FilmSearch<'_>, index: &Index) -> Result<u64, IndexError> {
        Ok(index.info()?.films)
    }

    fn find(
        &self,
        search: &FilmSearch<'_>,
        index: &Index,
        place: usize,
        start_ms: u64,
    ) -> Result<Option<Vec<Hit>>, IndexError> {
        let minute = minute_of(&self[place].query, start_ms);
        if minute.frames.is_empty() {
            return Ok(None);
        }
        let named = search.find(&minute, 0.0).into_iter().map(|found| {
            let name = index.film(found.segment, found.film)?.source_name;
            Ok(Hit { score: found.score, name, reference_ms: found.reference_span_ms.start })
        });
        named.collect::<Result<Vec<_>, IndexError>>().map(Some)
    }
}

/// The fingerprint of a window: its peaks and items, from its own start.
fn window_of(sound: &AudioFingerprint, start_ms: u64) -> AudioFingerprint {
    let units = |ms: u64| (ms as f64 / 1_000.0 / Peak::TIME_UNIT) as u32;
    let (start, end) = (units(start_ms), units(start_ms.saturating_add(SOUND_WINDOW_MS)));
    let within = |mix: Mix| {
        let peaks = sound.peaks(mix).iter().filter(|peak| (start..end).contains(&peak.time));
        peaks.map(|peak| Peak { time: peak.time - start, ..*peak }).collect()
    };
    let items = &sound.chromaprint;
    let item = |ms: u64| {
        let samples = ms.saturating_mul(Chromaprint::RATE_HZ.into()) / 1_000;
        (samples / u64::from(Chromaprint::ITEM_SAMPLES)) as usize
    };
    AudioFingerprint {
        stream: sound.stream,
        duration_ms: SOUND_WINDOW_MS.min(sound.duration_ms.saturating_sub(start_ms)),
        content_ms: SOUND_WINDOW_MS.min(sound.content_ms),
        mid: within(Mix::Mid),
        side: within(Mix::Side),
        chromaprint: items.iter().skip(item(start_ms)).take(item(SOUND_WINDOW_MS)).copied().collect(),
    }
}

/// The fingerprint of a minute of a film, from its own start.
fn minute_of(film: &FilmFingerprint, start_ms: u64) -> FilmFingerprint {
    let window = start_ms..start_ms.saturating_add(FILM_WINDOW_MS);
    let within = |frame: &FilmFrame| window.contains(&u64::from(frame.time_ms));
    let first = film.frames.iter().position(within).unwrap_or(0);
    let frames: Vec<FilmFrame> = film.frames.iter().filter(|frame| within(frame)).copied().collect();
    let numbers = first..first + frames.len();
    let thumbnails = film.thumbnails.iter().filter(|thumbnail| numbers.contains(&(thumbnail.frame as usize)));
    let thumbnail = |thumbnail: &Thumbnail| Thumbnail { frame: thumbnail.frame - first as u32, ..thumbnail.clone() };
    let codes = film.codes.iter().skip(first * film.views.len()).take(frames.len() * film.views.len());
    let start = u32::try_from(start_ms).unwrap_or(u32::MAX);
    FilmFingerprint {
        stream: film.stream,
        duration_ms: FILM_WINDOW_MS.min(film.duration_ms.saturating_sub(start_ms)),
        width: film.width,
        height: film.height,
        views: film.views.clone(),
        codes: codes.copied().collect(),
        thumbnails: thumbnails.map(thumbnail).collect(),
        frames: frames.into_iter().map(|frame| FilmFrame { time_ms: frame.time_ms - start, ..frame }).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Peaks at random, by a generator of Lehmer's.
    fn noise(seed: u64, seconds: u64) -> AudioFingerprint {
        let mut state = seed;
        let mut below = |most: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % most
        };
        let time = |seconds: u64| (seconds as f64 / Peak::TIME_UNIT) as u64;
        let mut mid: Vec<Peak> = (0..seconds * 40)
            .map(|_| Peak {
                time: below(time(seconds)) as u32,
                pitch: 100 + below(1_800) as u16,
                rank: below(40) as u8,
            })
            .collect();
        mid.sort();
        mid.dedup();
        AudioFingerprint {
            duration_ms: seconds * 1_000,
            content_ms: seconds * 1_000,
            mid,
            ..AudioFingerprint::default()
        }
    }

    #[test]
    fn every_window_counts_once_for_every_recording_of_another_part() {
        let folder = tempfile::tempdir().unwrap();
        let sample = |set, seed, seconds| SoundSample { set, sound: noise(seed, seconds) };
        // Windows: 3, 2, 1 and 1; the last recording is the first again, from its 30th second.
        let mut samples = vec![sample(0, 1, 95), sample(0, 2, 60), sample(1, 3, 12), sample(2, 4, 5)];
        let silent = AudioFingerprint { duration_ms: 60_000, ..AudioFingerprint::default() };
        samples.push(SoundSample { set: 2, sound: silent });
        let mut told = Vec::new();
        let unrelated = measure_sound(&samples, folder.path(), 9, &mut |sets| told.push(sets)).unwrap();
        assert_eq!(told, [1, 2, 3]);
        // Of the silent recording there are no windows, but it is a recording that others are searched for in.
        assert_eq!(unrelated.pairs(), 5 * 3 + 4 + 3);
        assert_eq!(unrelated.at_least()[0], unrelated.pairs());
        assert!(unrelated.highest.iter().all(|pair| pair.score < 20.0), "{:?}", unrelated.highest);

        let part = |seconds: std::ops::Range<u64>| {
            let whole = &samples[0].sound;
            let units = |s: u64| (s as f64 / Peak::TIME_UNIT) as u32;
            let peaks = whole.mid.iter().filter(|peak| (units(seconds.start)..units(seconds.end)).contains(&peak.time));
            let mid = peaks.map(|peak| Peak { time: peak.time - units(seconds.start), ..*peak }).collect();
            AudioFingerprint { duration_ms: (seconds.end - seconds.start) * 1_000, mid, ..AudioFingerprint::default() }
        };
        samples.push(SoundSample { set: 3, sound: part(30..42) });
        let copied = measure_sound(&samples, folder.path(), 2, &mut |_| ()).unwrap();
        let pairs: Vec<(usize, u64, usize)> =
            copied.highest.iter().map(|pair| (pair.query, pair.query_ms, pair.reference)).collect();
        assert!(pairs.contains(&(0, 30_000, 5)) && pairs.contains(&(5, 0, 0)), "{:?}", copied.highest);
        assert!(copied.highest.iter().all(|pair| pair.score > 60.0 && pair.windows == 1), "{:?}", copied.highest);
        assert_eq!(copied, measure_sound(&samples, folder.path(), 2, &mut |_| ()).unwrap());
    }
}
