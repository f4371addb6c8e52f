//! What goes in comes out; adding, removing and compacting in any order come to the same.

use proptest::prelude::*;

use super::*;

#[test]
fn everything_of_an_entry_comes_back() {
    let directory = tempfile::tempdir().unwrap();
    build(directory.path(), [24]);
    let (index, entry) = (open(directory.path()), entry(24));
    assert_eq!(index.works().collect::<Result<Vec<_>, _>>().unwrap(), std::slice::from_ref(&entry.work));
    assert_eq!(index.work(&entry.work.id).unwrap(), Some(entry.work.clone()));
    assert_eq!(index.work(&WorkId::new("unknown").unwrap()).unwrap(), None);
    let mut expected = Vec::new();
    for image in entry.fingerprints.iter().filter_map(Fingerprint::image) {
        for view in &image.views {
            expected.push((
                image.frame,
                image.time_ms,
                (image.width, image.height),
                view.region,
                view.code,
                view.quality,
            ));
        }
    }
    let mut found = Vec::new();
    for reference in index.references() {
        let reference = reference.unwrap();
        assert_eq!((&reference.work, &reference.source_name), (&entry.work.id, &entry.source_name));
        assert_eq!(reference.source_digest, entry.source_digest);
        assert_eq!(index.thumbnail(reference.row).unwrap(), entry.thumbnail);
        let Reference { frame, time_ms, size, region, code, quality, .. } = reference;
        found.push((frame, time_ms, size, region, code, quality));
    }
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    let files = index.files_with_digest(&entry.source_digest.unwrap()).unwrap();
    assert_eq!((files.len(), &files[0].source_name), (1, &entry.source_name));
    assert_eq!(index.thumbnail_of(&files[0]).unwrap(), entry.thumbnail);
    assert_eq!(index.files_with_digest(&[7; 32]).unwrap(), []);
    assert!(index.reference(index.references().count() as u64).is_err(), "a reference past the last");
}

#[test]
fn sound_comes_back_as_it_is_kept_and_is_found_by_its_landmarks() {
    let directory = tempfile::tempdir().unwrap();
    build(directory.path(), 0..10);
    build(directory.path(), 10..20);
    let check = |without: Option<&WorkId>| {
        let index = open(directory.path());
        assert_eq!(index.verify(), []);
        let mut expected = Vec::new();
        for entry in (0..20).map(entry).filter(|entry| Some(&entry.work.id) != without) {
            let audio = entry.fingerprints.iter().filter_map(Fingerprint::audio);
            expected.extend(audio.map(|audio| (entry.work.id.clone(), entry.source_name.clone(), audio.thinned())));
        }
        assert!(expected.len() > 10);
        let mut found = 0;
        for (segment, sound) in index.sounds().unwrap() {
            for number in (0..sound.len()).filter(|&number| sound.is_alive(number)) {
                let track = index.track(segment, number).unwrap();
                let (_, _, audio) = expected
                    .iter()
                    .find(|(work, name, audio)| {
                        (work, name, audio.stream) == (&track.work, &track.source_name, track.stream)
                    })
                    .unwrap();
                assert_eq!(&sound.fingerprint(number), audio);
                assert_eq!((track.duration_ms, track.content_ms), (audio.duration_ms, audio.content_ms));
                assert_eq!(sound.chromaprint(number), audio.chromaprint);
                for mix in Mix::ALL {
                    let (slice, peaks) = (sound.peaks(number, mix), audio.peaks(mix));
                    assert!(slice.iter().eq(peaks.iter().copied()));
                    let span = peaks.iter().copied().filter(|peak| (700..2_000).contains(&peak.time));
                    assert!(slice.span(700..2_000).iter().eq(span));
                    for (place, peak) in (slice.first..).zip(peaks) {
                        assert_eq!(sound.peak(place), Some((number, mix, *peak)));
                    }
                    crate::fingerprint::pairs(peaks, &mut |key, anchor| {
                        let mut anchors = Vec::new();
                        sound.postings(Landmarks::Pairs, key, &mut anchors).unwrap();
                        assert!(anchors.contains(&(slice.first + anchor)));
                    });
                    crate::fingerprint::constellations(peaks, &mut |key, posting| {
                        let mut postings = Vec::new();
                        sound.postings(Landmarks::Constellations, key, &mut postings).unwrap();
                        let (anchor, behind) = (anchor_of(posting), posting as usize % 16);
                        let mut few = (0_u32..).zip(peaks).skip(anchor as usize).filter(|(_, peak)| peak.rank < 16);
                        let last = few.nth(behind).map(|(last, _)| slice.first + last);
                        let posting = posting + (slice.first << 4);
                        assert!(postings.contains(&posting));
                        assert_eq!((anchor_of(posting), sound.last_of(posting)), (slice.first + anchor, last));
                    });
                }
                found += 1;
            }
        }
        assert_eq!((found, index.tracks().unwrap().len()), (expected.len(), expected.len()));
        let info = index.info().unwrap();
        assert_eq!(info.tracks as usize, expected.len());
        assert_eq!(info.sound_ms, expected.iter().map(|(_, _, audio)| audio.duration_ms).sum::<u64>());
        assert!(info.landmarks > 0 && info.stop_keys == 0);
    };
    check(None);
    let id = entry(2).work.id;
    let mut writer = Writer::open(directory.path()).unwrap();
    writer.remove(&id).unwrap();
    writer.commit().unwrap();
    check(Some(&id));
    writer.compact().unwrap();
    check(Some(&id));
}

