//! Alignment of Chromaprint items: where in a reference a recording is heard, at the same speed.
//!
//! Each offset of the query against the reference gets votes: from every pair of items that are near where both are short,
//! else from items that have their upper or their lower half in common. Along the offsets with most votes, runs are found in
//! which fewer bits differ than differ by chance (the best sums, with room for passages that do not fit).
//!
//! Silence, steady tones and noise have items that stay, that flicker between a few values, or that lie near each other in
//! unrelated recordings: such items do not count (see [`telling`]), and what differs is compared with what would differ if
//! the query lay elsewhere in that part of the reference.

use std::ops::Range;

/// A run of items in which query and reference agree.
///
/// ```
/// use minutia::search::align;
///
/// let reference: Vec<u32> = (1..500_u32).map(|n| n.wrapping_mul(2_654_435_761)).collect();
/// let found = align(&reference[100..180], &reference);
/// assert_eq!((found[0].query_start, found[0].reference_start, found[0].length), (0, 100, 80));
/// assert_eq!(found[0].bit_error_rate, 0.0);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Alignment {
    /// Its first item in the query.
    pub query_start: u32,
    /// The same in the reference.
    pub reference_start: u32,
    /// Items.
    pub length: u32,
    /// How many of them tell something: neither silence nor a steady sound.
    pub telling: u32,
    /// Bits of those that differ, as a part of all of theirs: 0 of the same sound, about 0.45 by chance.
    pub bit_error_rate: f32,
    /// Bits that would differ by chance beyond those that do: its strength, which grows with length.
    pub score: f32,
}

/// Products of lengths up to which every pair is compared: 10 s against ten hours.
const EVERY_PAIR: usize = 1 << 24;
/// Offsets that are looked at closely.
const OFFSETS: usize = 48;
/// Alignments that are told.
const MOST: usize = 16;
/// Two items that differ in fewer bits than this vote for their offset where every pair is compared.
const NEAR: u32 = 11;
/// Of the bits that differ by chance, runs have at most this part.
const PART: f32 = 0.72;
/// And of all bits at most this part.
const HIGHEST_RATE: f32 = 0.35;
/// A run goes on over a passage that costs at most this: 5 s of other sound.
const ROOM: f32 = 200.0;
/// The least sum of bits of a run: four items without a difference.
const LEAST_SCORE: f32 = 40.0;
/// A run's score is at least so many times the square root of its items that tell something. Measured with 108 excerpts of
/// 10 s (clean, MP3 at 48 kbit/s, a band of 300 to 3,000 Hz) of 36 recordings, each against all of them: of the unrelated
/// pairs 0.3 % reach 12 and none 16, 2.7 % without it; of the right ones 96 are found in place, 100 without it.
const LEAST_WEIGHT: f32 = 12.0;
/// Items to both sides that show what differs by chance, 32 s.
const AROUND: usize = 256;
/// Offsets so near to each other are one.
const ONE_OFFSET: i64 = 8;
/// The item of digital silence.
const SILENCE: u32 = 627_964_279;

/// Where parts of `query` lie in `reference`, the strongest first, at most 16: items of Chromaprint algorithm 2, of both at one
/// a 1,365th of 11,025 samples. None for unrelated recordings, and where what is alike tells nothing.
#[must_use]
pub fn align(query: &[u32], reference: &[u32]) -> Vec<Alignment> {
    // Beyond 49 days.
    let most = 1 << 25;
    let (query, reference) = (&query[..query.len().min(most)], &reference[..reference.len().min(most)]);
    let sides = Sides { query, reference, query_tells: telling(query), reference_tells: telling(reference) };
    let mut found: Vec<Alignment> = offsets(&sides).into_iter().flat_map(|offset| runs(&sides, offset)).collect();
    found.sort_by(|a, b| {
        b.score
            .total_cmp(&a.score)
            .then_with(|| (a.query_start, a.reference_start).cmp(&(b.query_start, b.reference_start)))
    });
    let mut kept: Vec<Alignment> = Vec::new();
    for alignment in found {
        let shadow = |better: &Alignment| {
            (better.offset() - alignment.offset()).abs() <= ONE_OFFSET
                && better.query_start < alignment.query_start + alignment.length
                && alignment.query_start < better.query_start + better.length
        };
        if kept.len() < MOST && !kept.iter().any(shadow) {
            kept.push(alignment);
        }
    }
    kept
}

