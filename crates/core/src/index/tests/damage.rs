//! Bytes that are not those that were written, by accident or on purpose.

use std::fs::File;
use std::os::unix::fs::FileExt;

use xxhash_rust::xxh3::xxh3_64;

use super::super::layout::{HEADER_BYTES, Header, KINDS, Kind, VERSION, u64_at};
use super::super::manifest::Manifest;
use super::*;
use crate::search::{QueryGroup, Settings, Within, search};

/// An index with every section that so few codes have, and tombstones.
fn sample(directory: &Path) {
    build(directory, [0, 2, 4, 5, 8]);
    let mut writer = Writer::open(directory).unwrap();
    let index = open(directory);
    let header = index.parts()[0].segment.header();
    let mut kinds = KINDS.iter().filter(|row| row.kind != Kind::MultiIndex);
    let missing = kinds.find(|row| header.section(row.kind).is_none());
    assert!(missing.is_none(), "no section {}", missing.map_or("", |row| row.name));
    writer.remove(&entry(2).work.id).unwrap();
    writer.commit().unwrap();
}

/// Opens, verifies, reads and searches. Whatever the files are, this must come to an end without a panic.
fn examine(directory: &Path) -> Result<(), String> {
    let index = Index::open(directory, Access::InMemory).map_err(|error| error.to_string())?;
    match index.verify().first() {
        Some(damage) => Err(damage.to_string()),
        None => Ok(()),
    }
}

fn use_everything(directory: &Path) -> Option<()> {
    let index = Index::open(directory, Access::InMemory).ok()?;
    let _ = index.verify();
    let _ = index.info();
    let _ = index.works().map(|work| work.map(|work| index.work(&work.id))).collect::<Vec<_>>();
    let _ = index.files().map(|file| file.map(|file| index.thumbnail_of(&file))).collect::<Vec<_>>();
    let _ = index.files_with_digest(&entry(0).source_digest.unwrap_or_default());
    for row in 0..100 {
        let _ = (index.reference(row), index.thumbnail(row));
    }
    let _ = index.references().count();
    let entry = entry(0);
    let image = entry.fingerprints[0].image().unwrap();
    let codes: Vec<Code> = image.views.iter().map(|view| view.code).collect();
    for near in [0, 31, 256] {
        let within = Within { near, complement: Some(near) };
        let _ = search(&[QueryGroup { views: &codes }], &index, within, &Settings::default());
    }
    for track in index.tracks().unwrap_or_default() {
        let _ = track;
    }
    for (_, sound) in index.sounds().unwrap_or_default() {
        let mut anchors = Vec::new();
        for key in 0..300 {
            let _ = sound.postings(Landmarks::Pairs, key * 14_001, &mut anchors);
        }
        for number in (0..sound.peak_count().saturating_add(2)).chain([u32::MAX]).take(1_000) {
            let _ = sound.peak(number);
        }
        for (track, mix) in
            (0..sound.len().saturating_add(2)).flat_map(|track| Mix::ALL.map(|mix| (track, mix))).take(99)
        {
            let _ = (sound.peaks(track, mix).span(5..500).iter().count(), sound.chromaprint(track).len());
        }
    }
    for (segment, films) in index.films().unwrap_or_default() {
        for film in (0..films.len().saturating_add(2)).chain([u32::MAX]).take(99) {
            let _ = (index.film(segment, film), films.frames(film).times.len(), films.is_alive(film));
        }
        for code in (0..300).chain([u32::MAX]) {
            let _ = films.place(code);
        }
    }
    let _ = index.entries().count();
    Some(())
}

/// A manifest and more behind it, so much that the rest would not be looked at, or would not fit into memory.
#[test]
fn files_that_are_longer_than_they_may_be_are_not_read_to_their_end() {
    let directory = tempfile::tempdir().unwrap();
    sample(directory.path());
    for (name, bytes) in files(directory.path()).into_iter().filter(|(name, _)| name != "LOCK") {
        let path = directory.path().join(&name);
        let mut manifest_and_more = bytes.clone();
        if name == "MANIFEST" {
            manifest_and_more.resize(1 << 20, b'\n');
        }
        replace(&path, &manifest_and_more);
        File::options().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
        let found = examine(directory.path());
        assert!(found.is_err(), "{name} of a terabyte was taken");
        replace(&path, &bytes);
    }
    assert_eq!(examine(directory.path()), Ok(()));
}

#[test]
fn every_flipped_bit_is_found() {
    let directory = tempfile::tempdir().unwrap();
    sample(directory.path());
    assert_eq!(examine(directory.path()), Ok(()));
    let mut flipped = 0;
    for (name, bytes) in files(directory.path()) {
        let path = directory.path().join(&name);
        replace(&path, &bytes);
        let file = File::options().write(true).open(&path).unwrap();
        for (place, &byte) in bytes.iter().enumerate() {
            for bit in 0..8 {
                file.write_all_at(&[byte ^ (1 << bit)], place as u64).unwrap();
                assert!(examine(directory.path()).is_err(), "{name}: bit {bit} of byte {place} was not missed");
                flipped += 1;
            }
            file.write_all_at(&[byte], place as u64).unwrap();
        }
    }
    assert!(flipped > 40_000, "only {flipped} bits");
}

