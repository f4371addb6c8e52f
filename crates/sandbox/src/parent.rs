//! The parent's side: a reader that has each source read by a worker, and replaces workers that failed.

use std::os::fd::{AsFd, BorrowedFd};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use minutia::scan::{Item, Pass, Reader, Request, Track, film_begins_here, film_wanted};
use minutia_media::decode::audio::ffmpeg::{Access, in_memory};
use minutia_media::decode::video::DirectoryFirst;
use minutia_media::decode::video::ffmpeg::Planes;
use minutia_media::{Ffmpeg, Format, Kind, Problem, Source, probe};

use crate::child::{PipedParts, StartError, Worker};
use crate::config::Config;
use crate::confine::Confinement;
use crate::launcher::Cost;
use crate::program::{self, Input, Program};

/// Numbers the workers of this process, from 1.
static WORKERS: AtomicU64 = AtomicU64::new(0);

/// Reads in a worker process of its own: one `Isolated` a thread. The worker is started by the first source, serves one
/// after another, and is replaced after a crash, a time-out, a limit, a message that no worker sends and any other problem
/// that a decoder had, after [`Config::sources_per_worker`] sources, and by [`begin_batch`](Isolated::begin_batch).
///
/// Nothing that a worker does reaches the caller but the problem it ends as:
/// - [`Problem::Crashed`], with signal or exit status, or what was wrong with its message;
/// - [`Problem::TimedOut`], where it was killed at its deadline (time that the sink takes counts);
/// - [`Problem::Limit`] of `worker_bytes`, where it asked for more memory than its address space.
///
/// A worker that is lost after it has served other sources is blamed only when a fresh one is lost over the same source
/// too: what an earlier file left behind must not decide about this one.
#[derive(Debug)]
pub struct Isolated {
    config: Config,
    serving: Option<Serving>,
    number: u64,
}

#[derive(Debug)]
struct Serving {
    worker: Worker,
    sources: u32,
}

impl Isolated {
    /// Makes a reader; its worker is started when it is needed.
    pub fn new(config: Config) -> Isolated {
        Isolated { config, serving: None, number: 0 }
    }

    /// The number of the worker that served the last source, unique in this process; 0 before the first.
    pub fn worker(&self) -> u64 {
        self.number
    }

    /// Retires the worker: none reads sources of both before and after this. A worker that was taken over can have falsified
    /// its own batch and nothing else, so records name the batch of each source.
    pub fn begin_batch(&mut self) {
        self.serving = None;
    }

    /// What confines the workers, for the record of a run. Starts one where none runs: a good first call.
    ///
    /// # Errors
    /// [`StartError`] when no worker can be started.
    pub fn confinement(&mut self) -> Result<Confinement, StartError> {
        let serving = self.take_serving()?;
        Ok(self.serving.insert(serving).worker.confinement().clone())
    }

    /// What confines the ffmpeg program, for the record of a run; `None` where there is none to be asked. It is started as it
    /// would be for a source, to see that it works so.
    ///
    /// # Errors
    /// [`StartError`] when it cannot be confined, or does not start in confinement: then it is better not asked.
    pub fn program_confinement(&self) -> Result<Option<Confinement>, StartError> {
        let Some(ffmpeg) = &self.config.ffmpeg else { return Ok(None) };
        let cpu_seconds = self.config.deadline_for(0, None).as_secs().saturating_add(1);
        let cost = Cost { address_space_bytes: self.config.address_space_bytes, cpu_seconds };
        program::tried(&self.config.launch, cost, ffmpeg).map(Some)
    }

    fn take_serving(&mut self) -> Result<Serving, StartError> {
        if let Some(serving) = self.serving.take() {
            return Ok(serving);
        }
        let worker = Worker::start(&self.config)?;
        self.number = WORKERS.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(Serving { worker, sources: 0 })
    }
}

