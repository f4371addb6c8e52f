//! Where along a line of steps evidence gathers.

use std::ops::Range;

/// The runs of steps whose values have the greatest sum, at least `least`: the best first, then the best beside it, and so on.
/// Runs do not overlap. (The maximum-sum segment of Bentley, "Programming Pearls", 1984.) In none does the sum fall by more than
/// `most_lost` from where it stood highest: what a strong part on each side outweighs is left out all the same.
pub(super) fn runs(values: &[f64], least: f64, most_lost: f64) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    // What is still to be looked at, instead of calls within calls: a hostile query has hundreds of thousands of frames.
    let mut open = Vec::new();
    open.push(0..values.len());
    while let Some(within) = open.pop() {
        let (mut best, mut sum, mut start) = ((0.0, 0..0), 0.0, within.start);
        let mut highest = 0.0_f64;
        for place in within.clone() {
            sum += values[place];
            highest = highest.max(sum);
            if sum <= 0.0 || sum < highest - most_lost {
                (sum, highest, start) = (0.0, 0.0, place + 1);
            } else if sum > best.0 {
                best = (sum, start..place + 1);
            }
        }
        let (sum, range) = best;
        if sum >= least {
            open.push(range.end..within.end);
            open.push(within.start..range.start);
            found.push(range);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_run_is_the_one_of_most_sum() {
        const LEAST: f64 = 0.6;
        let mut state = 7_u64;
        let mut below = |most: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % most
        };
        let mut met = 0;
        for length in (0..40).cycle().take(400) {
            let values: Vec<f64> = (0..length).map(|_| (below(1_000) as f64 - 500.0) / 1_000.0).collect();
            let sum = |range: Range<usize>| values[range].iter().sum::<f64>();
            let all = (0..length).flat_map(|start| (start + 1..=length).map(move |end| start..end));
            let best = all.map(sum).fold(0.0, f64::max);
            let mut found = runs(&values, LEAST, f64::INFINITY);
            if best < LEAST - 1e-9 {
                assert!(found.is_empty());
                continue;
            }
            met += 1;
            for run in runs(&values, LEAST, 0.8) {
                let inside = (run.start..run.end).flat_map(|start| (start + 1..=run.end).map(move |end| start..end));
                let lost = inside.map(|part| -sum(part)).fold(0.0, f64::max);
                assert!(lost <= 0.8 + 1e-9 && sum(run) >= LEAST, "{lost}");
            }
            assert!((sum(found[0].clone()) - best).abs() < 1e-9);
            found.sort_by_key(|range| range.start);
            assert!(found.windows(2).all(|two| two[0].end <= two[1].start), "runs do not overlap");
        }
        assert!(met > 100, "only {met}");
    }
}
