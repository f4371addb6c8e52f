//! `minutia scan`: what each thing ends as, what is printed, how it ends.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use image::ImageFormat;
use serde_json::Value;

use crate::evidence::{Folder, Ran, minutia, outcomes, picture};

/// Evidence of several outcomes, two of them copies.
fn evidence(folder: &Folder) {
    folder.picture("evidence/unrelated.jpg", 50);
    folder.picture("evidence/deep/er/unrelated.png", 51);
    fs::create_dir(folder.at("evidence/empty")).unwrap();
    fs::copy(folder.at("works/work-1.png"), folder.at("evidence/deep/copy.png")).unwrap();
    fs::copy(folder.at("works/work-2.png"), folder.at("evidence/copy.dat")).unwrap();
    folder.write("evidence/text.jpg", "words, not a picture\n");
    folder.write("evidence/nothing.png", "");
    let jpeg = picture(52, ImageFormat::Jpeg);
    folder.write("evidence/cut.jpg", &jpeg[..jpeg.len() / 2]);
    folder.write("evidence/header.png", b"\x89PNG\r\n\x1a\n");
    folder.write("evidence/film.mid", b"MThd\0\0\0\x06 and so on");
    let blank = image::RgbImage::from_pixel(64, 64, image::Rgb([7, 7, 7]));
    blank.save(folder.at("evidence/blank.png")).unwrap();
    symlink("..", folder.at("evidence/loop")).unwrap();
}

