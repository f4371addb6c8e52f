//! Recordings and films: what a scan hears, with whose decoder, and what it says where it cannot.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::evidence::{Folder, minutia};

fn formats() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/audio/formats");
    let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

fn item<'a>(records: &'a [Value], name: &str) -> &'a Value {
    records.iter().find(|record| record["path"] == format!("evidence/{name}")).unwrap()
}

/// Those for the program, and what is heard without it.
const FOR_FFMPEG: [&str; 17] = [
    "ac3.ac3",
    "ac3.mkv",
    "ac3.mp4",
    "dts.dts",
    "eac3.eac3",
    "gsm.gsm",
    "gsm.wav",
    "mp2.mpg",
    "mp2.ts",
    "mp3.avi",
    "mp3.flv",
    "musepack.mpc",
    "speex.ogg",
    "tta.tta",
    "voc.voc",
    "wavpack.wv",
    "wma.wma",
];

#[test]
fn sound_is_heard_and_its_decoder_recorded() {
    let folder = Folder::with_index();
    let files = formats();
    assert!(files.len() >= 40, "{} files", files.len());
    for (name, bytes) in &files {
        folder.write(Path::new("evidence").join(name), bytes);
    }
    let opened = folder.at("evidence/ac3.mp4");
    let times = |path: &Path| fs::metadata(path).map(|m| (m.atime(), m.atime_nsec(), m.mtime(), m.ctime())).unwrap();
    let before = times(&opened);
    let installed = Command::new("ffmpeg").arg("-version").output().is_ok_and(|output| output.status.success());
    for arguments in [&[][..], &["--in-process"], &["--no-ffmpeg"]] {
        let scan = [&["scan", "evidence", "--index", "works.idx", "--json"], arguments].concat();
        let ran = minutia(&folder, &scan);
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
        let records = ran.json();
        let native = item(&records, "aac.m4a");
        assert_eq!(native["coverage"]["sound"]["codec"], "AAC", "{native}");
        assert_eq!(native["coverage"]["sound"]["declared_ms"], 1_200);
        assert_eq!(native["problems"], Value::Array(Vec::new()));
        // H.264 of a kind that the program alone decodes, and no sound.
        let silent = item(&records, "film-silent.mp4");
        let seen = installed && !arguments.contains(&"--no-ffmpeg");
        assert_eq!(silent["outcome"], if seen { "no-match" } else { "unsupported" }, "{silent}");
        for name in FOR_FFMPEG {
            let item = item(&records, name);
            if installed && !arguments.contains(&"--no-ffmpeg") {
                let decoder = item["coverage"]["sound"]["decoder"].as_str().unwrap_or_else(|| panic!("{item}"));
                assert!(decoder.starts_with("ffmpeg "), "{item}");
            } else {
                assert_eq!((&item["outcome"], &item["coverage"]), (&"unsupported".into(), &Value::Null), "{name}");
                assert!(item["problems"][0]["message"].as_str().unwrap().contains("install ffmpeg"), "{item}");
            }
        }
        // Opened anew by an old ffmpeg, but then as a copy.
        assert_eq!(times(&opened), before, "{arguments:?}");
    }
}

#[test]
fn what_a_playlist_names_is_not_heard() {
    let folder = Folder::with_index();
    let tone = formats().into_iter().find(|(name, _)| name == "pcm.wav").unwrap().1;
    let named = folder.write("named.wav", tone);
    let name = named.display();
    folder.write("evidence/list.ts", format!("#EXTM3U\n#EXTINF:1,\nfile://{name}\n#EXT-X-ENDLIST\n"));
    folder.write("evidence/list.mp3", format!("ffconcat version 1.0\nfile '{name}'\n"));
    // Packets of a transport stream, and a list behind them.
    let mut stream = vec![0; 188 * 4];
    (0..4).for_each(|n| stream[188 * n..][..4].copy_from_slice(&[0x47, 1, 0, 0x10 | n as u8]));
    stream.extend(format!("#EXTM3U\n#EXTINF:1,\nfile://{name}\n").into_bytes());
    folder.write("evidence/stream.ts", stream);
    let records = minutia(&folder, &["scan", "evidence", "--index", "works.idx", "--json"]).json();
    for name in ["list.ts", "list.mp3"] {
        assert_eq!(item(&records, name)["outcome"], "other", "{name}");
    }
    let stream = item(&records, "stream.ts");
    assert_eq!((&stream["outcome"], &stream["coverage"]), (&"unsupported".into(), &Value::Null), "{stream}");
}

