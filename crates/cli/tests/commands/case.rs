//! `minutia scan --case`: a scan that was stopped goes on to the same bytes, and nothing else goes on.

use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::evidence::{Folder, Ran, minutia};

const SCAN: &[&str] = &["scan", "evidence", "--index", "works.idx", "--json", "--case", "case"];
const RECORDS: &str = "case/records.jsonl";

fn folder() -> Folder {
    let folder = Folder::with_index();
    for seed in 0..12 {
        folder.picture(&format!("evidence/{}/{seed}.jpg", seed % 3), 300 + seed);
    }
    folder.write("evidence/note.txt", "words");
    fs::copy(folder.at("works/work-0.png"), folder.at("evidence/copy.png")).unwrap();
    folder
}

fn scan(folder: &Folder) -> Ran {
    minutia(folder, SCAN)
}

#[test]
fn a_scan_cut_at_any_byte_goes_on_to_the_same_bytes() {
    let folder = folder();
    let whole = scan(&folder).ends(1);
    let records = fs::read(folder.at(RECORDS)).unwrap();
    assert_eq!(records, whole.out.as_bytes(), "the case holds what was printed");
    assert_eq!(whole.json().len(), 15);
    let line_ends = records.iter().enumerate().filter(|&(_, byte)| *byte == b'\n').map(|(place, _)| place + 1);
    let cuts = line_ends.step_by(4).chain([0, 1, 700, 3_333, records.len() - 1, records.len()]);
    let mut checked = 0;
    for cut in cuts {
        fs::write(folder.at(RECORDS), &records[..cut]).unwrap();
        let again = scan(&folder).ends(1);
        assert_eq!(fs::read(folder.at(RECORDS)).unwrap(), records, "cut at {cut}");
        assert_eq!(again.out, whole.out, "cut at {cut}");
        assert_eq!(again.err, whole.err, "cut at {cut}");
        checked += 1;
    }
    assert!(checked >= 9);
    let run: serde_json::Value = serde_json::from_slice(&fs::read(folder.at("case/run.json")).unwrap()).unwrap();
    assert_eq!(run["sessions"].as_array().unwrap().len(), checked + 1);
    assert_eq!(run["sessions"][0]["exit_code"], 1);
}

#[test]
fn a_scan_that_is_killed_goes_on_to_the_same_bytes() {
    let folder = folder();
    for number in 0..3_000 {
        folder.write(format!("evidence/many/{number}.txt"), number.to_string());
    }
    let whole = minutia(&folder, &SCAN[..5]).ends(1).out;
    let mut killed = 0;
    for lines in [1, 500, 2_500] {
        let mut scan = Command::new(assert_cmd::cargo::cargo_bin("minutia"))
            .current_dir(folder.path())
            .args(SCAN)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        let written = || fs::read(folder.at(RECORDS)).unwrap_or_default().iter().filter(|&&byte| byte == b'\n').count();
        while written() < lines && started.elapsed() < Duration::from_secs(20) {
            std::thread::yield_now();
        }
        killed += usize::from(scan.try_wait().unwrap().is_none());
        scan.kill().unwrap();
        scan.wait().unwrap();
    }
    assert!(killed > 0, "each scan had ended before it could be killed");
    scan(&folder).ends(1);
    assert_eq!(fs::read_to_string(folder.at(RECORDS)).unwrap(), whole);
}

#[test]
fn another_run_is_refused_by_what_differs() {
    let folder = folder();
    scan(&folder).ends(1);
    let records = fs::read(folder.at(RECORDS)).unwrap();
    let refused = |arguments: &[&str], parts: &[&str]| {
        minutia(&folder, arguments).ends(2).says(parts);
        assert_eq!(fs::read(folder.at(RECORDS)).unwrap(), records, "the case was touched");
    };
    refused(&[SCAN, &["--in-process"]].concat(), &["another run", "reading.in", "\"worker\"", "\"process\""]);
    refused(&["scan", "evidence/0", "--index", "works.idx", "--case", "case"], &["another run", "paths"]);
    folder.picture("works/work-9.png", 9);
    minutia(&folder, &["index", "add", "works.idx", "works"]).ends(0);
    refused(SCAN, &["another run", "index.generation", "index.manifest_digest", "new case"]);
    // Threads are no part of what the records depend on.
    let folder = self::folder();
    scan(&folder).ends(1);
    minutia(&folder, &[SCAN, &["--threads", "7"]].concat()).ends(1);
}

#[test]
fn a_case_in_process_goes_on_with_the_same_ffmpeg_only() {
    let installed = Command::new("ffmpeg").arg("-version").output().is_ok_and(|output| output.status.success());
    if !installed {
        println!("a_case_in_process_goes_on_with_the_same_ffmpeg_only: not run (ffmpeg is not installed)");
        return;
    }
    let folder = folder();
    let here = [SCAN, &["--in-process"]].concat();
    let ran = minutia(&folder, &here).ends(1).json();
    let reading = &ran.last().unwrap()["run"]["reading"];
    assert!(reading["ffmpeg"]["version"].is_string() && reading["ffmpeg"]["confinement"].is_null(), "{reading}");
    minutia(&folder, &here).ends(1);
    minutia(&folder, &[&here[..], &["--no-ffmpeg"]].concat()).ends(2).says(&["another run", "reading.ffmpeg"]);
}

#[test]
fn records_and_evidence_that_were_changed_are_refused() {
    let folder = folder();
    scan(&folder).ends(1);
    let records = fs::read_to_string(folder.at(RECORDS)).unwrap();
    let lines: Vec<&str> = records.lines().collect();
    let refused = |changed: String, parts: &[&str]| {
        fs::write(folder.at(RECORDS), &changed).unwrap();
        scan(&folder).ends(2).says(parts);
        assert_eq!(fs::read_to_string(folder.at(RECORDS)).unwrap(), changed, "the case was touched");
    };
    refused(records.replacen("no-match", "match", 1), &["records.jsonl", "line 2", "changed"]);
    refused([&lines[..3], &lines[4..]].concat().join("\n") + "\n", &["line 4", "removed"]);
    refused(records.replacen("record/0", "record/7", 1), &["line 1", "minutia/record/7"]);
    refused("{}\n".to_owned(), &["line 1"]);

    fs::write(folder.at(RECORDS), lines[..8].join("\n") + "\n").unwrap();
    fs::remove_file(folder.at("evidence/0/0.jpg")).unwrap();
    scan(&folder).ends(2).says(&["the evidence changed", "new case"]);
}

#[test]
fn a_directory_that_is_no_case_and_a_case_in_use_are_refused() {
    let folder = folder();
    folder.write("case/holiday.txt", "not yours");
    scan(&folder).ends(2).says(&["case", "expected a case or an empty directory"]);
    assert_eq!(fs::read_dir(folder.at("case")).unwrap().count(), 1);
    fs::remove_file(folder.at("case/holiday.txt")).unwrap();
    scan(&folder).ends(1);
    let held = File::open(folder.at(RECORDS)).unwrap();
    held.lock().unwrap();
    scan(&folder).ends(2).says(&["another scan writes this case"]);
    drop(held);
    scan(&folder).ends(1);
    folder.write("case/run.json", "{}");
    scan(&folder).ends(2).says(&["run.json", "minutia/run/0"]);
}
