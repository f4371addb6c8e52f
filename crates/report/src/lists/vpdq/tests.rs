//! Tests of films in lists: every form in which ThreatExchange's tools write them, what is wrong with one, and a round trip.

use minutia::fingerprint::{AlgorithmId, FilmFingerprint, Fingerprint};
use minutia::index::{Policy, Work};

use super::super::{Reader, header};
use super::*;

const A: &str = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6339c4e9c9b22";
const B: &str = "d0f8f1ccc0f4a84d0a370a3a228f67f0b36e2ed5b6623e1d33e6339c4e9c9b22";

fn read(list: impl AsRef<[u8]>) -> Vec<Read> {
    Reader::new(list.as_ref(), AlgorithmId::PDQ.row().unwrap()).collect::<io::Result<_>>().unwrap()
}

/// The films of a list: its line, id, whether that is a name, file, part of which line, and number, quality, time of each frame.
fn films_of(list: &str, name: Option<&str>) -> Vec<String> {
    let reader = Reader::new(list.as_bytes(), AlgorithmId::PDQ.row().unwrap());
    let reader = match name {
        Some(name) => reader.named(name),
        None => reader,
    };
    let told = |read: io::Result<Read>| match read.unwrap() {
        Read::Film(film) => {
            let frame = |f: &VpdqFrame| format!("{}/{}/{}/{:02x}", f.number, f.quality, f.time_ms, f.code.0[0]);
            let frames: Vec<String> = film.frames.iter().map(frame).collect();
            let (id, part) = (film.work.id.as_str(), film.part_of);
            format!("{} {id} {} {:?} {part:?} {}", film.line, film.named, film.file, frames.join(" "))
        }
        Read::Wrong(wrong) => format!("wrong {} {}", wrong.line, wrong.message),
        other => format!("{other:?}"),
    };
    reader.map(told).collect()
}

#[test]
fn films_are_read_as_threatexchange_writes_them() {
    let id = |codes: &[&str]| {
        let frame = |text: &&str| VpdqFrame { time_ms: 0, number: 0, quality: 0, code: text.parse().unwrap() };
        id_of_frames(&codes.iter().map(frame).collect::<Vec<_>>())
    };
    let (both, first) = (id(&[A, B]), id(&[A]));
    let check =
        |list: String, name: Option<&str>, expected: &[String]| assert_eq!(films_of(&list, name), expected, "{list}");
    let named = |rest: &str| format!("{rest} true Some(\"film\") ");
    // The C++ tool's lines, with and without a name, with what is wrong between.
    let lines = format!("0,100,{A},0.000\n# words\n\nnonsense\n1,87,{B},1.033\n");
    let wrong = "wrong 4 expected a frame of a film, for example `0,100,` and 64 hexadecimal digits and `,0.000`, found nonsense";
    check(
        lines,
        Some("film"),
        &[named("1 film") + "Some(1) 0/100/0/f8", wrong.to_owned(), named("5 film") + "Some(1) 1/87/1033/d0"],
    );
    check(format!("7,100,{A},3.5\n"), None, &[format!("1 {first} false None Some(1) 7/100/3500/f8")]);
    check(format!("{A},100,0.000\n"), Some("film"), &[named("1 film") + "Some(1) 0/100/0/f8"]);
    // A row of another list, with a time behind its id.
    let row = films_of(&format!("{A},12345,2021-01-01T00:00:00+0000,tag1 tag2\n"), None);
    assert!(row[0].starts_with("Hash("), "{row:?}");
    // The Python module's text: an array, of which many make a list; after its name; in a table; as an interface has it.
    let text = format!("[\"{A},100,0.000\", \"{B},99,1.000\"]");
    let quoted = text.replace('"', "\\\"");
    let parts = |line: u64, name: &str| {
        let film = |place: usize, rest: &str| format!("{line} {name} true Some({name:?}) Some({line}) {place}/{rest}");
        [film(0, "100/0/f8"), film(1, "99/1000/d0")]
    };
    check(text.clone(), Some("film"), &parts(1, "film"));
    check(format!("{text}\n{text}\n"), Some("film"), &[parts(1, "film"), parts(2, "film")].concat());
    let whole = |line: u64| format!("{line} {both} false None None 0/100/0/f8 1/99/1000/d0");
    check(format!("vpdq {text}\n"), Some("film"), &[whole(1)]);
    check(format!("{{\"vpdq\": \"{quoted}\"}}\n"), Some("film"), &[whole(1)]);
    let by_number = format!(
        "{{\"1\": {{\"quality\": 99, \"hash\": \"{B}\", \"timestamp\": 1.0}}, \"0\": {{\"quality\": 100, \"hash\": \"{A}\", \"timestamp\": 0}}}}"
    );
    check(by_number.clone(), None, &[whole(1)]);
    check(format!("{{\"signal_type\": \"VPDQ\", \"signal_str\": \"{quoted}\"}}"), None, &[whole(1)]);
    check(
        format!(
            "signal_type,signal_str,collab,category,tags\nvpdq,\"{}\",Sample,NEGATIVE_CLASS,\n",
            text.replace('"', "\"\"")
        ),
        Some("film"),
        &[whole(2)],
    );
    let content = format!(
        "{{\"id\": \"C-1\", \"bank\": {{\"name\": \"Bank\"}}, \"signals\": {{\"vpdq\": \"{quoted}\", \"pdq\": \"{A}\"}}}}"
    );
    let found = read(content);
    assert!(
        matches!(&found[..], [Read::Hash(_), Read::Film(film)] | [Read::Film(film), Read::Hash(_)]
        if film.work.holder.as_deref() == Some("Bank") && film.work.id.as_str() == "C-1"),
        "{found:?}"
    );
    // Rows and objects of a frame each, as Minutia writes them.
    check(
        format!("algorithm,hash,id,file,frame,time_ms\nvpdq,{A},W,a.mp4,3,1500\n"),
        Some("film"),
        &["2 W true Some(\"a.mp4\") Some(0) 3/100/1500/f8".to_owned()],
    );
    check(
        format!(
            "{{\"algorithm\":\"vpdq\",\"path\":\"b.mp4\",\"frame\":30,\"quality\":9,\"hash\":\"{A}\",\"timestamp\":1.001}}"
        ),
        None,
        &["1 b.mp4 true Some(\"b.mp4\") Some(0) 30/9/1001/f8".to_owned()],
    );
}

