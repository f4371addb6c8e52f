//! Hashes of no known file: small on disk, and files like others to all who read them.

use proptest::prelude::*;

use super::*;
use crate::index::files::stop_after;

/// The hashes of an index as (work, name, code, algorithm), sorted.
fn hashes(index: &Index) -> Vec<(String, String, Code, AlgorithmId)> {
    let mut found: Vec<_> = index
        .references()
        .map(Result::unwrap)
        .map(|found| (found.work.to_string(), found.source_name, found.code, found.algorithm))
        .collect();
    found.sort();
    found
}

#[test]
fn a_hash_of_no_known_file_takes_the_room_of_its_code_and_is_like_a_file_to_all_who_read_it() {
    let directory = tempfile::tempdir().unwrap();
    let mut numbers = Numbers::new(3);
    let mut expected = Vec::new();
    let mut writer = Writer::open(directory.path()).unwrap();
    for place in 0..3_000 {
        // Codes that works share; of three algorithms.
        let (id, code) = (format!("work-{}", place % 3), if place % 10 == 0 { Code([7; 32]) } else { numbers.code() });
        let algorithm = [AlgorithmId::PDQ_AREA, AlgorithmId::PDQ, AlgorithmId::PDQ_512][place % 3];
        expected.push((id.clone(), code.to_string(), code, algorithm));
        writer.add_coded(hash(work(&id), code, algorithm), algorithm).unwrap();
    }
    // The same hash of the same work is the same file.
    expected.sort();
    expected.dedup();
    let count = expected.len() as u64;
    writer.commit().unwrap();
    let index = open(directory.path());
    assert_eq!(index.verify(), []);
    assert_eq!(hashes(&index), expected);
    let info = index.info().unwrap();
    assert_eq!((info.works, info.items, info.pictures, info.references), (3, count, count, count));
    assert_eq!(info.algorithms, [AlgorithmId::PDQ, AlgorithmId::PDQ_512, AlgorithmId::PDQ_AREA]);
    // Beside the header: 32 of the code, 8 of the reference, 4 of the list of such hashes.
    assert!(info.bytes <= 45 * count + 6_000, "{} bytes for {count}", info.bytes);

    let mut files: Vec<_> = index.files().map(Result::unwrap).collect();
    assert!(files.is_sorted_by_key(|file| file.work.clone()));
    assert!(files.iter().all(|file| index.thumbnail_of(file).unwrap().is_none() && file.references == 1));
    files.sort_by_key(|file| (file.work.to_string(), file.source_name.clone()));
    let names = files.iter().map(|file| (file.work.to_string(), file.source_name.clone(), file.algorithm));
    assert!(names.eq(expected.iter().map(|(work, name, _, algorithm)| (work.clone(), name.clone(), *algorithm))));

    // What comes out makes the same index; what comes again changes nothing; what changed replaces.
    let again = tempfile::tempdir().unwrap();
    let mut other = Writer::open(again.path()).unwrap();
    for entry in index.entries() {
        let (entry, algorithm) = entry.unwrap();
        writer.add_coded(entry.clone(), algorithm).unwrap();
        other.add_coded(entry, algorithm).unwrap();
    }
    other.commit().unwrap();
    assert_eq!(super::files(again.path()), super::files(directory.path()));
    let unchanged = writer.commit().unwrap();
    assert_eq!((unchanged.unchanged, unchanged.references, unchanged.generation), (count, 0, 1));
    let (id, _, code, algorithm) = expected[5].clone();
    let mut better = hash(work(&id), code, algorithm);
    let Fingerprint::Image(image) = &mut better.fingerprints[0] else { panic!("a hash is of a picture") };
    image.views[0].quality = 99;
    writer.add_coded(better, algorithm).unwrap();
    let replaced = writer.commit().unwrap();
    assert_eq!((replaced.unchanged, replaced.references, replaced.removed), (0, 1, 1));
    let index = open(directory.path());
    assert_eq!((index.verify(), hashes(&index)), (vec![], expected.clone()));
    let quality =
        |reference: Reference| (reference.code == code && reference.work.as_str() == id).then_some(reference.quality);
    assert_eq!(index.references().map(Result::unwrap).find_map(quality), Some(99));

    // A file of the same work that shares its code stays when the work's hashes of lists go, and the other way round.
    let removed = writer.remove(&WorkId::new("work-1").unwrap()).unwrap();
    let left: Vec<_> = expected.iter().filter(|hash| hash.0 != "work-1").cloned().collect();
    assert_eq!(removed, Removed { files: count - left.len() as u64, references: count - left.len() as u64 });
    writer.commit().unwrap();
    assert_eq!(hashes(&open(directory.path())), left);
    assert_eq!(open(directory.path()).pictures(), left.len() as u64);
    writer.compact().unwrap();
    let index = open(directory.path());
    assert_eq!((index.verify(), hashes(&index)), (vec![], left));
}

