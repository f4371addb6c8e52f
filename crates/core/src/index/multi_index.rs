//! The multi-index of a segment: from the value of a substring of a code to the codes that have it there.
//!
//! Codes within a radius of a query agree with it closely in at least one of several disjoint substrings, since their
//! differences cannot be many in each (Norouzi, Punjani, Fleet, "Fast Exact Search in Hamming Space with Multi-Index
//! Hashing", 2014). A table sorts all codes by one substring; a look-up walks the few values near the query's. Substrings
//! of about log2(codes) bits make lists of a few codes each.
//!
//! The first table costs nothing but its ends: codes stand in the order of their bytes, so those that begin alike are
//! neighbours. Bits are counted from the most significant one of the first byte, as that order does.

use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use minutia_machine::hamming;
use rayon::prelude::*;

/// Words before the first table: how many there are, then first bit and bits of each, then zeros.
pub(super) const HEAD_WORDS: usize = 64;
/// Tables that a multi-index may have.
pub(crate) const MOST_TABLES: usize = 24;
/// Bits of a substring: a table has at most 2^28 ends.
pub(crate) const MOST_BITS: u32 = 28;
/// Bytes that a multi-index may add for each code. With 32 of the code itself and 8 of a reference, an indexed segment stays
/// within 108 bytes a reference, and within about 112 with its catalogue.
const MOST_BYTES_A_CODE: u64 = 67;

/// A substring of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Substring {
    /// Its first bit, from the most significant one of the first byte.
    pub(crate) first: u32,
    /// How many bits it has, 1..=28.
    pub(crate) bits: u32,
}

/// A table: the codes in the order of a substring's values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table<'a> {
    pub(crate) substring: Substring,
    /// For each value the end of its codes.
    ends: &'a [u32],
    /// The codes; `None` for the first table, where they are their own places.
    codes: Option<&'a [u32]>,
}

/// The tables of a segment, as they stand in its section.
#[derive(Clone, Debug)]
pub(crate) struct MultiIndex<'a> {
    tables: Vec<Table<'a>>,
    /// Codes of the segment.
    count: usize,
}

impl Substring {
    /// The value of this substring of a code, whose words are in memory order.
    #[inline]
    pub(crate) fn of(self, code: &hamming::Code) -> u32 {
        let (word, skip) = ((self.first / 64) as usize, self.first % 64);
        let mut bits = code[word].swap_bytes() << skip;
        if skip + self.bits > 64 {
            bits |= code[word + 1].swap_bytes() >> (64 - skip);
        }
        (bits >> (64 - self.bits)) as u32
    }

    /// A code with these bits set alone.
    pub(crate) fn mask(self) -> hamming::Code {
        std::array::from_fn(|word| {
            let start = 64 * word as u32;
            let (first, end) = (self.first.max(start) - start, (self.first + self.bits).min(start + 64));
            let bits = end.saturating_sub(start + first);
            // From the most significant bit on.
            let ones = if bits == 0 { 0 } else { u64::MAX << (64 - bits) >> first };
            ones.swap_bytes()
        })
    }

    fn values(self) -> usize {
        1 << self.bits
    }
}

impl<'a> Table<'a> {
    /// Places of the codes of that value; see [`Table::code_at`]. Nothing for a damaged one.
    #[inline]
    pub(crate) fn places(&self, value: u32) -> Range<usize> {
        let value = value as usize;
        let start = value.checked_sub(1).map_or(0, |before| self.ends[before]);
        start as usize..self.ends[value] as usize
    }

    /// The ends of the codes of `count` values from `first` on, and where those codes start.
    pub(crate) fn block(&self, first: u32, count: usize) -> (u32, &'a [u32]) {
        let first = first as usize;
        let start = first.checked_sub(1).map_or(0, |before| self.ends[before]);
        (start, &self.ends[first..first + count])
    }

    /// Asks for the cache line that [`Table::places`] needs.
    #[inline]
    pub(crate) fn prefetch_places(&self, value: u32) {
        hamming::prefetch(self.ends, value as usize);
    }

    /// Asks for the cache line of the first of these places.
    #[inline]
    pub(crate) fn prefetch_codes(&self, places: &Range<usize>) {
        if let Some(codes) = self.codes {
            hamming::prefetch(codes, places.start);
        }
    }

    /// The codes at these places, for those who compare them as they stand. Places past the end have none.
    pub(crate) fn rows(&self, places: Range<usize>) -> hamming::Rows<'a> {
        match self.codes {
            Some(codes) => hamming::Rows::Listed(codes.get(places).unwrap_or(&[])),
            None => hamming::Rows::Run(places.start as u32..places.end as u32),
        }
    }

    /// True for the table whose codes stand together.
    pub(crate) fn is_first(&self) -> bool {
        self.codes.is_none()
    }

    /// Appends the codes at these places. Places past the end have none.
    #[inline]
    pub(crate) fn codes(&self, places: Range<usize>, count: usize, into: &mut Vec<u32>) {
        match self.codes {
            // One by one: lists are of a few codes, shorter than the way to a copying routine.
            Some(codes) => codes.get(places).unwrap_or(&[]).iter().for_each(|&code| into.push(code)),
            None => into.extend(places.start as u32..places.end.min(count) as u32),
        }
    }
}