#[test]
fn only_a_segment_with_sound_has_its_sections_and_builds_that_lack_them_must_refuse_it() {
    use super::super::layout::{Header, Kind};

    let check = |seed: u64, expected: bool| {
        let directory = tempfile::tempdir().unwrap();
        build(directory.path(), [seed]);
        let name = "segment-0000000000";
        let header = Header::decode(Path::new(name), &files(directory.path())[name]).unwrap();
        let kinds = [Kind::Tracks, Kind::PeakTimes, Kind::PeakPitches, Kind::ChromaprintItems, Kind::PairEnds];
        for kind in kinds.into_iter().chain([Kind::Pairs, Kind::ConstellationEnds, Kind::Constellations]) {
            assert_eq!(header.section(kind).map(|section| section.required), expected.then_some(true), "{kind:?}");
        }
        assert_eq!(open(directory.path()).sounds().unwrap().len(), usize::from(expected));
    };
    assert_eq!(entry(4).fingerprints.iter().filter_map(Fingerprint::audio).count(), 0);
    check(4, false);
    check(2, true);
}

#[test]
fn other_sound_of_the_same_file_replaces_it() {
    let directory = tempfile::tempdir().unwrap();
    let with = |pitch| {
        let peak = |time| Peak { time, pitch, rank: 0 };
        let audio =
            AudioFingerprint { mid: (0..9).map(peak).collect(), duration_ms: 99, ..AudioFingerprint::default() };
        Entry { fingerprints: vec![Fingerprint::Audio(audio)], ..entry(1) }
    };
    let add = |entry: Entry| {
        let mut writer = Writer::open(directory.path()).unwrap();
        writer.add(entry).unwrap();
        writer.commit().unwrap()
    };
    let counts = |commit: Commit| (commit.tracks, commit.unchanged);
    assert_eq!(counts(add(with(5))), (1, 0));
    assert_eq!(counts(add(with(5))), (0, 1));
    assert_eq!(counts(add(with(6))), (1, 0));
    let first_pitch = |index: &Index| -> Vec<u16> {
        let sounds = index.sounds().unwrap();
        sounds.iter().map(|(_, sound)| sound.peaks(0, Mix::Mid).iter().next().unwrap().pitch).collect()
    };
    let pitches = first_pitch(&open(directory.path()));
    assert_eq!((pitches, open(directory.path()).tracks().unwrap().len()), (vec![6], 1));
}

