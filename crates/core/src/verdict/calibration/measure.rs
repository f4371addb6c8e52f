//! Measuring unrelated pictures: the histogram from which a calibration row is written.

use rayon::prelude::*;

use crate::fingerprint::{Code, ImageFingerprint};

/// Distances of pairs of unrelated pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    /// `at[d]` is the number of ordered pairs whose nearest views are `d` bits apart, 0..=256.
    pub at: Vec<u64>,
    /// The nearest pairs (distance, query, reference), nearest first: look at these before believing that the pictures
    /// are unrelated.
    pub nearest: Vec<(u32, usize, usize)>,
}

/// Compares every query with every reference of another picture (`queries[i]` and `references[i]` are the same
/// picture), as a scan does: all views against all views, near and complemented. `keep` nearest pairs are listed.
pub fn measure(queries: &[ImageFingerprint], references: &[ImageFingerprint], keep: usize) -> Histogram {
    let codes: Vec<Vec<[u64; 4]>> = references.iter().map(words_of_views).collect();
    let rows: Vec<(Vec<u64>, Vec<(u32, usize, usize)>)> = queries
        .par_iter()
        .enumerate()
        .map(|(q, query)| {
            let views = words_of_views(query);
            let mut at = vec![0; 257];
            let mut near = Vec::new();
            for (r, reference) in codes.iter().enumerate().filter(|&(r, _)| r != q) {
                let nearest = views.iter().flat_map(|a| reference.iter().map(move |b| least_distance(a, b))).min();
                if let Some(distance) = nearest {
                    at[distance as usize] += 1;
                    near.push((distance, q, r));
                }
            }
            near.sort_unstable();
            near.truncate(keep);
            (at, near)
        })
        .collect();
    let mut total = Histogram { at: vec![0; 257], nearest: Vec::new() };
    for (at, near) in rows {
        total.at.iter_mut().zip(at).for_each(|(sum, n)| *sum += n);
        total.nearest.extend(near);
    }
    total.nearest.sort_unstable();
    total.nearest.truncate(keep);
    total
}

fn words_of_views(fingerprint: &ImageFingerprint) -> Vec<[u64; 4]> {
    fingerprint.views.iter().map(|view| words(&view.code)).collect()
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
