//! Scores of film against film, as JSON lines: what the thresholds were chosen by.
//!
//! `film_scores make reference|query LIST DIR` reads the files of LIST (lines of id, tab, path) as a scan does, with the
//! `ffmpeg` program at FFMPEG where it is set, and writes their fingerprints to DIR, those that are there already left alone.
//! `film_scores search LIST DIR LIST DIR` searches for the queries of the second list among the references of the first.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use minutia::fingerprint::{Code, FilmBase, FilmFingerprint, FilmFingerprinter, FilmFrame, FilmViews, Thumbnail};
use minutia::index::FilmsInMemory;
use minutia::scan::{InProcess, Reader, Request, Tiers, WithFfmpeg, read_closely};
use minutia::search::FilmSearch;
use minutia_media::{Ffmpeg, Source};
use rayon::prelude::*;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments.as_slice() {
        ["make", role, list, to] => make(role, &listed(list), Path::new(to)),
        ["search", references, from, queries, queries_from] => {
            search(&listed(references), Path::new(from), &listed(queries), Path::new(queries_from));
        }
        _ => eprintln!("film_scores make reference|query LIST DIR, or film_scores search LIST DIR LIST DIR"),
    }
}

fn listed(list: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(list).unwrap();
    text.lines().filter_map(|line| line.split_once('\t')).map(|(id, path)| (id.to_owned(), path.to_owned())).collect()
}

fn views(role: &str) -> FilmViews {
    if role == "reference" { FilmViews::Reference } else { FilmViews::BothLooks }
}

fn make(role: &str, files: &[(String, String)], to: &Path) {
    fs::create_dir_all(to).unwrap();
    let wanted = if role == "reference" { Request::reference() } else { Request::query() };
    // The sound is not searched for here.
    let request = Request { tiers: Tiers { landmarks: false, ..wanted.tiers }, ..wanted };
    files.par_iter().with_max_len(1).for_each(|(id, path)| {
        let out = to.join(format!("{id}.film"));
        if out.exists() {
            return;
        }
        let source = Source::from_file(fs::File::open(path).unwrap()).unwrap();
        let mut reader: Box<dyn Reader> = match std::env::var("FFMPEG") {
            Ok(program) => Box::new(WithFfmpeg(Ffmpeg::at(Path::new(&program)).unwrap())),
            Err(_) => Box::new(InProcess),
        };
        let mut film = None;
        let read = read_closely(reader.as_mut(), &source, &request, &mut |item| {
            film = film.take().or_else(|| item.fingerprints.iter().find_map(|print| print.film().cloned()));
        });
        let Some(film) = film else {
            eprintln!("{path}: {read:?}");
            return;
        };
        fs::write(&out, bytes(&film)).unwrap();
    });
}

fn bytes(film: &FilmFingerprint) -> Vec<u8> {
    let mut bytes = Vec::new();
    let frames = film.frames.len() as u32;
    for number in [film.duration_ms as u32, film.width, film.height, frames] {
        bytes.extend(number.to_le_bytes());
    }
    for frame in &film.frames {
        bytes.extend(frame.time_ms.to_le_bytes());
        bytes.push(frame.quality | u8::from(frame.wide) << 7);
    }
    film.codes.iter().for_each(|code| bytes.extend(code.0));
    for thumbnail in &film.thumbnails {
        bytes.extend(thumbnail.frame.to_le_bytes());
        bytes.extend(thumbnail.shape.to_le_bytes());
        bytes.extend(match thumbnail.base {
            FilmBase::Trimmed => [0, 0],
            FilmBase::Whole => [1, 0],
            FilmBase::Framed(number) => [2, number],
            FilmBase::Sharp => [3, 0],
            FilmBase::Slanted(number) => [4, number],
        });
        bytes.extend(&thumbnail.levels);
    }
    bytes
}

