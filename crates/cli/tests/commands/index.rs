//! `minutia index`: adding, catalogues, what is not added, and indexes that are none.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::evidence::{Folder, minutia};

#[test]
fn every_file_is_added_or_told() {
    let folder = Folder::new();
    folder.picture("works/a.png", 0);
    folder.picture("works/sub/b.jpg", 1);
    folder.picture("works/sub/a.jpg", 2);
    folder.write("works/words.txt", "words");
    folder.write("works/header.png", b"\x89PNG\r\n\x1a\n");
    symlink("a.png", folder.at("works/link.png")).unwrap();
    let ran = minutia(&folder, &["index", "add", "works.idx", "works", "--owner", "Jo Doe"]).ends(2);
    let ran = ran.says(&[
        "not added: works/words.txt: not media",
        "not added: works/header.png: damaged",
        "not added: works/link.png: a symbolic link",
        "files of one name became one work: a (2 files)",
    ]);
    assert!(ran.out.starts_with("3 files added") && ran.out.contains("3 not added; generation 1"), "{}", ran.out);

    let export = minutia(&folder, &["index", "export", "works.idx"]).ends(0).json();
    let works: Vec<&str> =
        export.iter().filter(|line| line["record"] == "work").map(|line| line["work"].as_str().unwrap()).collect();
    assert_eq!(works, ["a", "b"]);
    assert!(export.iter().filter(|line| line["record"] == "work").all(|line| line["holder"] == "Jo Doe"));
    let mut files: Vec<&str> =
        export.iter().filter(|line| line["record"] == "file").map(|line| line["file"].as_str().unwrap()).collect();
    files.sort_unstable();
    assert_eq!(files, ["a.png", "sub/a.jpg", "sub/b.jpg"]);
    let references = export.iter().filter(|line| line["record"] == "reference");
    assert!(
        references.clone().all(|line| line["hex"].as_str().unwrap().len() == 64 && line["algorithm"] == "pdq-area")
    );
    assert!(references.count() >= 3 * 30);

    let again = minutia(&folder, &["index", "add", "works.idx", "works/a.png", "works/sub"]).ends(0);
    assert!(again.out.contains("3 unchanged"), "{}", again.out);
}

#[test]
fn views_of_less_quality_than_is_asked_for_are_left_out_and_counted() {
    let folder = Folder::new();
    // Much of it is sky.
    let photograph = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/image/reference/rocket.jpg");
    folder.write("works/rocket.jpg", fs::read(photograph).unwrap());
    let references = |min_quality: &str| {
        let index = format!("{min_quality}.idx");
        let ran = minutia(&folder, &["index", "add", &index, "works", "--min-quality", min_quality]).ends(0);
        let left_out = ran.out.contains("left out, which would say too little");
        let info = minutia(&folder, &["index", "info", &index, "--json"]).ends(0).json();
        (info[0]["references"].as_u64().unwrap(), left_out)
    };
    let (all, some) = (references("0"), references("95"));
    assert!(!all.1 && some.1 && some.0 < all.0, "{all:?}, {some:?}");
}

#[test]
fn a_folder_without_a_file_is_told() {
    let folder = Folder::new();
    fs::create_dir(folder.at("works")).unwrap();
    let ran = minutia(&folder, &["index", "add", "works.idx", "works"]).ends(2).says(&["no file was found to add"]);
    assert!(ran.out.starts_with("0 files added with 0 references, 0 unchanged, 0 not added"), "{}", ran.out);
}

