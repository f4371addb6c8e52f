//! Writers that stop, writers beside writers, readers beside writers.

use std::fs::File;
use std::io::Write;

use super::super::files::stop_after;
use super::super::layout::Kind;
use super::*;

/// Commits of every kind: files of a segment, of tombstones, and manifests are written at different steps.
#[test]
fn a_writer_stopped_at_any_step_leaves_the_old_state_or_the_new() {
    fn check(least_steps: u32, change: impl Fn(&mut Writer), commit: fn(&mut Writer) -> Result<Commit, IndexError>) {
        let (mut steps, mut kept_old) = (0, 0);
        loop {
            let directory = tempfile::tempdir().unwrap();
            build(directory.path(), 0..20);
            let old = contents(&open(directory.path()));

            let mut writer = Writer::open(directory.path()).unwrap();
            change(&mut writer);
            stop_after(Some(steps));
            let committed = commit(&mut writer);
            stop_after(None);
            drop(writer);

            let index = open(directory.path());
            assert_eq!(index.verify(), [], "stopped after {steps} steps");
            let found = contents(&index);
            drop(index);
            kept_old += u32::from(found == old);

            // Whatever is left behind, the next writer goes on.
            let mut writer = Writer::open(directory.path()).unwrap();
            change(&mut writer);
            commit(&mut writer).unwrap();
            let new = contents(&open(directory.path()));
            assert!(found == old || found == new, "neither old nor new after {steps} steps");
            assert!(files(directory.path()).keys().all(|name| !name.ends_with(".aside")));
            if committed.is_ok() {
                assert!(found == new && new != old, "committed, and nothing new");
                assert!(steps >= least_steps, "only {steps} steps of a commit were stopped");
                assert!(kept_old + 1 >= least_steps, "only {kept_old} stops kept the old state");
                break;
            }
            steps += 1;
        }
    }
    let add = |writer: &mut Writer| (20..30).for_each(|seed| writer.add(entry(seed)).unwrap());
    let remove = |writer: &mut Writer| {
        writer.remove(&entry(1).work.id).unwrap();
    };
    check(12, add, Writer::commit);
    check(12, remove, Writer::commit);
    let both = |writer: &mut Writer| {
        remove(writer);
        add(writer);
    };
    check(12, both, Writer::commit);
    check(12, both, Writer::compact);
}

#[test]
fn a_commit_that_failed_can_be_tried_again() {
    let (once, again) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    build(once.path(), 0..20);
    let mut writer = Writer::open(again.path()).unwrap();
    (0..20).for_each(|seed| writer.add(entry(seed)).unwrap());
    stop_after(Some(2));
    let failed = writer.commit();
    stop_after(None);
    assert!(matches!(failed, Err(IndexError::Io { .. })), "{failed:?}");
    assert!(matches!(Index::open(again.path(), Access::Mapped), Err(IndexError::NotAnIndex { .. })));
    writer.commit().unwrap();
    assert_eq!(contents(&open(again.path())), contents(&open(once.path())));
}

/// What a failed commit took into the draft is not written twice, not kept from removal, and not counted as new.
#[test]
fn between_a_failed_commit_and_the_next_a_writer_goes_on() {
    for steps in [2, 8] {
        let (straight, failing) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for (directory, fails) in [(straight.path(), false), (failing.path(), true)] {
            build(directory, 0..20);
            let mut writer = Writer::open(directory).unwrap();
            writer.remove(&entry(1).work.id).unwrap();
            (20..30).for_each(|seed| writer.add(entry(seed)).unwrap());
            if fails {
                stop_after(Some(steps));
                assert!(writer.commit().is_err());
                stop_after(None);
            }
            writer.remove(&entry(2).work.id).unwrap();
            writer.remove(&entry(22).work.id).unwrap();
            (28..35).for_each(|seed| writer.add(entry(seed)).unwrap());
            writer.commit().unwrap();
            assert_eq!(open(directory).verify(), []);
            // And once more from what was committed.
            writer.remove(&entry(3).work.id).unwrap();
            writer.compact().unwrap();
        }
        assert_eq!(contents(&open(failing.path())), contents(&open(straight.path())), "stopped after {steps} steps");
    }
}

