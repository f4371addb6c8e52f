//! Films from the file to the record: what a scan sees, where, how altered, and with whose sound.

use std::path::Path;
use std::process::Command;

use image::ImageFormat;
use minutia::verdict::calibration::FILM_CALIBRATION;
use minutia::verdict::{Allowed, FilmJudge};
use serde_json::Value;

use crate::evidence::{Folder, minutia, picture};

/// Runs ffmpeg in the folder; false where it is not installed or cannot.
fn ffmpeg(folder: &Folder, arguments: &str) -> bool {
    let mut command = Command::new("ffmpeg");
    command.current_dir(folder.path()).args(["-nostdin", "-v", "error", "-y"]).args(arguments.split(' '));
    command.output().is_ok_and(|output| output.status.success())
}

fn audio(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/audio").join(name);
    file.canonicalize().unwrap().to_str().unwrap().to_owned()
}

/// A folder with an index of one film, 24 pictures that move for a second each with music, and with copies of it: `None` where ffmpeg
/// does not make them.
fn films() -> Option<Folder> {
    let folder = Folder::new();
    for (film, first) in [("a", 1_000), ("b", 2_000)] {
        for number in 0..24 {
            folder.write(format!("{film}/{number:02}.png"), picture(first + number, ImageFormat::Png));
        }
    }
    for kept in ["works", "evidence"] {
        std::fs::create_dir_all(folder.at(kept)).unwrap();
    }
    let (music, other) = (audio("reference/idle-tune.mp3"), audio("seized/other.mp3"));
    let [a, b] = ["a", "b"].map(|film| format!("-framerate 1 -i {film}/%02d.png"));
    let moving = "-vf fps=10,scroll=horizontal=0.02";
    let h264 = "-r 10 -pix_fmt yuv420p -c:v libx264 -g 10";
    let clip = "[0:v]fps=10,split[x][y];[x]trim=0:6,setpts=PTS-STARTPTS[h];[y]trim=6:12,setpts=PTS-STARTPTS[t];\
                [1:v]fps=10,trim=4:16,setpts=PTS-STARTPTS,hflip[c];[h][c][t]concat=n=3";
    let made = [
        format!("{a} -i {music} {moving} -shortest {h264} -c:a aac -b:a 96k works/film.mp4"),
        // Twelve seconds of it, mirrored, in the midst of another film.
        format!("{b} -i works/film.mp4 -filter_complex {clip} {h264} -an evidence/inside.mp4"),
        // By a codec that is read by the program alone.
        "-ss 5 -t 14 -i works/film.mp4 -r 10 -c:v mpeg4 -q:v 4 -c:a libmp3lame evidence/excerpt.avi".to_owned(),
        format!(
            "-i works/film.mp4 -stream_loop -1 -i {other} -map 0:v -map 1:a -t 20 {h264} -c:a aac evidence/redubbed.mkv"
        ),
        format!("{b} -i {music} {moving} -shortest {h264} -c:a aac -b:a 96k evidence/music.mp4"),
        format!("{b} {moving} {h264} -an evidence/other.mp4"),
    ];
    made.iter().all(|arguments| ffmpeg(&folder, arguments)).then_some(folder)
}

fn item<'a>(records: &'a [Value], name: &str) -> &'a Value {
    records.iter().find(|record| record["path"] == format!("evidence/{name}")).unwrap()
}

fn near(value: &Value, expected: u64) -> bool {
    value.as_u64().unwrap().abs_diff(expected) <= 700
}

