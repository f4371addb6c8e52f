//! Programs that decode for a worker: what they reach, and that nothing leads them elsewhere.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use minutia::scan::{InProcess, Reader, Request, WithFfmpeg};
use minutia_media::{Ffmpeg, Problem, Source};
use minutia_sandbox::{Config, Isolated, worker};

use crate::{ffmpeg, quick, read};

/// Started by a launcher, with `input`.
fn launched<S: AsRef<OsStr>>(program: &str, arguments: &[S], input: Stdio) -> Output {
    Command::new("/proc/self/exe")
        .args([worker::ARGUMENT, "1073741824", "20", program])
        .args(arguments)
        .env_clear()
        .stdin(input)
        .output()
        .unwrap()
}

fn plain<S: AsRef<OsStr>>(program: &str, arguments: &[S], input: Stdio) -> Output {
    Command::new(program).args(arguments).env_clear().stdin(input).output().unwrap()
}

pub(crate) fn starts_programs_confined() {
    let confinement = quick().confinement().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (input, secret, new) = (path("input"), path("secret"), path("new"));
    fs::write(&input, b"evidence").unwrap();
    fs::write(&secret, b"secret").unwrap();
    let evidence = || Stdio::from(File::open(&input).unwrap());
    // What it is there for.
    for arguments in [&["-"][..], &["/proc/self/fd/0"]] {
        let ran = launched("/bin/cat", arguments, evidence());
        assert_eq!(String::from_utf8_lossy(&ran.stdout), "evidence", "{ran:?}");
    }
    // The same without a launcher shows that each of these can be done.
    let shell = |what: &str| ["-c".to_owned(), what.to_owned()];
    let deeds = [
        ("/bin/cat", vec![secret.clone()], confinement.landlock.holds()),
        ("/bin/cat", vec![input.clone()], false),
        ("/bin/ls", vec![folder.path().to_str().unwrap().to_owned()], confinement.landlock.holds()),
        ("/bin/sh", shell(&format!("echo other > {new}")).to_vec(), true),
        ("/bin/sh", shell(&format!("echo other >> {secret}")).to_vec(), true),
        ("/bin/sh", shell("(exit 0) && exit 0").to_vec(), confinement.seccomp.holds()),
        ("/bin/sh", shell("exec /bin/true").to_vec(), confinement.landlock.holds()),
        ("/bin/chmod", vec!["600".to_owned(), input.clone()], confinement.seccomp.holds()),
        ("/bin/touch", vec![input.clone()], confinement.seccomp.holds()),
    ];
    for (program, arguments, forbidden) in deeds {
        let free = plain(program, &arguments, evidence());
        assert!(free.status.success(), "{program} {arguments:?} cannot be done at all: {free:?}");
        fs::write(&secret, b"secret").unwrap();
        let _ = fs::remove_file(&new);
        let ran = launched(program, &arguments, evidence());
        assert_ne!(ran.status.success(), forbidden, "{program} {arguments:?}: {ran:?}");
        assert!(!ran.status.success() || !forbidden);
        assert_eq!(fs::read(&secret).unwrap(), b"secret", "{arguments:?}");
        assert!(!fs::exists(&new).unwrap_or(true) || !forbidden, "{arguments:?}");
    }
}