#[test]
fn every_shorter_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    sample(directory.path());
    let mut cut = 0;
    for (name, bytes) in files(directory.path()) {
        let path = directory.path().join(&name);
        for length in 0..bytes.len() {
            replace(&path, &bytes[..length]);
            let error = Index::open(directory.path(), Access::InMemory).err();
            assert!(error.is_some(), "{name}: opened at {length} of {} bytes", bytes.len());
            cut += 1;
        }
        replace(&path, &bytes);
    }
    assert!(cut > 5_000, "only {cut} lengths");
}

/// Gives the segment these bytes, with checksums and a manifest that fit them.
fn forge(directory: &Path, name: &str, bytes: &[u8], header: impl FnOnce(&mut Header)) {
    let path = directory.join(name);
    let mut bytes = bytes.to_vec();
    let mut forged = Header::decode(&path, &bytes).unwrap();
    for section in &mut forged.sections {
        section.checksum = xxh3_64(&bytes[section.offset..section.offset + section.length]);
    }
    header(&mut forged);
    bytes[..HEADER_BYTES].copy_from_slice(&forged.encode());
    seal(directory, name, &bytes);
}

/// Puts a segment's bytes in place and lists them in the manifest.
fn seal(directory: &Path, name: &str, bytes: &[u8]) {
    replace(&directory.join(name), bytes);
    let path = directory.join("MANIFEST");
    let mut manifest = Manifest::decode(&path, &fs::read(&path).unwrap()).unwrap();
    manifest.segments[0].checksum = u64_at(bytes, HEADER_BYTES - 8);
    manifest.segments[0].bytes = bytes.len() as u64;
    replace(&path, manifest.encode().as_bytes());
}

#[test]
fn a_forged_segment_never_makes_a_reader_panic() {
    let directory = tempfile::tempdir().unwrap();
    sample(directory.path());
    let name = "segment-0000000000";
    let bytes = files(directory.path())[name].clone();
    let mut numbers = Numbers::new(11);
    let (mut opened, mut tried) = (0, 0);
    for round in 0..3000 {
        let mut forged = bytes.clone();
        for _ in 0..=round % 3 {
            let at = HEADER_BYTES + numbers.below((bytes.len() - HEADER_BYTES) as u64) as usize;
            forged[at] = [0, 1, 0x7f, 0xff, numbers.next() as u8][numbers.below(5) as usize];
        }
        forge(directory.path(), name, &forged, |header| {
            if round % 5 == 0 {
                header.counts.hot_codes = numbers.next();
            }
        });
        opened += usize::from(use_everything(directory.path()).is_some());
        tried += 1;
    }
    assert_eq!(opened, tried, "forged checksums must be believed, or this test tries nothing");
}

#[test]
fn unknown_sections_are_refused_or_skipped_as_they_say() {
    let directory = tempfile::tempdir().unwrap();
    sample(directory.path());
    let name = "segment-0000000000";
    let bytes = files(directory.path())[name].clone();
    let kind = KINDS.iter().map(|row| row.number).max().unwrap() + 1000;
    let mut extended = bytes.clone();
    extended.extend([9; 64]);
    let extend = |required: bool| {
        let mut header = Header::decode(Path::new(name), &bytes).unwrap();
        let (offset, checksum) = (bytes.len(), xxh3_64(&[9; 64]));
        header.sections.push(super::super::layout::Section { kind, required, offset, length: 64, checksum });
        header.file_bytes += 64;
        let mut extended = extended.clone();
        extended[..HEADER_BYTES].copy_from_slice(&header.encode());
        seal(directory.path(), name, &extended);
    };
    extend(false);
    assert_eq!(examine(directory.path()), Ok(()));
    extend(true);
    let error = Index::open(directory.path(), Access::Mapped).unwrap_err();
    assert!(matches!(error, IndexError::UnknownSection { kind: found, .. } if found == kind), "{error}");
}

#[test]
fn a_newer_version_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    sample(directory.path());
    let path = directory.path().join("MANIFEST");
    let text = fs::read_to_string(&path).unwrap();
    replace(&path, text.replace(&format!("index {VERSION}\n"), &format!("index {}\n", VERSION + 7)).as_bytes());
    let error = Index::open(directory.path(), Access::Mapped).unwrap_err();
    assert!(matches!(error, IndexError::Newer { found, known: VERSION, .. } if found == VERSION + 7), "{error}");
    assert!(error.to_string().contains("newer build"), "{error}");
    replace(&path, text.as_bytes());

    let name = "segment-0000000000";
    let mut bytes = files(directory.path())[name].clone();
    bytes[8] = 9;
    seal(directory.path(), name, &bytes);
    let error = Index::open(directory.path(), Access::Mapped).unwrap_err();
    assert!(matches!(error, IndexError::Newer { found: 9, .. }), "{error}");
}
