//! Films that are known by their frame hashes alone: made, imported, found, exported.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::evidence::{Folder, minutia};

fn vectors(name: &str) -> PathBuf {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/video/vpdq").join(name);
    file.canonicalize().unwrap()
}

/// A film whose list the reference made, beside a list of another film.
const FILM: &str = "test-padded-dimensions";
const OTHER: &str = "doorknob-hd-no-bar";

fn with_lists() -> Folder {
    let folder = Folder::new();
    for name in [FILM, OTHER] {
        folder.write(format!("{name}.txt"), fs::read(vectors(&format!("{name}.txt"))).unwrap());
    }
    folder
}

fn item<'a>(records: &'a [Value], path: &str) -> &'a Value {
    records.iter().find(|record| record["path"].as_str().is_some_and(|found| found.ends_with(path))).unwrap()
}

#[test]
fn frames_are_printed_as_the_references_tool_prints_them() {
    let folder = Folder::new();
    let film = vectors(&format!("{FILM}.mp4"));
    let film = film.to_str().unwrap();
    let ran = minutia(&folder, &["fingerprint", "--algorithm", "vpdq", "--every-frame", film]).ends(0);
    let expected = fs::read_to_string(vectors(&format!("{FILM}.txt"))).unwrap();
    assert_eq!(ran.out.lines().count(), 150);
    let without_hash = |line: &str| {
        line.split(',').enumerate().filter(|(n, _)| *n != 2).map(|(_, cell)| cell.to_owned()).collect::<Vec<_>>()
    };
    for (found, expected) in ran.out.lines().zip(expected.lines()) {
        assert_eq!(without_hash(found), without_hash(expected));
    }
    let ran = minutia(&folder, &["fingerprint", "--algorithm", "vpdq", "--json", film]).ends(0);
    let lines = ran.json();
    assert_eq!(lines.len(), 5);
    assert_eq!(
        (&lines[4]["frame"], &lines[4]["timestamp"], &lines[4]["algorithm"]),
        (&120.into(), &4.0.into(), &"vpdq".into())
    );
    minutia(&folder, &["fingerprint", "--every-frame", film]).ends(2).says(&["--algorithm vpdq"]);
    folder.write("a.png", crate::evidence::picture(1, image::ImageFormat::Png));
    minutia(&folder, &["fingerprint", "--algorithm", "vpdq", "a.png"]).ends(2).says(&["this algorithm is for films"]);
    minutia(&folder, &["fingerprint", "--algorithm", "pdq", film]).ends(2).says(&["this algorithm is for pictures"]);
}

#[test]
fn a_film_is_printed_as_an_index_holds_it() {
    let folder = Folder::new();
    let film = vectors(&format!("{FILM}.mp4"));
    let ran = minutia(&folder, &["fingerprint", film.to_str().unwrap()]).ends(0);
    assert!(ran.out.contains("in 9 views") && ran.out.contains("1080x1080 pixels, 5.0"), "{}", ran.out);
    let lines = minutia(&folder, &["fingerprint", "--json", film.to_str().unwrap()]).ends(0).json();
    let line = lines.iter().find(|line| line["algorithm"] == "pdq-area").unwrap();
    assert_eq!((&line["step_ms"], line["views"].as_array().unwrap().len()), (&500.into(), 9));
    let frames = line["frames"].as_array().unwrap();
    assert!(!frames.is_empty() && frames.len() <= 11, "{line}");
    assert_eq!((&frames[0]["time_ms"], frames[0]["codes"].as_array().unwrap().len()), (&0.into(), 9));
}