#[test]
fn a_hash_with_more_to_it_is_a_file_with_a_row() {
    let of_whole = |change: &dyn Fn(&mut Entry, &mut ImageFingerprint)| {
        let mut entry = hash(work("w"), Code([0x5a; 32]), AlgorithmId::PDQ_AREA);
        let Some(Fingerprint::Image(mut image)) = entry.fingerprints.pop() else { panic!("a hash is of a picture") };
        change(&mut entry, &mut image);
        entry.fingerprints.push(Fingerprint::Image(image));
        let directory = tempfile::tempdir().unwrap();
        let mut writer = Writer::open(directory.path()).unwrap();
        writer.add(entry.clone()).unwrap();
        writer.commit().unwrap();
        let index = open(directory.path());
        assert_eq!(index.verify(), []);
        assert_eq!(index.entries().map(|entry| entry.unwrap().0).collect::<Vec<_>>(), [entry]);
        index.parts()[0].segment.bare().len()
    };
    assert_eq!(of_whole(&|_, _| ()), 1);
    assert_eq!(of_whole(&|_, image| image.views[0].region.left = 1), 1, "a part of the picture");
    assert_eq!(of_whole(&|entry, _| entry.source_name = "5".repeat(64)), 0, "another name");
    assert_eq!(of_whole(&|entry, _| entry.source_name = entry.source_name.to_uppercase()), 0, "another spelling");
    assert_eq!(of_whole(&|entry, _| entry.source_digest = Some([1; 32])), 0);
    assert_eq!(of_whole(&|_, image| image.width = 1), 0);
    assert_eq!(of_whole(&|_, image| image.time_ms = 1), 0);
    assert_eq!(of_whole(&|_, image| image.views.push(view(Code([0x6b; 32]), 1))), 0);
    assert_eq!(of_whole(&|_, image| image.orientation = Orientation::Rotate90), 0);
    let preview = Some(Preview { width: 1, height: 1, jpeg: vec![0xff, 0xd8] });
    assert_eq!(of_whole(&|entry, _| entry.thumbnail.clone_from(&preview)), 0);
    let sound = Fingerprint::Audio(recording(&mut Numbers::new(5), 0).thinned());
    assert_eq!(
        of_whole(&|entry, image| {
            entry.fingerprints.push(Fingerprint::Image(image.clone()));
            image.frame = 1;
        }),
        0,
        "two pictures"
    );
    let directory = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(directory.path()).unwrap();
    let mut heard = hash(work("w"), Code([0x5a; 32]), AlgorithmId::PDQ_AREA);
    heard.fingerprints.push(sound);
    writer.add(heard).unwrap();
    writer.commit().unwrap();
    assert!(open(directory.path()).parts()[0].segment.bare().is_empty());
}

/// What comes of a hash: plain, with more to it, removed.
fn happen(writer: &mut Writer, event: (u8, u8, u8), as_entry: bool) {
    let (kind, of, quality) = event;
    let (work, code) = (work(["a", "b"][usize::from(of % 2)]), Code([1 + of / 2; 32]));
    let mut entry = hash(work.clone(), code, AlgorithmId::PDQ);
    let Fingerprint::Image(image) = &mut entry.fingerprints[0] else { panic!("a hash is of a picture") };
    image.views[0].quality = quality;
    match kind {
        0..8 if !as_entry => {
            let region = image.views[0].region;
            return writer.add_hash(&work, &BareHash { code, algorithm: AlgorithmId::PDQ, region, quality }).unwrap();
        }
        8 => image.views.push(view(Code([99; 32]), quality)),
        // Of a frame without references nobody sees the time.
        9 if quality >= 50 => image.time_ms = 5,
        10 => entry.source_name.truncate(63),
        11 => {
            writer.remove(&work.id).unwrap();
            return;
        }
        _ => {}
    }
    writer.add_coded(entry, AlgorithmId::PDQ).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// All at once or one by one, as hashes or as the entries that they are, with a commit that fails between them: the same
    /// bytes.
    #[test]
    fn hashes_that_come_again_in_other_states_count_as_they_came_last(
        events in prop::collection::vec((0_u8..12, 0_u8..6, prop::sample::select(vec![10_u8, 60, 90])), 1..12),
        failing in 0_usize..12,
    ) {
        let written = [false, true].map(|one_by_one| {
            let directory = tempfile::tempdir().unwrap();
            let rules = Rules { min_quality: 50, ..Rules::default() };
            let mut writer = Writer::open_with(directory.path(), rules).unwrap();
            // There is something to compact.
            writer.add(entry(1)).unwrap();
            for (place, &event) in events.iter().enumerate() {
                happen(&mut writer, event, one_by_one);
                if one_by_one {
                    writer.commit().unwrap();
                } else if place == failing {
                    stop_after(Some(1));
                    assert!(writer.commit().is_err());
                    stop_after(None);
                }
            }
            writer.commit().unwrap();
            writer.compact().unwrap();
            assert_eq!(open(directory.path()).verify(), []);
            segment_bytes(directory.path())
        });
        prop_assert!(written[0] == written[1], "the bytes differ");
    }
}

/// The bytes of the one segment.
fn segment_bytes(directory: &Path) -> Vec<u8> {
    let segments: Vec<_> = files(directory).into_iter().filter(|(name, _)| name.starts_with("segment")).collect();
    let [(_, bytes)] = <[_; 1]>::try_from(segments).unwrap();
    bytes
}