fn film(role: &str, path: &Path) -> FilmFingerprint {
    let bytes = fs::read(path).unwrap();
    let at = |place: usize| u32::from_le_bytes(*bytes[place..].first_chunk().unwrap());
    let frames = at(12) as usize;
    let frame = |n: usize| FilmFrame {
        time_ms: at(16 + 5 * n),
        quality: bytes[20 + 5 * n] & 0x7f,
        wide: bytes[20 + 5 * n] & 0x80 != 0,
    };
    let empty = FilmFingerprinter::new(0, views(role)).finish();
    let (codes, thumbnails) = bytes[16 + 5 * frames..].split_at(32 * frames * empty.views.len());
    let thumbnail = |bytes: &[u8]| Thumbnail {
        frame: u32::from_le_bytes(*bytes.first_chunk().unwrap()),
        shape: u16::from_le_bytes([bytes[4], bytes[5]]),
        base: match bytes[6] {
            0 => FilmBase::Trimmed,
            1 => FilmBase::Whole,
            2 => FilmBase::Framed(bytes[7]),
            3 => FilmBase::Sharp,
            _ => FilmBase::Slanted(bytes[7]),
        },
        levels: bytes[8..].to_vec(),
    };
    FilmFingerprint {
        duration_ms: at(0).into(),
        width: at(4),
        height: at(8),
        frames: (0..frames).map(frame).collect(),
        codes: codes.as_chunks::<32>().0.iter().map(|code| Code(*code)).collect(),
        thumbnails: thumbnails.chunks_exact(8 + Thumbnail::SIDE * Thumbnail::SIDE).map(thumbnail).collect(),
        ..empty
    }
}

fn search(references: &[(String, String)], from: &Path, queries: &[(String, String)], queries_from: &Path) {
    let mut table = FilmsInMemory::default();
    let (mut seconds, mut kept) = (0.0, 0);
    for (id, _) in references {
        let film = film("reference", &from.join(format!("{id}.film")));
        seconds += film.duration_ms as f64 / 1e3;
        let codes = film.codes.iter().filter(|code| code.0 != [0; 32]).count();
        kept += codes * 32 + film.frames.len() * 7;
        table.add(&film);
    }
    eprintln!("{seconds:.0} s of references, {:.2} MB an hour", kept as f64 / seconds * 3600.0 / 1e6);
    let search = FilmSearch::of_films(table.films());
    let spent = AtomicU64::new(0);
    let lines: Vec<String> = queries
        .par_iter()
        .map(|(id, _)| {
            let query = film("query", &queries_from.join(format!("{id}.film")));
            let start = Instant::now();
            let found = search.find(&query, 0.0);
            spent.fetch_add(start.elapsed().as_micros() as u64, Ordering::Relaxed);
            let line = |found: &minutia::search::FilmMatch| {
                let (q, r) = (&found.query_span_ms, &found.reference_span_ms);
                format!(
                    "{{\"query\":\"{id}\",\"reference\":\"{}\",\"score\":{:.3},\"query_start\":{},\"query_end\":{},\
                     \"ref_start\":{},\"ref_end\":{},\"speed\":{:.5},\"frames\":{},\"distance\":{:.2},\
                     \"nearness\":{:.3},\"changes\":{:.3},\"shifted\":{:.2},\"weight\":{:.3},\"votes\":{:.3},\
                     \"view\":\"{:?} {:?} {} {:?}\",\"rview\":{},\"duration\":{}}}\n",
                    references[found.film as usize].0,
                    found.score,
                    q.start as f64 / 1e3,
                    q.end as f64 / 1e3,
                    r.start as f64 / 1e3,
                    r.end as f64 / 1e3,
                    found.speed,
                    found.frames,
                    found.distance,
                    found.nearness,
                    found.changes,
                    found.shifted,
                    found.weight,
                    found.votes,
                    found.view.base,
                    found.view.crop,
                    found.view.degrees,
                    found.view.turn,
                    found.reference_view,
                    query.duration_ms
                )
            };
            found.iter().map(line).collect()
        })
        .collect();
    lines.iter().for_each(|line| print!("{line}"));
    eprintln!("{:.1} ms a search", spent.into_inner() as f64 / 1e3 / queries.len() as f64);
}
