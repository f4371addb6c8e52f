//! Tests of the forms: what each line comes to, and that nothing a list holds ends the reading of the rest.

use minutia::fingerprint::{Dihedral, Fingerprint, ImageFingerprint, RegionKind, View};
use minutia::index::Entry;
use minutia_media::Orientation;
use proptest::prelude::*;

use super::*;

const A: &str = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6339c4e9c9b22";
const B: &str = "d0f8f1ccc0f4a84d0a370a3a228f67f0b36e2ed5b6623e1d33e6339c4e9c9b22";

fn pdq() -> &'static Algorithm {
    AlgorithmId::PDQ.row().unwrap()
}

fn read(list: impl AsRef<[u8]>) -> Vec<Read> {
    Reader::new(list.as_ref(), pdq()).collect::<io::Result<_>>().unwrap()
}

/// A line for each thing read: `line id first-digits…` of a hash, `other kind`, `wrong line message`.
fn told(list: impl AsRef<[u8]>) -> Vec<String> {
    let tell = |read| match read {
        Read::Hash(hash) => {
            let known = |what: &str, value: Option<String>| value.map_or_else(String::new, |v| format!(" {what}={v}"));
            let short = &hash.code.to_string()[..2];
            let mut out = format!("{} {} {short}", hash.line, hash.work.id);
            out += &known("holder", hash.work.holder.clone());
            out += &known("quality", hash.quality.map(|quality| quality.to_string()));
            out += &known("policy", hash.work.policy.map(|policy| policy.name().to_owned()));
            out += &known(
                "algorithm",
                (hash.algorithm != AlgorithmId::PDQ).then(|| hash.algorithm.row().unwrap().name.to_owned()),
            );
            out += &known("file", hash.file.clone());
            out
        }
        Read::Work(work) => format!("work {} {:?} {:?}", work.id, work.title, work.policy),
        Read::Other(kind) => format!("other {kind}"),
        Read::Wrong(wrong) => format!("wrong {} {}", wrong.line, wrong.message),
        Read::Film(film) => format!("film {}", film.line),
    };
    read(list).into_iter().map(tell).collect()
}

/// Each expected line is the beginning of what is told.
#[track_caller]
fn check(list: impl AsRef<[u8]>, expected: &[&str]) {
    let told = told(&list);
    let fits = told.len() == expected.len() && told.iter().zip(expected).all(|(told, begin)| told.starts_with(begin));
    assert!(fits, "{:?}\ngave {told:#?}\nnot  {expected:#?}", String::from_utf8_lossy(list.as_ref()));
}

#[test]
fn tables_have_their_columns_in_any_order() {
    check(format!("hash,id\n{A},W-1\n{B},W-2\n"), &["2 W-1 f8", "3 W-2 d0"]);
    check(format!("id;holder;hash;quality\nW-1;Jo;{A};87\n"), &["2 W-1 f8 holder=Jo quality=87"]);
    check(format!("id\thash\nW 1\t{A}"), &["2 W 1 f8"]);
    check(format!("hash\n{A}\n"), &[&format!("2 {A} f8")]);
    check(format!("pdq,id\n{A},W-1\n"), &["2 W-1 f8"]);
    check(format!("pdq-area,id\n{A},W-1\n"), &["2 W-1 f8 algorithm=pdq-area"]);
    check(format!("Hash,ID,Policy\n{A},W-1,Licensed\n"), &["2 W-1 f8 policy=licensed"]);
    check(format!("hash,id,algorithm\n{A},W-1,PDQ-512\n{A},W-2,md5\n"), &["2 W-1 f8 algorithm=pdq-512", "other md5"]);
    check(format!("{A},W-1\n{B},W-2,and,more\n"), &["1 W-1 f8", "2 W-2 d0"]);
    check(format!("hash,note,id\n{A},any,W-1\n"), &["2 W-1 f8"]);
}

