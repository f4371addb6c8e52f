//! `minutia index import | export | union` and `minutia search`: hashes in and out, without any media.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use assert_cmd::Command;
use minutia_machine::Level;
use serde_json::{Value, json};

use crate::evidence::{Folder, Ran, minutia};

const A: &str = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6339c4e9c9b22";

/// `A` with its first `bits` bits flipped.
fn away(bits: usize) -> String {
    let flipped = A.chars().enumerate().map(|(place, digit)| {
        let mask = (0..4).filter(|bit| 4 * place + bit < bits).fold(0, |mask, bit| mask | 8 >> bit);
        char::from_digit(digit.to_digit(16).unwrap() ^ mask, 16).unwrap()
    });
    flipped.collect()
}

/// Work, distance and inversion.
type Hit = (String, u64, bool);

/// The hits of each query, by its id.
fn hits(ran: &Ran) -> Vec<(String, Vec<Hit>)> {
    let queries = ran.json().into_iter().filter(|record| record["record"] == "query");
    let hit = |hit: &Value| {
        let text = |field: &str| hit[field].as_str().unwrap().to_owned();
        (text("work"), hit["distance_bits"].as_u64().unwrap(), hit["inverted"].as_bool().unwrap())
    };
    let of = |query: Value| {
        let id = query["query"]["id"].as_str().unwrap().to_owned();
        (id, query["hits"].as_array().unwrap().iter().map(hit).collect())
    };
    queries.map(of).collect()
}

/// A line of `index info`.
fn info(folder: &Folder, index: &str, field: &str) -> String {
    let out = minutia(folder, &["index", "info", index]).ends(0).out;
    let line = out.lines().find(|line| line.starts_with(field)).unwrap();
    line[field.len()..].trim().to_owned()
}

/// What a search for every hash of `list` finds, without what names the index and the lists' lines.
fn found(folder: &Folder, list: &str, index: &str) -> Vec<Value> {
    let ran = minutia(folder, &["search", list, "--index", index, "--radius", "60", "--json"]);
    assert_ne!(ran.code, 2, "{ran:?}");
    let queries = ran.json().into_iter().filter(|record| record["record"] == "query");
    queries.map(|query| json!({ "hash": query["query"]["hash"], "hits": query["hits"] })).collect()
}

#[test]
fn a_list_is_imported_and_looked_up() {
    let folder = Folder::new();
    folder.write(
        "works.csv",
        format!("hash,id,holder,quality\n{A},W-1,Jo,87\n{},W-1,,\n{},W-2,,\n", away(100), away(20)),
    );
    let ran = minutia(&folder, &["index", "import", "works.idx", "works.csv", "--owner", "Ann"]).ends(0);
    assert!(ran.out.starts_with("3 hashes read, 3 files imported, 0 wrong lines"), "{}", ran.out);
    assert!(ran.out.contains("2 works, 3 files, 3 references"), "{}", ran.out);
    let export = minutia(&folder, &["index", "export", "works.idx"]).ends(0).json();
    let of = |record: &str| export.iter().filter(|line| line["record"] == record).cloned().collect::<Vec<_>>();
    assert_eq!(of("work").iter().map(|work| work["holder"].clone()).collect::<Vec<_>>(), ["Jo", "Ann"]);
    let reference = of("reference").into_iter().find(|line| line["hex"] == A).unwrap();
    assert_eq!((&reference["quality"], &reference["algorithm"]), (&87.into(), &"pdq".into()));
    assert_eq!((&reference["region_kind"], &reference["file"]), (&"whole".into(), &A.into()));
    assert!(of("reference").iter().any(|line| line["quality"] == 100), "a quality that is not known");

    folder.write("queries.csv", format!("hash,id\n{A},same\n{},far\n{},negative\n", away(60), away(256)));
    let search = |more: &[&str], code| {
        let arguments = [&["search", "queries.csv", "--index", "works.idx", "--json"], more].concat();
        hits(&minutia(&folder, &arguments).ends(code))
    };
    let hit = |work: &str, bits: u64, inverted| (work.to_owned(), bits, inverted);
    let expect = |same: &[_], far: &[_], negative: &[_]| {
        [("same", same), ("far", far), ("negative", negative)].map(|(id, hits)| (id.to_owned(), hits.to_vec()))
    };
    let near = [hit("W-1", 0, false), hit("W-2", 20, false)];
    assert_eq!(search(&[], 1), expect(&near, &[], &[]));
    assert_eq!(search(&["--radius", "19"], 1), expect(&near[..1], &[], &[]));
    let far = [hit("W-1", 40, false), hit("W-2", 40, false)];
    let negative = [hit("W-1", 0, true), hit("W-2", 20, true)];
    assert_eq!(search(&["--radius", "40", "--complement"], 1), expect(&near, &far, &negative));
    assert_eq!(search(&["--radius", "40", "--complement", "--in-memory"], 1), expect(&near, &far, &negative));
    minutia(&folder, &["search", "queries.csv", "--index", "works.idx", "--radius", "101"]).ends(2).says(&["100"]);

    let text = minutia(&folder, &["search", "queries.csv", "--index", "works.idx"]).ends(1);
    assert_eq!(text.out.lines().count(), 2);
    assert!(text.out.starts_with("  0 bits  queries.csv line 2: same  ->  W-1, infringing, "), "{}", text.out);
    text.says(&["3 hashes looked up within 31 bits: 1 with hits (2), 1 on works whose policy is infringing"]);

    let summary = minutia(&folder, &["search", "queries.csv", "--index", "works.idx", "--json"]).json().pop().unwrap();
    assert_eq!((&summary["schema"], &summary["record"]), (&"minutia/search/0".into(), &"summary".into()));
    assert_eq!((&summary["queries"], &summary["hits"], &summary["exit_code"]), (&3.into(), &2.into(), &1.into()));
    assert_eq!(summary["index"]["references"], 3);
}

