//! How loud what coincides is in both: in a copy what stands out of the original stands out, in other music it may be anything.
//!
//! A rank is how many peaks within half a second are louder. Under a voice or a crowd the ranks of a copy's peaks only grow; in
//! a room they are shuffled, but seldom by much.

use crate::fingerprint::Mix;

/// The first rank of each class of the query's peaks, and of the reference's.
const QUERY: [u8; 8] = [0, 2, 4, 8, 12, 19, 29, 44];
const REFERENCE: [u8; 6] = [0, 2, 4, 8, 12, 19];
/// Classes that a reference's side mix has, whose peaks of higher rank are not kept.
const OF_SIDE: usize = 4;

/// Of the peaks of a query that coincide, by the class of their rank, the shares of the classes of the other's rank.
type Table = [[f32; REFERENCE.len()]; QUERY.len()];

/// Measured under alignments that are no copies: of queries without an answer, and of wrong references.
#[rustfmt::skip]
const CHANCE: Table = [
    [0.252, 0.124, 0.162, 0.130, 0.136, 0.196],
    [0.135, 0.141, 0.176, 0.145, 0.176, 0.227],
    [0.063, 0.102, 0.193, 0.146, 0.198, 0.299],
    [0.051, 0.079, 0.162, 0.174, 0.218, 0.316],
    [0.042, 0.069, 0.153, 0.152, 0.231, 0.353],
    [0.037, 0.057, 0.137, 0.139, 0.236, 0.394],
    [0.031, 0.048, 0.128, 0.150, 0.228, 0.416],
    [0.025, 0.043, 0.112, 0.142, 0.229, 0.448],
];

/// And in copies: that hardly anything was done to; with noise; from rooms; under crowds; and under a voice.
#[rustfmt::skip]
const COPIES: [Table; PATTERNS] = [
    [
        [0.774, 0.144, 0.054, 0.014, 0.009, 0.005],
        [0.126, 0.569, 0.226, 0.043, 0.024, 0.012],
        [0.019, 0.108, 0.598, 0.174, 0.071, 0.031],
        [0.004, 0.016, 0.173, 0.495, 0.237, 0.075],
        [0.002, 0.005, 0.032, 0.144, 0.572, 0.246],
        [0.001, 0.002, 0.008, 0.023, 0.186, 0.780],
        [0.001, 0.002, 0.006, 0.014, 0.069, 0.908],
        [0.004, 0.006, 0.025, 0.040, 0.123, 0.802],
    ],
    [
        [0.715, 0.190, 0.069, 0.017, 0.007, 0.003],
        [0.139, 0.461, 0.301, 0.066, 0.026, 0.008],
        [0.033, 0.108, 0.495, 0.223, 0.104, 0.037],
        [0.011, 0.030, 0.164, 0.371, 0.319, 0.105],
        [0.005, 0.013, 0.055, 0.133, 0.463, 0.331],
        [0.002, 0.005, 0.022, 0.053, 0.202, 0.715],
        [0.003, 0.006, 0.023, 0.036, 0.140, 0.792],
        [0.004, 0.007, 0.028, 0.052, 0.178, 0.731],
    ],
    [
        [0.469, 0.238, 0.169, 0.065, 0.036, 0.023],
        [0.155, 0.239, 0.324, 0.147, 0.097, 0.038],
        [0.071, 0.120, 0.287, 0.220, 0.198, 0.104],
        [0.040, 0.060, 0.178, 0.219, 0.293, 0.211],
        [0.020, 0.034, 0.107, 0.159, 0.309, 0.372],
        [0.015, 0.020, 0.067, 0.107, 0.254, 0.538],
        [0.012, 0.023, 0.063, 0.081, 0.219, 0.601],
        [0.010, 0.028, 0.058, 0.095, 0.207, 0.601],
    ],
    [
        [0.707, 0.185, 0.077, 0.017, 0.008, 0.006],
        [0.226, 0.391, 0.281, 0.058, 0.030, 0.014],
        [0.090, 0.186, 0.433, 0.186, 0.073, 0.032],
        [0.040, 0.087, 0.278, 0.311, 0.215, 0.068],
        [0.020, 0.041, 0.135, 0.216, 0.398, 0.189],
        [0.010, 0.023, 0.075, 0.113, 0.303, 0.476],
        [0.007, 0.016, 0.055, 0.084, 0.225, 0.613],
        [0.006, 0.012, 0.043, 0.075, 0.198, 0.666],
    ],
    [
        [0.686, 0.139, 0.064, 0.031, 0.034, 0.047],
        [0.544, 0.263, 0.117, 0.014, 0.025, 0.036],
        [0.369, 0.259, 0.238, 0.060, 0.036, 0.039],
        [0.277, 0.221, 0.261, 0.115, 0.075, 0.051],
        [0.141, 0.155, 0.286, 0.192, 0.147, 0.079],
        [0.067, 0.087, 0.217, 0.205, 0.242, 0.182],
        [0.027, 0.048, 0.120, 0.149, 0.280, 0.376],
        [0.010, 0.024, 0.072, 0.102, 0.232, 0.561],
    ],
];