#[test]
fn only_a_segment_with_films_has_their_sections() {
    use super::super::layout::{Header, Kind};

    let check = |seed: u64, expected: bool| {
        let directory = tempfile::tempdir().unwrap();
        build(directory.path(), [seed]);
        let name = "segment-0000000000";
        let header = Header::decode(Path::new(name), &files(directory.path())[name]).unwrap();
        let kinds = [Kind::FilmTimes, Kind::FilmQualities, Kind::FilmCodes, Kind::FilmCodeEnds, Kind::FilmViewsSeen];
        for kind in kinds.into_iter().chain([Kind::Films]) {
            assert_eq!(header.section(kind).map(|section| section.required), expected.then_some(true), "{kind:?}");
        }
        assert_eq!(open(directory.path()).films().unwrap().len(), usize::from(expected));
    };
    check(4, true);
    check(2, false);
}

#[test]
fn another_film_of_the_same_file_replaces_it_and_a_removed_one_is_dead_until_it_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let with = |frames: u32| {
        let film = film(&mut Numbers::new(9), frames);
        Entry { fingerprints: vec![Fingerprint::Film(film)], ..entry(1) }
    };
    let add = |entry: Entry| {
        let mut writer = Writer::open(directory.path()).unwrap();
        writer.add(entry).unwrap();
        let commit = writer.commit().unwrap();
        (commit.films, commit.unchanged, commit.refused_low_information)
    };
    assert_eq!(add(with(5)), (1, 0, 0));
    assert_eq!(add(with(5)), (0, 1, 0));
    assert_eq!(add(with(6)), (1, 0, 0));
    build(directory.path(), [4]);
    let index = open(directory.path());
    assert_eq!((index.info().unwrap().films, index.verify()), (2, vec![]));

    let mut writer = Writer::open(directory.path()).unwrap();
    writer.remove(&entry(1).work.id).unwrap();
    writer.commit().unwrap();
    let living = |index: &Index| -> Vec<String> {
        let films = index.films().unwrap();
        let of_segment = |(segment, films): &(usize, Films<'_>)| {
            let living = (0..films.len()).filter(|&film| films.is_alive(film));
            living.map(|film| index.film(*segment, film).unwrap().source_name).collect::<Vec<_>>()
        };
        films.iter().flat_map(of_segment).collect()
    };
    assert_eq!(living(&open(directory.path())), ["folder/file-4.jpg"]);
    writer.compact().unwrap();
    drop(writer);
    let index = open(directory.path());
    let seen = film(&mut Numbers::new(9), 3).codes.iter().filter(|code| code.0 != [0; 32]).count() as u64;
    assert_eq!((living(&index).len(), index.info().unwrap().film_codes), (1, seen));

    // What is not made for an index is refused, and counted.
    let mut other = film(&mut Numbers::new(9), 4);
    other.codes.pop();
    assert_eq!(add(Entry { fingerprints: vec![Fingerprint::Film(other)], ..entry(7) }), (0, 0, 1));
}

#[test]
fn a_codes_number_says_its_film_frame_and_view() {
    let directory = tempfile::tempdir().unwrap();
    build(directory.path(), [0, 4, 8]);
    let index = open(directory.path());
    let films = index.films().unwrap();
    let (segment, films) = &films[0];
    let views = film_views(FILM_VIEW_SET).unwrap();
    let (narrow, all) = (narrow_views(&views) as u32, views.len() as u32);
    let mut number = 0;
    for film in 0..films.len() {
        let frames = index.film(*segment, film).unwrap().frames;
        for (frame, view) in (0..frames).flat_map(|frame| (0..all).map(move |view| (frame, view))) {
            let code = films.frames(film).code(frame as usize, view as usize);
            assert_eq!(code.is_some(), view < narrow || frame % 2 == 0, "{film} {frame} {view}");
            if code.is_some_and(|code| *code != [0; 4]) {
                assert_eq!(films.place(number), Some((film, frame, view)));
                assert_eq!(code, films.codes().get(number as usize), "{film} {frame} {view}");
                number += 1;
            }
        }
    }
    assert_eq!((films.place(number), films.codes().len()), (None, number as usize));
    assert_eq!(films.place(u32::MAX), None);
}

#[test]
fn adding_again_adds_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let first = build(directory.path(), 0..20);
    let before = (contents(&open(directory.path())), files(directory.path()));
    let again = build(directory.path(), 0..20);
    assert_eq!((again.generation, again.entries, again.unchanged), (first.generation, 20, 20));
    assert_eq!((again.references, again.removed), (0, 0));
    assert_eq!((contents(&open(directory.path())), files(directory.path())), before);
}

