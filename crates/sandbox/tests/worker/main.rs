//! Drives real worker processes: this program, started again, with a reader that misbehaves where its input says so.
// A test program with a main of its own is none to clippy.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod confined;
mod degraded;
mod marked;
mod program;

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use minutia::scan::{InProcess, Item, Reader, Request, WithFfmpeg};
use minutia::verdict::{Outcome, outcome_of_failure};
use minutia_media::{Ffmpeg, LimitKind, Problem, Source};
use minutia_sandbox::{Config, Isolated, worker};

/// The tests, each with the symptom that it is named after.
const TESTS: &[(&str, fn())] = &[
    ("reads_as_in_process", reads_as_in_process),
    ("hears_through_a_program", hears_through_a_program),
    ("streams_items_before_the_end", streams_items_before_the_end),
    ("ends_a_crash_as_one_problem", ends_a_crash_as_one_problem),
    ("names_the_limit_of_a_memory_bomb", names_the_limit_of_a_memory_bomb),
    ("kills_at_the_deadline", kills_at_the_deadline),
    ("goes_on_after_whatever_ends_a_worker", goes_on_after_whatever_ends_a_worker),
    ("distrusts_every_message", distrusts_every_message),
    ("blames_no_file_for_the_one_before", blames_no_file_for_the_one_before),
    ("takes_no_answer_for_that_to_the_next", takes_no_answer_for_that_to_the_next),
    ("waits_as_long_as_it_is_told", waits_as_long_as_it_is_told),
    ("replaces_workers_in_time", replaces_workers_in_time),
    ("hands_over_nothing_else", hands_over_nothing_else),
    ("reaches_no_name", confined::reaches_no_name),
    ("dies_of_a_call_that_no_reader_makes", confined::dies_of_a_call_that_no_reader_makes),
    ("writes_no_file", confined::writes_no_file),
    ("goes_on_where_the_kernel_offers_less", degraded::goes_on_where_the_kernel_offers_less),
    ("confines_a_user_who_is_not_root", degraded::confines_a_user_who_is_not_root),
    ("starts_programs_confined", program::starts_programs_confined),
    ("leads_no_program_to_another_file", program::leads_no_program_to_another_file),
    ("feeds_a_program_what_it_would_open_anew", program::feeds_a_program_what_it_would_open_anew),
    ("refuses_a_program_that_needs_more", program::refuses_a_program_that_needs_more),
    ("tells_a_crash_of_a_program_as_one", program::tells_a_crash_of_a_program_as_one),
    ("says_the_same_of_damage_as_in_process", program::says_the_same_of_damage_as_in_process),
    ("believes_frames_and_not_containers", program::believes_frames_and_not_containers),
    ("asks_a_program_for_what_cannot_be_opened", program::asks_a_program_for_what_cannot_be_opened),
    ("tells_that_a_film_was_cut_short", program::tells_that_a_film_was_cut_short),
    ("ends_with_its_parent", ends_with_its_parent),
    ("refuses_a_program_that_is_no_worker", refuses_a_program_that_is_no_worker),
    ("leaves_nothing_behind", leaves_nothing_behind),
];

fn main() -> ExitCode {
    if worker::requested() {
        return worker::run_with(&mut marked::Marked);
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == marked::SPIN) {
        return marked::spin_within_a_budget();
    }
    // Started in place of ffmpeg.
    if arguments.first().is_some_and(|first| first == "-nostdin") {
        std::process::abort();
    }
    if arguments.first().is_some_and(|first| first == degraded::WITHOUT) {
        return degraded::run_without(&arguments[1..]);
    }
    let wanted: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let mut failed = 0;
    for (name, test) in TESTS {
        if wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str())) {
            let start = Instant::now();
            let passed = catch_unwind(test).is_ok();
            failed += u8::from(!passed);
            println!("test {name} ... {} ({:?})", if passed { "ok" } else { "FAILED" }, start.elapsed());
        }
    }
    ExitCode::from(failed)
}

/// Reads `bytes`, collects the items.
pub(crate) fn read(reader: &mut dyn Reader, bytes: &[u8]) -> (Vec<Item>, Result<(), Problem>) {
    let mut items = Vec::new();
    let done = reader.read(&Source::from_bytes(bytes.to_vec()), &Request::query(), &mut |item| items.push(item));
    (items, done)
}

pub(crate) fn quick() -> Isolated {
    Isolated::new(Config { deadline: Duration::from_secs(60), ..Config::default() })
}

/// What a crash of `marker` is told as.
pub(crate) fn crash(marker: &str) -> String {
    match read(&mut quick(), marker.as_bytes()) {
        (items, Err(Problem::Crashed { detail })) if items.is_empty() => detail,
        other => panic!("{marker}: {other:?}"),
    }
}