pub(crate) fn leads_no_program_to_another_file() {
    let Some(ffmpeg) = ffmpeg() else {
        println!("leads_no_program_to_another_file: not run (ffmpeg is not installed)");
        return;
    };
    if !quick().confinement().unwrap().landlock.holds() {
        println!("leads_no_program_to_another_file: not run (no Landlock)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let formats = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/audio/formats");
    let (secret, part) = (folder.path().join("secret.wav"), folder.path().join("secret.ts"));
    fs::copy(formats.join("pcm.wav"), &secret).unwrap();
    fs::copy(formats.join("mp2.ts"), &part).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let served = fs::read(&secret).unwrap();
    // Serves the secret to whoever comes.
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = std::io::Write::write_all(&mut &stream, &served);
        }
    });
    let secret = secret.to_str().unwrap();
    let hls = format!("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n", part.display());
    let leads: [(&[&str], Vec<u8>); 4] = [
        (&["-allowed_extensions", "ALL", "-f", "hls"], hls.into_bytes()),
        (&["-safe", "0", "-f", "concat"], format!("ffconcat version 1.0\nfile '{secret}'\n").into_bytes()),
        (&["-safe", "0", "-f", "concat"], format!("ffconcat version 1.0\nfile 'tcp://{address}'\n").into_bytes()),
        (&["-enable_drefs", "1", "-use_absolute_path", "1", "-f", "mov"], quicktime_that_names(secret)),
    ];
    let end = ["-c:a", "pcm_s16le", "-f", "wav", "pipe:1"];
    for (lead, bytes) in &leads {
        // Nobody but this test lets it follow anything: here ffmpeg's own permissions are wide open.
        let open = ["-nostdin", "-v", "quiet", "-protocol_whitelist", "file,crypto,data,pipe,fd,tcp,http,subfile"];
        check_lead(&ffmpeg, &[&open[..], lead, &["-i", "file:/proc/self/fd/0"], &end].concat(), bytes);
    }
    // What a decoder that was taken over could open by itself.
    for name in [secret, &format!("tcp://{address}")] {
        check_lead(&ffmpeg, &[&["-nostdin", "-v", "quiet", "-i", name][..], &end].concat(), b"nothing");
    }

    // And as evidence: such a file comes to no program, or the program hears nothing in it.
    let config = Config { ffmpeg: Some(ffmpeg), deadline: Duration::from_secs(20), ..Config::default() };
    let mut isolated = Isolated::new(config);
    let port = address.port();
    let session = format!("v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {port} RTP/AVP 0\n");
    for bytes in leads.into_iter().map(|(_, bytes)| bytes).chain([session.into_bytes()]) {
        let (items, done) = read(&mut isolated, &bytes);
        let heard =
            items.iter().filter_map(|item| item.coverage.sound.as_ref()).map(|sound| sound.decoded_ms).sum::<u64>();
        assert_eq!(heard, 0, "{}: {done:?}", String::from_utf8_lossy(&bytes));
    }
}

/// A QuickTime film without media of its own: a second of sound is in another file, from byte 44 of it.
fn quicktime_that_names(path: &str) -> Vec<u8> {
    fn atom(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        [&(content.len() as u32 + 8).to_be_bytes()[..], kind, &content].concat()
    }
    let numbers = |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<u8>>();
    let samples = 8_000_u32;
    // The alias record of a Macintosh (Inside Macintosh: Files, 1992): its volume and name empty, then a path under tag 2.
    let text = [path.as_bytes(), &[0][..path.len() % 2]].concat();
    let tags = [&[0, 2][..], &(path.len() as u16).to_be_bytes(), &text, &[0xff, 0xff, 0, 0]].concat();
    let alias = atom(b"alis", &[&[0; 4], &[0; 10 + 28 + 12 + 64 + 16 + 4 + 16], &tags]);
    // 16-bit little-endian samples of one channel at 8,000 a second.
    let sowt =
        [&[0, 0, 0, 0, 0, 0, 0, 1][..], &[0; 8], &[0, 1, 0, 16, 0, 0, 0, 0], &(samples << 16).to_be_bytes()].concat();
    let tables = [
        atom(b"stsd", &[&numbers(&[0, 1]), &atom(b"sowt", &[&sowt])]),
        atom(b"stts", &[&numbers(&[0, 1, samples, 1])]),
        atom(b"stsc", &[&numbers(&[0, 1, 1, samples, 1])]),
        atom(b"stsz", &[&numbers(&[0, 2, samples])]),
        atom(b"stco", &[&numbers(&[0, 1, 44])]),
    ];
    let reference = atom(b"dinf", &[&atom(b"dref", &[&numbers(&[0, 1]), &alias])]);
    let handler = atom(b"hdlr", &[&[0; 4], b"mhlrsoun", &[0; 13]]);
    let minf = atom(b"minf", &[&atom(b"smhd", &[&[0; 8]]), &reference, &atom(b"stbl", &[&tables.concat()])]);
    let mdhd = atom(b"mdhd", &[&numbers(&[0, 0, 0, samples, samples, 0])]);
    let tkhd = atom(b"tkhd", &[&numbers(&[7, 0, 0, 1, 0, samples]), &[0; 60]]);
    let trak = atom(b"trak", &[&tkhd, &atom(b"mdia", &[&mdhd, &handler, &minf])]);
    let mvhd = atom(b"mvhd", &[&numbers(&[0, 0, 0, samples, samples]), &[0; 80]]);
    [atom(b"ftyp", &[b"qt  ", &[0; 4], b"qt  "]), atom(b"moov", &[&mvhd, &trak])].concat()
}