impl Alignment {
    fn offset(&self) -> i64 {
        i64::from(self.reference_start) - i64::from(self.query_start)
    }
}

/// Which items tell something: those that differ from the one before them, are not next to silence, and lie among others,
/// more than a third of 16 being different ones.
fn telling(items: &[u32]) -> Vec<bool> {
    let mut tells = Vec::with_capacity(items.len());
    let mut around: Vec<u32> = Vec::with_capacity(16);
    for (place, &item) in items.iter().enumerate() {
        let changed = place == 0 || items[place - 1] != item;
        if !changed || (item ^ SILENCE).count_ones() <= 3 {
            tells.push(false);
            continue;
        }
        around.clear();
        around.extend_from_slice(&items[place.saturating_sub(8)..(place + 8).min(items.len())]);
        let all = around.len();
        around.sort_unstable();
        around.dedup();
        tells.push(around.len() * 3 > all);
    }
    tells
}

struct Sides<'a> {
    query: &'a [u32],
    reference: &'a [u32],
    query_tells: Vec<bool>,
    reference_tells: Vec<bool>,
}

/// The offsets (reference minus query) with most votes, the best first.
fn offsets(sides: &Sides) -> Vec<i64> {
    if sides.query.is_empty() || sides.reference.is_empty() {
        return Vec::new();
    }
    // Place 0 is the offset at which the query's last item lies on the reference's first.
    let last = sides.query.len() - 1;
    let mut votes = vec![0_u32; last + sides.reference.len()];
    if sides.query.len().saturating_mul(sides.reference.len()) <= EVERY_PAIR {
        every_pair(sides, &mut votes);
    } else {
        for shift in [0, 16] {
            common_halves(sides, shift, &mut votes);
        }
    }
    // What lies between two frames votes for both offsets beside it.
    let at = |place: usize| votes.get(place).copied().unwrap_or(0);
    let smooth =
        |place: usize| 2 * u64::from(at(place)) + u64::from(at(place + 1)) + u64::from(at(place.wrapping_sub(1)));
    let mut places: Vec<(u64, usize)> = (0..votes.len()).map(|place| (smooth(place), place)).collect();
    let peak = |&(votes, place): &(u64, usize)| {
        votes > 0 && votes >= smooth(place + 1) && (place == 0 || votes > smooth(place - 1))
    };
    places.retain(peak);
    let order = |a: &(u64, usize), b: &(u64, usize)| b.0.cmp(&a.0).then(a.1.cmp(&b.1));
    if places.len() > OFFSETS {
        places.select_nth_unstable_by(OFFSETS, order);
        places.truncate(OFFSETS);
    }
    places.sort_unstable_by(order);
    places.into_iter().map(|(_, place)| place as i64 - last as i64).collect()
}

fn every_pair(sides: &Sides, votes: &mut [u32]) {
    let last = sides.query.len() - 1;
    for (place, &item) in sides.query.iter().enumerate().filter(|&(place, _)| sides.query_tells[place]) {
        let votes = &mut votes[last - place..][..sides.reference.len()];
        for ((vote, &other), &tells) in votes.iter_mut().zip(sides.reference).zip(&sides.reference_tells) {
            // At most 11 for each item of the query, of which there are less than 2^25.
            let near = NEAR.saturating_sub((item ^ other).count_ones());
            *vote = vote.wrapping_add(if tells { near } else { 0 });
        }
    }
}

/// A vote for each pair that has 16 bits in common, from bit `shift` on.
fn common_halves(sides: &Sides, shift: u32, votes: &mut [u32]) {
    let last = sides.query.len() - 1;
    let half = |item: u32| (item >> shift & 0xffff) as usize;
    let telling = || sides.reference.iter().zip(&sides.reference_tells).enumerate().filter(|(_, (_, tells))| **tells);
    // Places of the reference by half: where each half's begin, and the places.
    let mut begins = vec![0_usize; (1 << 16) + 1];
    for (_, (&item, _)) in telling() {
        begins[half(item) + 1] += 1;
    }
    for key in 0..1 << 16 {
        begins[key + 1] += begins[key];
    }
    let mut places = vec![0_u32; begins[1 << 16]];
    let mut next = begins.clone();
    for (place, (&item, _)) in telling() {
        places[next[half(item)]] = place as u32;
        next[half(item)] += 1;
    }
    // A half that is everywhere says nothing of where.
    let common = 64 + sides.reference.len() / 256;
    for (place, &item) in sides.query.iter().enumerate().filter(|&(place, _)| sides.query_tells[place]) {
        let same = &places[begins[half(item)]..begins[half(item) + 1]];
        if same.len() <= common {
            for &other in same {
                votes[other as usize + last - place] += 1;
            }
        }
    }
}