fn reads_as_in_process() {
    let mut isolated = quick();
    let mut read_whole = 0;
    for (name, bytes) in marked::samples() {
        let expected = read(&mut InProcess, &bytes);
        assert_eq!(read(&mut isolated, &bytes), expected, "{name}");
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let mut items = Vec::new();
        let source = Source::from_file(file).unwrap();
        let done = isolated.read(&source, &Request::query(), &mut |item| items.push(item));
        assert_eq!((items, done), expected, "{name} as a file");
        read_whole += u32::from(expected.1.is_ok());
    }
    assert_eq!(read_whole, marked::READABLE_SAMPLES);
}

/// The ffmpeg program, where this machine has one.
pub(crate) fn ffmpeg() -> Option<Ffmpeg> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).find_map(|folder| Ffmpeg::at(&folder.join("ffmpeg")).ok())
}

fn hears_through_a_program() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/audio/formats");
    let Some(ffmpeg) = ffmpeg() else {
        println!("hears_through_a_program: not run (ffmpeg is not installed)");
        return;
    };
    let mut alone = quick();
    let mut helped = Isolated::new(Config { ffmpeg: Some(ffmpeg.clone()), ..Config::default() });
    for name in ["ac3.mkv", "ac3.mp4", "wma.wma", "mp3.avi", "mp2.ts", "pcm.au"] {
        let bytes = fs::read(folder.join(name)).unwrap();
        let (items, done) = read(&mut alone, &bytes);
        assert!(items.is_empty() && matches!(done, Err(Problem::Unsupported { .. })), "{name}: {done:?}");
        let expected = read(&mut WithFfmpeg(ffmpeg.clone()), &bytes);
        assert_eq!(read(&mut helped, &bytes), expected, "{name}");
        // And as a file, whose place somebody else has moved.
        let mut file = File::open(folder.join(name)).unwrap();
        file.seek(SeekFrom::Start(1_000)).unwrap();
        let mut items = Vec::new();
        let source = Source::from_file(file).unwrap();
        helped.read(&source, &Request::query(), &mut |item| items.push(item)).unwrap();
        assert_eq!((items, Ok(())), expected, "{name}");
        let sound = expected.0[0].coverage.sound.as_ref().unwrap();
        assert_eq!(sound.decoder, ffmpeg.decoder());
        assert!((1_140..1_300).contains(&sound.decoded_ms), "{name}: {sound:?}");
        // A container of films that holds sound alone is no damaged film.
        assert!(expected.0[0].problems.is_empty(), "{name}: {:?}", expected.0[0].problems);
    }
    let films = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/video/formats");
    for name in ["main.mp4", "av1.mp4", "hevc.mp4", "mpeg4.avi", "mpeg2.ts", "vp9.webm", "rotated.mov", "tracks.mkv"] {
        let bytes = fs::read(films.join(name)).unwrap();
        let expected = read(&mut WithFfmpeg(ffmpeg.clone()), &bytes);
        let mut items = Vec::new();
        let source = Source::from_file(File::open(films.join(name)).unwrap()).unwrap();
        helped.read(&source, &Request::query(), &mut |item| items.push(item)).unwrap();
        assert_eq!((items, Ok(())), expected, "{name}");
        let film = expected.0[0].coverage.film.as_ref().unwrap();
        assert!(film.decoder == ffmpeg.decoder() && film.to_the_end, "{name}: {film:?}");
        // Eight a second, the first of each eighth from 20 ms before it on; frames that no other refers to are passed over, so that
        // some eighths have none, and no quarter.
        let [quarters, eighths] = [250, 125].map(|part_ms| (film.decoded_ms + 20) / part_ms + 1);
        assert!((quarters - 1..=eighths + 1).contains(&film.frames_read), "{name}: {film:?}");
        assert!(expected.0[0].fingerprints.iter().any(|print| print.film().is_some()), "{name}");
        assert_eq!(read(&mut alone, &bytes), read(&mut InProcess, &bytes), "{name}");
    }
    // What it cannot read, it says so of; and what is decoded here, never comes to it.
    let (items, done) = read(&mut helped, &[&b"\x0b\x77"[..], &[0; 62]].concat());
    assert!(items.is_empty() && matches!(done, Err(Problem::Damaged { .. })), "{done:?}");
    let (items, _) = read(&mut helped, &fs::read(folder.join("flac.flac")).unwrap());
    assert!(items[0].coverage.sound.as_ref().unwrap().decoder.starts_with("symphonia"));
}

fn streams_items_before_the_end() {
    let (items, done) = read(&mut quick(), b"two items, then crash");
    assert_eq!(items.len(), 2);
    assert!(matches!(done, Err(Problem::Crashed { .. })), "{done:?}");
}