/// With these arguments ffmpeg decodes the secret when it is free, and nothing when it was launched.
fn check_lead(ffmpeg: &Ffmpeg, arguments: &[&str], list: &[u8]) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, list).unwrap();
    let input = || Stdio::from(File::open(file.path()).unwrap());
    let program = ffmpeg.program.to_str().unwrap();
    let free = plain(program, arguments, input());
    assert!(free.stdout.len() > 10_000, "{arguments:?} leads nowhere: {free:?}");
    let ran = launched(program, arguments, input());
    assert!(ran.stdout.len() < 1_000, "{arguments:?}: {} bytes", ran.stdout.len());
}

/// A film that is too long to be copied for a program which cannot read descriptors.
pub(crate) fn feeds_a_program_what_it_would_open_anew() {
    let Some(ffmpeg) = ffmpeg() else {
        println!("feeds_a_program_what_it_would_open_anew: not run (ffmpeg is not installed)");
        return;
    };
    let ffmpeg = Ffmpeg { reads_descriptors: false, ..ffmpeg };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/video/formats/hevc.mp4");
    let seen = |file_bytes: u64| {
        let mut isolated = Isolated::new(Config { ffmpeg: Some(ffmpeg.clone()), ..Config::default() });
        let mut request = Request::query();
        request.limits.file_bytes = file_bytes;
        let mut items = Vec::new();
        let source = Source::from_file(File::open(&path).unwrap()).unwrap();
        isolated.read(&source, &request, &mut |item| items.push(item)).unwrap();
        let item = items.pop().unwrap();
        let film = item.coverage.film.unwrap();
        assert!(film.to_the_end && film.decoder == ffmpeg.decoder(), "{film:?}");
        assert_eq!(item.problems, []);
        (film.frames_read, format!("{:?}", item.fingerprints))
    };
    let (copied, fed) = (seen(256 << 20), seen(1_000));
    assert!(copied.0 > 0 && copied == fed);
}

pub(crate) fn refuses_a_program_that_needs_more() {
    let named = |program: &str| {
        let ffmpeg =
            Ffmpeg { program: program.into(), version: "1".to_owned(), reads_descriptors: false, plays_modules: false };
        Isolated::new(Config { ffmpeg: Some(ffmpeg), ..Config::default() }).program_confinement()
    };
    for program in ["/bin/true", "/nonexistent"] {
        assert!(named(program).is_err(), "{program}");
    }
    assert_eq!(quick().program_confinement().unwrap(), None);
    let Some(ffmpeg) = ffmpeg() else {
        println!("refuses_a_program_that_needs_more: not run in part (ffmpeg is not installed)");
        return;
    };
    let worker = quick().confinement().unwrap();
    let program = named(ffmpeg.program.to_str().unwrap()).unwrap().unwrap();
    assert_eq!((program.landlock, program.seccomp.holds()), (worker.landlock, worker.seccomp.holds()));
}