#[test]
fn a_file_that_changed_is_replaced_and_the_newest_catalogue_data_win() {
    let directory = tempfile::tempdir().unwrap();
    build(directory.path(), 0..20);
    let mut changed = entry(3);
    changed.work.title = Some("Renamed".to_owned());
    changed.fingerprints = vec![picture(9, vec![view(Code([5; 32]), 77)])];
    let mut writer = Writer::open(directory.path()).unwrap();
    writer.add(changed.clone()).unwrap();
    let commit = writer.commit().unwrap();
    assert_eq!(commit.references, 1);
    assert!(commit.removed > 0);
    let index = open(directory.path());
    assert_eq!(index.work(&changed.work.id).unwrap(), Some(changed.work.clone()));
    let digest = changed.source_digest.unwrap();
    let of_file: Vec<_> =
        index.references().map(Result::unwrap).filter(|reference| reference.source_digest == Some(digest)).collect();
    assert_eq!(of_file.len(), 1);
    assert_eq!(of_file[0].code, Code([5; 32]));
    assert_eq!(index.info().unwrap().items, 20);
}

#[test]
fn a_removed_work_is_gone_and_may_come_back() {
    let directory = tempfile::tempdir().unwrap();
    build(directory.path(), 0..20);
    let full = contents(&open(directory.path()));
    let id = entry(2).work.id;
    let mut writer = Writer::open(directory.path()).unwrap();
    let index = open(directory.path());
    let references = index.references().filter(|r| r.as_ref().unwrap().work == id).count() as u64;
    let files = index.files().filter(|file| file.as_ref().unwrap().work == id).count() as u64;
    assert_eq!(writer.remove(&id).unwrap(), Removed { files, references });
    assert_eq!(writer.remove(&id).unwrap(), Removed::default(), "removed twice");
    assert_eq!(writer.remove(&WorkId::new("unknown").unwrap()).unwrap(), Removed::default());
    writer.commit().unwrap();
    let index = open(directory.path());
    assert!(contents(&index).iter().all(|line| !line.contains(id.as_str())));
    assert_eq!(index.info().unwrap().tombstones, references);
    assert_eq!(index.info().unwrap().works, 4);
    assert_eq!(index.verify(), []);
    drop(writer);
    build(directory.path(), 0..20);
    assert_eq!(contents(&open(directory.path())), full);
}

#[test]
fn codes_that_say_too_little_are_refused_and_counted() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = Writer::open_with(directory.path(), Rules { min_quality: 50, ..Rules::default() }).unwrap();
    let views = [(Code([0; 32]), 100), (Code([0xff; 32]), 100), (Code([1; 32]), 49), (Code([2; 32]), 50)];
    let fingerprints = vec![picture(0, views.map(|(code, quality)| view(code, quality)).to_vec())];
    writer.add(Entry { fingerprints, ..entry(1) }).unwrap();
    let commit = writer.commit().unwrap();
    assert_eq!((commit.references, commit.refused_low_information), (1, 3));
    assert_eq!(open(directory.path()).references().count(), 1);
    assert_eq!(open(directory.path()).files().count(), 1, "the file itself is registered");
}

#[test]
fn many_works_may_share_a_code() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(directory.path()).unwrap();
    let count = 65_536;
    let all = |writer: &mut Writer| {
        for place in 0..count {
            let fingerprints = vec![picture(0, vec![view(Code([3; 32]), 90)])];
            let (work, source_name) = (work(&format!("w{place:05}")), place.to_string());
            writer.add(Entry { work, source_name, source_digest: None, fingerprints, thumbnail: None }).unwrap();
        }
    };
    all(&mut writer);
    writer.commit().unwrap();
    let info = open(directory.path()).info().unwrap();
    assert_eq!((info.codes, info.references, info.works), (1, count, count));
    assert_eq!((info.largest_cluster, info.hot_codes), (count, 1));

    // Added again, each is found among all, which takes no longer for being so many.
    all(&mut writer);
    let commit = writer.commit().unwrap();
    assert_eq!((commit.entries, commit.unchanged, commit.removed), (count, count, 0));
}

