//! `minutia doctor`: what this machine and this build can do.

use std::fs;
use std::io::{Write, stdout};
use std::ops::ControlFlow;
use std::thread::available_parallelism;

use anyhow::Result;
use minutia::fingerprint::{ALGORITHMS, AUDIO_ALGORITHMS};
use minutia_machine::Level;
use minutia_media::decode::image::{Channels, decode};
use minutia_media::decode::{audio, video};
use minutia_media::{FORMATS, Format, Kind, Limits, Problem, Source};
use minutia_report::escape::text;
use minutia_report::{Reading as ReadingFacts, WorkerFacts};
use rustix::process::{Resource, getrlimit};

use crate::exit::Exit;
use crate::reading::{Reading, ffmpeg, told};
use crate::settings::search_settings;
use crate::walk::Resolution;

/// Tells what was found, one fact a line.
pub(crate) fn run() -> Result<Exit> {
    let mut out = stdout().lock();
    let mut row = |name: &str, value: String| writeln!(out, "{name:<14}{value}");
    let mut exit = Exit::Nothing;
    row("minutia", env!("CARGO_PKG_VERSION").to_owned())?;

    let levels: Vec<&str> = Level::all_here().into_iter().map(Level::name).collect();
    let used = search_settings().map(|settings| settings.level.name());
    match used {
        Ok(used) => row("kernels", format!("{used} (of {}; MINUTIA_KERNEL chooses)", levels.join(", ")))?,
        Err(error) => {
            exit = Exit::Unexamined;
            row("kernels", format!("NONE: {error:#}"))?;
        }
    }
    row("threads", available_parallelism().map_or_else(|error| error.to_string(), |threads| threads.to_string()))?;
    row(
        "walk",
        match Resolution::here() {
            Resolution::Openat2 => "openat2: the kernel keeps every name beneath the evidence".to_owned(),
            Resolution::Openat => {
                "openat, one component at a time (the kernel has no openat2, or a sandbox hides it)".to_owned()
            }
        },
    )?;
    row(
        "access times",
        "kept for files of this user, and for all with CAP_FOWNER; a scan records where it could not".to_owned(),
    )?;
    match Reading::one(false).facts() {
        Ok(ReadingFacts::Worker(worker)) => {
            row(
                "workers",
                format!(
                    "address space {} MiB, deadline {} s and for each MiB {} ms, of sound {} s, of films {} s, replaced after {} \
                     files",
                    worker.address_space_bytes >> 20,
                    worker.deadline_ms / 1000,
                    worker.deadline_ms_per_mib,
                    worker.sound_deadline_ms_per_mib / 1000,
                    worker.film_deadline_ms_per_mib / 1000,
                    worker.files_per_worker
                ),
            )?;
            row("confined by", told(&worker.confinement))?;
        }
        Ok(ReadingFacts::Process(_)) => row("workers", "none".to_owned())?,
        Err(error) => {
            exit = Exit::Unexamined;
            row("workers", format!("NONE: {}", text(&format!("{error:#}"))))?;
        }
    }
    row("kernel", format!("security modules: {}", security_modules()))?;
    for (name, resource) in [("open files", Resource::Nofile), ("processes", Resource::Nproc), ("memory", Resource::As)]
    {
        let limit = getrlimit(resource);
        let shown = |value: Option<u64>| value.map_or_else(|| "unlimited".to_owned(), |value| value.to_string());
        row(name, format!("limit {}, at most {}", shown(limit.current), shown(limit.maximum)))?;
    }
    for algorithm in ALGORITHMS {
        row("algorithm", format!("{:<20} {}", algorithm.name, algorithm.about))?;
    }
    for algorithm in AUDIO_ALGORITHMS {
        row("of sound", format!("{:<20} {}", algorithm.name, algorithm.about))?;
    }
    let vpdq = "pdq of frames as they are stored, within 6 bits of ThreatExchange's vpdq (Meta, 2022)";
    row("of films", format!("{:<20} {vpdq}", "vpdq"))?;
    let (decoded, named): (Vec<_>, Vec<_>) = FORMATS.iter().partition(|row| is_decoded(row.format));
    let names = |rows: Vec<&minutia_media::FormatRow>| rows.iter().map(|row| row.name).collect::<Vec<_>>().join(", ");
    row("sees", names(decoded))?;
    row("films", films())?;
    let sound = |row: &&minutia_media::FormatRow| audio::is_native(row.format);
    row("hears", names(FORMATS.iter().filter(sound).collect()))?;
    row(
        "codecs",
        format!(
            "{} (symphonia: MP1-3, AAC-LC, FLAC, Vorbis, ALAC, PCM, ADPCM; opus-pure: Opus)",
            audio::DECODERS.join(", ")
        ),
    )?;
    let ffmpeg = ffmpeg();
    let read_by = |row: &&minutia_media::FormatRow| match &ffmpeg {
        Some(ffmpeg) => ffmpeg.access(row.format).is_some(),
        None => row.demuxer.is_some(),
    };
    let by_ffmpeg: Vec<_> = FORMATS.iter().filter(|row| !audio::is_native(row.format)).filter(read_by).collect();
    match &ffmpeg {
        Some(ffmpeg) => {
            let how = if ffmpeg.reads_descriptors { "by descriptor" } else { "as a stream" };
            row(
                "ffmpeg",
                format!("{} at {}, given files {how}", ffmpeg.version, text(&ffmpeg.program.to_string_lossy())),
            )?;
            let reading = Reading { ffmpeg: Some(ffmpeg.clone()), ..Reading::one(false) };
            match reading.facts() {
                Ok(ReadingFacts::Worker(WorkerFacts { ffmpeg: Some(program), .. })) => {
                    row("confined by", program.confinement.as_ref().map_or_else(|| "nothing".to_owned(), told))?;
                }
                Ok(_) => {}
                Err(error) => {
                    row("confined by", format!("NOTHING, and so not asked: {}", text(&format!("{error:#}"))))?
                }
            }
            row("with it", format!("{}; and other codecs in films and in what is heard", names(by_ffmpeg)))?;
        }
        None => {
            row("ffmpeg", "NONE on the path; install it to see other films and to hear what follows".to_owned())?;
            row(
                "without it",
                format!("not read: {}; and other codecs in films and in what is heard", names(by_ffmpeg)),
            )?;
        }
    }
    row("only names", names(named.into_iter().filter(|row| row.demuxer.is_none()).collect()))?;
    Ok(exit)
}

/// The codecs whose pictures are decoded here, and where.
fn films() -> String {
    let codecs: Vec<_> = video::CODECS.iter().map(|codec| format!("{} ({})", codec.name, codec.decoder)).collect();
    let containers: Vec<_> = FORMATS
        .iter()
        .filter(|row| row.kind == Kind::Video && video::is_native(row.format))
        .map(|row| row.name)
        .collect();
    let without = if cfg!(feature = "av1") { "" } else { "; no AV1: this build is without its feature av1" };
    format!("{} in {}{without}", codecs.join(", "), containers.join(", "))
}

/// Asks the decoder itself: nothing is only ever refused where the format is not decoded at all.
fn is_decoded(format: Format) -> bool {
    let nothing = Source::from_bytes(Vec::new());
    let tried = decode(&nothing, format, Channels::Luma, &Limits::default(), &mut |_| ControlFlow::Break(()));
    !matches!(tried, Err(Problem::Unsupported { .. }))
}

fn security_modules() -> String {
    match fs::read_to_string("/sys/kernel/security/lsm") {
        Ok(modules) => text(modules.trim()),
        Err(error) => format!("unknown (/sys/kernel/security/lsm: {error})"),
    }
}