#[test]
fn films_are_found_where_they_are_and_with_whose_sound() {
    let Some(folder) = films() else {
        println!("films_are_found_where_they_are_and_with_whose_sound: not run (no ffmpeg that makes H.264 and AAC)");
        return;
    };
    let added = minutia(&folder, &["index", "add", "works.idx", "works"]).ends(0);
    assert!(added.out.contains(" and 1 film of 0 min 24 s in all"), "{}", added.out);
    let info = minutia(&folder, &["index", "info", "works.idx"]).ends(0);
    assert!(info.out.contains("films       1, 0 min 24 s in all"), "{}", info.out);

    let scan = ["scan", "evidence", "--index", "works.idx", "--json"];
    let ran = minutia(&folder, &scan).ends(1).says(&["1 film of 1 work"]);
    let records = ran.json();
    let summary = records.last().unwrap();
    assert_eq!(
        (&summary["run"]["film"]["match_score"], &summary["run"]["index"]["films"]),
        (&FilmJudge::new(FILM_CALIBRATION, 1, Allowed::default()).thresholds(0).0.into(), &1.into())
    );

    let inside = item(&records, "inside.mp4");
    assert_eq!((&inside["outcome"], &inside["problems"]), (&"match".into(), &Value::Array(Vec::new())), "{inside}");
    assert_eq!(inside["coverage"]["film"]["codec"], "H.264", "{inside}");
    assert_eq!((&inside["coverage"]["film"]["to_the_end"], &inside["coverage"]["sound"]), (&true.into(), &Value::Null));
    let found = &inside["findings"][0];
    let expected = (&"frames".into(), &"flip_y".into(), &"picture only".into(), &false.into());
    assert_eq!((&found["method"], &found["turn"], &found["shared"], &found["redubbed"]), expected, "{found}");
    let (query, reference) = (&found["query_span_ms"], &found["reference_span_ms"]);
    assert!(near(&query[0], 6_000) && near(&query[1], 18_000), "{found}");
    assert!(near(&reference[0], 4_000) && near(&reference[1], 16_000), "{found}");

    let excerpt = item(&records, "excerpt.avi");
    let film = &excerpt["coverage"]["film"];
    assert!(film["decoder"].as_str().unwrap().starts_with("ffmpeg "), "{excerpt}");
    // Nobody here reads how long it is.
    assert_eq!((&film["declared_ms"], &film["second_look"]), (&Value::Null, &true.into()), "{excerpt}");
    let methods: Vec<_> = excerpt["findings"].as_array().unwrap().iter().map(|found| &found["method"]).collect();
    assert!(methods.contains(&&"frames".into()) && methods.contains(&&"landmarks".into()), "{excerpt}");
    for found in excerpt["findings"].as_array().unwrap() {
        assert_eq!(found["shared"], "picture+sound", "{excerpt}");
    }

    let redubbed = item(&records, "redubbed.mkv");
    let found = &redubbed["findings"][0];
    assert_eq!((&found["shared"], &found["redubbed"]), (&"picture only".into(), &true.into()), "{redubbed}");

    let music = item(&records, "music.mp4");
    assert_eq!(
        (&music["outcome"], &music["findings"][0]["shared"]),
        (&"match".into(), &"sound only".into()),
        "{music}"
    );
    assert_eq!(item(&records, "other.mp4")["outcome"], "no-match");

    // Workers and this process say the same of everything but how it was read.
    let here = minutia(&folder, &[&scan[..], &["--in-process"]].concat()).ends(1).json();
    let told = |records: &[Value]| -> Vec<Value> {
        let mut items: Vec<Value> = records[..records.len() - 1].to_vec();
        for item in &mut items {
            for name in ["previous", "batch"] {
                item.as_object_mut().unwrap().remove(name);
            }
        }
        items
    };
    assert_eq!(told(&records), told(&here));

    // Without the program a film that only it can read is told apart from one in which nothing was found.
    let records = minutia(&folder, &[&scan[..], &["--no-ffmpeg"]].concat()).ends(1).json();
    assert_eq!(item(&records, "inside.mp4")["outcome"], "match");
    let excerpt = item(&records, "excerpt.avi");
    assert_eq!((&excerpt["outcome"], &excerpt["problems"][0]["code"]), (&"unsupported".into(), &"unsupported".into()));

    let compared = minutia(&folder, &["compare", "evidence/inside.mp4", "works/film.mp4"]).ends(1);
    for part in ["match: ", "picture only", "mirrored left to right", "frames compared"] {
        assert!(compared.out.contains(part), "expected {part} in {}", compared.out);
    }
    let explained = minutia(&folder, &["explain", "evidence/inside.mp4", "works/film.mp4"]).ends(1).out;
    for part in
        ["Stretch 1: match, by frames, picture only", "recording    the same", "Judged by, for an index of 1 film,"]
    {
        assert!(explained.contains(part), "expected {part} in {explained}");
    }
    let explained = minutia(&folder, &["explain", "a/03.png", "works/film.mp4"]).out;
    assert!(explained.contains("Judged by, for a picture beside each frame"), "{explained}");
    assert!(!explained.contains("landmarks"), "{explained}");
    let other = minutia(&folder, &["compare", "evidence/other.mp4", "works/film.mp4"]).ends(0);
    assert!(other.out.starts_with("no-match: nothing of A runs along B"), "{}", other.out);
}