/// What a crash left unread is no damage of the file.
pub(crate) fn tells_a_crash_of_a_program_as_one() {
    let program = std::env::current_exe().unwrap();
    let ffmpeg = Ffmpeg { program, version: "6.1".to_owned(), reads_descriptors: true, plays_modules: false };
    let mut isolated = Isolated::new(Config { ffmpeg: Some(ffmpeg.clone()), ..Config::default() });
    let films = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/video/formats");
    for name in ["mpeg4.avi", "mpeg2.ts", "hevc.mp4", "vp9.webm"] {
        let bytes = fs::read(films.join(name)).unwrap();
        let here = read(&mut WithFfmpeg(ffmpeg.clone()), &bytes);
        assert_eq!(read(&mut isolated, &bytes), here, "{name}");
        let detail = "ffmpeg ended with signal 6, before it had decoded anything".to_owned();
        let crash = Problem::Crashed { detail };
        match here {
            (items, Err(problem)) => assert_eq!((items.len(), problem), (0, crash), "{name}"),
            (items, Ok(())) => assert_eq!((items.len(), &items[0].problems), (1, &vec![crash]), "{name}"),
        }
    }
    // What is decoded here needs no program.
    let bytes = fs::read(films.join("main.mp4")).unwrap();
    let here = read(&mut WithFfmpeg(ffmpeg), &bytes);
    assert_eq!(here.0[0].problems, []);
    assert_eq!(read(&mut isolated, &bytes), here);
    let bytes = fs::read(films.join("../../audio/formats/ac3.mkv")).unwrap();
    let (items, done) = read(&mut isolated, &bytes);
    assert!(items.is_empty() && matches!(done, Err(Problem::Crashed { .. })), "{done:?}");
}

pub(crate) fn says_the_same_of_damage_as_in_process() {
    let Some(ffmpeg) = ffmpeg() else {
        println!("says_the_same_of_damage_as_in_process: not run (ffmpeg is not installed)");
        return;
    };
    let mut isolated = Isolated::new(Config { ffmpeg: Some(ffmpeg.clone()), ..Config::default() });
    let films = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/video/formats");
    let mut several = 0;
    for name in ["hevc.mp4", "high.mkv", "mpeg2.ts", "mpeg4.avi", "ten-bit.mkv", "vp9.webm"] {
        let whole = fs::read(films.join(name)).unwrap();
        for (kept, step) in [(9, 0), (7, 97), (9, 211)] {
            let mut bytes = whole[..whole.len() * kept / 10].to_vec();
            if step > 0 {
                bytes[whole.len() / 3..].iter_mut().step_by(step).for_each(|byte| *byte ^= 0x55);
            }
            let here = read(&mut WithFfmpeg(ffmpeg.clone()), &bytes);
            assert_eq!(read(&mut isolated, &bytes), here, "{name}, {kept} tenths, each {step}th byte");
            several += usize::from(here.0.iter().any(|item| item.problems.len() > 1));
        }
    }
    assert!(several > 0, "no film with more than one problem");
}

fn formats(kind: &str, name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(kind).join("formats").join(name))
        .unwrap()
}

/// Other bytes at `at` behind the last `name`.
fn altered(mut bytes: Vec<u8>, name: &[u8], at: usize, with: &[u8]) -> Vec<u8> {
    let place = bytes.windows(name.len()).rposition(|part| part == name).unwrap() + name.len() + at;
    bytes[place..place + with.len()].copy_from_slice(with);
    bytes
}