/// The runs of pairs at an offset in which few bits differ.
fn runs(sides: &Sides, offset: i64) -> Vec<Alignment> {
    let first = (-offset).max(0) as usize;
    let end = sides.query.len().min((sides.reference.len() as i64 - offset).max(0) as usize);
    let other = |place: usize| (place as i64 + offset) as usize;
    let differing = |place: usize| (sides.query[place] ^ sides.reference[other(place)]).count_ones();
    let tells = |place: usize| sides.query_tells[place] && sides.reference_tells[other(place)];
    let mut found = Vec::new();
    let mut place = first;
    while place < end {
        // The best sum from here on, until it has fallen too far.
        let (mut sum, mut best, mut best_end) = (0.0_f32, 0.0_f32, place);
        let start = place;
        while place < end {
            if tells(place) {
                sum += HIGHEST_RATE * 32.0 - differing(place) as f32;
            }
            place += 1;
            if sum > best {
                (best, best_end) = (sum, place);
            }
            if sum < 0.0 || sum < best - ROOM {
                break;
            }
        }
        if best < LEAST_SCORE {
            continue;
        }
        place = best_end;
        // Backwards from the end, for the beginning that fits best.
        let (mut sum, mut best, mut best_start) = (0.0_f32, 0.0_f32, best_end);
        for place in (start..best_end).rev() {
            if tells(place) {
                sum += HIGHEST_RATE * 32.0 - differing(place) as f32;
            }
            if sum >= best {
                (best, best_start) = (sum, place);
            }
        }
        found.extend(judge(sides, best_start..best_end, offset));
    }
    found
}

