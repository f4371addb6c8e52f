//! Measuring unrelated recordings: the histogram from which the row of sound is written.
//!
//! Sets are dealt into four parts. A recording is cut into windows, and each is searched for in an index of all recordings
//! of the other parts: the window's own recording must not be in that index, since a search that has found the original
//! looks no further.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use rayon::prelude::*;

use crate::fingerprint::{AudioFingerprint, Fingerprint, Mix, Peak};
use crate::index::{Access, Entry, Index, IndexError, Work, WorkId, Writer};
use crate::search::SoundSearch;

/// Scores from here on are counted together.
pub const HIGHEST_SOUND: usize = 200;
/// Length of a window in milliseconds, as a scan searches.
pub const SOUND_WINDOW_MS: u64 = 30_000;
/// From the start of a window to that of the next, in milliseconds.
pub const SOUND_STEP_MS: u64 = 30_000;
/// Lower scores count as 0.
const LEAST_SCORE: f64 = 3.0;
/// Windows of fewer peaks are not searched for: there is hardly anything in them.
const FEWEST_PEAKS: usize = 8;

/// A recording to measure by.
#[derive(Clone, Debug, PartialEq)]
pub struct SoundSample {
    /// Recordings of one set may be related and are never paired.
    pub set: u32,
    /// Its fingerprint, as a query's.
    pub sound: AudioFingerprint,
}

/// Scores of pairs of a window and an unrelated recording.
#[derive(Clone, Debug, PartialEq)]
pub struct SoundHistogram {
    /// `at[s]` is the number of pairs whose greatest score, rounded down, is `s`; the last entry is for all above.
    pub at: Vec<u64>,
    /// The pairs of recordings with the highest scores, highest first: listen to these before believing that they are
    /// unrelated.
    pub highest: Vec<SoundPair>,
}

/// The window of one recording that is most like another recording.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SoundPair {
    /// Its score.
    pub score: f64,
    /// The place of the recording that the window was cut from.
    pub query: usize,
    /// Where in it.
    pub query_ms: u64,
    /// The place of the other recording.
    pub reference: usize,
    /// Where in that.
    pub reference_ms: u64,
    /// How many windows of the query score 10 or more against it.
    pub windows: u32,
}

/// From this score on a window is told in [`SoundPair::windows`].
const NOTEWORTHY: f64 = 10.0;

impl SoundHistogram {
    fn new() -> SoundHistogram {
        SoundHistogram { at: vec![0; HIGHEST_SOUND + 1], highest: Vec::new() }
    }

    /// How many pairs of a window and a recording of another set.
    #[must_use]
    pub fn pairs(&self) -> u64 {
        self.at.iter().sum()
    }

    /// `at_least[s]` is the number of pairs that score `s` or more, up to the last score that any has: a row's
    /// [`at_least`](super::SoundCalibration::at_least).
    #[must_use]
    pub fn at_least(&self) -> Vec<u64> {
        let mut sum = 0;
        let mut at_least: Vec<u64> = self
            .at
            .iter()
            .rev()
            .map(|count| {
                sum += count;
                sum
            })
            .skip_while(|&sum| sum == 0)
            .collect();
        at_least.reverse();
        at_least
    }
}

/// Parts that sets are dealt into.
pub const SOUND_PARTS: u32 = 4;

/// Searches every window of every recording for the recordings of other parts, as a scan does. The `keep` highest pairs of
/// recordings are listed; `done` is told how many parts were searched for.
///
/// The indexes are made in the directory `scratch`, one after another; nothing else must be in it.
///
/// # Errors
/// [`IndexError`] where an index cannot be made there.
pub fn measure_sound(
    samples: &[SoundSample],
    scratch: &Path,
    keep: usize,
    done: &mut dyn FnMut(usize),
) -> Result<SoundHistogram, IndexError> {
    let mut total = SoundHistogram::new();
    let mut parts: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (place, sample) in samples.iter().enumerate() {
        parts.entry(sample.set % SOUND_PARTS).or_default().push(place);
    }
    for (number, (&part, places)) in parts.iter().enumerate() {
        let directory = scratch.join("others");
        let others = index_of_others(samples, part, &directory)?;
        if let Some(index) = others {
            measure_set(samples, places, &index, &mut total)?;
        }
        total.highest.sort_by(highest_first);
        total.highest.truncate(keep);
        done(number + 1);
    }
    Ok(total)
}