/// On a network an index is read and not mapped, by whoever writes it too.
#[test]
fn a_writer_that_reads_its_files_writes_what_one_that_maps_them_does() {
    let written = [Access::Mapped, Access::InMemory].map(|access| {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = Writer::open_with(directory.path(), Rules { access, ..Rules::default() }).unwrap();
        for seeds in [0..12, 8..20] {
            seeds.for_each(|seed| writer.add(entry(seed)).unwrap());
            writer.remove(&entry(3).work.id).unwrap();
            writer.commit().unwrap();
        }
        assert_eq!(writer.base().unwrap().verify(), []);
        drop(writer);
        files(directory.path())
    });
    assert_eq!(written[0], written[1]);
}

/// Damage must not be merged into a new segment, whose checksums would say that it is none.
#[test]
fn a_damaged_segment_is_not_written_anew() {
    type Change = fn(&mut Writer) -> Result<Commit, IndexError>;
    let merging: [Change; 2] = [
        |writer| {
            writer.add(entry(30))?;
            writer.commit()
        },
        |writer| {
            writer.remove(&entry(1).work.id)?;
            writer.compact()
        },
    ];
    for change in merging {
        let directory = tempfile::tempdir().unwrap();
        build(directory.path(), 0..20);
        let path = directory.path().join("segment-0000000000");
        let codes = open(directory.path()).parts()[0].segment.header().section(Kind::Codes).unwrap().offset;
        let mut bytes = fs::read(&path).unwrap();
        bytes[codes + 5] ^= 2;
        replace(&path, &bytes);
        let before = files(directory.path());
        let changed = change(&mut Writer::open(directory.path()).unwrap());
        assert!(matches!(changed, Err(IndexError::Damaged(_))), "{changed:?}");
        assert_eq!(files(directory.path()), before);
        assert_ne!(open(directory.path()).verify(), []);
    }
}

/// The manifest that a writer put there is the one that readers follow, whatever became of the sync behind it.
#[test]
fn after_a_sync_that_failed_no_number_is_used_again() {
    let directory = tempfile::tempdir().unwrap();
    build(directory.path(), 0..20);
    let mut steps = 0;
    let mut writer = loop {
        let mut writer = Writer::open(directory.path()).unwrap();
        writer.add(entry(30)).unwrap();
        let before = open(directory.path()).manifest_digest();
        stop_after(Some(steps));
        let committed = writer.commit();
        stop_after(None);
        if open(directory.path()).manifest_digest() != before {
            assert!(committed.is_err(), "the last step is the sync of the directory");
            break writer;
        }
        steps += 1;
    };
    let published = files(directory.path());
    // Stopped again, at whichever step, what was published stays as it is.
    for steps in 0..20 {
        stop_after(Some(steps));
        let committed = writer.commit();
        stop_after(None);
        let index = open(directory.path());
        assert_eq!(index.verify(), [], "stopped after {steps} steps");
        assert_eq!(index.info().unwrap().items, 21);
        if committed.is_ok() {
            break;
        }
        for (name, bytes) in published.iter().filter(|(name, _)| name.starts_with("segment-")) {
            assert_eq!(files(directory.path()).get(name), Some(bytes), "{name}, stopped after {steps} steps");
        }
    }
    writer.add(entry(31)).unwrap();
    writer.commit().unwrap();
    assert_eq!(open(directory.path()).info().unwrap().items, 22);
}