#[test]
fn hashes_of_less_quality_than_is_asked_for_are_left_out_and_counted() {
    let folder = Folder::new();
    folder.write("works.csv", format!("hash,id,quality\n{A},W-1,49\n{},W-2,50\n{},W-3,\n", away(90), away(110)));
    let ran = minutia(&folder, &["index", "import", "works.idx", "works.csv", "--min-quality", "50"]).ends(0);
    let left_out = "1 hash left out, which would say too little (a quality below 50, or every bit the same)";
    assert!(ran.out.contains(left_out) && ran.out.contains("2 references"), "{}", ran.out);
    let export = minutia(&folder, &["index", "export", "works.idx", "--format", "csv"]).ends(0);
    assert!(!export.out.contains(A) && export.out.contains(&away(90)) && export.out.contains(&away(110)));
    minutia(&folder, &["index", "import", "works.idx", "works.csv", "--min-quality", "101"]).ends(2).says(&["0..=100"]);
}

#[test]
fn a_search_ends_as_it_was_found() {
    let folder = Folder::new();
    folder.write("works.csv", format!("hash,id,policy\n{A},W-1,licensed\n"));
    minutia(&folder, &["index", "import", "works.idx", "works.csv"]).ends(0);
    folder.write("far.txt", away(80));
    folder.write("near.txt", A);
    folder.write("wrong.txt", format!("nonsense here\n{A}\n"));
    folder.write("empty.csv", "hash,id\n");
    let check = |lists: &[&str], code, says: &[&str]| {
        minutia(&folder, &[&["search", "--index", "works.idx"], lists].concat()).ends(code).says(says);
    };
    check(&["far.txt"], 0, &["0 with hits"]);
    check(&["far.txt", "near.txt"], 0, &["1 with hits (1), 0 on works"]);
    check(&["wrong.txt"], 2, &["wrong.txt line 1: expected a hash", "1 with hits", "1 wrong line"]);
    minutia(&folder, &["index", "import", "none.idx", "empty.csv"]).ends(2);
    minutia(&folder, &["index", "info", "none.idx"]).ends(2).says(&["none.idx"]);
    check(&["empty.csv"], 2, &["empty.csv: expected hashes of pictures or films, found none"]);
    check(&["missing.txt"], 2, &["missing.txt: expected a hash list"]);
    check(&["works.idx"], 2, &["found a directory"]);
    check(&["near.txt", "--algorithm", "md5"], 2, &["(pdq, pdq-512, pdq-area), found md5"]);
    folder.write("infringing.csv", format!("hash,id\n{A},W-2\n"));
    minutia(&folder, &["index", "import", "works.idx", "infringing.csv"]).ends(0);
    check(&["near.txt"], 1, &["1 with hits (2), 1 on works"]);
    minutia(&folder, &["search", "near.txt", "--index", "missing.idx"]).ends(2).says(&["missing.idx"]);
}

