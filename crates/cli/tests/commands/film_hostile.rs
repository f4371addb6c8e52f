//! Films that are not what they say: each has an outcome and a reason, by workers with the program and without it, and no
//! other file is opened for them.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::evidence::{Folder, minutia};

fn film(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/video/formats").join(name)).unwrap()
}

/// `baseline.mp4` with other bytes at `at` behind a name.
fn altered(kind: &[u8], at: usize, with: &[u8]) -> Vec<u8> {
    let mut bytes = film("baseline.mp4");
    let place = bytes.windows(4).position(|name| name == kind).unwrap() + 4 + at;
    bytes[place..place + with.len()].copy_from_slice(with);
    bytes
}

/// A film whose pictures are locked, with a box that says who holds the keys.
fn locked() -> Vec<u8> {
    let mut bytes = film("baseline.mp4");
    let brand = bytes.windows(4).position(|kind| kind == b"avc1").unwrap() + 4;
    let entry = brand + bytes[brand..].windows(4).position(|kind| kind == b"avc1").unwrap();
    bytes[entry..entry + 4].copy_from_slice(b"encv");
    let moov = bytes.windows(4).position(|kind| kind == b"moov").unwrap() - 4;
    let length = u32::from_be_bytes(bytes[moov..moov + 4].try_into().unwrap());
    let playready = 0x9a04_f079_9840_4286_ab92_e65b_e088_5f95_u128.to_be_bytes();
    let system = [&[0, 0, 0, 32][..], b"pssh", &[0; 4], &playready, &[0; 4]].concat();
    let end = moov + length as usize;
    bytes.splice(end..end, system);
    bytes[moov..moov + 4].copy_from_slice(&(length + 32).to_be_bytes());
    bytes
}

/// A transport stream whose pictures are scrambled.
fn scrambled() -> Vec<u8> {
    let mut bytes = film("mpeg2.ts");
    for (number, packet) in bytes.chunks_exact_mut(188).enumerate().filter(|(_, packet)| packet[1] & 0x1f == 1) {
        packet[3] |= 0xc0;
        let start = if packet[3] & 0x20 != 0 { 5 + usize::from(packet[4]) } else { 4 };
        packet
            .iter_mut()
            .skip(start)
            .enumerate()
            .for_each(|(place, byte)| *byte ^= (number * 7 + place * 31) as u8 | 1);
    }
    bytes
}

/// The pictures of a transport stream as a disc has them, scrambled but for the beginning of each packet.
fn disc() -> Vec<u8> {
    let stream = film("mpeg2.ts");
    let mut pictures = Vec::new();
    for packet in stream.chunks_exact(188).filter(|packet| packet[1] & 0x1f == 1) {
        let start = if packet[3] & 0x20 != 0 { 5 + usize::from(packet[4]) } else { 4 };
        let header = if packet[1] & 0x40 != 0 { 9 + usize::from(packet[start + 8]) } else { 0 };
        pictures.extend_from_slice(&packet[start + header..]);
    }
    let mut bytes = Vec::new();
    for (number, part) in pictures.chunks(2_025).enumerate() {
        bytes.extend([0, 0, 1, 0xba, 0x44, 0, 4, 0, 4, 1, 0, 0, 3, 0xf8, 0, 0, 1, 0xe0]);
        bytes.extend((part.len() as u16 + 3).to_be_bytes());
        bytes.extend([0x90, 0, 0]);
        let scrambled = |place: usize| if place < 100 { 0 } else { (number * 7 + place * 31) as u8 | 1 };
        bytes.extend(part.iter().enumerate().map(|(place, byte)| byte ^ scrambled(place)));
    }
    bytes
}

/// Windows Media with an object in its header that says how it is encrypted.
fn encrypted() -> Vec<u8> {
    let mut bytes = film("../../audio/formats/wma.wma");
    let size = u64::from_le_bytes(bytes[16..24].try_into().unwrap());
    bytes[16..24].copy_from_slice(&(size + 24).to_le_bytes());
    let kind = 0xfbb3_1122_23bd_d211_b4b7_00a0_c955_fc6e_u128.to_be_bytes();
    bytes.splice(30..30, [&kind[..], &24_u64.to_le_bytes()].concat());
    bytes
}

