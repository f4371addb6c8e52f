//! The walk over trees that do what evidence must not be trusted not to do.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::net::UnixListener;

use rustix::fs::{CWD, FileType as Kind, Mode, Timespec, Timestamps, mknodat, utimensat};
use tempfile::{TempDir, tempdir};

use super::*;

fn write(folder: &Path, name: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, name).unwrap();
}

/// What a walk tells, with the way down from the root.
fn told(root: &Path, resolution: Resolution) -> Vec<(String, String)> {
    Walk::new(&[root.to_owned()], resolution).map(|entry| line(root, entry)).collect()
}

fn line(root: &Path, entry: Entry) -> (String, String) {
    let path = entry.path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
    let met = match entry.met {
        Met::File(mut opened) => {
            let mut content = String::new();
            opened.file.read_to_string(&mut content).unwrap();
            content
        }
        Met::Skipped(code, _) => format!("skipped {code}"),
        Met::Unreadable { during, error } => format!("unreadable {during}: {}", error.kind()),
        Met::Passed(size) => format!("{size} bytes"),
    };
    (path, met)
}

fn names(told: &[(String, String)]) -> Vec<&str> {
    told.iter().map(|(path, _)| path.as_str()).collect()
}

/// A tree of every kind of thing; its directory must live as long as it is walked.
fn of_all_kinds() -> TempDir {
    let folder = tempdir().unwrap();
    let root = folder.path();
    for name in ["b", "a/z", "a/a", "B", "a.b", "\u{e9}", "a/deep/er/file"] {
        write(root, name);
    }
    fs::write(root.join(std::ffi::OsStr::from_bytes(b"\xff\n")), "raw").unwrap();
    fs::create_dir(root.join("empty")).unwrap();
    symlink(root, root.join("loop")).unwrap();
    symlink("../../../../etc/hostname", root.join("a/out")).unwrap();
    symlink("nowhere", root.join("dangling")).unwrap();
    mknodat(CWD, root.join("fifo"), Kind::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    drop(UnixListener::bind(root.join("socket")).unwrap());
    fs::hard_link(root.join("b"), root.join("hard")).unwrap();
    folder
}

#[test]
fn everything_is_met_once_in_the_order_of_bytes() {
    let folder = of_all_kinds();
    let expected = [
        ("B", "B"),
        ("a/a", "a/a"),
        ("a/deep/er/file", "a/deep/er/file"),
        ("a/out", "skipped symbolic_link"),
        ("a/z", "a/z"),
        ("a.b", "a.b"),
        ("b", "b"),
        ("dangling", "skipped symbolic_link"),
        ("fifo", "skipped fifo"),
        ("hard", "b"),
        ("loop", "skipped symbolic_link"),
        ("socket", "skipped socket"),
        ("\u{e9}", "\u{e9}"),
        ("\u{fffd}\n", "raw"),
    ];
    let expected: Vec<(String, String)> = expected.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect();
    let mut checked = 0;
    for resolution in [Resolution::Openat2, Resolution::Openat] {
        if resolution == Resolution::Openat2 && Resolution::here() != resolution {
            println!("openat2: not run, the system has none");
            continue;
        }
        assert_eq!(told(folder.path(), resolution), expected, "{resolution:?}");
        checked += 1;
    }
    assert!(checked > 0);
}

#[test]
fn passing_meets_the_same_without_opening() {
    let folder = of_all_kinds();
    let opened = told(folder.path(), Resolution::here());
    let mut walk = Walk::new(&[folder.path().to_owned()], Resolution::here());
    let passed: Vec<_> = std::iter::from_fn(|| walk.pass()).map(|entry| line(folder.path(), entry)).collect();
    assert_eq!(names(&passed), names(&opened));
    assert!(passed.contains(&("a/deep/er/file".to_owned(), "14 bytes".to_owned())));
}

#[test]
fn a_tree_deeper_than_the_descriptors_is_walked_in_order() {
    let folder = tempdir().unwrap();
    let depth = 3 * MOST_OPEN;
    let mut path = folder.path().to_owned();
    for _ in 0..depth {
        // On both sides of the way down, so that each directory is come back to.
        fs::write(path.join("a"), "before").unwrap();
        fs::write(path.join("z"), "after").unwrap();
        path.push("d");
        fs::create_dir(&path).unwrap();
    }
    let mut walk = Walk::new(&[folder.path().to_owned()], Resolution::here());
    let mut told = Vec::new();
    let mut most_open = 0;
    while let Some(entry) = walk.next() {
        most_open = most_open.max(walk.levels.iter().filter(|level| matches!(level.held, Held::Open(_))).count());
        told.push(line(folder.path(), entry));
    }
    let contents: Vec<&str> = told.iter().map(|(_, content)| content.as_str()).collect();
    assert_eq!(contents, [vec!["before"; depth], vec!["after"; depth]].concat());
    assert!(most_open <= MOST_OPEN + 2, "{most_open}");
}

#[test]
fn what_is_removed_meanwhile_is_unreadable_and_the_rest_goes_on() {
    let folder = tempdir().unwrap();
    for name in ["a", "b/1", "b/2", "b/c/3", "d"] {
        write(folder.path(), name);
    }
    let mut walk = Walk::new(&[folder.path().to_owned()], Resolution::here());
    let mut told: Vec<_> = walk.by_ref().take(2).map(|entry| line(folder.path(), entry)).collect();
    fs::remove_dir_all(folder.path().join("b")).unwrap();
    told.extend(walk.map(|entry| line(folder.path(), entry)));
    assert_eq!(names(&told), ["a", "b/1", "b/2", "b/c", "d"]);
    assert_eq!(told[2].1, "unreadable opening: entity not found");
    assert_eq!(told[3].1, "unreadable opening the directory: entity not found");
}

#[test]
fn a_directory_that_is_moved_out_is_not_followed() {
    let (folder, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
    let mut path = folder.path().to_owned();
    for _ in 0..MOST_OPEN + 10 {
        path.push("d");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("z"), "after").unwrap();
    }
    let mut walk = Walk::new(&[folder.path().to_owned()], Resolution::here());
    // The deepest file comes first; the upper directories are closed by now.
    assert!(matches!(walk.next().map(|entry| entry.met), Some(Met::File(_))));
    fs::rename(folder.path().join("d/d"), elsewhere.path().join("d")).unwrap();
    fs::create_dir(folder.path().join("d/d")).unwrap();
    fs::write(folder.path().join("d/d/z"), "another one").unwrap();
    let told: Vec<_> = walk.map(|entry| line(folder.path(), entry)).collect();
    assert_eq!(told.len(), MOST_OPEN + 9);
    assert!(told.iter().all(|(_, content)| content != "another one"), "a directory was taken for another");
    assert_eq!(told.last().unwrap(), &("d/z".to_owned(), "after".to_owned()));
    assert!(told.iter().any(|(_, met)| met.starts_with("unreadable")));
}

#[test]
fn a_name_that_becomes_a_link_is_not_followed() {
    let (folder, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
    write(elsewhere.path(), "secret");
    for name in ["a", "b", "c/secret"] {
        write(folder.path(), name);
    }
    for resolution in [Resolution::here(), Resolution::Openat] {
        let mut walk = Walk::new(&[folder.path().to_owned()], resolution);
        assert!(walk.next().is_some());
        fs::remove_file(folder.path().join("b")).unwrap();
        symlink(elsewhere.path().join("secret"), folder.path().join("b")).unwrap();
        fs::remove_dir_all(folder.path().join("c")).unwrap();
        symlink(elsewhere.path(), folder.path().join("c")).unwrap();
        let told: Vec<_> = walk.map(|entry| line(folder.path(), entry)).collect();
        assert_eq!(names(&told), ["b", "c"]);
        assert!(told.iter().all(|(_, met)| met.starts_with("unreadable")), "{told:?}");
        fs::remove_file(folder.path().join("b")).unwrap();
        fs::remove_file(folder.path().join("c")).unwrap();
        write(folder.path(), "b");
        write(folder.path(), "c/secret");
    }
}

#[test]
fn access_times_of_files_and_directories_stay() {
    let folder = tempdir().unwrap();
    write(folder.path(), "a/file");
    let paths = [folder.path().to_owned(), folder.path().join("a"), folder.path().join("a/file")];
    // Long before the last change: even a file system that is sparing with access times would update them.
    let long_ago = Timespec { tv_sec: 1_000_000_000, tv_nsec: 0 };
    let now = Timespec { tv_sec: 1_700_000_000, tv_nsec: 0 };
    for path in &paths {
        let times = Timestamps { last_access: long_ago, last_modification: now };
        utimensat(CWD, path, &times, AtFlags::empty()).unwrap();
    }
    assert_eq!(told(folder.path(), Resolution::here()).len(), 1);
    for path in &paths {
        assert_eq!(fs::metadata(path).unwrap().atime(), 1_000_000_000, "{}", path.display());
    }
}

#[test]
fn what_is_named_itself_is_opened_if_it_is_a_file() {
    let folder = of_all_kinds();
    symlink("b", folder.path().join("named")).unwrap();
    let check = |name: &str, expected: &str| {
        let told = line(folder.path(), one(&folder.path().join(name)));
        assert_eq!(told, (name.to_owned(), expected.to_owned()));
    };
    check("b", "b");
    check("named", "b");
    check("fifo", "skipped fifo");
    check("a", "skipped directory");
    check("missing", "unreadable opening: entity not found");
    let mut file = fs::File::create(folder.path().join("b")).unwrap();
    file.write_all(b"still the same inode").unwrap();
    check("hard", "still the same inode");
}
