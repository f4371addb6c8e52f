//! Records of findings, of paths, and of names that promise something else.

use minutia::fingerprint::{AudioFingerprint, Dihedral, FilmBase, FilmFingerprint, Mix};
use minutia::index::{Policy, WorkId};
use minutia::verdict::{AudioMethod, Level, SoundProof};
use minutia_media::Kind;

use super::*;

#[test]
fn a_name_that_promises_something_else_shows() {
    let check = |path: &str, format, expected| assert_eq!(mismatch(path.as_bytes(), format), expected, "{path}");
    check("a/b.jpg", Some(Format::Jpeg), false);
    check("a/b.JPEG", Some(Format::Jpeg), false);
    check("a/b.png", Some(Format::Jpeg), true);
    check("a/b.docx", Some(Format::Jpeg), true);
    check("a/b.jpg", None, true);
    check("a/b.txt", None, false);
    check("a.jpg/b", None, false);
    check("a/.jpg", Some(Format::Png), false);
    check("a/b", Some(Format::Png), false);
    check("a/b.", Some(Format::Png), true);
}

#[test]
fn sound_has_its_length_and_its_findings_say_where_and_how_fast() {
    let audio = AudioFingerprint { duration_ms: 61_000, ..AudioFingerprint::default() };
    let sound = minutia::scan::SoundCoverage { decoded_ms: 61_000, declared_ms: Some(62_000), ..Default::default() };
    let sound = Some(sound);
    let item = Item {
        member: Vec::new(),
        format: None,
        coverage: minutia::scan::Coverage { sound, ..Default::default() },
        fingerprints: vec![Fingerprint::Audio(audio)],
        listed: Vec::new(),
        tracks: Vec::new(),
        preview: None,
        problems: Vec::new(),
    };
    let finding = Finding {
        work: WorkId::new("song").unwrap(),
        title: None,
        policy: Policy::Infringing,
        reference_name: "song.flac".to_owned(),
        reference_digest: None,
        modality: Kind::Audio,
        level: Level::Match,
        evidence: Evidence::Audio {
            method: AudioMethod::Landmarks,
            votes: 212,
            score: 31.5,
            threshold: 12.25,
            speed: 1.0417,
            tempo: 1.0,
            pitch_cents: 70.7,
            aligned_share: 0.5,
            proof: Some(SoundProof { likelihood: 24.5, contrast: 30.25, closeness: 13.75, harmony: 7.5 }),
            query_mix: Mix::Side,
            reference_mix: Mix::Mid,
            query_stream: 1,
            reference_stream: 0,
        },
        query_span_ms: Some(31_200..41_200),
        reference_span_ms: Some(62_500..72_917),
        shared: None,
        expected_false_matches: 1e-9,
        extrapolated: true,
        confidence: 1.0 - 1e-9,
    };
    let examined = Examined { outcome: item.outcome(std::slice::from_ref(&finding)), findings: vec![finding] };
    let record = super::item(&FileFacts::default(), &item, &examined);
    assert_eq!((record.outcome.as_str(), record.duration_ms), ("match", Some(61_000)));
    let coverage = record.coverage.unwrap().sound.unwrap();
    assert_eq!((coverage.decoded_ms, coverage.declared_ms), (61_000, Some(62_000)));
    let found = &record.findings[0];
    assert_eq!((found.method.as_str(), found.modality.as_str()), ("landmarks", "audio"));
    assert_eq!((found.coinciding, found.least_score, found.threshold), (Some(212), Some(12.25), None));
    assert_eq!((found.likelihood, found.contrast), (Some(24.5), Some(30.25)));
    assert_eq!((found.closeness, found.harmony), (Some(13.75), Some(7.5)));
    assert_eq!(found.query_sound, Some(SoundPart { stream: 1, mix: "side".to_owned() }));
    assert_eq!(
        crate::format::described(found),
        "0:31.2-0:41.2 of it is 1:02.5-1:12.9 of the reference, 4.2 % faster, +71 cents, in \
         the difference of the channels; 212 peaks coincide, score \
         31.5 of at least 12.25; 1.0e-9 false matches expected (extrapolated); reference song.flac"
    );
}