fn ends_a_crash_as_one_problem() {
    assert_eq!(crash("abort"), "killed by SIGABRT");
    assert_eq!(crash("exit"), "exit status 3");
    assert_eq!(crash("panic"), "exit status 101: a reader's panic");
    assert_eq!(crash("recurse"), "killed by SIGABRT: fatal runtime error: stack overflow, aborting");
}

fn names_the_limit_of_a_memory_bomb() {
    for marker in ["bomb", "creep"] {
        let (items, done) = read(&mut quick(), marker.as_bytes());
        let Err(Problem::Limit { limit: LimitKind::WorkerBytes, allowed, found }) = done else {
            panic!("{marker}: {done:?}")
        };
        assert_eq!((items.len(), allowed), (0, 1 << 30));
        assert!(found >= allowed, "{found}");
    }
}

fn kills_at_the_deadline() {
    for marker in ["sleep", "spin", "drip"] {
        let mut isolated = Isolated::new(Config { deadline: Duration::from_millis(300), ..Config::default() });
        let start = Instant::now();
        let (_, done) = read(&mut isolated, marker.as_bytes());
        assert_eq!(done, Err(Problem::TimedOut { after_ms: 300 }), "{marker}");
        assert!(start.elapsed() < Duration::from_secs(5), "{marker}: {:?}", start.elapsed());
        assert!(read(&mut isolated, b"two items").1.is_ok(), "the next source is read");
    }
}

fn goes_on_after_whatever_ends_a_worker() {
    let mut isolated = Isolated::new(Config { deadline: Duration::from_secs(5), ..Config::default() });
    let (_, picture) = marked::samples().into_iter().find(|(name, _)| *name == "JPEG").unwrap();
    for marker in ["abort", "exit", "panic", "recurse", "bomb", "sleep", "wire: noise", "try: start /bin/true"] {
        let (items, done) = read(&mut isolated, marker.as_bytes());
        let failed = done.as_ref().err().map(outcome_of_failure);
        let allowed = Some(Outcome::Failed);
        assert!(items.is_empty() && failed == allowed, "{marker}: {items:?} {done:?}");
        let (items, done) = read(&mut isolated, &picture);
        assert!(items.len() == 1 && items[0].problems.is_empty() && done.is_ok(), "after {marker}: {done:?}");
    }
}

/// Where nothing forbids it to start any: see [`degraded`].
pub(crate) fn kills_what_a_worker_started() {
    let mut isolated = Isolated::new(Config { deadline: Duration::from_millis(500), ..Config::default() });
    let (items, done) = read(&mut isolated, b"start a program");
    assert!(matches!(done, Err(Problem::TimedOut { .. })), "{done:?}");
    let started: u32 = items[0].member[0].parse().unwrap();
    // It dies of the same signal as the worker, whenever the scheduler gets to it.
    let sleeps = || fs::read_to_string(format!("/proc/{started}/stat")).is_ok_and(|stat| stat.contains(") S "));
    let start = Instant::now();
    while sleeps() {
        assert!(start.elapsed() < Duration::from_secs(10), "process {started} still sleeps");
        std::thread::yield_now();
    }
}

fn distrusts_every_message() {
    for (marker, said) in [
        ("wire: noise", "a frame of protocol"),
        ("wire: long", "4294967295 bytes in a frame where at most"),
        ("wire: payload", "a payload of 3 bytes that is no message"),
        ("wire: turn", "a message out of turn"),
        ("wire: twice", "a message out of turn"),
        ("wire: region", "an impossible region"),
        ("wire: items", "items where at most"),
        ("wire: piece", "an impossible piece of sound"),
        ("wire: pieces", "peaks and items of sound where at most"),
        ("wire: half", "a message out of turn"),
    ] {
        let (_, done) = read(&mut quick(), marker.as_bytes());
        let Err(Problem::Crashed { detail }) = done else { panic!("{marker}: {done:?}") };
        assert!(detail.starts_with("the worker sent ") && detail.contains(said), "{marker}: {detail}");
    }
}

fn blames_no_file_for_the_one_before() {
    let mut isolated = quick();
    assert!(read(&mut isolated, b"poison").1.is_ok());
    let poisoned = isolated.worker();
    assert_eq!(read(&mut isolated, b"two items").0.len(), 2, "read by a fresh worker");
    assert_eq!(isolated.worker(), poisoned + 1);
    assert!(matches!(read(&mut isolated, b"abort").1, Err(Problem::Crashed { .. })));
    assert_eq!(isolated.worker(), poisoned + 2, "a crash is tried once more in a fresh worker");
}