#[test]
fn what_is_wrong_with_a_film_is_told() {
    let check = |list: String, expected: &str| {
        let found = films_of(&list, None);
        assert!(found.iter().any(|found| found.starts_with("wrong") && found.contains(expected)), "{list}: {found:?}");
    };
    let good = format!("0,100,{A},0.000\n");
    check(format!("{good}1,101,{A},0.1\n"), "quality");
    check(format!("{good}1,100,{},0.1\n", "g".repeat(64)), "64 hexadecimal digits");
    check(format!("{good}1,100,{A},1e999.0\n"), "expected seconds");
    check(format!("{good}1,100,{A},-1.0\n"), "expected seconds");
    check(format!("{good}99999999999,100,{A},1.0\n"), "number of a frame");
    check(format!("{good}1,100,{A}\n"), "expected a frame of a film");
    check("vpdq []\n".to_owned(), "at least one frame");
    check("vpdq [1, 2\n".to_owned(), "expected the frames of a film");
    check("vpdq [\"a,b,c\"]\n".to_owned(), "expected a frame of a film");
    check(format!("algorithm,hash,frame\nvpdq,{A},1\n"), "its seconds");
    check("{\"0\": {\"hash\": \"a\", \"quality\": 3, \"timestamp\": 0}}".to_owned(), "64 hexadecimal digits");
}

#[test]
fn frames_that_are_written_are_read_again() {
    let frames: Vec<VpdqFrame> = (0..3)
        .map(|n| VpdqFrame { time_ms: n * 999, number: n.into(), quality: 98, code: Code([n as u8; 32]) })
        .collect();
    let views = FilmFingerprint::of_list(&frames);
    let entry = Entry {
        work: Work { policy: Policy::Licensed, ..Work::new(WorkId::new("=W").unwrap()) },
        source_name: "a;b.mp4".to_owned(),
        source_digest: Some([7; 32]),
        fingerprints: vec![Fingerprint::Film(views)],
        thumbnail: None,
    };
    // The first has nothing in it.
    let [(0, listed)] = &super::films(&entry).collect::<Vec<_>>()[..] else { panic!("one film") };
    assert_eq!(listed, &frames[1..]);
    let rows: String = listed.iter().map(|frame| vpdq_row(&entry, frame) + "\n").collect();
    let mut kept: Vec<VpdqFrame> = Vec::new();
    for read in read(format!("{}\n{rows}", header())) {
        let Read::Film(film) = read else { panic!("{read:?}") };
        assert_eq!((film.work.id.as_str(), film.work.policy), ("=W", Some(Policy::Licensed)));
        assert_eq!((film.file.as_deref(), film.digest, film.part_of), (Some("a;b.mp4"), Some([7; 32]), Some(0)));
        kept.extend(&film.frames);
    }
    assert_eq!(&kept, listed);
}
