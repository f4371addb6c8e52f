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
    assert!(added.out.contains(" and 1 films of 0 min 24 s in all"), "{}", added.out);
    let info = minutia(&folder, &["index", "info", "works.idx"]).ends(0);
    assert!(info.out.contains("films       1, 0 min 24 s in all"), "{}", info.out);

    let scan = ["scan", "evidence", "--index", "works.idx", "--json"];
    let ran = minutia(&folder, &scan).ends(1).says(&["1 films"]);
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
    assert!(excerpt["coverage"]["film"]["decoder"].as_str().unwrap().starts_with("ffmpeg "), "{excerpt}");
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
    for part in ["Stretch 1: match, by frames, picture only", "recording    the same", "Judged by, of films"] {
        assert!(explained.contains(part), "expected {part} in {explained}");
    }
    let other = minutia(&folder, &["compare", "evidence/other.mp4", "works/film.mp4"]).ends(0);
    assert!(other.out.starts_with("no-match: nothing of A runs along B"), "{}", other.out);
}
