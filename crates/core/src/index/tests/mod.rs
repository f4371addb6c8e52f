//! Tests of the index through its files: what goes in comes out, nothing is lost, nothing damaged is believed.

mod bare;
mod damage;
mod durability;
mod round_trip;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use minutia_media::{Orientation, Preview};

use super::*;
use crate::fingerprint::{
    AlgorithmId, AudioFingerprint, Code, Dihedral, FILM_VIEW_SET, FilmFingerprint, FilmFrame, Fingerprint,
    ImageFingerprint, Mix, Peak, Region, RegionKind, View, film_views, narrow_views,
};

/// Numbers that only look random.
pub(super) struct Numbers(u64);

impl Numbers {
    pub(super) fn new(seed: u64) -> Numbers {
        Numbers(seed | 1)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(super) fn below(&mut self, most: u64) -> u64 {
        (self.next() >> 16) % most
    }

    /// A code; one in four is one of three that come again and again.
    fn code(&mut self) -> Code {
        let mut source = match self.below(12) {
            repeated @ 0..3 => Numbers::new(repeated + 77),
            _ => Numbers::new(self.next()),
        };
        let mut bytes = [0; 32];
        bytes.fill_with(|| source.next() as u8);
        Code(bytes)
    }
}

fn work(id: &str) -> Work {
    Work::new(WorkId::new(id).unwrap())
}

fn view(code: Code, quality: u8) -> View {
    let region = Region { kind: RegionKind::Whole, left: 0, top: 0, right: 10_000, bottom: 10_000 };
    View { region, turn: Dihedral::Identity, code, quality, plain_rim: 0 }
}

fn picture(frame: u32, views: Vec<View>) -> Fingerprint {
    let (width, height, orientation) = (640, 480 + frame, Orientation::Rotate90);
    let time_ms = u64::from(frame) << 30;
    Fingerprint::Image(ImageFingerprint { frame, time_ms, width, height, orientation, views })
}

/// A recording of a few peaks; an index keeps some of them.
fn recording(numbers: &mut Numbers, stream: u32) -> AudioFingerprint {
    let mut peaks = |count: u64| {
        let mut peaks: Vec<Peak> = (0..count)
            .map(|_| {
                let rank = (numbers.below(50) + numbers.below(2) * 200) as u8;
                Peak { time: numbers.below(4_000) as u32, pitch: numbers.below(1_600) as u16, rank }
            })
            .collect();
        peaks.sort();
        peaks
    };
    let (mid, side) = (peaks(30), peaks(u64::from(stream) * 9));
    let chromaprint = (0..5).map(|_| numbers.next() as u32).collect();
    AudioFingerprint { stream, duration_ms: 5_900 + numbers.below(9), content_ms: 5_000, mid, side, chromaprint }
}

/// An entry with everything that an entry can have, a function of `seed`.
fn entry(seed: u64) -> Entry {
    let mut numbers = Numbers::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut work = work(&format!("work-{}", seed % 5));
    // Later entries of a work know another title.
    work.title = (seed % 5 < 3).then(|| format!("Title {} ünïcode", seed / 30));
    work.holder = Some("Holder".to_owned());
    work.identifiers = vec![Identifier::parse("ISBN:978-0-306-40615-7").unwrap()];
    work.territory = Some("US;DE".to_owned());
    work.window = Some("2020-01-01/..".to_owned());
    work.policy = Policy::ALL[seed as usize % 5 % 3];
    let mut fingerprints: Vec<Fingerprint> = (0..1 + seed as u32 % 3)
        .map(|frame| {
            let views = (0..1 + numbers.below(3)).map(|place| {
                let mut view = view(numbers.code(), 50 + numbers.below(51) as u8);
                view.region.kind = [RegionKind::Whole, RegionKind::Trimmed, RegionKind::Crop][place as usize];
                view.region.left = numbers.below(4) as u16;
                view
            });
            picture(frame, views.collect())
        })
        .collect();
    fingerprints.extend((0..seed as u32 % 4 % 3).map(|stream| Fingerprint::Audio(recording(&mut numbers, stream))));
    if seed.is_multiple_of(4) {
        fingerprints.push(Fingerprint::Film(film(&mut numbers, 3)));
    }
    if seed % 7 == 5 {
        return hash(work, numbers.code(), AlgorithmId::PDQ_AREA);
    }
    let mut digest = [0; 32];
    digest.fill_with(|| numbers.next() as u8);
    let thumbnail =
        seed.is_multiple_of(4).then(|| Preview { width: 64, height: 48, jpeg: vec![0xff, 0xd8, seed as u8] });
    Entry {
        work,
        source_name: format!("folder/file-{seed}.jpg"),
        source_digest: (seed % 3 != 2).then_some(digest),
        fingerprints,
        thumbnail,
    }
}

/// A hash as lists have it: of no known file.
fn hash(work: Work, code: Code, algorithm: AlgorithmId) -> Entry {
    let (width, height, orientation) = (0, 0, Orientation::Upright);
    let image = ImageFingerprint { frame: 0, time_ms: 0, width, height, orientation, views: vec![view(code, 77)] };
    Entry {
        work,
        source_name: algorithm.digits(&code),
        source_digest: None,
        fingerprints: vec![Fingerprint::Image(image)],
        thumbnail: None,
    }
}

/// A film of so many frames, every second of them wide, and with nothing to see in every fifth view.
fn film(numbers: &mut Numbers, frames: u32) -> FilmFingerprint {
    let views = film_views(FILM_VIEW_SET).unwrap();
    let nothing = |code: usize| {
        let (frame, view) = (code / views.len(), code % views.len());
        view >= narrow_views(&views) && frame % 2 == 1 || code % 5 == 1
    };
    let code = |place: usize| if nothing(place) { Code([0; 32]) } else { numbers.code() };
    let codes = (0..frames as usize * views.len()).map(code).collect();
    let frame = |number: u32| FilmFrame {
        time_ms: number * 500 + number / 2 * 1_000,
        quality: 60 + number as u8 % 40,
        wide: number.is_multiple_of(2),
    };
    let frames = (0..frames).map(frame).collect();
    FilmFingerprint {
        stream: 0,
        duration_ms: 90_000,
        width: 320,
        height: 240,
        views,
        frames,
        codes,
        thumbnails: Vec::new(),
    }
}

fn build(directory: &Path, seeds: impl IntoIterator<Item = u64>) -> Commit {
    let mut writer = Writer::open(directory).unwrap();
    seeds.into_iter().for_each(|seed| writer.add(entry(seed)).unwrap());
    writer.commit().unwrap()
}

fn open(directory: &Path) -> Index {
    Index::open(directory, Access::Mapped).unwrap()
}

/// Everything that can be read of an index, without the numbers that depend on its segments.
fn contents(index: &Index) -> Vec<String> {
    let references = index.references().map(|reference| {
        let reference = reference.unwrap();
        let thumbnail = index.thumbnail(reference.row).unwrap();
        format!("{:?} {thumbnail:?}", Reference { row: 0, ..reference })
    });
    let files = index.files().map(|file| {
        let SourceFile { work, source_name, source_digest, references, .. } = file.unwrap();
        format!("{work} {source_name} {source_digest:?} {references}")
    });
    let mut all: Vec<String> = references.chain(files).collect();
    for (entry, _) in index.entries().map(Result::unwrap) {
        let audio = entry.fingerprints.iter().filter_map(Fingerprint::audio);
        all.extend(audio.map(|audio| format!("{} {} {audio:?}", entry.work.id, entry.source_name)));
        let films = entry.fingerprints.iter().filter_map(Fingerprint::film);
        all.extend(films.map(|film| format!("{} {} {film:?}", entry.work.id, entry.source_name)));
    }
    all.extend(index.works().map(|work| format!("{:?}", work.unwrap())));
    assert_eq!(index.info().unwrap().works as usize, index.works().count());
    all.sort();
    all
}

/// The files of an index by name.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

/// Puts other bytes into the place of a file, which is read-only.
fn replace(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}
