//! The worker's side: a program that reads what it is handed until its parent hangs up.

use std::collections::VecDeque;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use minutia::scan::{InProcess, Item, Reader, Request};
use minutia_media::{Piped, Problem, Source};
use rustix::fs::fstat;

use crate::confine::{budget_cpu, close_inherited_descriptors, confine};
use crate::launcher;
use crate::socket;
use crate::wire::{Answer, Ask, BUILD, encode, hand_over, take};

/// The only argument of a program that is started as a worker. With more behind it, the program is started to become
/// another one that decodes for a worker.
pub const ARGUMENT: &str = "--minutia-worker";

/// Whether this process was started as a worker, or for one: `main` asks this before anything else and then calls [`run`].
pub fn requested() -> bool {
    env::args_os().nth(1).as_deref() == Some(OsStr::new(ARGUMENT))
}

/// Confines this process and serves its parent, a [`Reader`] for whatever descriptor comes over standard input. Returns
/// when the parent hangs up, or when standard input is no such socket.
pub fn run() -> ExitCode {
    run_with(&mut InProcess)
}

/// As [`run`], with another reader than `minutia`'s own.
pub fn run_with(reader: &mut dyn Reader) -> ExitCode {
    let more: Vec<OsString> = env::args_os().skip(2).collect();
    if !more.is_empty() {
        return launcher::run(&more);
    }
    match serve(reader) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error is a pipe to the parent, which reports the last line.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(reader: &mut dyn Reader) -> io::Result<()> {
    close_inherited_descriptors()?;
    let parent = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut inbox = Vec::new();
    let mut chunk = vec![0; 4_096];
    let mut beside = VecDeque::new();
    loop {
        let (received, descriptors) = socket::receive(&parent, &mut inbox, &mut chunk)?;
        if received == 0 {
            return Ok(());
        }
        beside.extend(descriptors);
        while let Some(ask) = take(&mut inbox).map_err(io::Error::other)? {
            match ask {
                Ask::Start { address_space_bytes } => {
                    let confinement = confine(address_space_bytes)?;
                    send(&parent, &Answer::Ready { build: BUILD.to_owned(), confinement })?;
                }
                Ask::Read { request, cpu_seconds, sound, film } => {
                    budget_cpu(cpu_seconds)?;
                    let mut next = || beside.pop_front().map(File::from).ok_or_else(missing);
                    let evidence = next()?;
                    let mut piped = |decoder: Option<String>| {
                        decoder.map(|decoder| Ok::<_, io::Error>(Piped { decoder, pipe: next()? })).transpose()
                    };
                    let (sound, film) = (piped(sound)?, piped(film)?);
                    // The standard library asks for the length by a call that can name files, which is closed here.
                    let len = u64::try_from(fstat(&evidence)?.st_size).unwrap_or(0);
                    let source = Source::from_file_of(evidence, len);
                    let source = match sound {
                        Some(piped) => source.with_piped(piped),
                        None => source,
                    };
                    let source = match film {
                        Some(piped) => source.with_piped_film(piped),
                        None => source,
                    };
                    let done = read(reader, &source, &request, &parent);
                    send(&parent, &Answer::Done(done))?;
                }
            }
        }
    }
}

fn missing() -> io::Error {
    io::Error::other("no descriptor beside a request")
}

fn read(reader: &mut dyn Reader, source: &Source, request: &Request, parent: &UnixStream) -> Result<(), Problem> {
    let mut sent = Ok(());
    reader.read(source, request, &mut |item: Item| {
        if sent.is_ok() {
            sent = hand_over(item, &mut |answer| send(parent, &answer));
        }
    })?;
    sent.map_err(|error| Problem::Crashed { detail: format!("an item could not be handed over: {error}") })
}

fn send(mut parent: &UnixStream, answer: &Answer) -> io::Result<()> {
    parent.write_all(&encode(answer).map_err(io::Error::other)?)
}
