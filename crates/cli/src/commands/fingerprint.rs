//! `minutia fingerprint`: the codes of pictures, and what is kept of sound and of films.

use std::io::{BufWriter, Write, stdout};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::{Result, bail};
use minutia::fingerprint::{
    ALGORITHMS, AUDIO_ALGORITHMS, Algorithm, AlgorithmId, AudioFingerprint, CHROMAPRINT_2, Code, FilmFingerprint,
    Fingerprint, Peak, VpdqFrame, compress_to_text,
};
use minutia::scan::{Exchange, Item, Reader, Request, Tiers};
use minutia_media::{Kind, Problem, Source, probe};
use minutia_report::lists::vpdq_line;
use minutia_report::{TrackRecord, escape, tracks};
use serde_json::{Value, json};

use crate::args;
use crate::exit::Exit;
use crate::reading::{Hand, Reading};
use crate::settings::shown;
use crate::walk::{self, Met};

mod films;

/// What was asked for.
#[derive(Clone, Copy)]
enum Asked {
    /// PDQ of pictures, and of sound and films what an index would hold.
    Default,
    /// Of films a line a frame.
    Vpdq {
        every_frame: bool,
    },
    Picture(&'static Algorithm),
    Chromaprint,
    Landmarks,
}

/// What was made of a file.
enum Made {
    Picture(&'static Algorithm, Code, Option<u8>),
    Recorded { sound: Vec<AudioFingerprint>, films: Vec<FilmFingerprint>, tracks: Vec<TrackRecord> },
    Vpdq(Vec<VpdqFrame>),
}

/// Prints the fingerprint of each file: of its first picture, or of each of its recordings.
pub(crate) fn run(args: args::Fingerprint) -> Result<Exit> {
    let asked = asked(args.algorithm.as_deref(), args.every_frame)?;
    let mut hands = Hands::of(&args.decoding)?;
    let mut out = BufWriter::new(stdout().lock());
    let mut exit = Exit::Nothing;
    for path in &args.files {
        let made = match made(path, asked, &mut hands) {
            Ok(made) => made,
            Err(problem) => {
                out.flush()?;
                anstream::eprintln!("{}: {}", shown(path), escape::text(&problem.to_string()));
                exit = Exit::Unexamined;
                continue;
            }
        };
        match made {
            Made::Picture(algorithm, code, quality) => {
                let hex = &code.to_string()[..algorithm.bits.div_ceil(4) as usize];
                if args.json {
                    let line = json!({ "algorithm": algorithm.name, "hex": hex, "quality": quality });
                    writeln!(out, "{}", with_path(line, path)?)?;
                } else {
                    let quality = quality.map_or_else(|| "-".to_owned(), |quality| quality.to_string());
                    writeln!(out, "{hex} {quality:>3} {}  {}", algorithm.name, shown(path))?;
                }
            }
            Made::Vpdq(frames) => {
                for frame in &frames {
                    let line = match args.json {
                        true => with_path(films::frame_json(frame), path)?,
                        false => vpdq_line(frame),
                    };
                    writeln!(out, "{line}")?;
                }
            }
            Made::Recorded { sound, films, tracks } => {
                for audio in &sound {
                    let line = match args.json {
                        true => with_path(sound_json(audio, asked), path)?,
                        false => sound_text(audio, asked, &shown(path)),
                    };
                    writeln!(out, "{line}")?;
                }
                // Behind the sound, which lists of recordings begin with.
                for film in &films {
                    let line = match args.json {
                        true => with_path(films::json(film, &tracks), path)?,
                        false => films::text(film, &shown(path)),
                    };
                    writeln!(out, "{line}")?;
                }
                if !args.json && !tracks.is_empty() {
                    writeln!(out, "{}", films::held(&tracks, &shown(path)))?;
                }
            }
        }
    }
    out.flush()?;
    Ok(exit)
}

/// An object of JSON as a line, with the file's path.
fn with_path(mut line: Value, path: &Path) -> Result<String> {
    let bytes = path.as_os_str().as_bytes();
    let text = String::from_utf8_lossy(bytes);
    line["path"] = json!(text);
    if text.as_bytes() != bytes {
        line["path_bytes"] = json!(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    }
    Ok(escape::json(&line)?)
}

/// What of a recording was asked for. `fingerprint` and `duration` are those of `fpcalc -json`.
fn sound_json(audio: &AudioFingerprint, asked: Asked) -> Value {
    // fpcalc prints two decimals.
    let duration = (audio.duration_ms as f64 / 10.0).round() / 100.0;
    let mut line = json!({ "algorithm": "chromaprint", "duration": duration });
    if audio.stream > 0 {
        line["stream"] = json!(audio.stream);
    }
    let peaks = |peaks: &[Peak]| -> Value { peaks.iter().map(|p| json!([p.time, p.pitch, p.rank])).collect() };
    match asked {
        Asked::Landmarks => {
            line["algorithm"] = json!("landmarks");
            line["content_ms"] = json!(audio.content_ms);
            (line["mid"], line["side"]) = (peaks(&audio.mid), peaks(&audio.side));
        }
        Asked::Chromaprint => {
            line["fingerprint"] = json!(compress_to_text(&audio.chromaprint, CHROMAPRINT_2));
            line["items"] = json!(audio.chromaprint);
        }
        Asked::Default | Asked::Picture(_) | Asked::Vpdq { .. } => {
            line["fingerprint"] = json!(compress_to_text(&audio.chromaprint, CHROMAPRINT_2));
            line["content_ms"] = json!(audio.content_ms);
            line["peaks"] = json!({ "mid": audio.mid.len(), "side": audio.side.len() });
        }
    }
    line
}

/// The same for people: the fingerprint first and the path last, as of pictures.
fn sound_text(audio: &AudioFingerprint, asked: Asked, path: &str) -> String {
    let seconds = |ms: u64| format!("{}.{:02} s", ms / 1_000, ms / 10 % 100);
    let length = format!("{} ({} with content)", seconds(audio.duration_ms), seconds(audio.content_ms));
    let text = compress_to_text(&audio.chromaprint, CHROMAPRINT_2);
    let peaks = format!("{} peaks of the mid mix, {} of the side mix", audio.mid.len(), audio.side.len());
    match asked {
        Asked::Chromaprint => format!("{text} chromaprint  {path}"),
        Asked::Landmarks => format!("{peaks}, {length} landmarks  {path}"),
        Asked::Default | Asked::Picture(_) | Asked::Vpdq { .. } => {
            format!("{text} chromaprint, {length}, {peaks}  {path}")
        }
    }
}

fn asked(name: Option<&str>, every_frame: bool) -> Result<Asked> {
    let is_vpdq = name.is_some_and(|name| name.eq_ignore_ascii_case(films::VPDQ));
    if every_frame && !is_vpdq {
        bail!("expected --algorithm {} beside --every-frame", films::VPDQ);
    }
    let Some(name) = name else { return Ok(Asked::Default) };
    if is_vpdq {
        return Ok(Asked::Vpdq { every_frame });
    }
    Ok(match AlgorithmId::of_name(name) {
        Some(AlgorithmId::CHROMAPRINT) => Asked::Chromaprint,
        Some(AlgorithmId::LANDMARKS) => Asked::Landmarks,
        Some(id) if id.row().is_some() => Asked::Picture(named(name)?),
        _ => {
            let names = ALGORITHMS.iter().map(|row| row.name).chain(AUDIO_ALGORITHMS.iter().map(|row| row.name));
            let names: Vec<&str> = names.chain([films::VPDQ]).collect();
            bail!("expected the name of an algorithm ({}), found {}", names.join(", "), escape::text(name));
        }
    })
}

/// Who reads the files: workers, or this process where that was asked for.
pub(super) struct Hands {
    in_process: bool,
    ffmpeg: bool,
    here: Hand,
    /// Who has ffmpeg beside it, once it was needed: it takes longer to say its version than many a recording to be read.
    beside: Option<Option<Hand>>,
}

impl Hands {
    pub(super) fn of(decoding: &args::Decoding) -> Result<Hands> {
        let reading = Reading::one(decoding.in_process);
        // An early word where no worker can be started.
        reading.facts_aloud()?;
        let (in_process, ffmpeg) = (decoding.in_process, !decoding.no_ffmpeg);
        Ok(Hands { in_process, ffmpeg, here: reading.reader(), beside: None })
    }

    /// Who has ffmpeg, where it is there and wanted.
    fn with_ffmpeg(&mut self) -> Option<&mut Hand> {
        let (in_process, wanted) = (self.in_process, self.ffmpeg);
        let beside = self.beside.get_or_insert_with(|| {
            let reading = Reading::one(in_process).with_ffmpeg(wanted);
            reading.ffmpeg.is_some().then(|| reading.reader())
        });
        beside.as_mut()
    }
}

fn read(hand: &mut Hand, source: &Source, request: &Request) -> Result<Vec<Item>, Problem> {
    let mut items = Vec::new();
    hand.read(source, request, &mut |item| items.push(item))?;
    Ok(items)
}

fn made(path: &Path, asked: Asked, hands: &mut Hands) -> Result<Made, Problem> {
    let source = opened(path)?;
    let format = probe(&source)?;
    let is_sound = matches!(format.row().kind, Kind::Audio | Kind::Video);
    match asked {
        Asked::Vpdq { every_frame } if format.row().kind == Kind::Video => {
            let request = Request { exchange: Some(Exchange::Vpdq { every_frame }), ..Request::query() };
            let items = match hands.with_ffmpeg() {
                Some(hand) => read(hand, &source, &request)?,
                None => read(&mut hands.here, &source, &request)?,
            };
            tell(path, items.iter().flat_map(|item| &item.problems));
            Ok(Made::Vpdq(items.into_iter().flat_map(|item| item.listed).collect()))
        }
        Asked::Vpdq { .. } => Err(Problem::Unsupported {
            format: format.row().name.to_owned(),
            hint: "this algorithm is for films; leave --algorithm out, or choose one for pictures or sound".to_owned(),
        }),
        Asked::Picture(_) if is_sound => Err(Problem::Unsupported {
            format: format.row().name.to_owned(),
            hint: "this algorithm is for pictures; leave --algorithm out, or choose one for sound".to_owned(),
        }),
        Asked::Picture(algorithm) => picture(path, &source, algorithm, hands),
        Asked::Default if !is_sound => match AlgorithmId::PDQ.row() {
            Some(algorithm) => picture(path, &source, algorithm, hands),
            None => Err(Problem::NotMedia { found: "a picture, and no algorithm for it".to_owned() }),
        },
        Asked::Chromaprint | Asked::Landmarks if !is_sound => Err(Problem::Unsupported {
            format: format.row().name.to_owned(),
            hint: "this algorithm is for sound; leave --algorithm out, or choose one for pictures".to_owned(),
        }),
        Asked::Chromaprint | Asked::Landmarks | Asked::Default => recorded(path, &source, asked, hands),
    }
}

fn picture(path: &Path, source: &Source, algorithm: &'static Algorithm, hands: &mut Hands) -> Result<Made, Problem> {
    let (code, quality) = code(path, source, algorithm, hands)?;
    Ok(Made::Picture(algorithm, code, quality))
}

/// The recordings of a file, and, where nothing else was asked for, what an index would hold of its pictures, with a note of
/// what is wrong with them.
fn recorded(path: &Path, source: &Source, asked: Asked, hands: &mut Hands) -> Result<Made, Problem> {
    let everything = matches!(asked, Asked::Default);
    let landmarks = !matches!(asked, Asked::Chromaprint);
    let request = Request { tiers: Tiers { codes: true, landmarks }, ..Request::reference() };
    let is_whole = |items: &[Item]| {
        let has_film = |item: &Item| item.fingerprints.iter().any(|print| print.film().is_some());
        let is_film = |item: &Item| item.format.is_some_and(|format| format.row().kind == Kind::Video);
        items.iter().all(|item| item.problems.is_empty() && (has_film(item) || !is_film(item)))
    };
    let items = match read(&mut hands.here, source, &request) {
        Ok(items) if is_whole(&items) => items,
        here => match hands.with_ffmpeg() {
            None => here?,
            Some(hand) => read(hand, source, &request)?,
        },
    };
    let (mut sound, mut films, mut problems, mut held) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for item in items {
        for fingerprint in item.fingerprints {
            match fingerprint {
                Fingerprint::Audio(audio) => sound.push(audio),
                Fingerprint::Film(film) if everything => films.push(film),
                Fingerprint::Image(_) | Fingerprint::Film(_) => {}
            }
        }
        if everything {
            held.extend(tracks(&item.tracks));
        }
        problems.extend(item.problems);
    }
    if sound.is_empty() && films.is_empty() {
        let none =
            || Problem::Damaged { detail: if everything { "nothing" } else { "no sound" }.to_owned() + " in it" };
        return Err(problems.into_iter().next().unwrap_or_else(none));
    }
    tell(path, &problems);
    Ok(Made::Recorded { sound, films, tracks: held })
}

fn tell<'p>(path: &Path, problems: impl IntoIterator<Item = &'p Problem>) {
    for problem in problems {
        anstream::eprintln!("note: {}: {}", shown(path), escape::text(&problem.to_string()));
    }
}

/// The algorithm of this name.
pub(super) fn named(name: &str) -> Result<&'static Algorithm> {
    let Some(algorithm) = ALGORITHMS.iter().find(|row| row.name == name) else {
        let names: Vec<&str> = ALGORITHMS.iter().map(|row| row.name).collect();
        bail!("expected the name of an algorithm ({}), found {}", names.join(", "), escape::text(name));
    };
    Ok(algorithm)
}

/// The code and quality of a file's first picture, and a note of what is wrong with it.
pub(super) fn fingerprint(
    path: &Path,
    algorithm: &Algorithm,
    hands: &mut Hands,
) -> Result<(Code, Option<u8>), Problem> {
    code(path, &opened(path)?, algorithm, hands)
}

fn opened(path: &Path) -> Result<Source, Problem> {
    match walk::one(path).met {
        Met::File(opened) => Source::from_file(opened.file),
        Met::Unreadable { during, error } => Err(Problem::io(during, &error)),
        Met::Skipped(_, reason) => Err(Problem::NotMedia { found: reason.to_owned() }),
        Met::Passed(_) => Err(Problem::NotMedia { found: "not looked into".to_owned() }),
    }
}

fn code(path: &Path, source: &Source, algorithm: &Algorithm, hands: &mut Hands) -> Result<(Code, Option<u8>), Problem> {
    let request = Request { exchange: Some(Exchange::Code(algorithm.id)), ..Request::query() };
    let items = read(&mut hands.here, source, &request)?;
    tell(path, items.iter().flat_map(|item| &item.problems));
    let mut views =
        items.iter().flat_map(|item| &item.fingerprints).filter_map(Fingerprint::image).flat_map(|i| &i.views);
    let view = views.next().ok_or_else(|| Problem::Damaged { detail: "no picture in it".to_owned() })?;
    Ok((view.code, algorithm.has_quality.then_some(view.quality)))
}