#[test]
fn a_catalogue_says_which_file_is_which_work() {
    let folder = Folder::new();
    folder.picture("works/a.png", 0);
    folder.picture("works/sub/b.png", 1);
    folder.picture("works/unlisted.png", 2);
    folder.write(
        "works/works.csv",
        "file,work_id,title,holder,identifiers,territory,window,policy\n\
         a.png,W-1,\"Harbour, at dawn\",,ISBN:978-0-306-40615-7,DE;AT,2020-01-01/..,licensed\n\
         works/sub/b.png,W-2,,Ann,,,,\n\
         gone.png,W-3,,,,,,\n",
    );
    let arguments = ["index", "add", "works.idx", "works", "--catalogue", "works/works.csv", "--owner", "Jo"];
    minutia(&folder, &arguments).ends(2).says(&[
        "not added: works/unlisted.png: the catalogue does not list it",
        "not found: gone.png, which line 4 of the catalogue names",
    ]);
    let export = minutia(&folder, &["index", "export", "works.idx"]).ends(0).json();
    let works: Vec<_> = export.iter().filter(|line| line["record"] == "work").collect();
    assert_eq!(works.len(), 2, "the catalogue itself and what it does not list are no works");
    assert_eq!((&works[0]["title"], &works[0]["holder"]), (&"Harbour, at dawn".into(), &"Jo".into()));
    assert_eq!((&works[0]["policy"], &works[0]["identifiers"][0]), (&"licensed".into(), &"ISBN:9780306406157".into()));
    assert_eq!((&works[1]["holder"], &works[1]["policy"]), (&"Ann".into(), &"infringing".into()));

    folder.write("wrong.csv", "file,work_id,policy\na.png,W,maybe\nb.png,,\n");
    let arguments = ["index", "add", "other.idx", "works", "--catalogue", "wrong.csv"];
    minutia(&folder, &arguments).ends(2).says(&["wrong.csv", "line 2", "maybe", "line 3", "work_id"]);
    assert!(!folder.at("other.idx").exists(), "nothing is begun with a wrong catalogue");
}

#[test]
fn thumbnails_are_kept_only_where_they_are_asked_for() {
    let folder = Folder::with_index();
    minutia(&folder, &["index", "add", "shown.idx", "works", "--thumbnails"]).ends(0);
    let bytes = |index: &str| {
        let files = fs::read_dir(folder.at(index)).unwrap();
        files.map(|file| file.unwrap().metadata().unwrap().len()).sum::<u64>()
    };
    assert!(bytes("shown.idx") > bytes("works.idx") + 3 * 1000, "{} {}", bytes("shown.idx"), bytes("works.idx"));
    for index in ["shown.idx", "works.idx"] {
        let scan = minutia(&folder, &["scan", "works", "--index", index]).ends(1);
        assert_eq!(scan.out.lines().count(), 3, "a thumbnail changes no finding");
    }
}

#[test]
fn works_are_removed_and_their_bytes_compacted_away() {
    let folder = Folder::with_index();
    let info = |field: &str| {
        let out = minutia(&folder, &["index", "info", "works.idx"]).ends(0).out;
        let line = out.lines().find(|line| line.starts_with(field)).unwrap().to_owned();
        line[field.len()..].trim().to_owned()
    };
    assert_eq!((info("works").as_str(), info("files").as_str()), ("3", "3"));
    let removed = minutia(&folder, &["index", "remove", "works.idx", "--work", "work-1"]).ends(0).out;
    assert!(removed.starts_with("work-1: 1 file removed, with "), "{removed}");
    assert_eq!(info("works"), "2");
    let line = minutia(&folder, &["index", "info", "works.idx", "--json"]).ends(0).json().remove(0);
    assert_eq!((&line["works"], &line["recordings"], &line["stop_keys"]), (&2.into(), &0.into(), &0.into()));
    assert_eq!(info("sound"), "none");
    let scan = minutia(&folder, &["scan", "works", "--index", "works.idx", "--json"]).ends(1);
    assert_eq!(scan.json().last().unwrap()["outcomes"], serde_json::json!({ "match": 2, "no-match": 1 }));
    minutia(&folder, &["index", "compact", "works.idx"]).ends(0);
    assert!(info("removed").starts_with("0 "));
    minutia(&folder, &["index", "verify", "works.idx"]).ends(0);
    minutia(&folder, &["index", "remove", "works.idx", "--work", "work-1"])
        .ends(2)
        .says(&["work-1", "expected the id"]);
    minutia(&folder, &["index", "remove", "missing.idx", "--work", "a"]).ends(2).says(&["missing.idx"]);
    assert!(!folder.at("missing.idx").exists(), "only add makes an index");
}