#[test]
fn a_film_known_by_its_list_alone_is_found() {
    let folder = with_lists();
    let ran =
        minutia(&folder, &["index", "import", "films.idx", &format!("{FILM}.txt"), &format!("{OTHER}.txt")]).ends(0);
    assert!(ran.out.contains("2 films imported, with 18 of 270 frames: at most two a second"), "{}", ran.out);
    minutia(&folder, &["index", "verify", "films.idx"]).ends(0);
    // Again it adds nothing.
    let ran = minutia(&folder, &["index", "import", "films.idx", &format!("{FILM}.txt")]).ends(0);
    assert!(ran.out.contains("the index has 2 works, 2 files, 0 references, 2 films"), "{}", ran.out);

    // The film itself, by its pixels.
    fs::create_dir(folder.at("evidence")).unwrap();
    fs::copy(vectors(&format!("{FILM}.mp4")), folder.at("evidence/seized.mp4")).unwrap();
    let records = minutia(&folder, &["scan", "evidence", "--index", "films.idx", "--json"]).ends(1).json();
    let found = &item(&records, "seized.mp4")["findings"][0];
    let expected = (&FILM.into(), &"frames".into(), &"match".into());
    assert_eq!((&found["work"], &found["method"], &found["level"]), expected, "{found}");
    assert_eq!(found["reference_view"]["kind"], "whole", "{found}");

    // And its list, against the lists.
    let search = minutia(&folder, &["search", &format!("{FILM}.txt"), "--index", "films.idx", "--json"]).ends(1);
    let records = search.json();
    assert_eq!((&records[0]["record"], &records[0]["query"]["frames"]), (&"film".into(), &150.into()));
    let findings = records[0]["findings"].as_array().unwrap();
    assert_eq!((findings.len(), &findings[0]["work"], &findings[0]["level"]), (1, &FILM.into(), &"match".into()));
    let summary = records.last().unwrap();
    assert_eq!(
        (&summary["films"], &summary["films_with_findings"], &summary["infringing_queries"]),
        (&1.into(), &1.into(), &1.into())
    );
    let text = minutia(&folder, &["search", &format!("{FILM}.txt"), "--index", "films.idx"]).ends(1);
    assert!(
        text.out.starts_with(&format!("match    {FILM}.txt line 1: {FILM}  ->  {FILM}, infringing: ")),
        "{}",
        text.out
    );
    text.says(&["1 film looked up: 1 with findings"]);
}

#[test]
fn an_export_of_films_is_read_again_and_says_what_it_leaves_out() {
    let folder = with_lists();
    minutia(&folder, &["index", "import", "films.idx", &format!("{FILM}.txt"), &format!("{OTHER}.txt")]).ends(0);
    let export = |format: &str, more: &[&str]| {
        minutia(&folder, &[&["index", "export", "films.idx", "--format", format], more].concat())
    };
    export("vpdq", &[]).ends(2).says(&["expected an index of one film, found 2", "--output DIR"]);
    export("vpdq", &["--output", "lists"]).ends(0);
    let written = |name: &str| fs::read_to_string(folder.at(format!("lists/{name}.txt"))).unwrap();
    assert_eq!(fs::read_dir(folder.at("lists")).unwrap().count(), 2);
    assert_eq!((written(FILM).lines().count(), written(OTHER).lines().count()), (10, 8));
    let own = fs::read_to_string(vectors(&format!("{FILM}.txt"))).unwrap();
    let hash = |line: &str| line.split(',').nth(2).unwrap().to_owned();
    let last = |text: &str| hash(text.lines().last().unwrap());
    assert_eq!(last(&written(FILM)), hash(own.lines().nth(135).unwrap()));
    export("vpdq", &["--output", "lists"]).ends(2).says(&["expected a new file"]);
    // Every form gives an index of the same films.
    for (format, name) in [("json", "films.jsonl"), ("csv", "films.csv"), ("minutia", "films.minutia")] {
        export(format, &["--output", name]).ends(0);
        let index = format!("{format}.idx");
        let ran = minutia(&folder, &["index", "import", &index, name]).ends(0);
        assert!(ran.out.contains("2 works, 2 files, 0 references, 2 films"), "{format}: {}", ran.out);
        let again = minutia(&folder, &["index", "export", &index, "--format", "csv"]).ends(0).out;
        assert_eq!(again, export("csv", &[]).ends(0).out, "{format}");
    }
    export("fpcalc", &[]).ends(0).says(&["2 films left out", "--format vpdq"]);
    // Of a film that was itself read, one view of eight is written.
    fs::create_dir(folder.at("works")).unwrap();
    fs::copy(vectors(&format!("{FILM}.mp4")), folder.at("works/film.mp4")).unwrap();
    minutia(&folder, &["index", "add", "read.idx", "works"]).ends(0);
    let ran = minutia(&folder, &["index", "export", "read.idx", "--format", "vpdq"]).ends(0);
    assert!(ran.out.lines().all(|line| line.split(',').count() == 4) && ran.out.lines().count() > 3, "{}", ran.out);
    let ran = ran.says(&["1 film written by one view of each frame", "--format minutia"]);
    folder.write("film.txt", &ran.out);
    let ran = minutia(&folder, &["search", "film.txt", "--index", "read.idx"]).ends(1);
    assert!(ran.out.starts_with("match "), "{}", ran.out);
}