/// Ways in which a copy may be altered, see [`KEPT`](super::likelihood::KEPT).
pub(super) const PATTERNS: usize = 5;

/// A pair of classes.
pub(super) type Classes = u8;
pub(super) const PAIRS: usize = QUERY.len() * REFERENCE.len();

/// For each way to alter a copy, and each pair of classes, how much oftener what coincides has those in a copy.
pub(super) type Ratios = [[f32; PAIRS]; PATTERNS];

const OF_MID_MIX: Ratios = ratios(REFERENCE.len());
const OF_SIDE_MIX: Ratios = ratios(OF_SIDE);

/// Those of a reference's mix.
pub(super) fn ratios_of(mix: Mix) -> &'static Ratios {
    match mix {
        Mix::Mid => &OF_MID_MIX,
        Mix::Side => &OF_SIDE_MIX,
    }
}

/// The classes of two ranks.
pub(super) fn classes(query: u8, reference: u8) -> Classes {
    let class = |firsts: &[u8], rank: u8| firsts.iter().filter(|&&first| first <= rank).count() as u8 - 1;
    class(&QUERY, query) * REFERENCE.len() as u8 + class(&REFERENCE, reference)
}

/// How often by chance a peak that coincides has the latter class of these, where the query's has the former.
pub(super) fn chance_of(classes: Classes) -> f32 {
    let (query, reference) = (usize::from(classes) / REFERENCE.len(), usize::from(classes) % REFERENCE.len());
    CHANCE[query][reference]
}

/// Ratios where the reference has the first `kept` classes alone.
const fn ratios(kept: usize) -> Ratios {
    let mut ratios = [[1.0; PAIRS]; PATTERNS];
    let mut pattern = 0;
    while pattern < PATTERNS {
        let mut query = 0;
        while query < QUERY.len() {
            let (copy, chance) = (&COPIES[pattern][query], &CHANCE[query]);
            let (mut of_copy, mut of_chance) = (0.0, 0.0);
            let mut class = 0;
            while class < kept {
                of_copy += copy[class];
                of_chance += chance[class];
                class += 1;
            }
            class = 0;
            while class < kept {
                ratios[pattern][query * REFERENCE.len() + class] = copy[class] / of_copy / (chance[class] / of_chance);
                class += 1;
            }
            query += 1;
        }
        pattern += 1;
    }
    ratios
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rank_has_its_class() {
        assert_eq!(classes(0, 0), 0);
        assert_eq!(classes(1, 2), 1);
        assert_eq!(classes(2, 1), 6);
        assert_eq!(classes(u8::MAX, u8::MAX), PAIRS as u8 - 1);
        assert!((0..=u8::MAX).all(|rank| classes(rank, 3) / 6 <= classes(rank.saturating_add(1), 3) / 6));
    }

    #[test]
    fn by_chance_what_coincides_says_nothing() {
        for (mix, kept) in [(Mix::Mid, REFERENCE.len()), (Mix::Side, OF_SIDE)] {
            for ratios in ratios_of(mix) {
                for (query, chance) in CHANCE.iter().enumerate() {
                    let all: f32 = chance[..kept].iter().sum();
                    let mean: f32 =
                        (0..kept).map(|class| chance[class] / all * ratios[query * REFERENCE.len() + class]).sum();
                    assert!((mean - 1.0).abs() < 1e-3, "{mix:?} {query}: {mean}");
                }
            }
        }
    }
}
