//! Measuring unrelated pictures: the histogram from which a calibration row is written.

use rayon::prelude::*;

use crate::fingerprint::{Code, ImageFingerprint};
use crate::verdict::{Penalty, redundancy};

/// Scores from here on are counted together.
pub const HIGHEST: usize = 160;

/// A picture to measure by, as a scan reads it and as an index does.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Pictures of one set may be related and are never paired: frames of one game, photographs of one place.
    pub set: u32,
    /// Its views as a query.
    pub query: ImageFingerprint,
    /// Its views as a reference.
    pub reference: ImageFingerprint,
}

/// Scores of pairs of unrelated pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// `at[s]` is the number of ordered pairs whose lowest score, rounded up, is `s`; the last entry is for all above.
    pub at: Vec<u64>,
    /// The pairs with the lowest scores, lowest first: look at these before believing that the
    /// pictures are unrelated.
    pub lowest: Vec<Pair>,
}

/// A score, and the places of the query and the reference that have it.
pub type Pair = (f64, usize, usize);

/// A query's view made ready for comparison.
struct Ready {
    words: [u64; 4],
    penalty: Penalty,
}

impl Histogram {
    /// How many pairs had something to compare.
    pub fn pairs(&self) -> u64 {
        self.at.iter().sum()
    }

    /// `within[s]` is the number of pairs that score `s` or less, `s` below [`HIGHEST`]: a row's
    /// [`within`](super::Calibration::within).
    pub fn within(&self) -> Vec<u64> {
        let mut sum = 0;
        let cumulate = |n: &u64| {
            sum += n;
            sum
        };
        self.at[..HIGHEST].iter().map(cumulate).collect()
    }
}

/// Compares every query with the reference of every picture of another set, as a scan does: all views against all views,
/// near and complemented. The `keep` lowest pairs are listed.
pub fn measure(samples: &[Sample], keep: usize) -> Histogram {
    let known: Vec<Vec<([u64; 4], f64)>> = samples
        .iter()
        .map(|sample| sample.reference.views.iter().map(|v| (words(&v.code), redundancy(&v.code))).collect())
        .collect();
    let rows: Vec<(Vec<u64>, Vec<Pair>)> = samples
        .par_iter()
        .enumerate()
        .map(|(q, sample)| {
            let ready = |view: &crate::fingerprint::View| Ready {
                words: words(&view.code),
                penalty: Penalty::of(&view.code, view.plain_rim),
            };
            let views: Vec<Ready> = sample.query.views.iter().map(ready).collect();
            let mut at = vec![0; HIGHEST + 1];
            let mut low = Vec::new();
            for (r, reference) in known.iter().enumerate().filter(|&(r, _)| samples[r].set != sample.set) {
                if let Some(score) = lowest(&views, reference) {
                    at[(score.ceil() as usize).min(HIGHEST)] += 1;
                    low.push((score, q, r));
                }
            }
            low.sort_by(by_score);
            low.truncate(keep);
            (at, low)
        })
        .collect();
    let mut total = Histogram { at: vec![0; HIGHEST + 1], lowest: Vec::new() };
    for (at, low) in rows {
        total.at.iter_mut().zip(at).for_each(|(sum, n)| *sum += n);
        total.lowest.extend(low);
    }
    total.lowest.sort_by(by_score);
    total.lowest.truncate(keep);
    total
}

fn by_score(a: &Pair, b: &Pair) -> std::cmp::Ordering {
    a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2)))
}

/// The lowest score over all views of both. What a distance must be below to matter is known for each query's view, so
/// most pairs of views cost their distance alone.
fn lowest(query: &[Ready], reference: &[([u64; 4], f64)]) -> Option<f64> {
    let mut best: Option<f64> = None;
    for view in query {
        for (words, redundancy) in reference {
            let distance = least_distance(&view.words, words);
            // A score is never below the distance.
            if best.is_none_or(|best| f64::from(distance) < best) {
                let score = view.penalty.score(distance, *redundancy);
                best = Some(best.map_or(score, |best| best.min(score)));
            }
        }
    }
    best
}

fn words(code: &Code) -> [u64; 4] {
    let (eights, _) = code.0.as_chunks::<8>();
    [0, 1, 2, 3].map(|i| u64::from_ne_bytes(eights[i]))
}

/// The distance to the code or to its complement, whichever is less.
fn least_distance(a: &[u64; 4], b: &[u64; 4]) -> u32 {
    let distance: u32 = a.iter().zip(b).map(|(x, y)| (x ^ y).count_ones()).sum();
    distance.min(Code::BITS - distance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::{Dihedral, Region, RegionKind, View};
    use minutia_media::Orientation;

    fn sample(set: u32, codes: &[[u8; 32]]) -> Sample {
        let region = Region { kind: RegionKind::Whole, left: 0, top: 0, right: 10_000, bottom: 10_000 };
        let view = |code: &[u8; 32]| View {
            region,
            turn: Dihedral::Identity,
            code: Code(*code),
            quality: 100,
            plain_rim: code[3] % 128,
        };
        let views = codes.iter().map(view).collect();
        let (width, height, orientation) = (64, 64, Orientation::Upright);
        let picture = ImageFingerprint { frame: 0, time_ms: 0, width, height, orientation, views };
        Sample { set, query: picture.clone(), reference: picture }
    }

    proptest::proptest! {
        /// Against the definition: the score of every pair of views.
        #[test]
        fn every_pair_of_sets_counts_once_by_its_lowest_score(
            codes in proptest::collection::vec(proptest::collection::vec(proptest::array::uniform32(0_u8..), 0..4), 0..7),
        ) {
            let samples: Vec<Sample> = codes.iter().enumerate().map(|(n, codes)| sample(n as u32 / 2, codes)).collect();
            let mut at = vec![0; HIGHEST + 1];
            for a in &samples {
                for b in samples.iter().filter(|b| b.set != a.set) {
                    let scores = a.query.views.iter().flat_map(|x| b.reference.views.iter().map(move |y| {
                        let distance = x.code.distance(&y.code).min(x.code.complement().distance(&y.code));
                        Penalty::of(&x.code, x.plain_rim).score(distance, redundancy(&y.code))
                    }));
                    if let Some(score) = scores.min_by(f64::total_cmp) {
                        at[(score.ceil() as usize).min(HIGHEST)] += 1;
                    }
                }
            }
            let found = measure(&samples, 3);
            proptest::prop_assert_eq!(&found.at, &at);
            proptest::prop_assert_eq!(found.lowest.len(), 3.min(found.pairs() as usize));
            proptest::prop_assert_eq!(found.within().last().copied(), Some(found.pairs() - at[HIGHEST]));
        }
    }
}