fn takes_no_answer_for_that_to_the_next() {
    let mut isolated = quick();
    let source = Source::from_bytes(b"two items".to_vec());
    let stopped = catch_unwind(AssertUnwindSafe(|| {
        let _ = isolated.read(&source, &Request::query(), &mut |_| std::panic::resume_unwind(Box::new("stopped")));
    }));
    assert!(stopped.is_err());
    let (items, done) = read(&mut isolated, b"text");
    assert!(items.is_empty() && matches!(done, Err(Problem::NotMedia { .. })), "{items:?} {done:?}");
}

fn waits_as_long_as_it_is_told() {
    let (deadline, deadline_per_mib) = (Duration::MAX, Duration::MAX);
    let mut isolated = Isolated::new(Config { deadline, deadline_per_mib, ..Config::default() });
    assert_eq!(read(&mut isolated, b"two items").0.len(), 2);
}

fn replaces_workers_in_time() {
    let mut isolated = Isolated::new(Config { sources_per_worker: 3, ..Config::default() });
    let mut batches = Vec::new();
    for bytes in [&b"two items"[..], b"text", b"two items", b"text", b"reports a panic", b"text"] {
        let _ = read(&mut isolated, bytes);
        batches.push(isolated.worker());
    }
    let first = batches[0];
    let since: Vec<u64> = batches.iter().map(|batch| batch - first).collect();
    assert_eq!(since, [0, 0, 0, 1, 1, 2], "after three, and after what a worker survived but may be hurt by");
}

fn hands_over_nothing_else() {
    let leaked = File::open("/dev/zero").unwrap();
    rustix::io::fcntl_setfd(&leaked, rustix::io::FdFlags::empty()).unwrap();
    let mut isolated = Isolated::new(Config { deadline: Duration::from_millis(300), ..Config::default() });
    let mut seen = Vec::new();
    let source = Source::from_bytes(b"wait".to_vec());
    let _ = isolated.read(&source, &Request::query(), &mut |item| {
        // From outside, while it waits: it has no name in reach that would tell.
        let process = format!("/proc/{}", item.member[0]);
        let Ok(entries) = fs::read_dir(format!("{process}/fd")) else { return };
        let mut numbers: Vec<u32> =
            entries.map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap()).collect();
        numbers.sort_unstable();
        let target = |number| fs::read_link(format!("{process}/fd/{number}")).unwrap().to_string_lossy().into_owned();
        seen.extend(numbers.into_iter().map(target));
        let environment = fs::read_to_string(format!("{process}/environ")).unwrap();
        seen.extend(environment.split_terminator('\0').map(str::to_owned));
    });
    if seen.is_empty() {
        println!("hands_over_nothing_else: not run (only root may look into a worker)");
        return;
    }
    // Standard error is one pipe; the C library cuts its one variable in two while it reads it; the socket is standard input and its duplicate.
    let kinds =
        ["socket:", "/dev/null", "pipe:", "socket:", "/memfd:minutia-source", "GLIBC_TUNABLES=", "glibc.malloc."];
    assert_eq!(seen.len(), kinds.len(), "{seen:?}");
    for (seen, kind) in seen.iter().zip(kinds) {
        assert!(seen.starts_with(kind), "{seen} {kind}");
    }
}

fn ends_with_its_parent() {
    // A parent that was killed closes its socket: an idle worker sees the end of its requests.
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut idle = std::process::Command::new("/proc/self/exe")
        .arg(worker::ARGUMENT)
        .stdin(std::os::fd::OwnedFd::from(theirs))
        .spawn()
        .unwrap();
    drop(ours);
    assert!(idle.wait().unwrap().success());
    // A busy one is stopped by the kernel when its budget is used up.
    let status = std::process::Command::new("/proc/self/exe").arg(marked::SPIN).status().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(24), "SIGXCPU: {status}");
}

fn refuses_a_program_that_is_no_worker() {
    for program in ["/bin/true", "/nonexistent"] {
        let mut config = Config::default();
        config.launch.program = program.into();
        config.launch.arguments.clear();
        let mut isolated = Isolated::new(config);
        let start = Instant::now();
        let error = isolated.confinement().unwrap_err();
        // Printed with its causes it says so once.
        assert!(std::error::Error::source(&error).is_none(), "{program}: {error}");
        assert!(matches!(read(&mut isolated, b"text").1, Err(Problem::Crashed { .. })), "{program}");
        assert!(start.elapsed() < Duration::from_secs(5), "{program}");
    }
}

fn leaves_nothing_behind() {
    let open = || fs::read_dir("/proc/self/fd").unwrap().count();
    let before = open();
    let mut isolated = quick();
    let markers = [&b"two items"[..], b"abort", b"text", b"wire: noise", b"reports a panic", b"exit"];
    for round in 0..300 {
        let _ = read(&mut isolated, markers[round % markers.len()]);
    }
    drop(isolated);
    assert_eq!(open(), before);
    assert_eq!(marked::children(), Vec::<String>::new(), "no process, no zombie");
}
