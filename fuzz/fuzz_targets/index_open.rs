//! A hostile index: whatever the bytes of a segment, its manifest and its tombstones are, opening, verifying, reading and
//! searching come to an end with an answer or an error.
//!
//! The first byte says what the rest is. Where it is a segment, its checksums and the manifest are made to fit it, since
//! what stands behind them is deeper. Start from real ones: the target writes some into an empty corpus folder that
//! MINUTIA_SEEDS names, and ends.
//!
//! `cargo +nightly fuzz run index_open -- -max_total_time=60 -max_len=65536`
#![no_main]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use minutia::fingerprint::{
    AudioFingerprint, Code, Dihedral, FilmFingerprint, FilmFingerprinter, FilmViews, Fingerprint, ImageFingerprint,
    Mix, Peak, Region, RegionKind, View,
};
use minutia::index::{Access, Entry, Index, Landmarks, Rules, Work, WorkId, Writer};
use minutia::media::{Luma, Orientation};
use minutia::search::{FilmSearch, QueryGroup, Settings, SoundSearch, Strategy, Within, search};
use xxhash_rust::xxh3::xxh3_64;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("minutia-fuzz-index-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder");
    if let Ok(seeds) = std::env::var("MINUTIA_SEEDS") {
        seed(&folder.join("seeds"), Path::new(&seeds));
        std::process::exit(0);
    }
    folder
});

fuzz_target!(|data: &[u8]| {
    let Some((&mode, rest)) = data.split_first() else { return };
    let manifest = match mode % 3 {
        0 => segment(rest),
        1 => {
            let text = String::from_utf8_lossy(rest);
            write("segment-0000000000", &[0; 4096]);
            signed(&format!("minutia index 0\n{text}"))
        }
        _ => {
            let mut bytes = b"\x89MNTDEL\n\0\0\0\0\x0d\x0c\x0b\x0a".to_vec();
            bytes.extend_from_slice(rest);
            bytes.extend(xxh3_64(&bytes).to_le_bytes());
            write("tombstones-0000000001", &bytes);
            let (length, sum) = (bytes.len(), xxh3_64(&bytes));
            signed(&format!("minutia index 0\ngeneration 1\nnext 0\ntombstones 1 bytes {length} checksum {sum:016x}\n"))
        }
    };
    write("MANIFEST", manifest.as_bytes());
    if let Ok(index) = Index::open(&FOLDER, Access::InMemory) {
        use_everything(&index);
    }
});

fn use_everything(index: &Index) {
    let sound = index.verify().is_empty();
    let _ = index.info();
    let works = index.works().take(100).map(|work| work.map(|work| index.work(&work.id))).collect::<Vec<_>>();
    let files = index.files().take(100).map(|file| file.map(|file| index.thumbnail_of(&file))).collect::<Vec<_>>();
    let references: Vec<_> = index.references().take(1000).collect();
    if sound {
        assert!(works.iter().all(Result::is_ok) && files.iter().all(Result::is_ok));
        assert!(references.iter().all(Result::is_ok));
    }
    let entries = index.entries().take(100).collect::<Vec<_>>();
    assert!(!sound || entries.iter().all(Result::is_ok));
    use_sound(index, sound);
    search_sound(index, sound);
    use_films(index, sound);
    let mut codes = vec![Code([0; 32]), Code([0x55; 32])];
    codes.extend(references.iter().flatten().take(3).map(|reference| reference.code));
    let groups = [QueryGroup { views: &codes }];
    for within in [Within { near: 20, complement: None }, Within { near: 90, complement: Some(256) }] {
        let ways = [Strategy::Brute, Strategy::Planned, Strategy::Lookup, Strategy::Join];
        let hits = ways.map(|strategy| {
            search(&groups, index, within, &Settings { strategy, ..Settings::default() }).map_err(|error| error.code())
        });
        if sound {
            assert!(hits.iter().all(|found| *found == hits[0]), "ways differ");
        }
    }
}

fn use_sound(index: &Index, sound: bool) {
    let sounds = index.sounds();
    assert!(!sound || (sounds.is_ok() && index.tracks().is_ok()));
    for (segment, of_segment) in sounds.unwrap_or_default() {
        let peaks = of_segment.peak_count();
        let mut anchors = Vec::new();
        for key in (0..1 << 22).step_by(9_973) {
            let found = of_segment.postings(Landmarks::Pairs, key, &mut anchors);
            assert!(!sound || found.is_ok());
        }
        assert!(anchors.iter().take(10_000).all(|&anchor| of_segment.peak(anchor).is_some()));
        assert!((peaks..peaks.saturating_add(3)).all(|number| of_segment.peak(number).is_none()));
        for track in 0..of_segment.len().min(100) {
            assert!(!sound || index.track(segment, track).is_ok());
            for mix in [Mix::Mid, Mix::Side] {
                let _ = of_segment.peaks(track, mix).span(10..1_000).iter().count();
            }
            let _ = of_segment.chromaprint(track).len();
        }
    }
}

/// Whatever the peaks and postings are, a search of them ends.
fn search_sound(index: &Index, sound: bool) {
    let Ok(search) = SoundSearch::new(index) else { return };
    for seed in [0, 2] {
        let found = search.find(&recording(seed), 3.0);
        assert!(!sound || found.is_ok());
    }
}