/// The files of an index are not taken for what a stopped writer left behind because the file that names them is lost.
#[test]
fn without_its_manifest_an_index_is_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    build(directory.path(), 0..20);
    fs::remove_file(directory.path().join("MANIFEST")).unwrap();
    let before = files(directory.path());
    let error = Writer::open(directory.path()).unwrap_err();
    assert!(matches!(error, IndexError::LostManifest { .. }), "{error}");
    let error = Index::open(directory.path(), Access::Mapped).unwrap_err();
    assert!(matches!(error, IndexError::LostManifest { .. }), "{error}");
    assert_eq!(files(directory.path()), before);

    // What somebody else called so is none either.
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("segment-001"), b"mine").unwrap();
    assert!(matches!(Writer::open(other.path()), Err(IndexError::NotAnIndex { .. })));
    assert_eq!(files(other.path()).len(), 1);
}

/// What a first commit leaves behind that was stopped is no index, and the next writer goes on in its place.
#[test]
fn a_first_commit_that_was_stopped_is_begun_again() {
    for steps in 0..20 {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = Writer::open(directory.path()).unwrap();
        writer.add(entry(1)).unwrap();
        stop_after(Some(steps));
        let committed = writer.commit();
        stop_after(None);
        // As if its process had been killed: what tidies up does not run.
        std::mem::forget(writer);
        let read = Index::open(directory.path(), Access::Mapped);
        if committed.is_ok() {
            return assert!(steps > 10 && read.is_ok(), "{steps} steps");
        }
        assert!(read.is_ok() || matches!(read, Err(IndexError::NotAnIndex { .. })), "{read:?}");
    }
    panic!("no commit of twenty steps");
}

/// A writer that commits nothing leaves nothing in a place where nothing was.
#[test]
fn a_new_index_of_nothing_is_none() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("new");
    drop(Writer::open(&directory).unwrap());
    assert!(!directory.exists());
    fs::create_dir(&directory).unwrap();
    drop(Writer::open(&directory).unwrap());
    assert_eq!(files(&directory).len(), 0);
    build(&directory, 0..2);
    drop(Writer::open(&directory).unwrap());
    assert_eq!(open(&directory).info().unwrap().items, 2);
}

#[test]
fn a_second_writer_is_told_to_wait_and_readers_are_not() {
    let directory = tempfile::tempdir().unwrap();
    build(directory.path(), 0..5);
    let first = Writer::open(directory.path()).unwrap();
    let error = Writer::open(directory.path()).unwrap_err();
    assert!(matches!(error, IndexError::Locked { .. }), "{error}");
    assert!(error.to_string().contains("another writer"), "{error}");
    open(directory.path());
    drop(first);
    Writer::open(directory.path()).unwrap();
}

#[test]
fn a_reader_keeps_its_generation() {
    for access in [Access::Mapped, Access::InMemory] {
        let directory = tempfile::tempdir().unwrap();
        build(directory.path(), 0..20);
        let reader = Index::open(directory.path(), access).unwrap();
        let (before, digest) = (contents(&reader), reader.manifest_digest());
        let mut writer = Writer::open(directory.path()).unwrap();
        writer.remove(&entry(1).work.id).unwrap();
        writer.add(entry(40)).unwrap();
        writer.compact().unwrap();
        assert_eq!(contents(&reader), before);
        assert_eq!(reader.verify(), []);
        assert_eq!(reader.manifest_digest(), digest);
        assert_ne!(contents(&open(directory.path())), before);
        assert_ne!(open(directory.path()).manifest_digest(), digest);
    }
}

#[test]
fn files_are_read_only_and_old_ones_are_cleared_away() {
    let directory = tempfile::tempdir().unwrap();
    for round in 0..4 {
        build(directory.path(), round * 10..round * 10 + 10);
    }
    let mut writer = Writer::open(directory.path()).unwrap();
    writer.remove(&entry(1).work.id).unwrap();
    writer.compact().unwrap();
    let names: Vec<String> = files(directory.path()).into_keys().collect();
    assert_eq!(names, ["LOCK", "MANIFEST", "segment-0000000004"]);
    for name in &names[1..] {
        assert!(fs::metadata(directory.path().join(name)).unwrap().permissions().readonly(), "{name}");
    }
}