impl Reader for Isolated {
    fn read(&mut self, source: &Source, request: &Request, sink: &mut dyn FnMut(Item)) -> Result<(), Problem> {
        let copy;
        let evidence = match source.file() {
            Some(file) => file.as_fd(),
            None => {
                copy = in_memory(source, u64::MAX)?;
                copy.as_fd()
            }
        };
        // Of what a worker says nothing chooses the program's demuxer, nor the time that it has.
        let format = probe(source).ok();
        let kind = format.map(|format| format.row().kind);
        let is_film = kind == Some(Kind::Video);
        let bytes = Evidence { descriptor: evidence, allowed: self.config.deadline_for(source.len(), kind) };
        let ffmpeg = self.config.ffmpeg.clone().zip(format).filter(|(ffmpeg, format)| ffmpeg.access(*format).is_some());
        let begins_here = format.is_some_and(|format| film_begins_here(request, format));
        if let (Some((ffmpeg, format)), true) = (&ffmpeg, is_film && !begins_here) {
            let outside = match input_of(ffmpeg, *format, source, evidence, request) {
                // The worker hears by its own decoders where they know the codec: then the program for sound ends unheard.
                Ok((input, access)) => {
                    Outside { ffmpeg, commands: commands(ffmpeg, *format, access, is_film, request), input }
                }
                Err(_) => Outside { ffmpeg, commands: Commands::default(), input: Input::Evidence(evidence) },
            };
            return self.serve(&bytes, Some(&outside), request, sink);
        }
        let unread = match self.serve(&bytes, None, request, sink) {
            Err(problem @ Problem::Unsupported { .. }) => problem,
            // Of sound, what cannot be opened here.
            Err(problem @ Problem::Damaged { .. }) if !is_film => problem,
            answer => return answer,
        };
        let Some((ffmpeg, format)) = ffmpeg else { return Err(unread) };
        let (input, access) = input_of(&ffmpeg, format, source, evidence, request)?;
        let commands = commands(&ffmpeg, format, access, is_film, request);
        self.serve(&bytes, Some(&Outside { ffmpeg: &ffmpeg, commands, input }), request, sink)
    }
}

/// How the program comes at a source. An old one opens MP4 anew, which touches the access time of a file: it gets a copy, and a
/// film that is too long for that from start to end.
fn input_of<'a>(
    ffmpeg: &Ffmpeg,
    format: Format,
    source: &'a Source,
    evidence: BorrowedFd<'a>,
    request: &Request,
) -> Result<(Input<'a>, Access), Problem> {
    let access = ffmpeg.access(format).unwrap_or(Access::Stream);
    if access != Access::Reopened || source.file().is_none() {
        return Ok((Input::Evidence(evidence), access));
    }
    match in_memory(source, request.limits.file_bytes) {
        Ok(copy) => Ok((Input::Copy(copy), access)),
        Err(problem) => match DirectoryFirst::of(source)? {
            Some(film) => Ok((Input::Fed { film, source }, Access::Stream)),
            // Most of it can be read so.
            None if format == Format::WavPack => Ok((Input::Evidence(evidence), Access::Stream)),
            None => Err(problem),
        },
    }
}

/// What the program is asked for: a worker that has no use for its answer closes the pipe, and the program ends.
fn commands(ffmpeg: &Ffmpeg, format: Format, access: Access, is_film: bool, request: &Request) -> Commands {
    let of_film = |planes| {
        let command = || ffmpeg.film_command(format, access, &film_wanted(request), &request.limits, planes);
        is_film.then(command).flatten()
    };
    let heard = request.pass == Pass::Full && request.exchange.is_none();
    let sound = if heard { ffmpeg.command(format, access) } else { None };
    Commands { sound, film: of_film(Planes::Stored), converted_film: of_film(Planes::Converted) }
}

/// The bytes of a source, and the wall time that reading them may take.
struct Evidence<'a> {
    descriptor: BorrowedFd<'a>,
    allowed: Duration,
}

/// The program that is to decode a source, or parts of it.
struct Outside<'a> {
    ffmpeg: &'a Ffmpeg,
    commands: Commands,
    input: Input<'a>,
}

/// What it is asked.
#[derive(Default)]
struct Commands {
    sound: Option<Command>,
    film: Option<Command>,
    /// Where no picture came of that.
    converted_film: Option<Command>,
}

impl Isolated {
    fn serve(
        &mut self,
        evidence: &Evidence<'_>,
        outside: Option<&Outside<'_>>,
        request: &Request,
        sink: &mut dyn FnMut(Item),
    ) -> Result<(), Problem> {
        loop {
            let attempt = match outside {
                None => self.attempt(evidence, PipedParts::default(), request, sink),
                Some(outside) => self.attempt_outside(evidence, outside, Planes::Stored, request, sink)?,
            };
            match attempt {
                Attempt::Answered(answer) => return answer,
                Attempt::Lost { problem, again: false } => return Err(problem),
                Attempt::Lost { again: true, .. } => {}
            }
        }
    }