/// What a list does not say of a work stays as the list before said it, in one command as in two.
#[test]
fn what_one_list_says_of_a_work_another_does_not_take_back() {
    let folder = Folder::new();
    folder.write("said.csv", format!("hash,id,holder,policy\n{A},W-1,Jo,licensed\n{},W-2,Jo,ignore\n", away(90)));
    folder.write("unsaid.csv", format!("hash,id\n{},W-1\n{},W-2\n", away(20), away(100)));
    folder.write("near.txt", A);
    minutia(&folder, &["index", "import", "one.idx", "said.csv", "unsaid.csv"]).ends(0);
    minutia(&folder, &["index", "import", "two.idx", "said.csv"]).ends(0);
    minutia(&folder, &["index", "export", "two.idx", "--format", "minutia", "--output", "two.minutia"]).ends(0);
    minutia(&folder, &["index", "import", "two.idx", "unsaid.csv"]).ends(0);
    minutia(&folder, &["index", "import", "three.idx", "two.minutia", "unsaid.csv"]).ends(0);
    let works = |index: &str| {
        let export = minutia(&folder, &["index", "export", index]).ends(0).json();
        let works = export.into_iter().filter(|line| line["record"] == "work");
        works.map(|work| [work["work"].clone(), work["holder"].clone(), work["policy"].clone()]).collect::<Vec<_>>()
    };
    assert_eq!(works("one.idx"), [["W-1", "Jo", "licensed"], ["W-2", "Jo", "ignore"]]);
    assert_eq!((works("two.idx"), works("three.idx")), (works("one.idx"), works("one.idx")));
    minutia(&folder, &["search", "near.txt", "--index", "one.idx"]).ends(0).says(&["1 with hits (2), 0 on works"]);
}

/// Lines of one work, with a file and without, in turn.
#[test]
fn a_line_that_says_nothing_of_a_work_takes_nothing_back() {
    let folder = Folder::new();
    let [first, second, third] = [20, 60, 100].map(away);
    folder.write("mixed.csv", format!("hash,id,title,file\n{first},W-1\n{second},W-1,Film,a.jpg\n{third},W-1\n"));
    minutia(&folder, &["index", "import", "mixed.idx", "mixed.csv"]).ends(0);
    let export = minutia(&folder, &["index", "export", "mixed.idx"]).ends(0).json();
    let titles: Vec<_> = export.iter().filter(|line| line["record"] == "work").map(|work| &work["title"]).collect();
    assert_eq!(titles, ["Film"]);
}

/// Nothing is made of a damaged index that looks like a sound one, and it is not taken for a lost one.
#[test]
fn a_damaged_index_is_neither_written_anew_nor_exported() {
    let folder = Folder::new();
    folder.write("works.csv", format!("hash,id\n{A},W-1\n{},W-2\n", away(100)));
    folder.write("more.csv", format!("hash,id\n{},W-3\n", away(150)));
    minutia(&folder, &["index", "import", "works.idx", "works.csv"]).ends(0);
    let segment = folder.at("works.idx/segment-0000000000");
    let mut bytes = fs::read(&segment).unwrap();
    let code: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&A[2 * at..2 * at + 2], 16).unwrap()).collect();
    let at = bytes.windows(32).position(|window| window == code).unwrap();
    bytes[at] ^= 1;
    fs::remove_file(&segment).unwrap();
    fs::write(&segment, &bytes).unwrap();
    let refused = |arguments: &[&str]| minutia(&folder, arguments).ends(2).says(&["works.idx", "checksum"]);
    refused(&["index", "import", "works.idx", "more.csv"]);
    for format in ["json", "csv", "fpcalc", "vpdq"] {
        refused(&["index", "export", "works.idx", "--format", format]);
    }
    assert_eq!(fs::read(&segment).unwrap(), bytes);

    fs::remove_file(folder.at("works.idx/MANIFEST")).unwrap();
    for arguments in [["index", "import", "works.idx", "more.csv"], ["search", "more.csv", "--index", "works.idx"]] {
        minutia(&folder, &arguments).ends(2).says(&["works.idx", "MANIFEST", "copy of the index"]);
    }
    assert_eq!(fs::read(&segment).unwrap(), bytes);
}