/// An index of the recordings of all parts but one, in place of the one before; `None` where there are none. A recording
/// is named by its place.
fn index_of_others(samples: &[SoundSample], part: u32, directory: &Path) -> Result<Option<Index>, IndexError> {
    let failed = |error| IndexError::Io { path: directory.to_owned(), during: "removing the index before", error };
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let mut writer = Writer::open(directory)?;
    let mut any = false;
    for (place, sample) in samples.iter().enumerate().filter(|(_, sample)| sample.set % SOUND_PARTS != part) {
        let name = place.to_string();
        let Some(id) = WorkId::new(name.clone()) else { continue };
        any = true;
        writer.add(Entry {
            work: Work::new(id),
            source_name: name,
            source_digest: None,
            fingerprints: vec![Fingerprint::Audio(sample.sound.clone())],
            thumbnail: None,
        })?;
    }
    writer.commit()?;
    any.then(|| Index::open(directory, Access::InMemory)).transpose()
}

/// Adds the windows of the recordings at `places` against `index`.
fn measure_set(
    samples: &[SoundSample],
    places: &[usize],
    index: &Index,
    total: &mut SoundHistogram,
) -> Result<(), IndexError> {
    let search = SoundSearch::new(index)?;
    let windows: Vec<(usize, u64)> =
        places.iter().flat_map(|&place| starts(&samples[place].sound).map(move |start| (place, start))).collect();
    let found: Result<Vec<Option<Vec<SoundPair>>>, IndexError> = windows
        .par_iter()
        .map(|&(query, query_ms)| {
            let window = window_of(&samples[query].sound, query_ms);
            if window.mid.len() < FEWEST_PEAKS && window.side.len() < FEWEST_PEAKS {
                return Ok(None);
            }
            let mut best: BTreeMap<usize, SoundPair> = BTreeMap::new();
            for found in search.find(&window, LEAST_SCORE)? {
                let name = index.track(found.segment, found.track)?.source_name;
                let Ok(reference) = name.parse() else { continue };
                let windows = u32::from(found.score >= NOTEWORTHY);
                let reference_ms = found.reference_span_ms.start;
                let pair = SoundPair { score: found.score, query, query_ms, reference, reference_ms, windows };
                let known = best.entry(reference).or_insert(pair);
                if pair.score > known.score {
                    *known = pair;
                }
            }
            Ok(Some(best.into_values().collect()))
        })
        .collect();
    let mut pairs: BTreeMap<(usize, usize), SoundPair> = BTreeMap::new();
    for best in found?.into_iter().flatten() {
        // Recordings that nothing was found of score 0.
        total.at[0] += search.tracks().saturating_sub(best.len() as u64);
        for pair in best {
            total.at[(pair.score as usize).min(HIGHEST_SOUND)] += 1;
            match pairs.get_mut(&(pair.query, pair.reference)) {
                Some(known) => {
                    let windows = known.windows + pair.windows;
                    if pair.score > known.score {
                        *known = pair;
                    }
                    known.windows = windows;
                }
                None => drop(pairs.insert((pair.query, pair.reference), pair)),
            }
        }
    }
    total.highest.extend(pairs.into_values());
    Ok(())
}

/// Where windows start; each lies wholly in the recording, but a shorter recording is one window.
fn starts(sound: &AudioFingerprint) -> impl Iterator<Item = u64> + use<> {
    (0..=sound.duration_ms.saturating_sub(SOUND_WINDOW_MS)).step_by(SOUND_STEP_MS as usize)
}

/// The fingerprint of a window: its peaks, from its own start.
fn window_of(sound: &AudioFingerprint, start_ms: u64) -> AudioFingerprint {
    let units = |ms: u64| (ms as f64 / 1_000.0 / Peak::TIME_UNIT) as u32;
    let (start, end) = (units(start_ms), units(start_ms.saturating_add(SOUND_WINDOW_MS)));
    let within = |mix: Mix| {
        let peaks = sound.peaks(mix).iter().filter(|peak| (start..end).contains(&peak.time));
        peaks.map(|peak| Peak { time: peak.time - start, ..*peak }).collect()
    };
    AudioFingerprint {
        stream: sound.stream,
        duration_ms: SOUND_WINDOW_MS.min(sound.duration_ms.saturating_sub(start_ms)),
        content_ms: SOUND_WINDOW_MS.min(sound.content_ms),
        mid: within(Mix::Mid),
        side: within(Mix::Side),
        chromaprint: Vec::new(),
    }
}

fn highest_first(a: &SoundPair, b: &SoundPair) -> std::cmp::Ordering {
    let place = |pair: &SoundPair| (pair.query, pair.reference, pair.query_ms);
    b.score.total_cmp(&a.score).then(place(a).cmp(&place(b)))
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
