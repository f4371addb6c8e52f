//! Measuring unrelated pictures: the histogram from which a calibration row is written.

use rayon::prelude::*;

use crate::fingerprint::{Code, ImageFingerprint};
use crate::verdict::{Penalty, redundancy};

/// Scores from here on are counted together.
const HIGHEST: usize = 160;

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

/// Compares every query with every reference of another picture (`queries[i]` and `references[i]` are the same picture), as
/// a scan does: all views against all views, near and complemented. The `keep` lowest pairs are listed.
pub fn measure(queries: &[ImageFingerprint], references: &[ImageFingerprint], keep: usize) -> Histogram {
    let known: Vec<Vec<([u64; 4], f64)>> = references
        .iter()
        .map(|reference| reference.views.iter().map(|view| (words(&view.code), redundancy(&view.code))).collect())
        .collect();
    let rows: Vec<(Vec<u64>, Vec<Pair>)> = queries
        .par_iter()
        .enumerate()
        .map(|(q, query)| {
            let views: Vec<Ready> = query
                .views
                .iter()
                .map(|view| Ready { words: words(&view.code), penalty: Penalty::of(&view.code, view.plain_rim) })
                .collect();
            let mut at = vec![0; HIGHEST + 1];
            let mut low = Vec::new();
            for (r, reference) in known.iter().enumerate().filter(|&(r, _)| r != q) {
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

fn lowest(query: &[Ready], reference: &[([u64; 4], f64)]) -> Option<f64> {
    let scores = query.iter().flat_map(|view| {
        reference.iter().map(|(words, redundancy)| view.penalty.score(least_distance(&view.words, words), *redundancy))
    });
    scores.min_by(f64::total_cmp)
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