/// Many references of one code are kept, each, and told.
#[test]
fn a_code_that_many_share_is_told() {
    let folder = Folder::new();
    let rows = |count: u32| (0..count).map(|n| format!("{A},W-{n}\n")).collect::<String>();
    folder.write("few.csv", format!("hash,id\n{}", rows(1_023)));
    folder.write("many.csv", format!("hash,id\n{}", rows(1_024)));
    let few = minutia(&folder, &["index", "import", "few.idx", "few.csv"]).ends(0);
    assert!(!few.err.contains("shared"), "{few:?}");
    let told = "1 code is shared by 1,024 references or more, the most shared one by 1024";
    minutia(&folder, &["index", "import", "many.idx", "many.csv"]).ends(0).says(&[told]);
    assert_eq!(
        (info(&folder, "many.idx", "algorithms"), info(&folder, "many.idx", "works")),
        ("pdq".into(), "1024".into())
    );
    folder.write("near.txt", A);
    minutia(&folder, &["search", "near.txt", "--index", "many.idx"]).ends(1).says(&["1 with hits (1024)"]);
}

#[test]
fn lists_come_from_standard_input() {
    let folder = Folder::new();
    let run = |arguments: &[&str], input: &str| {
        let mut command = Command::cargo_bin("minutia").unwrap();
        command.current_dir(folder.path()).args(arguments).write_stdin(input);
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, out) =
        run(&["index", "import", "works.idx", "-"], &format!("pdq {A} 'Samples' POSITIVE_CLASS\nurl https://x\n"));
    assert!(code == Some(0) && out.starts_with("1 hash read, 1 file imported, 0 wrong"), "{out}");
    let (code, out) = run(&["search", "-", "--index", "works.idx"], A);
    assert!(code == Some(1) && out.contains(&format!("- line 1: {A}  ->  {A}")), "{out}");
    minutia(&folder, &["search", "-", "-", "--index", "works.idx"]).ends(2).says(&["read once"]);
}

#[test]
fn what_is_wrong_in_a_list_is_told_and_the_rest_is_imported() {
    let folder = Folder::new();
    let lines = format!("hash,id,file\n{A},W-1,a\n12,W-2,b\n{},W-3,c\n{},W-1,a\n{:064},W-4,d\n", away(1), away(2), 0);
    folder.write("list.csv", lines);
    let ran = minutia(&folder, &["index", "import", "works.idx", "list.csv"]).ends(2).says(&[
        "list.csv line 3: expected 64 hexadecimal digits of pdq, found 2 characters: 12",
        "list.csv line 5: expected the hashes of a file to stand together, found another of a",
    ]);
    assert!(
        ran.out.contains("4 hashes read, 3 files imported, 2 wrong lines; 1 hash left out, which would say too little"),
        "{}",
        ran.out
    );
    // Again: nothing changes.
    let before = info(&folder, "works.idx", "references");
    minutia(&folder, &["index", "import", "works.idx", "list.csv"]).ends(2);
    assert_eq!(info(&folder, "works.idx", "references"), before);
    minutia(&folder, &["index", "verify", "works.idx"]).ends(0);
    // What is known of a work stays where a list says nothing of it.
    folder.write("more.csv", format!("hash,id\n{},W-1\n", away(9)));
    folder.write("title.csv", format!("hash,id,title\n{A},W-1,Harbour\n"));
    minutia(&folder, &["index", "import", "works.idx", "title.csv"]).ends(0);
    minutia(&folder, &["index", "import", "works.idx", "more.csv"]).ends(0);
    let export = minutia(&folder, &["index", "export", "works.idx"]).ends(0).json();
    assert_eq!(export.iter().find(|line| line["work"] == "W-1").unwrap()["title"], "Harbour");
}

#[test]
fn a_scan_finds_what_was_imported_and_says_whose_code_it_is() {
    let folder = Folder::new();
    folder.picture("works/a.png", 1);
    folder.picture("evidence/a.jpg", 1);
    folder.picture("evidence/b.jpg", 2);
    let list = minutia(&folder, &["fingerprint", "--json", "works/a.png"]).ends(0).out;
    folder.write("list.jsonl", list);
    minutia(&folder, &["index", "import", "works.idx", "list.jsonl"]).ends(0);
    let records = minutia(&folder, &["scan", "evidence", "--index", "works.idx", "--json"]).json();
    if records.last().unwrap()["run"]["match_score"].is_null() {
        println!("not run: this build has no calibration, and finds nothing by codes");
        return;
    }
    let finding = &records[0]["findings"][0];
    assert_eq!((&finding["work"], &finding["reference"]), (&"works/a.png".into(), &"works/a.png".into()));
    assert_eq!((&finding["algorithm"], &finding["reference_algorithm"]), (&"pdq-area".into(), &"pdq".into()));
    assert_eq!(records[1]["findings"], json!([]));
}

