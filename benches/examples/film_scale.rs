//! A large index of films made of a few: every film again and again, each time with other bits turned over in all of its
//! codes alike, so that no copy is near another and each has the neighbours in time that films have.
//!
//! `film_scale INDEX HOURS FILE…`, with the `ffmpeg` program at FFMPEG, where it is set; then `minutia scan` for the time of
//! queries. Copy 0 is the film itself.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fs::File;
use std::path::Path;
use std::time::Instant;

use minutia::fingerprint::{Code, FilmFingerprint, Fingerprint};
use minutia::index::{Entry, Work, WorkId, Writer};
use minutia::scan::{InProcess, Reader, Request, WithFfmpeg};
use minutia_media::{Ffmpeg, Source};

/// Hours between commits: what is held in memory, some 30 MB each.
const HOURS_PER_COMMIT: u64 = 50;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let hours: u64 = arguments[1].parse().unwrap();
    let mut reader: Box<dyn Reader> = match std::env::var("FFMPEG") {
        Ok(program) => Box::new(WithFfmpeg(Ffmpeg::at(Path::new(&program)).unwrap())),
        Err(_) => Box::new(InProcess),
    };
    let mut films: Vec<(String, FilmFingerprint)> = Vec::new();
    for path in &arguments[2..] {
        let source = Source::from_file(File::open(path).unwrap()).unwrap();
        let read = reader.read(&source, &Request::reference(), &mut |item| {
            let of_item = item.fingerprints.iter().filter_map(|print| print.film().cloned());
            films.extend(of_item.map(|film| (path.rsplit('/').next().unwrap().to_owned(), film)));
        });
        if let Err(problem) = read {
            println!("{path}: {problem}");
        }
    }
    let length_ms: u64 = films.iter().map(|(_, film)| film.duration_ms).sum();
    println!("{} films of {} s read", films.len(), length_ms / 1_000);
    let mut writer = Writer::open(Path::new(&arguments[0])).unwrap();
    let (start, mut added_ms, mut since_ms, mut codes, mut copy) = (Instant::now(), 0, 0, 0, 0_u64);
    while added_ms < hours * 3_600_000 {
        for (number, (name, film)) in (0..).zip(&films) {
            let film = changed(film, copy * films.len() as u64 + number, copy == 0);
            codes += film.codes.iter().filter(|code| code.0 != [0; 32]).count();
            (added_ms, since_ms) = (added_ms + film.duration_ms, since_ms + film.duration_ms);
            writer
                .add(Entry {
                    work: Work::new(WorkId::new(format!("{copy}-{name}")).unwrap()),
                    source_name: format!("{copy}-{name}"),
                    source_digest: None,
                    fingerprints: vec![Fingerprint::Film(film)],
                    thumbnail: None,
                })
                .unwrap();
        }
        copy += 1;
        if since_ms >= HOURS_PER_COMMIT * 3_600_000 {
            since_ms = 0;
            writer.commit().unwrap();
        }
    }
    writer.commit().unwrap();
    println!("{} h of {codes} codes added in {:.0} s", added_ms / 3_600_000, start.elapsed().as_secs_f64());
}

/// The film with the bits of a mask turned over, which is another one for each number.
fn changed(film: &FilmFingerprint, number: u64, same: bool) -> FilmFingerprint {
    if same {
        return film.clone();
    }
    let mut state = number;
    let mask: [u8; 32] = std::array::from_fn(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as u8
    });
    let turned = |code: &Code| {
        // Nothing to see stays nothing.
        let nothing = code.0 == [0; 32];
        if nothing { *code } else { Code(std::array::from_fn(|byte| code.0[byte] ^ mask[byte])) }
    };
    FilmFingerprint { codes: film.codes.iter().map(turned).collect(), ..film.clone() }
}