impl<'a> MultiIndex<'a> {
    /// The tables over `count` codes that stand in `words`; what is wrong with them otherwise.
    pub(crate) fn open(words: &'a [u32], count: usize) -> Result<MultiIndex<'a>, String> {
        let Some((head, mut rest)) = words.split_at_checked(HEAD_WORDS) else {
            return Err(format!("{} words", words.len()));
        };
        let tables = head[0] as usize;
        if !(1..=MOST_TABLES).contains(&tables) || head[1 + 2 * tables..].iter().any(|&word| word != 0) {
            return Err(format!("{tables} tables"));
        }
        let mut index = MultiIndex { tables: Vec::with_capacity(tables), count };
        let mut end = 0;
        for (place, pair) in head[1..].chunks_exact(2).take(tables).enumerate() {
            let substring = Substring { first: pair[0], bits: pair[1] };
            let after = substring.first.checked_add(substring.bits);
            let sound = (1..=MOST_BITS).contains(&substring.bits)
                && after.is_some_and(|after| after <= 256)
                && substring.first >= end
                && (place > 0 || substring.first == 0);
            if !sound {
                return Err(format!("{} bits from bit {}", substring.bits, substring.first));
            }
            end = substring.first + substring.bits;
            let sorted = if place == 0 { 0 } else { count };
            let parts = rest.split_at_checked(substring.values());
            let parts = parts.and_then(|(ends, rest)| Some((ends, rest.split_at_checked(sorted)?)));
            let Some((ends, (codes, after))) = parts else {
                return Err(format!("{} words for table {place}", rest.len()));
            };
            index.tables.push(Table { substring, ends, codes: (place > 0).then_some(codes) });
            rest = after;
        }
        if rest.is_empty() { Ok(index) } else { Err(format!("{} words after the last table", rest.len())) }
    }

    pub(crate) fn tables(&self) -> &[Table<'a>] {
        &self.tables
    }

    /// The first table that is not the one which [`build`] makes of these codes.
    ///
    /// Following each number to its code would miss the cache for every code of every table. In place of that two sums are
    /// compared that are read from one end to the other: over the codes, and over the numbers in the table, of a pseudo-random
    /// number of each times its value. A code that is missing, stands twice or at another value changes one of them, but for
    /// one chance in 2^36 at most; which ones nobody knows who might forge a table, since the numbers are others in every run.
    pub(super) fn wrong_table(&self, codes: &[hamming::Code]) -> Option<usize> {
        let seed = RandomState::new().hash_one(self.count);
        let expected = self.sums(codes, seed);
        let sound = |(table, expected): (&Table<'_>, &u64)| {
            if table.ends.last().copied() != u32::try_from(self.count).ok() || !table.ends.is_sorted() {
                return false;
            }
            match table.codes {
                Some(order) => sum(table.ends, order, seed) == Some(*expected),
                // Codes are in order, so values are: each must lie where its value says.
                None => (0..).zip(codes).all(|(place, code)| table.places(table.substring.of(code)).contains(&place)),
            }
        };
        let sound: Vec<bool> = self.tables.par_iter().zip(&expected).map(sound).collect();
        sound.iter().position(|&sound| !sound)
    }

    /// For each table what [`sum`] is to be.
    fn sums(&self, codes: &[hamming::Code], seed: u64) -> Vec<u64> {
        let of_chunk = |(chunk, codes): (usize, &[hamming::Code])| {
            let mut sums = vec![0_u64; self.tables.len()];
            for (number, code) in ((chunk * CHUNK) as u32..).zip(codes) {
                let weight = weight(number, seed);
                for (sum, table) in sums.iter_mut().zip(&self.tables) {
                    *sum = sum.wrapping_add(weight.wrapping_mul(u64::from(table.substring.of(code)) + 1));
                }
            }
            sums
        };
        let none = || vec![0; self.tables.len()];
        let add = |a: Vec<u64>, b: Vec<u64>| a.iter().zip(b).map(|(a, b)| a.wrapping_add(b)).collect();
        codes.par_chunks(CHUNK).enumerate().map(of_chunk).reduce(none, add)
    }
}

/// Codes whose sums are made together.
const CHUNK: usize = 4096;

/// A pseudo-random number for a code (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
fn weight(number: u32, seed: u64) -> u64 {
    let z = seed.wrapping_add(u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The weights of `order`, each times one more than the value at which it stands; `None` where those of a value are not in
/// order. Ends are in order, the last is that of all.
fn sum(ends: &[u32], order: &[u32], seed: u64) -> Option<u64> {
    let (mut sum, mut value, mut before, mut weight_before) = (0_u64, 0, 0, 0_u64);
    // Where a number is not greater than the one before, a value has to begin.
    let falls = |place: usize| usize::from(order[place - 1] >= order[place]);
    let (mut all_falls, mut at_ends) = (0, 0);
    // Weights up to each place of a chunk: lists are short, and the branch at the end of each would be guessed wrongly.
    let mut up_to = [0_u64; CHUNK + 1];
    for (chunk, numbers) in order.chunks(CHUNK).enumerate() {
        up_to[0] = up_to[CHUNK];
        for (place, &number) in numbers.iter().enumerate() {
            up_to[place + 1] = up_to[place].wrapping_add(weight(number, seed));
        }
        up_to[CHUNK] = up_to[numbers.len()];
        let (start, end_of_chunk) = (chunk * CHUNK, chunk * CHUNK + numbers.len());
        all_falls += (start.max(1)..end_of_chunk).map(falls).sum::<usize>();
        while let Some(end) = ends.get(value).map(|&end| end as usize).filter(|&end| end <= end_of_chunk) {
            value += 1;
            let weight = up_to[end - start];
            sum = sum.wrapping_add(weight.wrapping_sub(weight_before).wrapping_mul(value as u64));
            if end != before && end < order.len() {
                at_ends += falls(end);
            }
            (before, weight_before) = (end, weight);
        }
    }
    (all_falls == at_ends).then_some(sum)
}

/// The substrings for so many codes: those that make a look-up at radius 31 cheapest on uniform codes, within the bytes
/// that a code may cost. Few long substrings have short lists but many values to walk and large tables.
pub(super) fn substrings(count: u64) -> Vec<Substring> {
    let mut best: Option<(f64, Vec<Substring>)> = None;
    for tables in 6..=MOST_TABLES as u32 {
        for width in 8..=MOST_BITS {
            let all = (tables * width).min(256);
            let (short, longer) = (all / tables, all % tables);
            if short + u32::from(longer > 0) > MOST_BITS || (all == 256 && width > 256_u32.div_ceil(tables)) {
                continue;
            }
            let bits = |table: u32| short + u32::from(table < longer);
            let ends: u64 = (0..tables).map(|table| 1 << bits(table)).sum();
            let bytes = 4 * (ends + u64::from(tables - 1) * count + HEAD_WORDS as u64);
            if bytes > MOST_BYTES_A_CODE.saturating_mul(count) {
                continue;
            }
            let cost = cost_of_a_look_up(&(0..tables).map(bits).collect::<Vec<_>>(), count as f64);
            if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                let mut first = 0;
                let substrings = (0..tables).map(|table| {
                    let substring = Substring { first, bits: bits(table) };
                    first += substring.bits;
                    substring
                });
                best = Some((cost, substrings.collect()));
            }
        }
    }
    best.map_or_else(Vec::new, |(_, substrings)| substrings)
}

/// Values walked and codes compared by a look-up at radius 31 among so many uniform codes.
fn cost_of_a_look_up(bits: &[u32], count: f64) -> f64 {
    // Longer substrings are walked further, as a look-up itself decides.
    let steps = 32 / bits.len() as u32;
    let further = 32 % bits.len() as u32;
    let cost = |(table, &bits): (usize, &u32)| {
        let (mut values, mut shell) = (0.0, 1.0);
        for weight in 0..steps + u32::from((table as u32) < further) {
            values += shell;
            shell = shell * f64::from(bits.saturating_sub(weight)) / f64::from(weight + 1);
        }
        values * (1.0 + count / f64::from(1_u32 << bits))
    };
    bits.iter().enumerate().map(cost).sum()
}

/// The section of the codes of a segment, which are in the order of their bytes.
pub(super) fn build(codes: &[hamming::Code]) -> Vec<u32> {
    let substrings = substrings(codes.len() as u64);
    if substrings.is_empty() {
        return Vec::new();
    }
    let lengths = substrings
        .iter()
        .enumerate()
        .map(|(table, substring)| substring.values() + if table == 0 { 0 } else { codes.len() });
    let lengths: Vec<usize> = lengths.collect();
    let mut words = vec![0; HEAD_WORDS + lengths.iter().sum::<usize>()];
    let (head, mut rest) = words.split_at_mut(HEAD_WORDS);
    head[0] = substrings.len() as u32;
    for (pair, substring) in head[1..].chunks_exact_mut(2).zip(&substrings) {
        pair.copy_from_slice(&[substring.first, substring.bits]);
    }
    let mut tables = Vec::with_capacity(lengths.len());
    for length in lengths {
        let (table, after) = rest.split_at_mut(length);
        tables.push(table);
        rest = after;
    }
    tables.into_par_iter().zip(&substrings).for_each(|(table, &substring)| {
        let (ends, order) = table.split_at_mut(substring.values());
        for code in codes {
            ends[substring.of(code) as usize] += 1;
        }
        // Starts first: placing the codes moves each to its end.
        let mut start = 0;
        for end in ends.iter_mut() {
            let here = *end;
            *end = start;
            start += here;
        }
        for (place, code) in codes.iter().enumerate() {
            let at = &mut ends[substring.of(code) as usize];
            if let Some(slot) = order.get_mut(*at as usize) {
                *slot = place as u32;
            }
            *at += 1;
        }
    });
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_substring_is_the_bits_in_the_order_of_the_bytes() {
        let mut bytes = [0_u8; 32];
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = (place as u8).wrapping_mul(37) ^ 0x5a;
        }
        let code: hamming::Code = bytemuck::cast(bytes);
        let bit = |bit: u32| u32::from(bytes[bit as usize / 8] >> (7 - bit % 8) & 1);
        for bits in (1..=MOST_BITS).step_by(if cfg!(miri) { 9 } else { 1 }) {
            for first in 0..=256 - bits {
                let expected = (first..first + bits).fold(0, |value, at| value << 1 | bit(at));
                let substring = Substring { first, bits };
                assert_eq!(substring.of(&code), expected, "{bits} bits from {first}");
                let masked = std::array::from_fn(|word| code[word] & substring.mask()[word]);
                let set = masked.iter().map(|word: &u64| word.count_ones()).sum::<u32>();
                assert_eq!((substring.of(&masked), set), (expected, expected.count_ones()), "{bits} bits from {first}");
            }
        }
    }

    #[test]
    fn substrings_stay_within_their_bytes_and_get_longer_with_the_codes() {
        let mut before = 0;
        for count in [1 << 17, 200_000, 1 << 18, 500_000, 1_000_000, 2_000_000, 4_000_000, 10_000_000, 100_000_000] {
            let substrings = substrings(count);
            let ends: u64 = substrings.iter().map(|substring| substring.values() as u64).sum();
            let bytes = 4 * (ends + (substrings.len() as u64 - 1) * count + HEAD_WORDS as u64);
            assert!(bytes <= MOST_BYTES_A_CODE * count, "{count}: {bytes} bytes");
            assert!(substrings[0].first == 0 && substrings.is_sorted_by_key(|substring| substring.first));
            assert!(substrings.last().is_some_and(|last| last.first + last.bits <= 256));
            let longest = substrings.iter().map(|substring| substring.bits).max().unwrap();
            println!("{count}: {} tables of {longest} bits, {} bytes a code", substrings.len(), bytes / count);
            assert!(longest + 1 >= before, "{count}");
            before = longest;
        }
    }

    #[test]
    fn what_is_built_is_sound_and_what_is_changed_is_not() {
        let codes: Vec<hamming::Code> = {
            let mut codes: Vec<[u8; 32]> = (0..if cfg!(miri) { 150 } else { 3000_u32 })
                .map(|n| std::array::from_fn(|i| (n.wrapping_mul(2_654_435_761).rotate_left(i as u32 * 5) >> 7) as u8))
                .collect();
            codes.sort_unstable();
            codes.dedup();
            codes.into_iter().map(bytemuck::cast).collect()
        };
        let words = build(&codes);
        let index = MultiIndex::open(&words, codes.len()).unwrap();
        assert_eq!(index.wrong_table(&codes), None);
        assert!(MultiIndex::open(&words[..words.len() - 1], codes.len()).is_err());
        assert!(MultiIndex::open(&words, codes.len() + 1).is_err());
        let mut changed = 0;
        for at in (0..words.len()).step_by(if cfg!(miri) { 251 } else { 37 }) {
            let mut words = words.clone();
            words[at] ^= 1;
            let sound = MultiIndex::open(&words, codes.len()).is_ok_and(|index| index.wrong_table(&codes).is_none());
            assert!(!sound, "word {at} was changed and not missed");
            changed += 1;
        }
        assert!(changed > 5, "only {changed}");
        // Numbers that change places: with those of other values, and with the next of their own.
        let table = &index.tables[1];
        let start = HEAD_WORDS + index.tables[0].substring.values() + table.substring.values();
        let several =
            (0..table.substring.values() as u32).map(|value| table.places(value)).find(|places| places.len() > 1);
        let twin = several.unwrap().start;
        for (one, other) in [(20, 70), (20, 120), (twin, twin + 1)] {
            let mut words = words.clone();
            words.swap(start + one, start + other);
            let wrong = MultiIndex::open(&words, codes.len()).unwrap().wrong_table(&codes);
            assert_eq!(wrong, Some(1), "{one} {other}");
        }
    }
}