#[test]
fn lists_of_classic_hashes_have_an_index_of_their_own() {
    let folder = Folder::new();
    for seed in 0..3 {
        folder.picture(&format!("works/{seed}.png"), seed);
        folder.picture(&format!("copies/{seed}.jpg"), seed);
    }
    let doctor = minutia(&folder, &["doctor"]).ends(0).out;
    let names = doctor.lines().filter_map(|line| line.strip_prefix("algorithm")?.split_whitespace().next());
    let names: Vec<&str> = names.filter(|name| !name.starts_with("pdq")).collect();
    assert_eq!(names.len(), 6, "{doctor}");
    let list = |folder_of: &str, algorithm: &str, extension: &str| {
        let files: Vec<String> = (0..3).map(|seed| format!("{folder_of}/{seed}.{extension}")).collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let arguments = [&["fingerprint", "--json", "--algorithm", algorithm][..], &files].concat();
        minutia(&folder, &arguments).ends(0).out
    };
    folder.write("pdq.jsonl", list("works", "pdq", "png"));
    for name in &names {
        let index = format!("{name}.idx");
        folder.write("works.jsonl", list("works", name, "png"));
        folder.write("copies.jsonl", list("copies", name, "jpg"));
        minutia(&folder, &["index", "import", &index, "works.jsonl", "pdq.jsonl"]).ends(2).says(&[
            "left out",
            "pdq (3)",
            "pdq.jsonl: expected hashes of pictures or films, found none",
        ]);
        minutia(&folder, &["index", "verify", &index]).ends(0);
        assert_eq!(info(&folder, &index, "algorithms"), **name);
        let search = ["search", "copies.jsonl", "--index", &index, "--radius", "3", "--complement", "--json"];
        for (seed, (id, found)) in hits(&minutia(&folder, &search).ends(1)).into_iter().enumerate() {
            let own = |hit: &&Hit| hit.0 == format!("works/{seed}.png") && !hit.2;
            assert!(found.iter().any(|hit| own(&hit)), "{name} {id}: {found:?}");
            assert!(found.iter().all(|hit| hit.1 <= 3), "{name} {id}: {found:?}");
        }
        minutia(&folder, &search[..4]).ends(2).says(&["--radius", "none that is customary"]);
        minutia(&folder, &["scan", "copies", "--index", &index]).ends(2).says(&["pdq-area", name, "minutia search"]);
        minutia(&folder, &["index", "add", &index, "works"]).ends(2).says(&["found codes of pdq-area"]);
        // Its hashes without their algorithm's name are taken for its own; an export has the name, and comes back.
        let csv = minutia(&folder, &["index", "export", &index, "--format", "csv"]).ends(0).out;
        folder.write("export.csv", &csv);
        minutia(&folder, &["index", "import", "again.idx", "export.csv"]).ends(0);
        assert_eq!(bytes_of(&folder, "again.idx"), bytes_of(&folder, &index));
        fs::remove_dir_all(folder.at("again.idx")).unwrap();
        let bare: Vec<&str> = csv.lines().skip(1).map(|row| row.split(',').next().unwrap()).collect();
        folder.write("bare.txt", bare.join("\n"));
        minutia(&folder, &["search", "bare.txt", "--index", &index, "--radius", "0"]).ends(1).says(&["3 with hits"]);
    }
    minutia(&folder, &["index", "union", "all.idx", "mean-64.idx", "gradient-64.idx"]).ends(2).says(&["an index of"]);
}

/// Pictures in two folders, one of them in both, and indexes of each and of all.
fn two_folders() -> Folder {
    let folder = Folder::new();
    for seed in 0..4 {
        folder.picture(&format!("first/work-{seed}.png"), seed);
        folder.picture(&format!("second/work-{}.png", seed + 3), seed + 3);
    }
    folder.write("first/blank.png", {
        let mut bytes = std::io::Cursor::new(Vec::new());
        image::RgbImage::from_pixel(64, 64, image::Rgb([7, 7, 7]))
            .write_to(&mut bytes, image::ImageFormat::Png)
            .unwrap();
        bytes.into_inner()
    });
    minutia(&folder, &["index", "add", "first.idx", "first", "--thumbnails", "--owner", "Jo"]).ends(0);
    minutia(&folder, &["index", "add", "second.idx", "second", "--thumbnails", "--owner", "Jo"]).ends(0);
    minutia(&folder, &["index", "add", "all.idx", "first", "second", "--thumbnails", "--owner", "Jo"]).ends(0);
    folder
}