/// The run as an alignment, if it says more than chance does.
fn judge(sides: &Sides, run: Range<usize>, offset: i64) -> Option<Alignment> {
    let other = |place: usize| (place as i64 + offset) as usize;
    let tells = |&place: &usize| sides.query_tells[place] && sides.reference_tells[other(place)];
    let places: Vec<usize> = run.clone().filter(tells).collect();
    let mut different: Vec<u32> = places.iter().map(|&place| sides.query[place]).collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < 4 + places.len() / 16 {
        return None;
    }
    let bits: u32 = places.iter().map(|&place| (sides.query[place] ^ sides.reference[other(place)]).count_ones()).sum();
    let mean = bits as f32 / places.len() as f32;
    // What the run's items differ by from those around it in the reference, bit by bit.
    let share = |items: &mut dyn Iterator<Item = u32>| {
        let (mut ones, mut count) = ([0_u32; 32], 0_u32);
        for item in items {
            count += 1;
            ones.iter_mut().enumerate().for_each(|(bit, ones)| *ones += item >> bit & 1);
        }
        ones.map(|ones| ones as f32 / count.max(1) as f32)
    };
    let query = share(&mut places.iter().map(|&place| sides.query[place]));
    let around = other(run.start).saturating_sub(AROUND)..(other(run.end - 1) + AROUND).min(sides.reference.len());
    let telling = around.filter(|&place| sides.reference_tells[place]);
    let reference = share(&mut telling.map(|place| sides.reference[place]));
    let chance: f32 = query.iter().zip(reference).map(|(a, b)| a * (1.0 - b) + b * (1.0 - a)).sum();
    if mean > PART * chance || mean > HIGHEST_RATE * 32.0 {
        return None;
    }
    let score = (PART * chance).min(HIGHEST_RATE * 32.0) * places.len() as f32 - bits as f32;
    if score < LEAST_WEIGHT * (places.len() as f32).sqrt() {
        return None;
    }
    Some(Alignment {
        query_start: run.start as u32,
        reference_start: other(run.start) as u32,
        length: run.len() as u32,
        telling: places.len() as u32,
        bit_error_rate: mean / 32.0,
        score,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random.
    struct Noise(u64);

    impl Noise {
        fn next(&mut self) -> u32 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 32) as u32
        }

        /// Bits of which one in `part` is set.
        fn sparse(&mut self, part: u32) -> u32 {
            (0..32).fold(0, |bits, bit| bits | u32::from(self.next().is_multiple_of(part)) << bit)
        }

        /// Items that change some bits at a time, as music's do.
        fn music(&mut self, count: usize) -> Vec<u32> {
            let mut item = self.next();
            (0..count)
                .map(|_| {
                    item ^= self.sparse(6);
                    item
                })
                .collect()
        }

        fn worn(&mut self, items: &[u32], part: u32) -> Vec<u32> {
            items.iter().map(|item| item ^ self.sparse(part)).collect()
        }
    }

    #[test]
    fn a_worn_part_is_found_where_it_lies() {
        let mut noise = Noise(1);
        let reference = noise.music(3_000);
        for (start, length, part) in [(0, 59, 1_000), (1_200, 59, 7), (2_900, 100, 5), (500, 800, 4), (777, 12, 1_000)]
        {
            let query = noise.worn(&reference[start..start + length], part);
            let found = align(&query, &reference);
            let best = found.first().unwrap_or_else(|| panic!("{start} {length} {part}"));
            assert_eq!(best.offset(), start as i64, "{start} {length} {part}: {best:?}");
            assert!(best.length as usize * 10 >= length * 8, "{start} {length} {part}: {best:?}");
            assert!((best.bit_error_rate - 1.0 / part as f32).abs() < 0.05, "{best:?}");
        }
    }

    #[test]
    fn parts_at_two_places_are_two_alignments() {
        let mut noise = Noise(2);
        let reference = noise.music(2_000);
        let query = [&noise.music(100), &reference[300..420], &noise.music(90), &reference[1_500..1_600]].concat();
        let mut found = align(&query, &reference);
        found.sort_by_key(|alignment| alignment.query_start);
        let near = |found: u32, wanted: i64| (i64::from(found) - wanted).abs() <= 6;
        assert_eq!(found.len(), 2, "{found:?}");
        for (found, (query, reference, length)) in found.iter().zip([(100, 300, 120), (310, 1_500, 100)]) {
            assert!(near(found.query_start, query) && near(found.reference_start, reference), "{found:?}");
            assert!(near(found.length, length), "{found:?}");
        }
    }

    #[test]
    fn long_recordings_are_voted_for_by_halves() {
        let mut noise = Noise(3);
        let reference = noise.music(20_000);
        let query = [noise.music(500), noise.worn(&reference[9_000..11_000], 6)].concat();
        assert!(query.len() * reference.len() > EVERY_PAIR);
        let found = align(&query, &reference);
        assert_eq!((found.len(), found[0].offset()), (1, 8_500), "{found:?}");
        assert!((1_980..=2_010).contains(&found[0].length), "{found:?}");
    }

    #[test]
    fn what_tells_nothing_is_not_aligned() {
        let mut noise = Noise(4);
        let quiet = |noise: &mut Noise| (0..800).map(|_| 0x3a5c_11f0 ^ noise.sparse(6)).collect::<Vec<u32>>();
        let flicker =
            |noise: &mut Noise| (0..500).map(|_| [1, 77, 0xffff_0000][noise.next() as usize % 3]).collect::<Vec<u32>>();
        let cases = [
            ("unrelated", noise.music(600), noise.music(4_000)),
            ("silence", vec![SILENCE; 300], vec![SILENCE; 900]),
            ("a tone", vec![0x1234_5678; 300], vec![0x1234_5678; 900]),
            ("a flicker", flicker(&mut noise), flicker(&mut noise)),
            ("quiet noise", quiet(&mut noise), quiet(&mut noise)),
            ("nothing", Vec::new(), noise.music(100)),
            ("against nothing", noise.music(100), Vec::new()),
        ];
        for (name, query, reference) in cases {
            assert_eq!(align(&query, &reference), [], "{name}");
        }
    }
}