/// A GIF of these pictures, each shown so long.
fn gif(pictures: impl IntoIterator<Item = u32>, delay_ms: u64) -> Vec<u8> {
    use image::codecs::gif::GifEncoder;
    use image::{Delay, Frame, load_from_memory};

    let mut bytes = Vec::new();
    let delay = Delay::from_saturating_duration(std::time::Duration::from_millis(delay_ms));
    let frames = pictures.into_iter().map(|number| {
        let picture = load_from_memory(&picture(number, ImageFormat::Png)).unwrap();
        Frame::from_parts(picture.into_rgba8(), 0, 0, delay)
    });
    GifEncoder::new_with_speed(&mut bytes, 20).encode_frames(frames).unwrap();
    bytes
}

#[test]
fn an_animated_gif_is_found_as_a_film() {
    let folder = Folder::new();
    folder.write("works/long.gif", gif(3_000..3_020, 500));
    // Six seconds of it, by other delays, between other pictures.
    let inside = [4_000, 4_001].into_iter().chain(3_004..3_016).chain([4_002]);
    folder.write("evidence/inside.gif", gif(inside, 500));
    folder.write("evidence/other.gif", gif(5_000..5_012, 500));
    folder.write("evidence/short.gif", gif(5_020..5_022, 100));
    let added = minutia(&folder, &["index", "add", "works.idx", "works"]).ends(0);
    assert!(added.out.contains(" and 1 film of 0 min 10 s in all"), "{}", added.out);

    let records = minutia(&folder, &["scan", "evidence", "--index", "works.idx", "--json"]).ends(1).json();
    let inside = item(&records, "inside.gif");
    assert_eq!((&inside["format"], &inside["duration_ms"]), (&"GIF".into(), &7_500.into()), "{inside}");
    let findings = inside["findings"].as_array().unwrap();
    let found = findings.iter().find(|found| found["method"] == "frames").unwrap();
    assert_eq!((&found["modality"], &found["level"]), (&"video".into(), &"match".into()), "{found}");
    let (query, reference) = (&found["query_span_ms"], &found["reference_span_ms"]);
    assert!(near(&query[0], 1_000) && near(&query[1], 7_000), "{found}");
    assert!(near(&reference[0], 2_000) && near(&reference[1], 8_000), "{found}");
    // Its pictures are compared one by one as well.
    assert!(findings.iter().any(|found| found["method"] == "code"), "{inside}");
    assert_eq!(item(&records, "short.gif")["coverage"]["film"], Value::Null);
    assert_eq!(item(&records, "other.gif")["coverage"]["film"]["decoded_ms"], 6_000);

    let compared = minutia(&folder, &["compare", "evidence/inside.gif", "works/long.gif"]).ends(1);
    assert!(compared.out.starts_with("match: A is it") && compared.out.contains("frames compared"), "{}", compared.out);
    // One picture alone is compared as a picture.
    folder.write("evidence/one.gif", gif([3_007], 500));
    let compared = minutia(&folder, &["compare", "evidence/one.gif", "works/long.gif"]).ends(1);
    assert!(compared.out.starts_with("match: distance"), "{}", compared.out);
}