#[test]
fn a_list_takes_nothing_away_that_the_index_has() {
    let folder = with_lists();
    let song = "{\"duration\": 3.04, \"fingerprint\": \"AQAAA0mUaEkSRZEGAA\", \"id\": \"W\", \"file\": \"film.mp4\"}\n";
    folder.write("song.json", song);
    let code = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6339c4e9c9b22";
    folder.write("film.csv", format!("algorithm,hash,id,file,frame,seconds\nvpdq,{code},W,film.mp4,0,0.0\n"));
    for lists in [["song.json", "film.csv"], ["film.csv", "song.json"]] {
        let index = format!("{}.idx", lists[0]);
        let ran = minutia(&folder, &["index", "import", &index, lists[0], lists[1]]).ends(0);
        assert!(ran.out.contains("1 work, 2 files, 0 references, 1 recording, 1 film"), "{}", ran.out);
        // Again it adds nothing.
        let ran = minutia(&folder, &["index", "import", &index, lists[0], lists[1]]).ends(0);
        assert!(ran.out.contains("1 work, 2 files, 0 references, 1 recording, 1 film"), "{}", ran.out);
    }
    fs::create_dir(folder.at("works")).unwrap();
    fs::copy(vectors(&format!("{FILM}.mp4")), folder.at(format!("works/{FILM}.mp4"))).unwrap();
    minutia(&folder, &["index", "add", "read.idx", "works"]).ends(0);
    let list = fs::read_to_string(vectors(&format!("{FILM}.txt"))).unwrap();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        format!("vpdq,{},{FILM},{FILM}.mp4,{},{}\n", cells[2], cells[0], cells[3])
    };
    let rows: String = list.lines().map(row).collect();
    folder.write("rows.csv", format!("algorithm,hash,id,file,frame,seconds\n{rows}"));
    let ran = minutia(&folder, &["index", "import", "read.idx", "rows.csv"]).ends(0);
    assert!(ran.out.contains("1 work, 2 files"), "{}", ran.out);
}

#[test]
fn lists_of_films_that_are_wrong_are_told() {
    let folder = with_lists();
    let lines = fs::read_to_string(vectors(&format!("{FILM}.txt"))).unwrap();
    let zeros = "0".repeat(64);
    folder.write("wrong.txt", lines.replacen("\n31,", "\nthirty-one,", 1));
    let ran = minutia(&folder, &["index", "import", "a.idx", "wrong.txt"]).ends(2);
    assert!(ran.out.contains("1 film imported") && ran.out.contains("1 wrong line"), "{}", ran.out);
    ran.says(&["wrong.txt line 32: expected a frame of a film"]);
    folder.write("blank.txt", format!("0,0,{zeros},0.000\n1,0,{zeros},1.000\n"));
    minutia(&folder, &["index", "import", "b.idx", "blank.txt"])
        .ends(2)
        .says(&["expected a frame with something in it"]);
    minutia(&folder, &["search", "blank.txt", "--index", "a.idx"])
        .ends(2)
        .says(&["expected a frame with something in it"]);
    // Two films without a name in one list.
    let film = |first: usize| {
        lines
            .lines()
            .skip(first)
            .step_by(30)
            .take(3)
            .map(|line| {
                let cells: Vec<&str> = line.split(',').collect();
                format!("\\\"{},{},{}\\\"", cells[2], cells[1], cells[3])
            })
            .collect::<Vec<_>>()
            .join(", ")
    };
    folder.write("films.jsonl", format!("{{\"vpdq\": \"[{}]\"}}\n{{\"vpdq\": \"[{}]\"}}\n", film(0), film(5)));
    let ran = minutia(&folder, &["index", "import", "c.idx", "films.jsonl"]).ends(0);
    assert!(ran.out.contains("2 films imported, with 6 of 6 frames"), "{}", ran.out);
}