#[test]
fn hostile_tables_lose_only_what_is_wrong() {
    check(format!("\u{feff}hash,id\r\n{A},W-1\r\n\r\n{B},W-2\r\n"), &["2 W-1 f8", "4 W-2 d0"]);
    check(format!("hash,id\n{},W-1\n", A.to_uppercase()), &["2 W-1 f8"]);
    check(
        format!("hash,id\n{A}0,W-1\n{B},W-2\n"),
        &["wrong 2 expected 64 hexadecimal digits of pdq, found 65", "3 W-2 d0"],
    );
    check(format!("hash,id\n,W-1\nxyz,W-2\n{B},W-3\n"), &["wrong 2 expected 64", "wrong 3 expected 64", "4 W-3 d0"]);
    check(format!("hash,id\n{A},W,1\n{B},\"W,2\"\n"), &["wrong 2 expected 2 cells, found 3", "3 W,2 d0"]);
    check(format!("hash,id\n{A},\"a \"\"b\"\"\"\n{B},\"two\nlines\"\n"), &["2 a \"b\" f8", "wrong 3 expected an id"]);
    check(format!("hash,id\n{A},\"open\n{B},W-2\n"), &["wrong 2 expected the quote to be closed", "3 W-2 d0"]);
    check(
        format!("hash,id,quality\n{A},W,101\n{B},W,\n"),
        &["wrong 2 expected for quality a number from 0 to 100", "3 W d0"],
    );
    check(format!("hash,id\n{A},{}\n{B},W\n", "x".repeat(513)), &["wrong 2 expected an id of 1 to 512", "3 W d0"]);
    let bytes = [b"hash,id\n", A.as_bytes(), b",caf\xe9\n", B.as_bytes(), b",W\n"].concat();
    check(bytes, &["wrong 2 expected text in UTF-8", "3 W d0"]);
    let long = format!("hash,id\n{A},{}\n{B},W\n", "x".repeat(MOST_BYTES));
    check(long, &["wrong 2 expected a line of at most 1048576 bytes, found 1048641", "3 W d0"]);
    check(
        format!("hash,id\n{A},\u{1b}[31m\n"),
        &["wrong 2 expected an id of 1 to 512 bytes without control characters, found \\x1b[31m"],
    );
    check(format!("sum,id\n{A},W\n"), &["wrong 1 expected a column hash"]);
    check(b"\xff\xfeh\0a\0", &["wrong 1 expected text in UTF-8, found other bytes (UTF-16?)"]);
    check("", &[]);
    check(" \n\n", &[]);
    // Many open quotes cost no more than their lines.
    let open = format!("hash,id\n{}{B},W\n", "\"\n".repeat(3000));
    assert_eq!(told(open).last().unwrap(), "3002 W d0");
}

#[test]
fn json_is_read_in_lines_in_arrays_and_alone() {
    check(format!("{{\"hash\":\"{A}\",\"id\":\"W-1\"}}\n{{\"hash\":\"{B}\",\"id\":2}}\n"), &["1 W-1 f8", "2 2 d0"]);
    check(
        format!("[{{\"hash\":\"{A}\",\"id\":\"W-1\"}},{{\"hash\":\"{B}\",\"id\":\"W-2\"}}]"),
        &["1 W-1 f8", "1 W-2 d0"],
    );
    check(format!("[\n {{\n  \"hash\": \"{A}\",\n  \"id\": \"]}}\\\"\"\n }}\n]\n"), &["2 ]}\" f8"]);
    check(format!("[\"{A}\", \"{B}\"]"), &[&format!("1 {A} f8"), &format!("1 {B} d0")]);
    // What HMA answers.
    check(
        format!(
            "{{\"id\": 17, \"signals\": {{\"pdq\": \"{A}\", \"video_md5\": \"0\"}}, \"bank\": {{\"name\": \"B\"}}}}"
        ),
        &["1 17 f8 holder=B", "other video_md5"],
    );
    check(format!("{{\"pdq\":\"{A}\"}}"), &[&format!("1 {A} f8")]);
    check(format!("{{\"pdq\":\"{A}\",\"md5\":\"0\",\"id\":\"W\"}}"), &["other md5", "1 W f8"]);
    // What ThreatExchange answers, and what Minutia prints.
    check(format!("{{\"type\":\"HASH_PDQ\",\"indicator\":\"{A}\",\"id\":\"9\"}}"), &["1 9 f8"]);
    check(
        format!("{{\"path\":\"a.png\",\"algorithm\":\"pdq-area\",\"hex\":\"{A}\",\"quality\":100}}"),
        &["1 a.png f8 quality=100 algorithm=pdq-area file=a.png"],
    );
}