#[test]
fn a_gif_of_a_film_and_a_film_of_a_gif_are_found() {
    let Some(folder) = films() else {
        println!("a_gif_of_a_film_and_a_film_of_a_gif_are_found: not run (no ffmpeg that makes H.264 and AAC)");
        return;
    };
    // A key frame is a scene's first.
    let made = [
        "-ss 5 -t 8 -i works/film.mp4 -vf fps=10,scale=120:-2 evidence/cut.gif",
        "-i evidence/cut.gif -pix_fmt yuv420p -c:v libx264 evidence/back.mp4",
    ];
    assert!(made.iter().all(|arguments| ffmpeg(&folder, arguments)));
    minutia(&folder, &["index", "add", "films.idx", "works"]).ends(0);
    std::fs::create_dir_all(folder.at("gifs")).unwrap();
    std::fs::rename(folder.at("evidence/cut.gif"), folder.at("gifs/cut.gif")).unwrap();
    minutia(&folder, &["index", "add", "gifs.idx", "gifs"]).ends(0);
    let found = |path: &str, index: &str| {
        let records = minutia(&folder, &["scan", path, "--index", index, "--json"]).ends(1).json();
        let findings = records[0]["findings"].as_array().unwrap().clone();
        findings.into_iter().find(|found| found["method"] == "frames").unwrap()
    };
    let gif = found("gifs/cut.gif", "films.idx");
    assert!(near(&gif["reference_span_ms"][0], 5_000) && near(&gif["reference_span_ms"][1], 13_000), "{gif}");
    let film = found("works/film.mp4", "gifs.idx");
    assert!(near(&film["query_span_ms"][0], 5_000) && near(&film["query_span_ms"][1], 13_000), "{film}");
    let back = found("evidence/back.mp4", "gifs.idx");
    assert!(near(&back["query_span_ms"][0], 0) && near(&back["query_span_ms"][1], 8_000), "{back}");
}

#[test]
fn a_quick_pass_finds_films_by_their_key_frames_and_claims_no_more() {
    let Some(folder) = films() else {
        println!(
            "a_quick_pass_finds_films_by_their_key_frames_and_claims_no_more: not run (no ffmpeg that makes them)"
        );
        return;
    };
    folder.write("evidence/picture.png", picture(9_000, ImageFormat::Png));
    // One key frame, at its start, is no film that ends there.
    let one =
        "-framerate 1 -i b/%02d.png -t 20 -r 10 -pix_fmt yuv420p -c:v libx264 -g 600 -sc_threshold 0 evidence/one.mp4";
    assert!(ffmpeg(&folder, one));
    minutia(&folder, &["index", "add", "works.idx", "works"]).ends(0);
    let scan = ["scan", "evidence", "--index", "works.idx", "--json"];
    let quick = minutia(&folder, &[&scan[..], &["--triage-only"]].concat()).ends(1);
    let records = quick.json();
    let summary = records.last().unwrap();
    assert_eq!((&summary["run"]["passes"][0], &summary["items"]), (&"triage".into(), &7.into()), "{summary}");
    let inside = item(&records, "inside.mp4");
    assert_eq!((&inside["pass"], &inside["outcome"]), (&"triage".into(), &"match".into()), "{inside}");
    assert_eq!((&inside["blake3"], &inside["coverage"]["in_part"]), (&Value::Null, &true.into()), "{inside}");
    let film = &inside["coverage"]["film"];
    assert_eq!((&film["key_frames"], &film["second_look"]), (&true.into(), &false.into()), "{inside}");
    assert!(film["decoder"].as_str().unwrap().starts_with("rust_h264"), "{inside}");
    let found = &inside["findings"][0];
    assert_eq!((&found["method"], &found["turn"]), (&"frames".into(), &"flip_y".into()), "{found}");
    let near = |value: &Value, expected: u64| value.as_u64().unwrap().abs_diff(expected) <= 1_500;
    assert!(near(&found["query_span_ms"][0], 6_000) && near(&found["query_span_ms"][1], 18_000), "{found}");
    assert!(near(&found["reference_span_ms"][0], 4_000), "{found}");
    // What was not found by key frames may be there: of sound nothing was heard.
    for name in ["other.mp4", "music.mp4"] {
        assert_eq!(item(&records, name)["outcome"], "undecided", "{name}");
    }
    let one = item(&records, "one.mp4");
    assert_eq!((&one["outcome"], &one["coverage"]["film"]["frames_read"]), (&"undecided".into(), &1.into()), "{one}");
    assert_eq!((&one["duration_ms"], &one["problems"]), (&20_000.into(), &serde_json::json!([])), "{one}");
    assert_eq!(item(&records, "picture.png")["outcome"], "no-match");
    let excerpt = item(&records, "excerpt.avi");
    assert_eq!((&excerpt["outcome"], &excerpt["coverage"]["sound"]), (&"match".into(), &Value::Null), "{excerpt}");
    let here = minutia(&folder, &[&scan[..], &["--triage-only", "--in-process"]].concat()).ends(1).json();
    assert_eq!(item(&here, "inside.mp4")["findings"], inside["findings"]);
    assert_eq!(item(&here, "excerpt.avi")["findings"], excerpt["findings"]);

    // Both passes: each says something of everything, the full one what a scan without the other says.
    let both = minutia(&folder, &[&scan[..], &["--triage", "--case", "case"]].concat()).ends(1);
    let records = both.json();
    assert_eq!(records.len(), 7 + 7 + 1);
    let summary = records.last().unwrap();
    assert_eq!((&summary["items"], &summary["triage"]["items"]), (&7.into(), &7.into()), "{summary}");
    assert_eq!(summary["run"]["passes"], serde_json::json!(["triage", "full"]));
    let plain = minutia(&folder, &scan).ends(1).json();
    let told = |records: &[Value]| -> Vec<Value> {
        let mut items = records.to_vec();
        for item in &mut items {
            item.as_object_mut().unwrap().remove("previous");
        }
        items
    };
    assert_eq!(told(&records[7..14]), told(&plain[..7]));
    assert_eq!((&plain[7]["outcomes"], &plain[7]["triage"]), (&summary["outcomes"], &Value::Null));

    // It goes on to the same bytes wherever it was cut, also between the passes.
    let whole = std::fs::read(folder.at("case/records.jsonl")).unwrap();
    let ends: Vec<usize> = (1..).zip(&whole).filter(|&(_, &byte)| byte == b'\n').map(|(end, _)| end).collect();
    for cut in [ends[2], ends[7] - 3, ends[7], ends[9]] {
        std::fs::write(folder.at("case/records.jsonl"), &whole[..cut]).unwrap();
        let again = minutia(&folder, &[&scan[..], &["--triage", "--case", "case"]].concat()).ends(1);
        assert_eq!(std::fs::read(folder.at("case/records.jsonl")).unwrap(), whole, "cut at {cut}");
        assert_eq!(again.out, both.out, "cut at {cut}");
    }
}

