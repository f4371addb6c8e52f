//! `minutia compare`, `explain`, `fingerprint`, `doctor`, and the help of every command.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::evidence::{Folder, minutia};

#[test]
fn every_command_teaches_itself() {
    let folder = Folder::new();
    let commands: &[&[&str]] = &[
        &[],
        &["index", "add"],
        &["index", "import"],
        &["index", "export"],
        &["index", "union"],
        &["scan"],
        &["search"],
        &["compare"],
        &["explain"],
        &["fingerprint"],
    ];
    for command in commands {
        let help = minutia(&folder, &[command, &["--help"][..]].concat()).ends(0).out;
        assert!(
            help.contains("Usage: minutia") && help.contains("\n  minutia "),
            "no example in the help of {command:?}"
        );
    }
    let more: &[&[&str]] = &[&["index"], &["index", "info"], &["demo"], &["doctor"]];
    for command in more {
        assert!(minutia(&folder, &[command, &["--help"][..]].concat()).ends(0).out.contains("Usage: minutia"));
    }
    minutia(&folder, &[]).ends(2);
    minutia(&folder, &["scna"]).ends(2).says(&["scna", "scan"]);
    minutia(&folder, &["scan", "--threads", "0", "x", "--index", "y"]).ends(2).says(&["--threads"]);
}

#[test]
fn fingerprints_are_one_a_line() {
    let folder = Folder::new();
    folder.picture("a.png", 0);
    folder.picture("b.jpg", 1);
    folder.write("words.txt", "words");
    let files = ["a.png", "words.txt", "b.jpg"];
    let json =
        minutia(&folder, &[&["fingerprint", "--json"], &files[..]].concat()).ends(2).says(&["words.txt: not media"]);
    let lines = json.json();
    assert_eq!(lines.len(), 2);
    let text = minutia(&folder, &[&["fingerprint"], &files[..]].concat()).ends(2).out;
    for (line, text) in lines.iter().zip(text.lines()) {
        assert_eq!(line["algorithm"], "pdq");
        let hex = line["hex"].as_str().unwrap();
        assert!(hex.len() == 64 && hex.chars().all(|c| c.is_ascii_hexdigit()));
        assert!(line["quality"].as_u64().unwrap() <= 100);
        assert!(text.starts_with(hex) && text.ends_with(line["path"].as_str().unwrap()));
    }
    let doctor = minutia(&folder, &["doctor"]).ends(0).out;
    let names: Vec<&str> =
        doctor.lines().filter_map(|line| line.strip_prefix("algorithm")?.split_whitespace().next()).collect();
    assert!(names.contains(&"pdq") && names.contains(&"pdq-512"));
    let films = doctor.lines().find_map(|line| line.strip_prefix("films")).unwrap();
    for codec in minutia_media::decode::video::CODECS {
        assert!(films.contains(codec.name) && films.contains(codec.decoder), "{films}");
    }
    for name in &names {
        let line = &minutia(&folder, &["fingerprint", "--json", "--algorithm", name, "a.png"]).ends(0).json()[0];
        assert_eq!(line["algorithm"], *name);
    }
    minutia(&folder, &["fingerprint", "--algorithm", "md5", "a.png"]).ends(2).says(&["pdq-512", "found md5"]);
}

#[test]
fn fingerprints_are_made_by_workers_and_are_those_of_this_process() {
    let folder = Folder::new();
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata");
    folder.picture("turned.png", 0);
    for (name, from) in [
        ("photograph.jpg", "image/reference/astronaut.jpg"),
        ("song.mp3", "audio/formats/mp3.mp3"),
        ("film.mp4", "video/formats/main.mp4"),
    ] {
        fs::copy(testdata.join(from), folder.at(name)).unwrap();
    }
    let check = |arguments: &[&str], files: &[&str]| {
        for more in [&[][..], &["--no-ffmpeg"], &["--json"]] {
            let arguments = [&["fingerprint"], arguments, more, files].concat();
            let confined = minutia(&folder, &arguments).ends(0);
            let here = minutia(&folder, &[&arguments[..], &["--in-process"]].concat()).ends(0);
            assert!(confined.out.lines().count() >= files.len());
            assert_eq!((confined.out, confined.err), (here.out, here.err), "{arguments:?}");
        }
    };
    check(&[], &["turned.png", "photograph.jpg", "song.mp3", "film.mp4"]);
    check(&["--algorithm", "gradient-64"], &["turned.png", "photograph.jpg"]);
    check(&["--algorithm", "landmarks"], &["song.mp3"]);
    check(&["--algorithm", "vpdq"], &["film.mp4"]);
    check(&["--algorithm", "vpdq", "--every-frame"], &["film.mp4"]);
    // A worker that cannot be started decodes nothing, and neither does this process then.
    let limited = |command: &str| {
        let program = env!("CARGO_BIN_EXE_minutia");
        let script = format!("ulimit -n 4; exec {program} {command}");
        let ran = Command::new("sh").args(["-c", &script]).current_dir(folder.path()).output().unwrap();
        (ran.status.code(), String::from_utf8_lossy(&ran.stderr).into_owned())
    };
    for command in ["fingerprint photograph.jpg", "compare turned.png photograph.jpg --algorithm pdq"] {
        let (code, err) = limited(command);
        assert!(code == Some(2) && err.contains("worker"), "{command}: {code:?} {err}");
    }
}

