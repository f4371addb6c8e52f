//! Every strategy, at every level of this processor, gives the hits that counting bits one by one gives, in their order.

// Tests say what they expect by unwrapping it.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use minutia::fingerprint::{Code, Dihedral, Fingerprint, ImageFingerprint, Region, RegionKind, View};
use minutia::index::{Access, Entry, Index, Rules, Work, WorkId, Writer};
use minutia::media::Orientation;
use minutia::search::{Hit, QueryGroup, Settings, Strategy as Way, Within, search};
use minutia_machine::Level;
use proptest::prelude::*;

const WAYS: [Way; 4] = [Way::Planned, Way::Brute, Way::Lookup, Way::Join];

/// Numbers that only look random.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Uniform codes, neighbours of a few centres at any distance, their complements, and copies.
    fn code(&mut self, centres: &[Code; 3]) -> Code {
        let choice = self.next() >> 8;
        let centre = centres[(choice % 3) as usize];
        let mut code = match choice / 3 % 6 {
            0 | 1 => Code(std::array::from_fn(|_| (self.next() >> 32) as u8)),
            2 => centre.complement(),
            _ => centre,
        };
        for _ in 0..[0, 1, 8, 40, 90][(choice >> 8) as usize % 5] {
            let bit = (self.next() >> 16) % 256;
            code.0[(bit / 8) as usize] ^= 1 << (bit % 8);
        }
        code
    }
}

/// Codes, each in a picture of its own, in so many segments at most: each is less than a third of the one before, which is
/// not merged then, but for the last ones of a few codes.
fn write(directory: &Path, codes: &[Code], segments: usize, removed: Option<usize>) {
    let rules = Rules { multi_index_from: 1, merge_up_to: 0, ..Rules::default() };
    let mut writer = Writer::open_with(directory, rules).unwrap();
    let mut left = codes;
    let mut parts = Vec::new();
    for rest in (0..segments).rev() {
        let (part, others) = left.split_at(if rest == 0 { left.len() } else { left.len() * 4 / 5 });
        parts.push(part);
        left = others;
    }
    let region = Region { kind: RegionKind::Whole, left: 0, top: 0, right: 10_000, bottom: 10_000 };
    for (number, codes) in parts.into_iter().enumerate() {
        for (place, &code) in codes.iter().enumerate() {
            let views = vec![View { region, turn: Dihedral::Identity, code, quality: 100, plain_rim: 0 }];
            let (width, height, orientation) = (640, 480, Orientation::Upright);
            let image = ImageFingerprint { frame: 0, time_ms: 0, width, height, orientation, views };
            let entry = Entry {
                work: Work::new(WorkId::new(format!("{}", place % 7)).unwrap()),
                source_name: format!("{number}/{place}"),
                source_digest: None,
                fingerprints: vec![Fingerprint::Image(image)],
                thumbnail: None,
            };
            writer.add(entry).unwrap();
        }
        writer.commit().unwrap();
    }
    if let Some(work) = removed {
        writer.remove(&WorkId::new(format!("{work}")).unwrap()).unwrap();
        writer.commit().unwrap();
    }
}