/// Files of a hash list have no digest, and one work may have all of them.
#[test]
fn a_work_may_have_many_files() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(directory.path()).unwrap();
    let count = 30_000;
    let all = |writer: &mut Writer, quality: u8| {
        let mut numbers = Numbers::new(7);
        for place in 0..count {
            let fingerprints = vec![picture(0, vec![view(numbers.code(), quality)])];
            let (work, source_name) = (work("one"), place.to_string());
            writer.add(Entry { work, source_name, source_digest: None, fingerprints, thumbnail: None }).unwrap();
        }
        writer.commit().unwrap()
    };
    assert_eq!(all(&mut writer, 90).entries, count);
    assert_eq!(all(&mut writer, 90).unchanged, count);
    assert_eq!(all(&mut writer, 80).removed, count);
    assert_eq!(open(directory.path()).info().unwrap().references, count);
    assert_eq!(writer.remove(&WorkId::new("one").unwrap()).unwrap(), Removed { files: count, references: count });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// However entries arrive, in one commit or in many, with removals between, the compacted index has the bytes of an
    /// index that was built at once of what is left.
    #[test]
    fn a_compacted_index_is_the_index_of_a_fresh_build(
        seeds in prop::collection::vec(0..60_u64, 0..40),
        cuts in prop::collection::vec(0..40_usize, 0..4),
        removed in prop::option::of(0..5_u64),
    ) {
        let (grown, fresh) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut writer = Writer::open(grown.path()).unwrap();
        for (place, seed) in seeds.iter().enumerate() {
            writer.add(entry(*seed)).unwrap();
            if cuts.contains(&place) {
                writer.commit().unwrap();
            }
        }
        let removed = removed.map(|seed| entry(seed).work.id);
        if let Some(id) = &removed {
            writer.remove(id).unwrap();
        }
        writer.commit().unwrap();
        let before = contents(&open(grown.path()));
        writer.compact().unwrap();
        prop_assert!(contents(&open(grown.path())) == before, "compacting changed the contents");
        prop_assert_eq!(open(grown.path()).verify(), []);

        let mut writer = Writer::open(fresh.path()).unwrap();
        for seed in &seeds {
            let entry = entry(*seed);
            if removed.as_ref() != Some(&entry.work.id) {
                writer.add(entry).unwrap();
            }
        }
        writer.commit().unwrap();
        let segments = |directory: &Path| -> Vec<Vec<u8>> {
            files(directory).into_iter().filter(|(name, _)| name.starts_with("segment")).map(|(_, bytes)| bytes).collect()
        };
        prop_assert!(segments(grown.path()) == segments(fresh.path()), "other bytes than a fresh build");
    }
}

#[test]
fn the_entries_of_indexes_make_the_index_of_all() {
    let [a, b, both, made] = std::array::from_fn(|_| tempfile::tempdir().unwrap());
    build(a.path(), 0..12);
    build(a.path(), 12..20);
    Writer::open(a.path()).unwrap().remove(&WorkId::new("work-3").unwrap()).unwrap();
    // Some of its files are in the other index too.
    build(b.path(), 15..40);
    build(both.path(), (0..40).filter(|seed| *seed < 20 || *seed >= 15));
    let mut writer = Writer::open(made.path()).unwrap();
    for index in [a.path(), b.path()] {
        for entry in open(index).entries() {
            let (entry, algorithm) = entry.unwrap();
            assert_eq!(algorithm, AlgorithmId::PDQ_AREA);
            writer.add_coded(entry, algorithm).unwrap();
        }
    }
    writer.commit().unwrap();
    assert_eq!(contents(&open(made.path())), contents(&open(both.path())));
    assert_eq!(files(made.path()), files(both.path()), "byte for byte");
}