#[test]
fn comparing_ends_as_it_was_found() {
    let folder = Folder::new();
    folder.picture("a.png", 0);
    folder.picture("other.png", 1);
    fs::copy(folder.at("a.png"), folder.at("same.png")).unwrap();
    folder.write("words.jpg", "words");
    let check = |a: &str, b: &str, code, word: &str| {
        for command in ["compare", "explain"] {
            let ran = minutia(&folder, &[command, a, b]).ends(code);
            let last = ran.out.lines().last().unwrap().to_owned();
            assert!(last.starts_with(word), "{command} {a} {b}: {last}");
        }
    };
    check("a.png", "same.png", 1, "match: byte for byte");
    check("a.png", "other.png", 0, "no-match: distance");
    check("a.png", "words.jpg", 2, "other");
    check("missing.png", "a.png", 2, "unreadable");
    let explained = minutia(&folder, &["explain", "a.png", "other.png", "--pictures", "1000000"]).ends(0).out;
    for part in ["BLAKE3", "SHA-256", "Nearest views", "1000000 pictures", "bits differ", "What would change it"] {
        assert!(explained.contains(part), "no {part:?} in {explained}");
    }
}

#[test]
fn codes_are_compared_without_a_verdict() {
    let folder = Folder::new();
    folder.picture("a.png", 0);
    folder.picture("other.png", 1);
    fs::copy(folder.at("a.png"), folder.at("same.png")).unwrap();
    folder.write("words.jpg", "words");
    let doctor = minutia(&folder, &["doctor"]).ends(0).out;
    let names: Vec<&str> =
        doctor.lines().filter_map(|line| line.strip_prefix("algorithm")?.split_whitespace().next()).collect();
    assert_eq!(names.len(), 9);
    for name in names {
        let compare = |b: &str| minutia(&folder, &["compare", "a.png", b, "--algorithm", name]);
        let bits = if name == "double-gradient-40" {
            40
        } else if name.starts_with("pdq") {
            256
        } else {
            64
        };
        let same = compare("same.png").ends(0).out;
        assert!(same.starts_with(&format!("{name}: distance 0 of {bits} bits; no verdict")), "{same}");
        // The distance is that of the two codes as they are printed.
        let files = ["fingerprint", "--json", "--algorithm", name, "a.png", "other.png"];
        let lines = minutia(&folder, &files).ends(0).json();
        let code = |line: usize| {
            let hex = lines[line]["hex"].as_str().unwrap();
            assert_eq!(hex.len(), bits / 4, "{name}");
            hex.chars().map(|digit| digit.to_digit(16).unwrap()).collect::<Vec<_>>()
        };
        let distance: u32 = code(0).iter().zip(code(1)).map(|(a, b)| (a ^ b).count_ones()).sum();
        let other = compare("other.png").ends(0).out;
        assert!(other.starts_with(&format!("{name}: distance {distance} of {bits} bits; no verdict")), "{other}");
        assert!(compare("words.jpg").ends(2).says(&["words.jpg", "not media"]).out.is_empty());
    }
    minutia(&folder, &["compare", "a.png", "a.png", "--algorithm", "md5"]).ends(2).says(&["dct-mean-64", "found md5"]);
    minutia(&folder, &["compare", "a.png", "a.png", "--algorithm", "pdq", "--pictures", "5"]).ends(2);
}
