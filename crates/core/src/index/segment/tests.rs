//! Segments in memory, without files: what is damaged is refused, and nothing panics.

use super::super::draft::Draft;
use super::super::finished::write_segment;
use super::super::verify;
use super::*;
use crate::fingerprint::{AudioFingerprint, Dihedral, Fingerprint, ImageFingerprint, Peak, View};
use crate::index::Entry;

/// Bytes at a multiple of 8.
struct Aligned(Vec<u64>);

impl AsRef<[u8]> for Aligned {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.0)
    }
}

fn recording(seed: u32) -> AudioFingerprint {
    let peak = |place: u32| Peak { time: 90 * place, pitch: ((place + seed) * 119 % 1_600) as u16, rank: 0 };
    let mid: Vec<Peak> = (0..20).map(peak).collect();
    let (side, chromaprint) = (mid[..3].to_vec(), vec![seed; 6]);
    AudioFingerprint { stream: 1, duration_ms: 3_000, content_ms: 2_000, mid, side, chromaprint }
}

fn segment() -> Vec<u8> {
    let mut draft = Draft::default();
    // Enough for a multi-index, or few enough for Miri.
    for place in 0..if cfg!(miri) { 12 } else { 150_u32 } {
        let code = Code(std::array::from_fn(|at| (place.wrapping_mul(2_654_435_761) >> (at % 24)) as u8));
        let region = Region { kind: RegionKind::Framed, left: 1, top: 2, right: 3, bottom: 4 };
        let views = vec![View { region, turn: Dihedral::Identity, code, quality: 90, plain_rim: 0 }];
        let (width, height, orientation) = (64, 48, Orientation::Upright);
        let image = ImageFingerprint { frame: 0, time_ms: 0, width, height, orientation, views };
        let entry = Entry {
            work: Work::new(WorkId::new((place % 7).to_string()).unwrap()),
            source_name: place.to_string(),
            source_digest: (place % 2 == 0).then_some([place as u8; 32]),
            fingerprints: match place % 50 {
                7 => vec![Fingerprint::Image(image), Fingerprint::Audio(recording(place))],
                _ => vec![Fingerprint::Image(image)],
            },
            thumbnail: (place == 3).then(|| Preview { width: 1, height: 1, jpeg: vec![0xff, 0xd8] }),
        };
        draft.add(entry, AlgorithmId::PDQ_AREA, 0).unwrap();
    }
    // Hashes of no known file, which share a code.
    for (work, code) in [("6", Code([9; 32])), ("7", Code([9; 32])), ("7", Code([10; 32]))] {
        let region = Region { kind: RegionKind::Whole, left: 0, top: 0, right: 1, bottom: 1 };
        let views = vec![View { region, turn: Dihedral::Identity, code, quality: 1, plain_rim: 0 }];
        let (width, height, orientation) = (0, 0, Orientation::Upright);
        let image = ImageFingerprint { frame: 0, time_ms: 0, width, height, orientation, views };
        let entry = Entry {
            work: Work::new(WorkId::new(work).unwrap()),
            source_name: code.to_string(),
            source_digest: None,
            fingerprints: vec![Fingerprint::Image(image)],
            thumbnail: None,
        };
        draft.add(entry, AlgorithmId::PDQ, 0).unwrap();
    }
    let (counts, sections) = draft.finish().sections(AlgorithmId::PDQ_AREA, 1).unwrap();
    let mut bytes = Vec::new();
    write_segment(AlgorithmId::PDQ_AREA, counts, &sections, &mut bytes).unwrap();
    bytes
}

/// Opens these bytes and reads all that can be read of them; true where nothing was wrong.
fn read(bytes: &[u8]) -> bool {
    let Ok(segment) = Segment::open(Aligned(bytemuck::pod_collect_to_vec(bytes)), Path::new("segment")) else {
        return false;
    };
    let counts = segment.header().counts;
    let mut sound = verify::check(&segment).is_empty();
    for number in 0..counts.references as u32 {
        sound &= segment.reference(number).is_ok() && segment.code_of(number).is_ok();
    }
    for number in segment.items() {
        sound &= segment.item(number).is_ok() && segment.thumbnail(number).is_ok();
    }
    for number in 0..counts.works as u32 {
        sound &= segment.work(number).is_ok();
    }
    sound
}

/// Of a segment with a multi-index; those of the other files of an index are in `tests/damage.rs`.
#[test]
#[cfg_attr(miri, ignore = "a million segments")]
fn every_flipped_bit_and_every_cut_is_found() {
    struct Cut<'a>(&'a [u64], usize);

    impl AsRef<[u8]> for Cut<'_> {
        fn as_ref(&self) -> &[u8] {
            &bytemuck::cast_slice(self.0)[..self.1]
        }
    }

    fn is_sound(words: &[u64], bytes: usize) -> bool {
        let segment = Segment::open(Cut(words, bytes), Path::new("segment"));
        segment.is_ok_and(|segment| verify::check(&segment).is_empty())
    }

    let bytes = segment();
    let mut words: Vec<u64> = bytemuck::pod_collect_to_vec(&bytes);
    let whole = Segment::open(Cut(&words, bytes.len()), Path::new("segment")).unwrap();
    assert!(whole.multi_index().unwrap().is_some() && !whole.bare().is_empty());
    assert!(is_sound(&words, bytes.len()));
    for at in 0..bytes.len() {
        assert!(!is_sound(&words, at), "cut at {at}");
    }
    for at in 0..words.len() {
        for bit in 0..64 {
            words[at] ^= 1 << bit;
            assert!(!is_sound(&words, bytes.len()), "bit {bit} of word {at} was not missed");
            words[at] ^= 1 << bit;
        }
    }
}

/// Without files, so that Miri can watch it.
#[test]
fn any_bytes_are_read_or_refused() {
    let bytes = segment();
    assert!(read(&bytes));
    let step = if cfg!(miri) { bytes.len() / 6 } else { 61 };
    for at in (0..bytes.len()).step_by(step) {
        assert!(!read(&bytes[..at / 8 * 8]), "cut at {at}");
        let mut bytes = bytes.clone();
        bytes[at] ^= 0x81;
        assert!(!read(&bytes), "byte {at} was changed");
    }
}