#[test]
fn a_stretch_of_a_film_says_what_of_it_is_the_references() {
    let view = |turn, crop| FilmView { base: FilmBase::Trimmed, crop, strip: None, degrees: 0, turn, motion: false };
    let film = minutia::scan::FilmCoverage { width: 640, height: 360, decoded_ms: 9_960, ..Default::default() };
    let print = FilmFingerprint { duration_ms: 10_000, ..FilmFingerprint::default() };
    let item = Item {
        member: Vec::new(),
        format: None,
        coverage: minutia::scan::Coverage { film: Some(film), ..Default::default() },
        fingerprints: vec![Fingerprint::Film(print)],
        listed: Vec::new(),
        tracks: Vec::new(),
        preview: None,
        problems: Vec::new(),
    };
    let finding = Finding {
        work: WorkId::new("film").unwrap(),
        title: None,
        policy: Policy::Infringing,
        reference_name: "film.mkv".to_owned(),
        reference_digest: None,
        modality: Kind::Video,
        level: Level::Match,
        evidence: Evidence::Film {
            frames: 20,
            score: 24.5,
            threshold: 8.0,
            speed: 1.0,
            distance_bits: 12.25,
            shifted_bits: 70.0,
            nearness: 11.5,
            changes: 13.0,
            same_recording: true,
            query_view: view(Dihedral::FlipX, [0, 0, 1_000, 1_000]),
            reference_view: view(Dihedral::Identity, [50, 50, 950, 950]),
            query_stream: 0,
            reference_stream: 0,
        },
        query_span_ms: Some(0..10_000),
        reference_span_ms: Some(60_000..70_000),
        shared: Some(Shared::PictureOnly { redubbed: Some(true) }),
        expected_false_matches: 1e-9,
        extrapolated: true,
        confidence: 1.0 - 1e-9,
    };
    let examined = Examined { outcome: item.outcome(std::slice::from_ref(&finding)), findings: vec![finding] };
    let record = super::item(&FileFacts::default(), &item, &examined);
    assert_eq!((record.width, record.height, record.duration_ms), (Some(640), Some(360), Some(10_000)));
    assert_eq!(record.coverage.unwrap().film.unwrap().decoded_ms, 9_960);
    assert_eq!((record.findings[0].nearness, record.findings[0].changes), (Some(11.5), Some(13.0)));
    let found = &record.findings[0];
    assert_eq!((found.method.as_str(), found.shared.as_deref()), ("frames", Some("picture only")));
    assert_eq!((found.redubbed, found.turn.as_deref()), (Some(true), Some("flip_x")));
    assert_eq!(found.reference_view.as_ref().unwrap().region, [500, 500, 9_500, 9_500]);
    assert_eq!(
        crate::format::described(found),
        "0:00.0-0:10.0 of it is 1:00.0-1:10.0 of the reference, picture only (with other sound), mirrored top to bottom, \
         cut to 81 % of the reference; 20 frames compared, 12.2 bits apart on average, score 24.5 of at least 8; \
         1.0e-9 false matches expected (extrapolated); reference film.mkv"
    );
}

#[test]
fn a_path_that_is_no_text_keeps_its_bytes() {
    let facts = FileFacts { path: b"caf\xe9".to_vec(), ..FileFacts::default() };
    let record = fate(&facts, Outcome::Skipped, "fifo", String::new());
    assert_eq!((record.path.as_str(), record.path_bytes.as_deref()), ("caf\u{fffd}", Some("636166e9")));
    let facts = FileFacts { path: "café".as_bytes().to_vec(), ..FileFacts::default() };
    assert_eq!(fate(&facts, Outcome::Skipped, "fifo", String::new()).path_bytes, None);
}