/// A film with flipped bits in its second half.
fn flipped() -> Vec<u8> {
    let mut bytes = film("baseline.mp4");
    let half = bytes.len() / 2;
    bytes[half..].iter_mut().step_by(29).for_each(|byte| *byte ^= 0x55);
    bytes
}

/// A film with parts in another order.
fn reordered() -> Vec<u8> {
    let bytes = film("baseline.mp4");
    let mut parts: Vec<&[u8]> = bytes.chunks(bytes.len() / 4 + 1).collect();
    parts.swap(2, 3);
    parts.concat()
}

/// Each file: its name, its bytes, outcomes of which it has one, and a word of the reason where there is one. Where the film
/// is read whole there is none.
fn films(folder: &Folder) -> Vec<(&'static str, Vec<u8>, &'static [&'static str], &'static str)> {
    let secret = folder.at("secret/film.mp4");
    fs::create_dir_all(secret.parent().unwrap()).unwrap();
    fs::write(&secret, film("main.mp4")).unwrap();
    let secret = secret.to_str().unwrap();
    let long = 360_000_000_u32.to_be_bytes();
    let whole = film("baseline.mp4");
    let damaged = &["damaged"][..];
    let read = &["no-match", "undecided"][..];
    // The program makes up a clock and reads all; the decoder here says that there is none.
    let repaired = &["damaged", "no-match", "undecided"][..];
    vec![
        ("truncated.mp4", whole[..whole.len() / 2].to_vec(), damaged, "the file"),
        ("headless.mp4", film("main.mp4")[..5_000].to_vec(), damaged, "damaged"),
        ("flipped.mp4", flipped(), damaged, "damaged"),
        ("reordered.mp4", reordered(), damaged, "damaged"),
        ("no-clock.mp4", altered(b"mdhd", 12, &[0; 4]), repaired, ""),
        ("10000-fps.mp4", altered(b"mdhd", 12, &(512_u32 * 10_000).to_be_bytes()), repaired, ""),
        ("backwards.mp4", altered(b"mdhd", 12, &[0xff; 4]), repaired, ""),
        ("100-hours.mp4", altered(b"elst", 8, &long), damaged, "of 360000000 ms"),
        ("varied.mkv", film("varied.mkv"), read, ""),
        ("b-frames.mkv", film("high.mkv"), read, ""),
        ("cut.mp4", film("cut.mp4"), read, ""),
        ("late.mp4", film("late.mp4"), read, ""),
        ("rotated.mov", film("rotated.mov"), read, ""),
        ("two-films.mkv", film("tracks.mkv"), read, ""),
        ("locked.mp4", locked(), &["protected"], "common encryption, for PlayReady"),
        ("locked.ts", scrambled(), &["protected"], "transport stream scrambling"),
        ("locked.vob", disc(), &["protected"], "CSS"),
        ("locked.wma", encrypted(), &["protected"], "Windows Media DRM"),
        ("elsewhere.mov", altered(b"url ", 0, &[0; 4]), &["unsupported"], "in another file"),
        ("list.m3u8", format!("#EXTM3U\n#EXTINF:2,\n{secret}\n").into_bytes(), &["other"], "not media"),
        ("list.mp4", format!("#EXTM3U\n#EXTINF:2,\nfile://{secret}\n").into_bytes(), &["other"], "not media"),
        ("concat.ts", format!("ffconcat version 1.0\nfile '{secret}'\n").into_bytes(), &["other"], "not media"),
        (
            "stream.sdp",
            b"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n".to_vec(),
            &["other"],
            "not media",
        ),
    ]
}

#[test]
fn each_hostile_film_has_an_outcome_with_a_reason() {
    let folder = Folder::with_index();
    let films = films(&folder);
    for (name, bytes, ..) in &films {
        folder.write(format!("films/{name}"), bytes);
    }
    for more in [&[][..], &["--no-ffmpeg"], &["--in-process", "--no-ffmpeg"]] {
        let ran = minutia(&folder, &[&["scan", "films", "--index", "works.idx", "--json"], more].concat()).ends(2);
        let records = ran.json();
        assert_eq!(records.len(), films.len() + 1);
        let mut wrong = Vec::new();
        for (name, _, outcomes, reason) in &films {
            let record = records.iter().find(|record| record["path"] == format!("films/{name}")).unwrap();
            let outcome = record["outcome"].as_str().unwrap();
            let problems = record["problems"].as_array().unwrap();
            let told = |text: &str| problems.iter().any(|problem| problem["message"].as_str().unwrap().contains(text));
            // What was not read whole says why.
            let whole = ["no-match", "undecided"].contains(&outcome);
            if !outcomes.contains(&outcome) || !told(reason) && !reason.is_empty() || problems.is_empty() && !whole {
                wrong.push(format!("{name}: {outcome} {problems:?}"));
            }
        }
        assert!(wrong.is_empty(), "{more:?}:\n{}", wrong.join("\n"));
    }
}

#[test]
fn what_a_container_holds_is_recorded() {
    let folder = Folder::with_index();
    folder.write("films/tracks.mkv", film("tracks.mkv"));
    folder.write("films/locked.mp4", locked());
    let scan = ["scan", "films", "--index", "works.idx", "--json"];
    let records = minutia(&folder, &scan).json();
    let tracks = |name: &str| -> Vec<Value> {
        let record = records.iter().find(|record| record["path"] == format!("films/{name}")).unwrap();
        record["tracks"].as_array().unwrap_or(&Vec::new()).clone()
    };
    let found = tracks("tracks.mkv");
    let kinds: Vec<&str> = found.iter().map(|track| track["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["sound", "picture", "picture", "subtitle", "attachment"]);
    assert_eq!((&found[1]["width"], &found[1]["codec"]), (&318.into(), &"H.264".into()));
    assert_eq!((&found[3]["codec"], &found[3]["language"]), (&"SubRip".into(), &"eng".into()));
    assert_eq!((&found[4]["codec"], &found[4]["name"]), (&"text/plain".into(), &"note.txt".into()));
    let ran = minutia(&folder, &["fingerprint", "films/tracks.mkv"]).ends(0);
    let held = "holds sound AAC; picture H.264 318x180; picture H.264 318x180; subtitle SubRip eng; attachment text/plain note.txt  ";
    assert!(ran.out.contains(held), "{}", ran.out);
    minutia(&folder, &["fingerprint", "films/locked.mp4"])
        .ends(2)
        .says(&["protected by common encryption, for PlayReady"]);
}

#[cfg(feature = "av1")]
#[test]
fn av1_is_read_without_ffmpeg_whole_and_cut() {
    let folder = Folder::with_index();
    let whole = film("av1-ten-bit.webm");
    folder.write("films/cut.webm", &whole[..whole.len() / 2]);
    folder.write("films/whole.webm", &whole);
    let scan = |more: &[&str]| {
        let records = minutia(&folder, &[&["scan", "films", "--index", "works.idx", "--json"], more].concat()).json();
        let told = |record: &Value| (record["outcome"].clone(), record["coverage"].clone(), record["problems"].clone());
        records[..2].iter().map(told).collect::<Vec<_>>()
    };
    let read = scan(&["--no-ffmpeg"]);
    for (outcome, coverage, problems) in &read {
        let film = &coverage["film"];
        assert!(film["decoder"].as_str().unwrap().starts_with("re_rav1d "), "{film}");
        // Four a second.
        let expected = film["decoded_ms"].as_u64().unwrap() / 250;
        assert!(film["frames_read"].as_u64().unwrap() >= expected.max(3), "{film}");
        assert_eq!(outcome == "damaged", problems[0]["code"] == "damaged", "{problems}");
    }
    assert!(read[0].0 == "damaged" && read[1].0 != "damaged", "{read:?}");
    assert_eq!(scan(&["--no-ffmpeg", "--in-process"]), read);
    // Its key frames are found here even where ffmpeg is installed.
    let quick = scan(&["--triage-only"]);
    assert!(quick[1].1["film"]["decoder"].as_str().unwrap().starts_with("re_rav1d "), "{quick:?}");
}
