//! Programs that decode for a worker: what they reach, and that nothing leads them elsewhere.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use minutia_media::Ffmpeg;
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
    let lists = [
        ("hls", format!("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n", part.display())),
        ("concat", format!("ffconcat version 1.0\nfile '{secret}'\n")),
        ("concat", format!("ffconcat version 1.0\nfile 'tcp://{address}'\n")),
    ];
    for (demuxer, list) in &lists {
        // Nobody but this test lets it follow anything: its own permissions are wide open, and Landlock's are not.
        let open = ["-nostdin", "-v", "quiet", "-protocol_whitelist", "file,crypto,data,pipe,fd,tcp,http,subfile"];
        let lead = match *demuxer {
            "hls" => &["-allowed_extensions", "ALL", "-f", "hls"][..],
            _ => &["-safe", "0", "-f", "concat"],
        };
        let rest = ["-i", "file:/proc/self/fd/0", "-c:a", "pcm_s16le", "-f", "wav", "pipe:1"];
        let arguments = [&open[..], lead, &rest].concat();
        check_lead(&ffmpeg, &arguments, list.as_bytes());
    }
    let direct = ["-nostdin", "-v", "quiet", "-i", secret, "-f", "wav", "pipe:1"];
    check_lead(&ffmpeg, &direct, b"nothing");
    let network = format!("tcp://{address}");
    check_lead(&ffmpeg, &["-nostdin", "-v", "quiet", "-i", &network, "-f", "wav", "pipe:1"], b"nothing");

    // And as evidence: no such file ever comes to the program, or it hears nothing.
    let mut isolated =
        Isolated::new(Config { ffmpeg: Some(ffmpeg), deadline: Duration::from_secs(20), ..Config::default() });
    let session = format!(
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {} RTP/AVP 0\n",
        address.port()
    );
    for list in lists.iter().map(|(_, list)| list.as_str()).chain([session.as_str()]) {
        let (items, done) = read(&mut isolated, list.as_bytes());
        assert!(items.is_empty() && done.is_err(), "{list}: {items:?} {done:?}");
    }
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

pub(crate) fn refuses_a_program_that_needs_more() {
    let named = |program: &str| {
        let ffmpeg = Ffmpeg { program: program.into(), version: "1".to_owned(), reads_descriptors: false };
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
