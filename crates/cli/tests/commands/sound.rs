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
const FOR_FFMPEG: [&str; 13] = [
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
    "speex.ogg",
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
        assert_eq!(item(&records, "film-silent.mp4")["outcome"], "unsupported");
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
    // A transport stream by its sync bytes, and a list behind them.
    let mut stream = vec![0; 188 * 4];
    (0..4).for_each(|packet| stream[188 * packet] = 0x47);
    stream.extend(format!("#EXTM3U\n#EXTINF:1,\nfile://{name}\n").into_bytes());
    folder.write("evidence/stream.ts", stream);
    let records = minutia(&folder, &["scan", "evidence", "--index", "works.idx", "--json"]).json();
    for name in ["list.ts", "list.mp3"] {
        assert_eq!(item(&records, name)["outcome"], "other", "{name}");
    }
    let stream = item(&records, "stream.ts");
    assert_eq!((&stream["outcome"], &stream["coverage"]), (&"unsupported".into(), &Value::Null), "{stream}");
}