fn bytes_of(folder: &Folder, index: &str) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(folder.at(index)).unwrap().map(|file| file.unwrap());
    let mut files: Vec<_> =
        files.map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap())).collect();
    files.sort();
    files
}

#[test]
fn a_union_is_the_index_of_everything() {
    let folder = two_folders();
    let ran = minutia(&folder, &["index", "union", "union.idx", "first.idx", "second.idx"]).ends(0);
    assert_eq!(
        ran.out.trim(),
        format!(
            "8 works, 8 files, {} references from 2 indexes",
            info(&folder, "all.idx", "references").split(' ').next().unwrap()
        )
    );
    assert_eq!(bytes_of(&folder, "union.idx"), bytes_of(&folder, "all.idx"), "byte for byte");
    minutia(&folder, &["index", "verify", "union.idx"]).ends(0);
    let scan = |index: &str| {
        let records = minutia(&folder, &["scan", "first", "second", "--index", index, "--json"]).ends(1).json();
        records.into_iter().map(|record| record["findings"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(scan("union.idx"), scan("all.idx"));
    minutia(&folder, &["index", "union", "union.idx", "first.idx"])
        .ends(2)
        .says(&["union.idx", "expected a new directory"]);
    minutia(&folder, &["index", "union", "new.idx", "first.idx", "missing.idx"]).ends(2).says(&["missing.idx"]);
    assert!(!folder.at("new.idx").exists());
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with('.')), "{left:?}");
}

#[test]
fn an_export_imported_finds_the_same() {
    let folder = two_folders();
    let export = |format: &str, output: &str| {
        minutia(&folder, &["index", "export", "all.idx", "--format", format, "--output", output]).ends(0);
    };
    export("csv", "all.csv");
    export("json", "all.jsonl");
    export("minutia", "all.minutia");
    for format in ["csv", "json"] {
        let printed = minutia(&folder, &["index", "export", "all.idx", "--format", format]).ends(0).out;
        let file = if format == "csv" { "all.csv" } else { "all.jsonl" };
        assert_eq!(fs::read_to_string(folder.at(file)).unwrap(), printed);
    }
    let expected = found(&folder, "all.csv", "all.idx");
    assert!(expected.len() > 200 && expected.iter().all(|query| query["hits"][0]["distance_bits"] == 0));
    for list in ["all.csv", "all.jsonl", "all.minutia"] {
        let index = format!("{list}.idx");
        minutia(&folder, &["index", "import", &index, list]).ends(0);
        assert_eq!(found(&folder, "all.csv", &index), expected, "{list}");
        minutia(&folder, &["index", "verify", &index]).ends(0);
        let scan = |index: &str| {
            let records = minutia(&folder, &["scan", "second", "--index", index, "--json"]).ends(1).json();
            records.into_iter().map(|record| record["findings"].clone()).collect::<Vec<_>>()
        };
        if list != "all.minutia" {
            // A blank picture has no hash.
            assert_eq!(info(&folder, &index, "files"), "7");
        } else {
            assert_eq!(scan(&index), scan("all.idx"));
            assert_eq!(bytes_of(&folder, &index), bytes_of(&folder, "all.idx"));
        }
    }
    // Its own files are as readable as others', and are never written over.
    let mode = fs::metadata(folder.at("all.minutia")).unwrap().permissions().mode();
    assert_eq!(mode & 0o400, 0o400);
    minutia(&folder, &["index", "export", "all.idx", "--output", "all.csv"]).ends(2).says(&["expected a new file"]);
    minutia(&folder, &["index", "export", "all.idx", "--format", "minutia"]).ends(2).says(&["--output"]);
    // However an index grew, it is exported as the same bytes.
    minutia(&folder, &["index", "add", "second.idx", "first", "--thumbnails", "--owner", "Jo"]).ends(0);
    minutia(&folder, &["index", "export", "second.idx", "--format", "minutia", "--output", "again.minutia"]).ends(0);
    assert_eq!(fs::read(folder.at("again.minutia")).unwrap(), fs::read(folder.at("all.minutia")).unwrap());
    let tar = std::process::Command::new("tar").arg("tf").arg(folder.at("all.minutia")).output();
    match tar {
        Ok(tar) => assert!(String::from_utf8(tar.stdout).unwrap().starts_with("MANIFEST\nsegment-")),
        Err(error) => println!("not run: tar: {error}"),
    }
}

#[test]
fn a_damaged_export_is_refused() {
    let folder = Folder::with_index();
    minutia(&folder, &["index", "export", "works.idx", "--format", "minutia", "--output", "whole.minutia"]).ends(0);
    let whole = fs::read(folder.at("whole.minutia")).unwrap();
    let check = |name: &str, bytes: Vec<u8>, parts: &[&str]| {
        folder.write(name, bytes);
        let out = format!("{name}.idx");
        minutia(&folder, &["index", "union", &out, name]).ends(2).says(parts);
        assert!(!folder.at(&out).exists());
        minutia(&folder, &["index", "import", "other.idx", name]).ends(2).says(parts);
    };
    check("cut.minutia", whole[..whole.len() / 2].to_vec(), &["cut.minutia", "cut short"]);
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    check("flipped.minutia", flipped, &["flipped.minutia", "damaged"]);
    let mut named = whole.clone();
    named[..8].copy_from_slice(b"MANIFESU");
    folder.write("named.minutia", named);
    minutia(&folder, &["index", "union", "named.idx", "named.minutia"]).ends(2).says(&["named.minutia"]);
}

#[test]
fn every_kernel_gives_the_same_records() {
    let folder = two_folders();
    minutia(&folder, &["index", "export", "second.idx", "--format", "csv", "--output", "second.csv"]).ends(0);
    let run = |kernel: Option<&str>, arguments: &[&str]| {
        let mut command = Command::cargo_bin("minutia").unwrap();
        command.current_dir(folder.path()).args(arguments).env_remove("MINUTIA_KERNEL");
        if let Some(kernel) = kernel {
            command.env("MINUTIA_KERNEL", kernel);
        }
        let output = command.output().unwrap();
        (output.status.code(), output.stdout, String::from_utf8(output.stderr).unwrap())
    };
    let scan: &[&str] = &["scan", "second", "--index", "first.idx", "--json"];
    let search: &[&str] = &["search", "second.csv", "--index", "first.idx", "--radius", "90", "--complement", "--json"];
    let mut met = 0;
    for arguments in [scan, search] {
        let expected = run(None, arguments);
        assert_eq!(expected.0, Some(1), "{expected:?}");
        assert_eq!(run(Some(""), arguments), expected);
        for level in Level::all_here() {
            met += 1;
            assert_eq!(run(Some(level.name()), arguments), expected, "{}", level.name());
        }
        let (code, _, told) = run(Some("abacus"), arguments);
        assert!(code == Some(2) && told.contains("MINUTIA_KERNEL") && told.contains("(portable"), "{told}");
    }
    println!("{} kernels met", met / 2);
    assert_eq!(met, 2 * Level::all_here().len());
    let (_, out, _) = run(Some("portable"), &["doctor"]);
    assert!(String::from_utf8(out).unwrap().contains("kernels       portable (of "));
}

#[test]
fn hostile_lists_drive_no_terminal() {
    let folder = Folder::new();
    folder.write("list.csv", format!("hash,id,title\n{A},W\u{202e}-1,\u{1b}[31mred\u{9b}\n\u{1b}[2J,W-2,\n"));
    let ran = minutia(&folder, &["index", "import", "works.idx", "list.csv"]).ends(2);
    folder.write("queries.csv", format!("hash,id\n{A},\u{202e}query\n"));
    let text = minutia(&folder, &["search", "queries.csv", "--index", "works.idx"]).ends(1);
    let json = minutia(&folder, &["search", "queries.csv", "--index", "works.idx", "--json"]).ends(1);
    for told in [&ran.out, &ran.err, &text.out, &text.err, &json.out, &json.err] {
        assert!(!told.chars().any(|c| c != '\n' && minutia_report::escape::is_unsafe(c)), "{told:?}");
    }
    assert_eq!(json.json()[0]["query"]["id"], "\u{202e}query");
}