/// A container may say 65,535 pixels of frames that are not: that is no message that a worker cannot send.
pub(crate) fn believes_frames_and_not_containers() {
    let film = altered(formats("video", "baseline.mp4"), b"avc1", 24, &[0xff; 4]);
    let here = read(&mut InProcess, &film);
    assert_eq!(read(&mut quick(), &film), here);
    let seen = here.0[0].coverage.film.clone().unwrap();
    assert!(here.0[0].problems.is_empty() && seen.width < 1_000 && seen.height < 1_000 && seen.width > 0, "{seen:?}");
    let Some(ffmpeg) = ffmpeg() else {
        println!("believes_frames_and_not_containers: not run in part (ffmpeg is not installed)");
        return;
    };
    let here = read(&mut WithFfmpeg(ffmpeg.clone()), &film);
    let mut isolated = Isolated::new(Config { ffmpeg: Some(ffmpeg), ..Config::default() });
    assert_eq!(read(&mut isolated, &film), here);
    let by_program = here.0[0].coverage.film.clone().unwrap();
    assert_eq!((by_program.width, by_program.height), (seen.width, seen.height));
}

/// A clock of no ticks a second, which the demuxers here refuse, is no damage of sound that the program reads.
pub(crate) fn asks_a_program_for_what_cannot_be_opened() {
    let files = ["aac.m4a", "film.mp4"].map(|name| (name, altered(formats("audio", name), b"mvhd", 12, &[0; 4])));
    let mut refused = 0;
    for (name, bytes) in &files {
        let (items, done) = read(&mut InProcess, bytes);
        let damaged = |problem: &Problem| matches!(problem, Problem::Damaged { .. });
        let is_refused = done.is_err() || items.iter().any(|item| item.problems.iter().any(damaged));
        assert!(is_refused, "{name}: {done:?} {items:?}");
        refused += 1;
    }
    assert_eq!(refused, files.len());
    let Some(ffmpeg) = ffmpeg() else {
        println!("asks_a_program_for_what_cannot_be_opened: not run in part (ffmpeg is not installed)");
        return;
    };
    let mut isolated = Isolated::new(Config { ffmpeg: Some(ffmpeg.clone()), ..Config::default() });
    for (name, bytes) in &files {
        let here = read(&mut WithFfmpeg(ffmpeg.clone()), bytes);
        assert_eq!(&read(&mut isolated, bytes), &here, "{name}");
        let sound = here.0[0].coverage.sound.as_ref().unwrap();
        assert!(sound.decoder == ffmpeg.decoder() && sound.decoded_ms > 1_000, "{name}: {sound:?}");
        let of_sound =
            |problem: &&Problem| problem.to_string().contains("sound") || problem.to_string().contains("mp4");
        assert_eq!(here.0[0].problems.iter().find(of_sound), None, "{name}");
    }
    // What the program cannot read either stays damaged.
    let (items, done) = read(&mut isolated, &formats("audio", "aac.m4a")[..600]);
    assert!(items.is_empty() && matches!(done, Err(Problem::Damaged { .. })), "{done:?}");
}

/// A film of which the end is missing is damaged, whatever there is left to see.
pub(crate) fn tells_that_a_film_was_cut_short() {
    let whole = formats("video", "mpeg4.avi");
    let is_cut = |problem: &Problem| problem.to_string().contains("before its container does");
    let check = |reader: &mut dyn Reader, kept: usize| match read(reader, &whole[..kept]) {
        (_, Err(problem)) => assert!(is_cut(&problem), "{kept}: {problem}"),
        (items, Ok(())) => assert!(items[0].problems.iter().any(is_cut), "{kept}: {items:?}"),
    };
    check(&mut quick(), 300);
    let Some(ffmpeg) = ffmpeg() else {
        println!("tells_that_a_film_was_cut_short: not run in part (ffmpeg is not installed)");
        return;
    };
    let mut isolated = Isolated::new(Config { ffmpeg: Some(ffmpeg.clone()), ..Config::default() });
    for kept in [300, whole.len() / 2, whole.len() - 5_000] {
        check(&mut isolated, kept);
        check(&mut WithFfmpeg(ffmpeg.clone()), kept);
    }
}