/// What is no index, or a damaged or a newer one, is refused by name, with what to do, by whatever reads it.
#[test]
fn a_wrong_index_is_refused_by_name() {
    let folder = Folder::with_index();
    let copy = |to: &str| {
        fs::create_dir(folder.at(to)).unwrap();
        for file in fs::read_dir(folder.at("works.idx")).unwrap() {
            let file = file.unwrap();
            let path = folder.at(to).join(file.file_name());
            fs::copy(file.path(), &path).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
        }
    };
    let change = |index: &str, file: &str, change: fn(&mut Vec<u8>)| {
        let path = folder.at(index).join(file);
        let mut bytes = fs::read(&path).unwrap();
        change(&mut bytes);
        fs::write(path, bytes).unwrap();
    };
    let segments = fs::read_dir(folder.at("works.idx")).unwrap().map(|file| file.unwrap().file_name());
    let segments: Vec<String> = segments.map(|name| name.into_string().unwrap()).collect();
    let segment = segments.iter().find(|name| name.starts_with("segment-")).unwrap();
    for index in ["cut", "flipped", "newer", "headless", "other"] {
        copy(index);
    }
    change("cut", segment, |bytes| bytes.truncate(bytes.len() / 2));
    change("flipped", segment, |bytes| *bytes.last_mut().unwrap() ^= 1);
    change("newer", "MANIFEST", |bytes| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        let (_, rest) = text.split_once('\n').unwrap();
        *bytes = format!("minutia index 999\n{rest}").into_bytes();
    });
    fs::remove_file(folder.at("headless/MANIFEST")).unwrap();
    folder.write("other/MANIFEST", "something else\n");
    folder.write("file.idx", "a file");

    let check = |index: &str, parts: &[&str]| {
        let commands = [&["scan", "works", "--index", index][..], &["index", "verify", index]];
        for arguments in commands {
            let ran = minutia(&folder, arguments).ends(2);
            let told = format!("{}{}", ran.out, ran.err);
            for part in parts {
                assert!(told.contains(part), "{arguments:?}: expected {part:?} in {told}");
            }
            assert!(!told.contains("panicked"), "{told}");
        }
    };
    check("cut", &["cut/segment", "damaged", "expected", "found", "Restore"]);
    check("flipped", &["flipped/segment", "damaged", "Restore"]);
    check("newer", &["newer/MANIFEST", "format 999", "newer build"]);
    check("headless", &["headless", "expected a file MANIFEST", "copy of the index"]);
    check("other", &["other/MANIFEST"]);
    check("file.idx", &["file.idx", "found a file"]);
    check("missing.idx", &["missing.idx", "found nothing"]);
    folder.write("folder/other.txt", "not an index");
    minutia(&folder, &["index", "add", "folder", "works"]).ends(2).says(&["folder", "a directory of other files"]);
}

#[test]
fn an_index_in_memory_gives_the_records_of_a_mapped_one() {
    let folder = Folder::with_index();
    fs::create_dir(folder.at("evidence")).unwrap();
    fs::copy(folder.at("works/work-1.png"), folder.at("evidence/copy.png")).unwrap();
    let scan = ["scan", "evidence", "--index", "works.idx", "--json"];
    let mapped = minutia(&folder, &scan).ends(1);
    let in_memory = minutia(&folder, &[&scan[..], &["--in-memory"]].concat()).ends(1);
    assert_eq!(mapped.json(), in_memory.json());
    assert_eq!(mapped.json().len(), 2);
}