#[test]
fn hostile_json_loses_only_what_is_wrong() {
    let good = format!("{{\"hash\":\"{B}\",\"id\":\"W\"}}");
    check(format!("{good}\n{{\"hash\":\"f8\n{good}\n"), &["1 W", "wrong 2 expected an object to end", "3 W"]);
    check(format!("{good}\n{{\"hash\":{{\"x\":1\n{good}\n"), &["1 W", "wrong 2 expected an object to end", "3 W"]);
    check(format!("{good}\n{{\"hash\" \"f8\"}}\nnonsense\n{good}"), &["1 W", "wrong 2", "wrong 3", "4 W"]);
    check(format!("[{good},"), &["1 W", "wrong 1 expected `]`"]);
    check(format!("[{good},{{\"hash\":"), &["1 W", "wrong 1 expected the end of an object", "wrong 1 expected `]`"]);
    check(format!("{{}}\n{good}"), &["wrong 1 expected 64 hexadecimal digits of pdq, found 0", "2 W"]);
    check(format!("{good}\n{{\"hash\":7}}\n{{\"hash\":null}}"), &["1 W", "wrong 2", "wrong 3"]);
    let long = format!("{{\"hash\":\"{}\"}}\n{good}", "x".repeat(MOST_BYTES));
    check(long, &["wrong 1 expected an object of at most", "2 W"]);
    let deep = format!("{{\"hash\":{}1{}}}\n{good}", "{\"a\":".repeat(5000), "}".repeat(5000));
    check(deep, &["wrong 1", "2 W"]);
}

#[test]
fn plain_lines_have_a_hash_and_perhaps_its_algorithm() {
    check(format!("{A}\n\n# a comment\n{B}  anything\n"), &[&format!("1 {A} f8"), &format!("4 {B} d0")]);
    check(format!("pdq {A}\nROTATE90 pdq {B}\n"), &[&format!("1 {A} f8"), &format!("2 {B} d0")]);
    check(format!("pdq {A} 'Sample Signals' NEGATIVE_CLASS tag\n"), &[&format!("1 {A} f8 policy=ignore")]);
    check(
        format!("raw_text bball now?\nurl https://x.example/a,b\npdq {A}\n"),
        &["other raw_text", "other url", &format!("3 {A}")],
    );
    check(format!("{A}  87 pdq-512  a file.png\n"), &["1 a file.png f8 quality=87 algorithm=pdq-512 file=a file.png"]);
    check(format!("md5 0123456789abcdef0123456789abcdef\n{A}"), &["other md5", &format!("2 {A}")]);
    check(
        format!("hello world\n{}\n{A}", &A[1..]),
        &["wrong 1 expected a hash", "wrong 2 expected 64", &format!("3 {A}")],
    );
}

#[test]
fn what_threatexchange_prints_as_csv() {
    let list = format!(
        "signal_type,signal_str,collab,category,tags\r\n\
         trend_query,\"{{\"\"and\"\": [{{\"\"or\"\": [\"\"play\"\"]}}]}}\",Sample Signals,INVESTIGATION_SEED,\r\n\
         pdq,{A},Sample Signals,POSITIVE_CLASS,a b\r\n\
         raw_text,\"two\nlines, one signal\",Sample Signals,INVESTIGATION_SEED,\r\n\
         pdq,{B},Sample Signals,NEGATIVE_CLASS,\r\n"
    );
    let (first, second) =
        (format!("3 {A} f8 holder=Sample Signals"), format!("6 {B} d0 holder=Sample Signals policy=ignore"));
    check(list, &["other trend_query", &first, "other raw_text", &second]);
    // Its own cache has no header: the hash, an id, a time and tags.
    check(format!("{A},12345,2021-01-01T00:00:00+0000,tag1 tag2\n"), &["1 12345 f8"]);
}