#[test]
fn everything_has_one_outcome_and_they_sum_to_the_tree() {
    let folder = Folder::with_index();
    evidence(&folder);
    let ran = minutia(&folder, &["scan", "evidence", "--index", "works.idx", "--json"]).ends(2);
    let expected = [
        ("blank.png", "undecided"),
        ("copy.dat", "match"),
        ("cut.jpg", "damaged damaged"),
        ("deep/copy.png", "match"),
        ("deep/er/unrelated.png", "no-match"),
        ("film.mid", "unsupported unsupported"),
        ("header.png", "damaged damaged"),
        ("loop", "skipped symbolic_link"),
        ("nothing.png", "other not_media"),
        ("text.jpg", "other not_media"),
        ("unrelated.jpg", "no-match"),
    ];
    let told = outcomes(&ran, "evidence");
    let told: Vec<(&str, &str)> = told.iter().map(|(path, outcome)| (path.as_str(), outcome.as_str())).collect();
    assert_eq!(told, expected);

    let records = ran.json();
    let summary = records.last().unwrap();
    assert_eq!(records.len(), expected.len() + 1);
    assert_eq!(
        (&summary["record"], &summary["items"], &summary["exit_code"]),
        (&"summary".into(), &11.into(), &2.into())
    );
    let aloud = minutia(&folder, &["scan", "evidence", "--index", "works.idx"]).ends(2);
    for told in ["unsupported evidence/film.mid: ", "damaged    evidence/cut.jpg: "] {
        assert!(aloud.err.contains(told), "{aloud:?}");
    }

    let sum: u64 = summary["outcomes"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(sum, 11);
    assert_eq!(summary["outcomes"]["match"], 2);

    let item = |path: &str| records.iter().find(|record| record["path"] == format!("evidence/{path}")).unwrap();
    let copy = item("copy.dat");
    assert_eq!((&copy["format"], &copy["extension_mismatch"]), (&"PNG".into(), &true.into()));
    assert_eq!((&copy["width"], &copy["height"]), (&160.into(), &120.into()));
    let finding = &copy["findings"][0];
    assert_eq!((&finding["work"], &finding["method"]), (&"work-2".into(), &"identical".into()));
    assert_eq!(finding["reference_blake3"], copy["blake3"]);
    assert_eq!(item("text.jpg")["extension_mismatch"], true);
    assert_eq!(item("unrelated.jpg")["extension_mismatch"], false);
    assert_eq!(item("loop")["blake3"], Value::Null);
}

/// Digests of the empty file and of `abc`, as the algorithms' authors publish them (FIPS 180-4; BLAKE3's test vectors for
/// the empty input and `b3sum` for `abc`).
#[test]
fn digests_are_the_published_ones() {
    let folder = Folder::with_index();
    folder.write("evidence/abc", "abc");
    folder.write("evidence/empty", "");
    let records = minutia(&folder, &["scan", "evidence", "--index", "works.idx", "--json"]).ends(0).json();
    let digests =
        |place: usize| [&records[place]["blake3"], &records[place]["sha256"]].map(|v| v.as_str().unwrap().to_owned());
    assert_eq!(
        digests(0),
        [
            "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        ]
    );
    assert_eq!(
        digests(1),
        [
            "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        ]
    );
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let folder = Folder::with_index();
    evidence(&folder);
    for seed in 100..160 {
        folder.picture(&format!("evidence/many/{seed}.jpg"), seed);
    }
    let scan = |threads: &str, more: &[&str]| {
        let arguments = [&["scan", "evidence", "--index", "works.idx", "--json", "--threads", threads], more].concat();
        minutia(&folder, &arguments).ends(2).out
    };
    let one = scan("1", &[]);
    assert_eq!(one.lines().count(), 72);
    assert_eq!(scan("4", &[]), one);
    assert_eq!(scan("3", &[]), one);
    // In this process: the same items, under a run that says so.
    let without_chain = |out: &str| -> Vec<Value> {
        let items = out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let items = items.filter(|record| record["record"] == "item");
        let without = |mut record: Value| {
            let fields = record.as_object_mut().unwrap();
            fields.remove("previous").unwrap();
            fields.remove("batch");
            record
        };
        items.map(without).collect()
    };
    let in_process = scan("2", &["--in-process"]);
    assert_eq!(without_chain(&in_process), without_chain(&one));
    assert!(in_process.contains(r#""reading":{"in":"process""#) && one.contains(r#""in":"worker""#));
}

#[test]
fn exit_codes_tell_what_was_found() {
    let folder = Folder::with_index();
    folder.write(
        "policies.csv",
        "file,work_id,policy\nwork-0.png,zero,infringing\nwork-1.png,one,licensed\nwork-2.png,two,ignore\n",
    );
    minutia(&folder, &["index", "add", "policies.idx", "works", "--catalogue", "policies.csv"]).ends(0);
    folder.picture("unrelated.jpg", 60);
    folder.write("header.png", b"\x89PNG\r\n\x1a\n");
    let check = |paths: &[&str], code| {
        let arguments = [&["scan", "--index", "policies.idx"], paths].concat();
        minutia(&folder, &arguments).ends(code)
    };
    check(&["unrelated.jpg"], 0);
    check(&["works/work-0.png"], 1);
    let licensed = check(&["works/work-1.png"], 0);
    assert!(licensed.out.starts_with("match ") && licensed.out.contains("(licensed)"), "{licensed:?}");
    check(&["works/work-2.png"], 0);
    check(&["works"], 1);
    check(&["header.png"], 2).says(&["damaged", "header.png"]);
    check(&["works/work-0.png", "header.png"], 2);
    check(&["missing.jpg"], 2).says(&["missing.jpg", "expected a file or a directory"]);
    check(&["works", "works/work-0.png"], 2).says(&["name it once"]);
    minutia(&folder, &["scan", "works"]).ends(2).says(&["--index"]);
}

#[test]
fn outputs_inside_the_evidence_are_refused() {
    let folder = Folder::with_index();
    folder.picture("evidence/unrelated.jpg", 61);
    let scan = |arguments: &[&str]| minutia(&folder, &[&["scan", "--index", "works.idx"], arguments].concat());
    scan(&["evidence", "--case", "evidence/case"]).ends(2).says(&["must not lie in what is examined", "evidence/case"]);
    assert!(!folder.at("evidence/case").exists());
    scan(&["."]).ends(2).says(&["the index must not lie in what is examined"]);
    minutia(&folder, &["index", "add", "evidence/new.idx", "evidence"])
        .ends(2)
        .says(&["must not lie in what is examined"]);
}

/// Without privileges: what this user may not read is unreadable, and what belongs to others may change its access time.
#[test]
fn what_may_not_be_read_is_unreadable() {
    let folder = Folder::with_index();
    folder.picture("evidence/closed.jpg", 62);
    folder.picture("evidence/closed/inside.jpg", 63);
    folder.picture("evidence/open.jpg", 64);
    let mode = |name: &str, mode| fs::set_permissions(folder.at(name), fs::Permissions::from_mode(mode)).unwrap();
    mode("evidence/closed.jpg", 0o000);
    mode("evidence/closed", 0o000);
    mode("", 0o755);
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("minutia"));
    command.current_dir(folder.path()).args(["scan", "evidence", "--index", "works.idx", "--json"]);
    let privileged = fs::read(folder.at("evidence/closed.jpg")).is_ok();
    if privileged {
        command.uid(65_534).gid(65_534);
    }
    let output = command.output();
    mode("evidence/closed", 0o755);
    let output = match output {
        Ok(output) if output.status.code().is_some() => output,
        other => {
            println!("unreadable files: not run, the command cannot be started as another user here ({other:?})");
            return;
        }
    };
    let ran = Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
    .ends(2);
    let told = outcomes(&ran, "evidence");
    let told: Vec<(&str, &str)> = told.iter().map(|(path, outcome)| (path.as_str(), outcome.as_str())).collect();
    assert_eq!(told, [("closed", "unreadable io"), ("closed.jpg", "unreadable io"), ("open.jpg", "no-match")]);
    let records = ran.json();
    assert_eq!(records[2]["access_time_unprotected"] == true, privileged);
    assert_eq!(records[3]["access_times"]["unprotected_files"], u64::from(privileged));
    assert_eq!(records[3]["access_times"]["unprotected_directories"], u64::from(privileged));
}

#[test]
fn ten_thousand_files_need_few_descriptors() {
    let folder = Folder::with_index();
    for number in 0..10_000 {
        folder.write(format!("evidence/{}/{number}.txt", number % 7), number.to_string());
    }
    // Pictures too, more than there are descriptors: what is decoded must be let go of as well.
    for seed in 0..100 {
        folder.picture(&format!("evidence/3/{seed}.jpg"), 200 + seed);
    }
    let minutia = assert_cmd::cargo::cargo_bin("minutia");
    // In this process, and in workers, to which each descriptor is sent: they inherit the limit.
    for reading in ["--in-process", ""] {
        let script =
            format!(r#"ulimit -n 64 && exec "$0" scan evidence --index works.idx --json --threads 2 {reading}"#);
        let output =
            Command::new("sh").current_dir(folder.path()).args(["-c", &script]).arg(&minutia).output().unwrap();
        let records = String::from_utf8(output.stdout).unwrap();
        let records: Vec<Value> = records.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let (summary, items) = records.split_last().unwrap();
        // Batches follow the walk, a thousand files each.
        for (number, item) in items.iter().enumerate() {
            let batch = if reading.is_empty() { Value::from(number / 1_000 + 1) } else { Value::Null };
            assert_eq!(item["batch"], batch, "{item}");
        }
        assert_eq!(summary["items"], 10_100, "{reading}");
        // Drawn pictures may come near to a work; that each was read whole is what counts here.
        let count = |outcome: &str| summary["outcomes"][outcome].as_u64().unwrap_or(0);
        assert_eq!(count("other"), 10_000, "{reading}: {summary}");
        assert_eq!(count("no-match") + count("possible") + count("match"), 100, "{reading}: {summary}");
        assert_ne!(output.status.code(), Some(2), "{reading}");
    }
}

#[test]
fn a_reader_that_goes_away_ends_the_scan() {
    let folder = Folder::with_index();
    for number in 0..5_000 {
        folder.write(format!("evidence/{number}.txt"), number.to_string());
    }
    let mut scan = Command::new(assert_cmd::cargo::cargo_bin("minutia"))
        .current_dir(folder.path())
        .args(["scan", "evidence", "--index", "works.idx", "--json", "--case", "case"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = scan.stdout.take().unwrap();
    out.read_exact(&mut [0; 100]).unwrap();
    drop(out);
    let output = scan.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    let case = fs::read_to_string(folder.at("case/records.jsonl")).unwrap();
    assert!(case.lines().count() < 5_001, "it went on to the end");
    // And what it wrote is good to go on from.
    let whole = minutia_json(&folder);
    assert_eq!(fs::read_to_string(folder.at("case/records.jsonl")).unwrap(), whole);
}

fn minutia_json(folder: &Folder) -> String {
    minutia(folder, &["scan", "evidence", "--index", "works.idx", "--json", "--case", "case"]).ends(0).out
}