#[test]
fn an_hour_of_silence_is_heard_to_its_end_and_undecided() {
    let folder = Folder::with_index();
    let (rate, seconds) = (8_000_u32, 3_600);
    let bytes = 2 * rate * seconds;
    let mut header = b"RIFF".to_vec();
    header.extend((36 + bytes).to_le_bytes());
    header.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    header.extend(rate.to_le_bytes());
    header.extend((2 * rate).to_le_bytes());
    header.extend(b"\x02\0\x10\0data");
    header.extend(bytes.to_le_bytes());
    let length = header.len() as u64 + u64::from(bytes);
    // Zeros that take no disk.
    let file = fs::OpenOptions::new().write(true).open(folder.write("evidence/hour.wav", header)).unwrap();
    file.set_len(length).unwrap();
    let records = minutia(&folder, &["scan", "evidence", "--index", "works.idx", "--json"]).ends(0).json();
    let hour = item(&records, "hour.wav");
    assert_eq!((&hour["outcome"], &hour["problems"]), (&"undecided".into(), &Value::Array(Vec::new())), "{hour}");
    assert_eq!(hour["coverage"]["sound"]["decoded_ms"], 3_600_000, "{hour}");
}

fn audio(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/audio").join(name);
    file.canonicalize().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn fingerprints_of_sound_are_those_of_fpcalc_and_can_be_imported() {
    let folder = Folder::new();
    let (work, silent) = (audio("reference/idle-tune.mp3"), audio("seized/silence.flac"));
    let line =
        minutia(&folder, &["fingerprint", "--algorithm", "chromaprint", "--json", &work]).ends(0).json().remove(0);
    // The number and the first items that fpcalc 1.5.1 prints of it.
    let items = line["items"].as_array().unwrap();
    assert_eq!((items.len(), &line["duration"]), (237, &Value::from(32.0)), "{line}");
    let plain = minutia(&folder, &["fingerprint", &work, &silent]).ends(0);
    assert_eq!(plain.out.lines().count(), 2);
    for part in ["chromaprint, 32.00 s (", " peaks of the mid mix", line["fingerprint"].as_str().unwrap()] {
        assert!(plain.out.contains(part), "expected {part} in {}", plain.out);
    }
    let peaks = minutia(&folder, &["fingerprint", "--algorithm", "landmarks", "--json", &work]).ends(0).json();
    assert!(peaks[0]["mid"].as_array().unwrap().len() > 1_000);
    minutia(&folder, &["fingerprint", "--algorithm", "pdq", &work]).ends(2).says(&["for pictures"]);

    folder.write("list.jsonl", line.to_string() + "\n{\"fingerprint\": 7}\n");
    let imported = minutia(&folder, &["index", "import", "songs.idx", "list.jsonl"]).ends(2);
    assert!(imported.out.contains("1 recording imported") && imported.err.contains("line 2"), "{}", imported.out);
    let records =
        minutia(&folder, &["scan", &work, &audio("seized/other.mp3"), "--index", "songs.idx", "--json"]).json();
    let found = &records[0]["findings"][0];
    assert_eq!((&found["method"], &found["level"]), (&"chromaprint".into(), &"match".into()), "{found}");
    assert_eq!((&found["work"], &found["query_span_ms"][0]), (&work.as_str().into(), &0.into()), "{found}");
    assert_eq!(records[1]["outcome"], "no-match");
    let exported = minutia(&folder, &["index", "export", "songs.idx", "--format", "fpcalc"]).ends(0);
    assert_eq!(exported.json()[0]["fingerprint"], line["fingerprint"]);
}

#[test]
fn two_recordings_are_aligned() {
    let folder = Folder::new();
    let (a, b) = (audio("seized/pal.ogg"), audio("reference/idle-tune.mp3"));
    let compared = minutia(&folder, &["compare", &a, &b]).ends(1);
    for part in ["match: ", " of it is 0:07.", "4.2 % faster, +71 cents", "peaks coincide"] {
        assert!(compared.out.contains(part), "expected {part} in {}", compared.out);
    }
    let record = minutia(&folder, &["compare", "--json", &a, &b]).ends(1).json().remove(0);
    let speed = record["findings"][0]["speed"].as_f64().unwrap();
    assert!((speed - 25.0 / 24.0).abs() < 0.001, "{record}");
    let explained = minutia(&folder, &["explain", &a, &b]).ends(1).out;
    for part in ["Stretch 1: match, by landmarks", "speed        1.04", "calibrated on"] {
        assert!(explained.contains(part), "expected {part} in {explained}");
    }
    let other = minutia(&folder, &["compare", &audio("seized/other.mp3"), &b]).ends(0);
    assert!(other.out.starts_with("no-match: nothing of A runs along B"), "{}", other.out);
    for nothing in ["seized/silence.flac", "seized/tone.flac"] {
        assert!(minutia(&folder, &["compare", &audio(nothing), &b]).ends(0).out.starts_with("undecided"), "{nothing}");
    }
}