/// Whatever the frames and codes of films are, they can be read and a search of them ends.
fn use_films(index: &Index, sound: bool) {
    let films = index.films();
    assert!(!sound || films.is_ok());
    for (segment, of_segment) in films.unwrap_or_default() {
        for film in (0..of_segment.len().min(20)).chain([u32::MAX]) {
            let known = index.film(segment, film);
            assert!(!sound || film == u32::MAX || known.is_ok());
            let _ = (of_segment.frames(film).times.len(), of_segment.is_alive(film));
        }
    }
    let Ok(search) = FilmSearch::new(index) else { return };
    let _ = search.find(&film(FilmViews::FirstLook), 1.0);
    let _ = search.find_key_frames(&film(FilmViews::FirstLook), 1.0);
}

/// Three seconds of something that moves.
fn film(views: FilmViews) -> FilmFingerprint {
    let mut fingerprinter = FilmFingerprinter::new(0, views);
    for frame in 0..24_u64 {
        let scene = (0..32 * 24_u64).map(|n| (n % 32 * (n / 32 + frame / 3 * 7) * 3 % 251) as u8).collect();
        fingerprinter.push(frame * 125_000, Luma::new(32, 24, scene).expect("as many values as pixels"));
    }
    fingerprinter.finish()
}

fn recording(seed: u32) -> AudioFingerprint {
    let peak = |place: u32| Peak { time: 90 * place, pitch: ((place + seed) * 119 % 1_600) as u16, rank: 0 };
    let mid: Vec<Peak> = (0..20).map(peak).collect();
    let (side, chromaprint) = (mid[..3].to_vec(), vec![seed; 6]);
    AudioFingerprint { stream: 1, duration_ms: 3_000, content_ms: 2_000, mid, side, chromaprint }
}

/// Puts a segment in place whose header fits its length, and gives the manifest that lists it.
fn segment(bytes: &[u8]) -> String {
    let mut bytes = bytes.to_vec();
    bytes.resize(bytes.len().max(4096), 0);
    bytes[..16].copy_from_slice(b"\x89MNTSEG\n\0\0\0\0\x0d\x0c\x0b\x0a");
    let length = bytes.len() as u64;
    bytes[16..24].copy_from_slice(&length.to_le_bytes());
    for entry in 0..123 {
        let at = 128 + 32 * entry;
        let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes")) as usize;
        let (offset, length) = (number(at + 8), number(at + 16));
        let section =
            offset.checked_add(length).and_then(|end| bytes.get(offset..end)).filter(|bytes| !bytes.is_empty());
        if let Some(sum) = section.map(xxh3_64) {
            bytes[at + 24..at + 32].copy_from_slice(&sum.to_le_bytes());
        }
    }
    let sum = xxh3_64(&bytes[..4088]);
    bytes[4088..4096].copy_from_slice(&sum.to_le_bytes());
    write("segment-0000000000", &bytes);
    signed(&format!("minutia index 0\ngeneration 1\nnext 1\nsegment 0 bytes {length} checksum {sum:016x}\n"))
}

fn signed(text: &str) -> String {
    format!("{text}end {:016x}\n", xxh3_64(text.as_bytes()))
}

fn write(name: &str, bytes: &[u8]) {
    fs::write(FOLDER.join(name), bytes).expect("room for a small file");
}

/// Segments with and without a multi-index, and of a film.
fn seed(folder: &Path, corpus: &Path) {
    for (count, from) in [(3_u32, u64::MAX), (200, u64::MAX), (200, 1)] {
        let _ = fs::remove_dir_all(folder);
        let mut writer =
            Writer::open_with(folder, Rules { multi_index_from: from, ..Rules::default() }).expect("an index");
        for place in 0..count {
            let mix = |at: usize| (place.wrapping_mul(2_654_435_761).rotate_left(at as u32 * 5) >> 9) as u8;
            let code = Code(std::array::from_fn(mix));
            let region = Region { kind: RegionKind::Crop, left: 1, top: 2, right: 3, bottom: 4 };
            let views = vec![View { region, turn: Dihedral::Identity, code, quality: 90, plain_rim: 0 }];
            // One in five is a hash of a list, of which no file is known.
            let bare = place % 5 == 1;
            let image = ImageFingerprint {
                frame: 0,
                time_ms: 0,
                width: if bare { 0 } else { 4 },
                height: if bare { 0 } else { 3 },
                orientation: Orientation::Upright,
                views,
            };
            let mut fingerprints = vec![Fingerprint::Image(image)];
            if !bare {
                fingerprints.push(Fingerprint::Audio(recording(place as u32)));
            }
            if place == 2 {
                fingerprints.push(Fingerprint::Film(film(FilmViews::Reference)));
            }
            let entry = Entry {
                work: Work::new(WorkId::new(format!("w{}", place % 9)).expect("an id")),
                source_name: if bare { code.to_string() } else { format!("{place}.jpg") },
                source_digest: (place % 2 == 0 && !bare).then_some([place as u8; 32]),
                fingerprints,
                thumbnail: None,
            };
            writer.add(entry).expect("an entry");
        }
        writer.commit().expect("a commit");
        let bytes = fs::read(folder.join("segment-0000000000")).expect("a segment");
        fs::write(corpus.join(format!("segment-{count}-{}", from == 1)), [&[0], &bytes[..]].concat()).expect("a seed");
    }
}