    /// One attempt, with programs beside it. How these ended is known last, so items wait for that.
    fn attempt_outside(
        &mut self,
        evidence: &Evidence<'_>,
        outside: &Outside<'_>,
        planes: Planes,
        request: &Request,
        sink: &mut dyn FnMut(Item),
    ) -> Result<Attempt, Problem> {
        let Outside { ffmpeg, commands, input } = outside;
        let cpu_seconds = evidence.allowed.as_secs().saturating_add(1);
        let cost = Cost { address_space_bytes: self.config.address_space_bytes, cpu_seconds };
        let launch = &self.config.launch;
        let start = |command: &Option<Command>| {
            let started = command.as_ref().map(|command| Program::start(launch, cost, ffmpeg, command, input));
            started.transpose().map(Option::unzip).map_err(|error| Problem::io("starting ffmpeg", &error))
        };
        let film = if planes == Planes::Stored { &commands.film } else { &commands.converted_film };
        let ((of_sound, sound), (of_film, film)) = (start(&commands.sound)?, start(film)?);
        let mut items = Vec::new();
        let attempt = self.attempt(evidence, PipedParts { sound, film }, request, &mut |item| items.push(item));
        let mut programs = [&of_film, &of_sound].into_iter().flatten();
        if items.is_empty() && matches!(attempt, Attempt::Answered(Err(_))) && programs.any(Program::was_refused) {
            return Err(Problem::Crashed { detail: "ffmpeg could not be confined and was not started".to_owned() });
        }
        // Nothing was handed over yet.
        if planes == Planes::Stored
            && is_unseen(&attempt, &items)
            && of_film.as_ref().is_some_and(Program::may_need_conversion)
        {
            return self.attempt_outside(evidence, outside, Planes::Converted, request, sink);
        }
        if let Attempt::Answered(Err(Problem::Unsupported { .. } | Problem::Damaged { .. })) = attempt
            && let Some(crash) = [&of_film, &of_sound].into_iter().flatten().find_map(Program::crash)
        {
            return Ok(Attempt::Answered(Err(crash)));
        }
        let decoder = ffmpeg.decoder();
        for mut item in items {
            // What was not read to its end is no problem of its own.
            let heard = item.coverage.sound.as_ref().is_some_and(|sound| sound.decoder == decoder);
            let seen = item.coverage.film.as_ref().is_some_and(|film| film.decoder == decoder && film.to_the_end);
            if heard && item.problems.is_empty() {
                item.problems.extend(of_sound.as_ref().and_then(Program::problem));
            }
            match &of_film {
                Some(program) if seen => item.problems.extend(program.problem()),
                Some(program) if item.coverage.film.is_none() => unseen(&mut item, program),
                _ => {}
            }
            sink(item);
        }
        Ok(attempt)
    }
}

/// Whether no pictures were seen of a film that may have some.
fn is_unseen(attempt: &Attempt, items: &[Item]) -> bool {
    let may_have = |item: &Item| item.tracks.is_empty() || item.tracks.iter().any(|track| track.kind == Track::PICTURE);
    match attempt {
        Attempt::Answered(Ok(())) => items.iter().all(|item| item.coverage.film.is_none() && may_have(item)),
        Attempt::Answered(Err(Problem::Unsupported { .. } | Problem::Damaged { .. })) => items.is_empty(),
        _ => false,
    }
}

/// Says of an item whose pictures were not seen that the program crashed over them, if so: in place of what that looked like to
/// the worker, which stands last, where pictures are known to be there.
fn unseen(item: &mut Item, program: &Program) {
    let has_picture = item.tracks.iter().any(|track| track.kind == Track::PICTURE);
    let Some(crash) = program.crash().filter(|_| has_picture || item.tracks.is_empty()) else { return };
    if has_picture {
        item.problems.pop_if(|last| matches!(last, Problem::Unsupported { .. } | Problem::Damaged { .. }));
    }
    item.problems.push(crash);
}

/// What came of one worker reading a source.
enum Attempt {
    Answered(Result<(), Problem>),
    Lost { problem: Problem, again: bool },
}

impl Isolated {
    fn attempt(
        &mut self,
        evidence: &Evidence<'_>,
        piped: PipedParts,
        request: &Request,
        sink: &mut dyn FnMut(Item),
    ) -> Attempt {
        // Put back only when it has answered in full: should the sink panic, what is left of this answer must not be taken
        // for the answer to the next source.
        let mut serving = match self.take_serving() {
            Ok(serving) => serving,
            Err(error) => {
                return Attempt::Lost { problem: Problem::Crashed { detail: error.to_string() }, again: false };
            }
        };
        let mut unsound = false;
        let mut handed_over = false;
        let read = serving.worker.read(evidence.descriptor, piped, request, evidence.allowed, &mut |item| {
            unsound |= item.problems.iter().any(unsettles);
            handed_over = true;
            sink(item);
        });
        let served_before = serving.sources > 0;
        serving.sources += 1;
        match read {
            Ok(answer) => {
                unsound |= answer.as_ref().is_err_and(unsettles);
                if !unsound && serving.sources < self.config.sources_per_worker {
                    self.serving = Some(serving);
                }
                Attempt::Answered(answer)
            }
            Err(problem) => {
                let timed_out = matches!(problem, Problem::TimedOut { .. });
                Attempt::Lost { problem, again: served_before && !handed_over && !timed_out }
            }
        }
    }
}

/// Whether a worker that reports this is better replaced: its memory may be in any state. What is no media was shown to no
/// decoder.
fn unsettles(problem: &Problem) -> bool {
    !matches!(problem, Problem::NotMedia { .. })
}