#[test]
fn an_export_says_what_is_known_of_its_works() {
    let list = format!(
        "{{\"schema\":\"minutia/export/0\",\"record\":\"work\",\"work\":\"W\",\"title\":\"T\",\"holder\":null,\
         \"identifiers\":[\"ISBN:9780306406157\"],\"territory\":null,\"window\":null,\"policy\":\"licensed\"}}\n\
         {{\"record\":\"file\",\"work\":\"W\",\"file\":\"a.png\",\"blake3\":null,\"references\":1}}\n\
         {{\"record\":\"reference\",\"work\":\"W\",\"file\":\"a.png\",\"blake3\":\"{B}\",\"frame\":3,\"time_ms\":40,\
         \"width\":640,\"height\":480,\"region\":[1000,0,9000,10000],\"region_kind\":\"crop\",\
         \"algorithm\":\"pdq-area\",\"hex\":\"{A}\",\"quality\":99}}\n"
    );
    let read = read(list);
    let [Read::Work(work), Read::Hash(hash)] = &read[..] else { panic!("{read:?}") };
    assert_eq!((work.title.as_deref(), work.policy), (Some("T"), Some(Policy::Licensed)));
    assert_eq!(work.identifiers.as_ref().map(Vec::len), Some(1));
    assert_eq!((hash.frame, hash.time_ms, hash.size, hash.quality), (3, 40, (640, 480), Some(99)));
    assert_eq!(hash.region, Region { kind: RegionKind::Crop, left: 1000, top: 0, right: 9000, bottom: 10_000 });
    assert_eq!(hash.digest.map(|digest| Code(digest).to_string()).as_deref(), Some(B));
    check(
        format!("hash,region\n{A},crop 1 2\n{A},crop 9 0 3 3\n"),
        &["wrong 2 expected a region", "wrong 3 expected a region"],
    );
}

/// Texts with what CSV, spreadsheets and terminals care about.
fn texts() -> impl Strategy<Value = String> {
    "[ab=+@,;\"'\\- #\u{202e}é\n\t]{1,12}"
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        id in texts().prop_filter_map("an id", WorkId::new),
        title in proptest::option::of(texts()),
        name in texts(),
        bytes in any::<[u8; 32]>(),
        digest in proptest::option::of(any::<[u8; 32]>()),
        (frame, time_ms, quality) in (any::<u32>(), any::<u64>(), 0..=100_u8),
    ) {
        let region = Region { kind: RegionKind::Trimmed, left: 10, top: 0, right: 9_990, bottom: 10_000 };
        let work = Work { title: title.clone(), policy: Policy::Ignore, ..Work::new(id.clone()) };
        let view = View { region, turn: Dihedral::Identity, code: Code(bytes), quality, plain_rim: 0 };
        let (width, height, orientation) = (0, 0, Orientation::Upright);
        let image = ImageFingerprint { frame, time_ms, width, height, orientation, views: vec![view] };
        let fingerprints = vec![Fingerprint::Image(image)];
        let entry = Entry { work, source_name: name.clone(), source_digest: digest, fingerprints, thumbnail: None };
        let written = hashes(&entry, AlgorithmId::PDQ_512);
        let list = format!("{}\n{}\n", header(), row(&written[0]));
        let plain = |text: &str| text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
        let mut expected = written[0].clone();
        expected.line = 2;
        expected.work.title = title.as_deref().map(plain);
        expected.file = Some(plain(&name));
        // No identifiers are an empty cell, which says nothing.
        expected.work.identifiers = None;
        prop_assert_eq!(read(&list), [Read::Hash(Box::new(expected))]);
        // Another reader of CSV sees the same cells.
        let mut other = csv::Reader::from_reader(list.as_bytes());
        let cells = other.records().next().unwrap().unwrap();
        prop_assert_eq!(cells.len(), COLUMNS.len());
        prop_assert_eq!(&cells[0], Code(bytes).to_string());
        prop_assert!(!cells.iter().any(|cell| cell.starts_with(['=', '+', '-', '@', '\t'])), "{:?}", cells);
    }

    /// Whatever the bytes are, every line is numbered within the list, and what can be read behind it is.
    #[test]
    fn no_bytes_end_the_reading(bytes in proptest::collection::vec(any::<u8>(), 0..200), begin in 0..4_usize) {
        let begin = ["", "hash,id\n", "{}\n", "[ {},"][begin];
        let list = [begin.as_bytes(), &bytes, b"\n"].concat();
        let lines = list.iter().filter(|&&byte| byte == b'\n').count() as u64 + 1;
        for read in read(&list) {
            match read {
                Read::Hash(hash) => prop_assert!((1..=lines).contains(&hash.line)),
                Read::Wrong(wrong) => {
                    prop_assert!((1..=lines).contains(&wrong.line));
                    prop_assert!(!wrong.message.chars().any(crate::escape::is_unsafe), "{:?}", wrong.message);
                }
                _ => {}
            }
        }
    }
}