/// The definition.
fn by_hand(groups: &[QueryGroup<'_>], index: &Index, within: Within) -> Vec<Hit> {
    let references: Vec<(u64, Code)> = index.references().map(Result::unwrap).map(|r| (r.row, r.code)).collect();
    let mut hits = Vec::new();
    for (query, code) in (0..).zip(groups.iter().flat_map(|group| group.views)) {
        for (reference, held) in &references {
            let bits = code.0.iter().zip(&held.0).map(|(a, b)| (a ^ b).count_ones()).sum::<u32>();
            for (complement, distance, radius) in
                [(false, bits, Some(within.near)), (true, 256 - bits, within.complement)]
            {
                if radius.is_some_and(|radius| distance <= radius) {
                    hits.push(Hit { query, distance: distance as u16, reference: *reference, complement });
                }
            }
        }
    }
    hits.sort();
    hits
}

#[test]
fn every_way_at_every_level_finds_what_counting_bits_finds() {
    let levels = Level::all_here();
    let hits_compared = std::cell::Cell::new(0);
    let most_segments = std::cell::Cell::new(0);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(60));
    let count = prop_oneof![Just(0_usize), Just(1), Just(15), Just(16), Just(17), 100..700_usize];
    let radius = prop_oneof![0..=84_u32, 0..=256_u32];
    let window = (radius.clone(), proptest::option::of(radius));
    let cases = (
        (any::<u64>(), count, proptest::option::of(0..7_usize)),
        proptest::collection::vec(window, 1..4),
        proptest::collection::vec(1..=32_usize, 0..4),
    );
    runner
        .run(&cases, |((seed, count, removed), windows, group_sizes)| {
            let mut numbers = Numbers(seed | 1);
            let centres: [Code; 3] =
                std::array::from_fn(|_| Code(std::array::from_fn(|_| (numbers.next() >> 32) as u8)));
            let codes: Vec<Code> = (0..count).map(|_| numbers.code(&centres)).collect();
            let directory = tempfile::tempdir().unwrap();
            write(directory.path(), &codes, 3, removed);
            let index = Index::open(directory.path(), Access::Mapped).unwrap();
            most_segments.set(most_segments.get().max(index.info().unwrap().segments));
            let views: Vec<Vec<Code>> =
                group_sizes.iter().map(|&size| (0..size).map(|_| numbers.code(&centres)).collect()).collect();
            let groups: Vec<QueryGroup<'_>> = views.iter().map(|views| QueryGroup { views }).collect();
            for (near, complement) in windows {
                let within = Within { near, complement };
                let expected = by_hand(&groups, &index, within);
                hits_compared.set(hits_compared.get() + expected.len());
                for &level in &levels {
                    for strategy in WAYS {
                        let found = search(&groups, &index, within, &Settings { level, strategy }).unwrap();
                        prop_assert!(found == expected, "{} {strategy:?} {within:?}", level.name());
                    }
                }
            }
            Ok(())
        })
        .unwrap();
    assert!(hits_compared.get() > 10_000, "only {} hits", hits_compared.get());
    assert_eq!(most_segments.get(), 3);
    let names: Vec<&str> = levels.iter().map(|level| level.name()).collect();
    println!("search: {} ways at {} levels ran here: {}", WAYS.len(), levels.len(), names.join(", "));
}

#[test]
fn queries_amid_a_large_cluster_find_it_whole_and_in_order() {
    let mut numbers = Numbers(77);
    let random = |numbers: &mut Numbers| Code(std::array::from_fn(|_| (numbers.next() >> 32) as u8));
    let near = |numbers: &mut Numbers, code: &Code, most: u64| {
        let mut near = *code;
        for _ in 0..(numbers.next() >> 16) % (most + 1) {
            let bit = (numbers.next() >> 16) % 256;
            near.0[(bit / 8) as usize] ^= 1 << (bit % 8);
        }
        near
    };
    let centre = random(&mut numbers);
    let codes: Vec<Code> = (0..16_000)
        .map(|place| if place % 4 == 0 { random(&mut numbers) } else { near(&mut numbers, &centre, 16) })
        .collect();
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), &codes, 1, Some(3));
    let index = Index::open(directory.path(), Access::Mapped).unwrap();
    let mut views: Vec<Code> = (0..8).map(|query| near(&mut numbers, &centre, 4 * query)).collect();
    views.push(codes[8]);
    views.push(centre.complement());
    let groups = [QueryGroup { views: &views }];
    let mut most = 0;
    for within in [(12, None), (31, None), (31, Some(31)), (47, Some(20)), (84, None)] {
        let within = Within { near: within.0, complement: within.1 };
        let expected = by_hand(&groups, &index, within);
        most = most.max(expected.len());
        for level in Level::all_here() {
            for strategy in WAYS {
                let found = search(&groups, &index, within, &Settings { level, strategy }).unwrap();
                assert!(found == expected, "{} {strategy:?} {within:?}", level.name());
                // A query alone may take another way than among others.
                let of_first: Vec<Hit> = expected.iter().filter(|hit| hit.query == 0).copied().collect();
                let alone = [QueryGroup { views: &views[..1] }];
                let found = search(&alone, &index, within, &Settings { level, strategy }).unwrap();
                assert!(found == of_first, "{} {strategy:?} {within:?} alone", level.name());
            }
        }
    }
    assert!(most > 50_000, "only {most} hits");
}