#[test]
fn codes_of_another_dialect_stay_marked() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(directory.path()).unwrap();
    writer.add_coded(entry(1), AlgorithmId::PDQ).unwrap();
    writer.add(entry(2)).unwrap();
    writer.commit().unwrap();
    let check = |expected: [AlgorithmId; 2]| {
        let index = open(directory.path());
        assert_eq!(index.verify(), []);
        let of_files: Vec<AlgorithmId> = index.files().map(|file| file.unwrap().algorithm).collect();
        assert_eq!(of_files, expected);
        assert!(index.entries().map(|entry| entry.unwrap().1).eq(expected));
        for reference in index.references() {
            let reference = reference.unwrap();
            assert_eq!(reference.algorithm, expected[usize::from(reference.work.as_str() == "work-2")]);
        }
    };
    check([AlgorithmId::PDQ, AlgorithmId::PDQ_AREA]);
    // The same file with the codes of another dialect is no longer the same.
    writer.add_coded(entry(1), AlgorithmId::PDQ_512).unwrap();
    assert_eq!(writer.commit().unwrap().unchanged, 0);
    check([AlgorithmId::PDQ_512, AlgorithmId::PDQ_AREA]);
    writer.compact().unwrap();
    check([AlgorithmId::PDQ_512, AlgorithmId::PDQ_AREA]);
    let refused = writer.add_coded(entry(3), AlgorithmId(999));
    let Err(IndexError::Incomparable { algorithm, index }) = refused else { panic!("{refused:?}") };
    assert_eq!((algorithm, index), (AlgorithmId(999), AlgorithmId::PDQ_AREA));
}

#[test]
fn an_index_holds_codes_of_one_space() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(directory.path()).unwrap();
    writer.add_coded(entry(1), AlgorithmId(999)).unwrap();
    let refused = |writer: &mut Writer| matches!(writer.add(entry(2)), Err(IndexError::Incomparable { .. }));
    assert!(refused(&mut writer), "before it is written");
    writer.commit().unwrap();
    assert!(refused(&mut writer), "and after");
    writer.add_coded(entry(2), AlgorithmId(999)).unwrap();
    writer.compact().unwrap();
    let index = open(directory.path());
    assert_eq!((index.algorithm(), index.verify()), (Some(AlgorithmId(999)), vec![]));
    assert!(index.references().all(|reference| reference.unwrap().algorithm == AlgorithmId(999)));
    assert!(index.entries().all(|entry| entry.unwrap().1 == AlgorithmId(999)));
}

#[test]
fn every_kind_of_region_passes_verification() {
    let directory = tempfile::tempdir().unwrap();
    let kinds = [RegionKind::Whole, RegionKind::Trimmed, RegionKind::Crop, RegionKind::Framed];
    let views = kinds.map(|kind| {
        let mut view = view(Code([kind as u8 + 1; 32]), 90);
        view.region.kind = kind;
        view
    });
    let mut writer = Writer::open(directory.path()).unwrap();
    writer.add(Entry { fingerprints: vec![picture(0, views.to_vec())], ..entry(1) }).unwrap();
    writer.commit().unwrap();
    assert_eq!(open(directory.path()).verify(), []);
}

#[test]
fn a_picture_keeps_its_height_and_its_turn_and_one_that_is_too_high_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(directory.path()).unwrap();
    let of = |height: u32, exif: u16| {
        let mut picture = picture(exif.into(), vec![view(Code([exif as u8; 32]), 90)]);
        if let Fingerprint::Image(image) = &mut picture {
            (image.height, image.orientation) = (height, Orientation::from_exif(exif));
        }
        picture
    };
    let most = (1 << 29) - 1;
    let all: Vec<Fingerprint> = (1..=8).map(|exif| of(if exif % 2 == 0 { most } else { 1 }, exif)).collect();
    writer.add(Entry { fingerprints: all.clone(), ..entry(1) }).unwrap();
    let too_high = Entry { fingerprints: vec![of(most + 1, 1)], ..entry(1) };
    let most = u64::from(most);
    assert!(matches!(writer.add(too_high), Err(IndexError::TooLarge { most: said, .. }) if said == most));
    writer.commit().unwrap();
    let index = open(directory.path());
    assert_eq!(index.verify(), []);
    let entries: Vec<Entry> = index.entries().map(|entry| entry.unwrap().0).collect();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].fingerprints, all);
}