#[test]
fn pictures_that_begin_late_are_placed_late_and_beside_other_sound() {
    let Some(folder) = films() else {
        println!(
            "pictures_that_begin_late_are_placed_late_and_beside_other_sound: not run (no ffmpeg that makes them)"
        );
        return;
    };
    for name in ["late.mkv", "late.mp4"] {
        let late =
            format!("-itsoffset 3 -i works/film.mp4 -i works/film.mp4 -map 0:v -map 1:a -c copy evidence/{name}");
        assert!(ffmpeg(&folder, &late));
    }
    minutia(&folder, &["index", "add", "works.idx", "works"]).ends(0);
    let scan = ["scan", "evidence/late.mkv", "evidence/late.mp4", "--index", "works.idx", "--json"];
    for options in [&["--in-process"][..], &["--no-ffmpeg"], &[]] {
        let records = minutia(&folder, &[&scan[..], options].concat()).ends(1).json();
        for name in ["late.mkv", "late.mp4"] {
            let findings = item(&records, name)["findings"].as_array().unwrap();
            let start = |method: &str| {
                let found = findings.iter().find(|found| found["method"] == method).unwrap();
                assert!(near(&found["reference_span_ms"][0], 0), "{name}: {found}");
                assert_ne!(found["shared"], "picture+sound", "{name}: three seconds apart");
                found["query_span_ms"][0].as_u64().unwrap()
            };
            assert!(start("frames").abs_diff(3_000) <= 700 && start("landmarks") <= 700, "{name}: {findings:?}");
        }
    }
}

