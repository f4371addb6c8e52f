//! What a worker tries that was taken over, and what becomes of it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;

use minutia::scan::{Reader, Request};
use minutia_media::{Problem, Source};
use rustix::process::{Pid, Resource, Rlimit, setrlimit, test_kill_process};

use crate::{quick, read};

/// Tries to do it, inside of a worker: what the system answered.
pub(crate) fn tried(deed: &str, source: &Source) -> String {
    let (deed, object) = deed.split_once(' ').unwrap_or((deed, ""));
    let done: io::Result<()> = match deed {
        "read" => fs::read(object).map(drop),
        "list" => fs::read_dir(object).map(drop),
        "look-at" => fs::metadata(object).map(drop),
        "open-again" => OpenOptions::new().write(true).open("/proc/self/fd/1").map(drop),
        "create" => File::create(object).map(drop),
        "remove" => fs::remove_file(object),
        "rename" => fs::rename(object, "/tmp/elsewhere"),
        "become" => Err(Command::new(object).exec()),
        "start" => Command::new(object).spawn().map(drop),
        "thread" => std::thread::Builder::new().spawn(|| ()).map(drop),
        "connect" => TcpStream::connect(object).map(drop),
        "send" => UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.send_to(b"evidence", object)).map(drop),
        "connect-local" => UnixStream::connect(object).map(drop),
        "pair" => UnixStream::pair().map(drop),
        "signal" => {
            let other = object.parse().ok().and_then(Pid::from_raw).unwrap();
            test_kill_process(other).map_err(io::Error::from)
        }
        "raise-limit" => {
            let all = Rlimit { current: None, maximum: None };
            setrlimit(Resource::Fsize, all).map_err(io::Error::from)
        }
        "append" => {
            source.file().unwrap().seek(SeekFrom::End(0)).and_then(|_| source.file().unwrap().write_all(b"more"))
        }
        "overwrite" => source.file().unwrap().write_all(b"other evidence"),
        "truncate" => source.file().unwrap().set_len(0),
        other => panic!("{other}"),
    };
    match done {
        Ok(()) => "done".to_owned(),
        Err(error) => error.raw_os_error().map_or(error.to_string(), |number| format!("error {number}")),
    }
}

/// What a worker answers that tries it; its problem where it does not live to.
pub(crate) fn answer(deed: &str) -> String {
    match read(&mut quick(), format!("try: {deed}").as_bytes()) {
        (items, Ok(())) => items[0].member[0].clone(),
        (items, Err(Problem::Crashed { detail })) if items.is_empty() => detail,
        other => panic!("{deed}: {other:?}"),
    }
}

const KILLED: &str = "killed by SIGSYS: it asked the system for what no reader needs";

/// EACCES.
const REFUSED: &str = "error 13";

pub(crate) fn reaches_no_name() {
    let confinement = quick().confinement().unwrap();
    if !confinement.seccomp.holds() {
        println!("reaches_no_name: not run (seccomp {})", confinement.seccomp);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    fs::write(&secret, b"secret").unwrap();
    let new = folder.path().join("new");
    for deed in [
        &format!("read {}", secret.display()),
        "read /etc/passwd",
        "read /proc/self/maps",
        "read /proc/self/exe",
        "list /",
        "list /proc/self/fd",
        &format!("look-at {}", secret.display()),
        &format!("create {}", new.display()),
        &format!("create {}", secret.display()),
        "open-again",
    ] {
        assert_eq!(answer(deed), REFUSED, "{deed}");
    }
    assert_eq!(fs::read(&secret).unwrap(), b"secret");
    assert!(!new.exists());
}

pub(crate) fn dies_of_a_call_that_no_reader_makes() {
    if !quick().confinement().unwrap().seccomp.holds() {
        println!("dies_of_a_call_that_no_reader_makes: not run (no seccomp)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    fs::write(&secret, b"secret").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    for deed in [
        &format!("remove {}", secret.display()),
        &format!("rename {}", secret.display()),
        "become /bin/true",
        "start /bin/true",
        "thread",
        &format!("connect {address}"),
        &format!("send {address}"),
        "connect-local /run/nothing",
        "pair",
        &format!("signal {}", std::process::id()),
        "raise-limit",
        "truncate",
    ] {
        assert_eq!(answer(deed), KILLED, "{deed}");
    }
    assert_eq!(fs::read(&secret).unwrap(), b"secret");
    assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    // One outcome, and the next source is read.
    let mut isolated = quick();
    assert!(read(&mut isolated, b"try: start /bin/true").1.is_err());
    assert_eq!(read(&mut isolated, b"two items").0.len(), 2);
}

pub(crate) fn writes_no_file() {
    // Even one that was opened for writing, as evidence never is.
    for deed in ["append", "overwrite"] {
        let text = format!("try: {deed}");
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.rewind().unwrap();
        let source = Source::from_file(file.try_clone().unwrap()).unwrap();
        let done = quick().read(&source, &Request::query(), &mut |_| {});
        assert_eq!(done, Err(Problem::Crashed { detail: "killed by SIGXFSZ".to_owned() }));
        file.rewind().unwrap();
        assert_eq!(io::read_to_string(file).unwrap(), text);
    }
}