#[test]
fn a_directory_of_other_files_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("holiday.jpg"), b"picture").unwrap();
    let error = Writer::open(directory.path()).unwrap_err();
    assert!(matches!(error, IndexError::NotAnIndex { .. }), "{error}");
    assert_eq!(files(directory.path()).len(), 1);
    let missing = directory.path().join("missing");
    assert!(matches!(Index::open(&missing, Access::Mapped), Err(IndexError::NotAnIndex { found: "nothing", .. })));
}

/// A file system of its own, as small as it was asked for, until it is dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None` where this user may not mount one.
    fn new(bytes: u64) -> Option<SmallDisk> {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={bytes}");
        let mount =
            std::process::Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path()).output();
        mount.is_ok_and(|done| done.status.success()).then_some(SmallDisk(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(self.0.path()).output();
    }
}

#[test]
fn a_disk_that_fills_during_a_commit_keeps_the_old_state() {
    let Some(disk) = SmallDisk::new(1 << 20) else {
        println!("a disk that fills: not run (a small file system cannot be mounted here)");
        return;
    };
    let (directory, filler) = (disk.0.path().join("index"), disk.0.path().join("filler"));
    build(&directory, 0..20);
    let old = contents(&open(&directory));
    let mut writer = Writer::open(&directory).unwrap();
    (20..300).for_each(|seed| writer.add(entry(seed)).unwrap());
    let (mut failed, mut free) = (0, 0);
    loop {
        // Everything that is free but so many pages is taken by something else.
        fs::write(&filler, []).unwrap();
        let mut taken = File::options().append(true).open(&filler).unwrap();
        while taken.write_all(&[1; 4096]).is_ok() {}
        let length = taken.metadata().unwrap().len();
        taken.set_len(length.saturating_sub(free * 4096)).unwrap();
        match writer.commit() {
            Ok(_) => break,
            Err(error) => {
                assert!(matches!(error, IndexError::Io { .. }), "{error}");
                let index = open(&directory);
                assert_eq!((index.verify(), contents(&index)), (Vec::new(), old.clone()), "{free} pages were free");
                failed += 1;
            }
        }
        free += 1;
    }
    fs::remove_file(&filler).unwrap();
    assert!(failed > 10, "only {failed} commits met a full disk");
    let whole = tempfile::tempdir().unwrap();
    build(whole.path(), 0..300);
    assert!(contents(&open(&directory)) == contents(&open(whole.path())), "something was lost on the way");
    assert_eq!(open(&directory).verify(), []);
}

#[test]
fn many_commits_leave_few_segments_each_at_least_twice_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(directory.path()).unwrap();
    let mut numbers = Numbers::new(5);
    let mut most = 0;
    for round in 1..=12_u64 {
        let views = (0..9000).map(|_| {
            let mut code = Code([0; 32]);
            code.0.fill_with(|| (numbers.next() >> 24) as u8);
            view(code, 90)
        });
        let fingerprints = vec![picture(0, views.collect())];
        let (work, source_name) = (work(&format!("w{round}")), round.to_string());
        writer.add(Entry { work, source_name, source_digest: None, fingerprints, thumbnail: None }).unwrap();
        most = most.max(writer.commit().unwrap().segments);
        let info = open(directory.path()).info().unwrap();
        assert_eq!((info.references, info.works), (9000 * round, round));
        let sizes: Vec<u64> =
            open(directory.path()).parts().iter().map(|part| part.segment.header().counts.references).collect();
        assert!(sizes.windows(2).all(|pair| pair[0] > 2 * pair[1]), "{sizes:?}");
    }
    assert!((2..=4).contains(&most), "{most} segments");
    assert_eq!(writer.compact().unwrap().segments, 1);
    assert_eq!(open(directory.path()).verify(), []);
}