#[test]
fn a_poster_in_a_film_and_a_frame_of_a_film_are_found_with_their_places() {
    let Some(folder) = films() else {
        println!("a_poster_in_a_film_and_a_frame_of_a_film_are_found_with_their_places: not run (no ffmpeg)");
        return;
    };
    for kept in ["pictures", "stills"] {
        std::fs::create_dir_all(folder.at(kept)).unwrap();
    }
    std::fs::copy(folder.at("a/07.png"), folder.at("pictures/07.png")).unwrap();
    let slides =
        "-framerate 1/2 -start_number 3 -i a/%02d.png -t 16 -r 10 -pix_fmt yuv420p -c:v libx264 stills/slides.mp4";
    assert!(ffmpeg(&folder, slides));
    assert!(ffmpeg(&folder, "-ss 9 -i stills/slides.mp4 -frames:v 1 stills/still.jpg"));
    minutia(&folder, &["index", "add", "pictures.idx", "pictures"]).ends(0);
    minutia(&folder, &["index", "add", "films.idx", "stills/slides.mp4"]).ends(0);

    let ran = minutia(&folder, &["scan", "stills/slides.mp4", "--index", "pictures.idx", "--json"]).ends(1);
    let film = ran.json()[0].clone();
    let found = &film["findings"][0];
    let expected = (&"code".into(), &"image".into(), &"07.png".into());
    assert_eq!((&found["method"], &found["modality"], &found["reference"]), expected, "{film}");
    // The fifth of its pictures, two seconds each.
    assert!(near(&found["query_span_ms"][0], 8_000) && near(&found["query_span_ms"][1], 10_000), "{found}");
    assert_eq!(found["reference_span_ms"], Value::Null);
    let told = minutia(&folder, &["scan", "stills/slides.mp4", "--index", "pictures.idx"]).ends(1).out;
    assert!(told.contains("shows a copy of 07") && told.contains(", at 0:08.0-0:10.0 of it; distance"), "{told}");

    let still =
        minutia(&folder, &["scan", "stills/still.jpg", "--index", "films.idx", "--json"]).ends(1).json()[0].clone();
    let found = &still["findings"][0];
    assert_eq!((&found["method"], &found["reference"]), (&"code".into(), &"slides.mp4".into()), "{still}");
    assert!(near(&found["reference_span_ms"][0], 8_000) && near(&found["reference_span_ms"][1], 10_000), "{found}");
    let compared = minutia(&folder, &["compare", "stills/still.jpg", "stills/slides.mp4"]).ends(1).out;
    assert!(
        compared.starts_with("match: A is it") && compared.contains(", at 0:08.0-0:10.0 of the reference"),
        "{compared}"
    );
    let explained = minutia(&folder, &["explain", "stills/slides.mp4", "pictures/07.png"]).ends(1).out;
    assert!(explained.contains("Frame 1: match, by its code"), "{explained}");
    let other = minutia(&folder, &["scan", "b/07.png", "--index", "films.idx", "--json"]).ends(0).json();
    assert_eq!(other[0]["outcome"], "no-match");
}

#[test]
fn fingerprints_of_films_have_what_the_program_decodes() {
    let folder = Folder::new();
    let film = audio("formats/film.mp4");
    let made = ffmpeg(&folder, &format!("-i {film} -c:v copy -c:a ac3 ac3.mp4"))
        && ffmpeg(&folder, &format!("-i {film} -c:v mpeg4 -c:a copy mpeg4.mp4"));
    if !made {
        println!("fingerprints_of_films_have_what_the_program_decodes: not run (ffmpeg is not installed)");
        return;
    }
    for name in ["ac3.mp4", "mpeg4.mp4"] {
        let ran = minutia(&folder, &["fingerprint", "--json", name]).ends(0);
        let algorithms: Vec<Value> = ran.json().into_iter().map(|line| line["algorithm"].clone()).collect();
        assert!(algorithms.contains(&"chromaprint".into()) && algorithms.len() == 2, "{name}: {algorithms:?}");
        assert!(!ran.err.contains("install ffmpeg"), "{name}: {}", ran.err);
        let ran = minutia(&folder, &["fingerprint", "--algorithm", "chromaprint", name]).ends(0);
        assert_eq!(ran.out.lines().count(), 1, "{name}: {}", ran.out);
    }
}
