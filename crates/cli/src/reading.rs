//! How files are read: by workers in batches, or in this process; with the ffmpeg program or without.

use std::fmt::Write;
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::{Context, Result};
use minutia::scan::{InProcess, Item, Reader, Request, WithFfmpeg, read_closely};
use minutia_media::{Ffmpeg, Problem, Source};
use minutia_report::escape::text;
use minutia_report::{ConfinementFacts, ProcessFacts, ProgramFacts, Reading as ReadingFacts, WorkerFacts};
use minutia_sandbox::{Config, Confinement, Isolated};

use crate::args;

/// How files are read.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) threads: usize,
    /// How workers are made; `None` for reading in this process.
    pub(crate) workers: Option<Config>,
    /// Who decodes the pictures of films, and sound that this build cannot.
    pub(crate) ffmpeg: Option<Ffmpeg>,
}

impl Reading {
    pub(crate) fn of(args: &args::Reading) -> Reading {
        let threads = args.threads.or_else(|| available_parallelism().ok()).map_or(1, |threads| threads.get());
        Reading { threads, ..Reading::one(args.in_process) }.with_ffmpeg(!args.no_ffmpeg)
    }

    /// As where nothing is said about it: workers, as many as there are processors.
    pub(crate) fn all() -> Reading {
        Reading::of(&args::Reading { threads: None, in_process: false, no_ffmpeg: false })
    }

    /// One reader alone, without ffmpeg.
    pub(crate) fn one(in_process: bool) -> Reading {
        Reading { threads: 1, workers: (!in_process).then(Config::default), ffmpeg: None }
    }

    /// With the ffmpeg program of this machine, where it is `wanted`. Workers have it confined: one that does not start so is
    /// told of and left out.
    pub(crate) fn with_ffmpeg(self, wanted: bool) -> Reading {
        let reading = Reading { ffmpeg: if wanted { ffmpeg() } else { None }, ..self };
        match reading.program() {
            Ok(_) => reading,
            Err(error) => {
                anstream::eprintln!(
                    "note: ffmpeg is not asked, since it cannot be confined: {}",
                    text(&format!("{error:#}"))
                );
                Reading { ffmpeg: None, ..reading }
            }
        }
    }

    /// A reader for one thread.
    pub(crate) fn reader(&self) -> Hand {
        match &self.workers {
            Some(config) => {
                let config = self.config(config);
                let files = u64::from(config.sources_per_worker.max(1));
                Hand::Worker { isolated: Box::new(Isolated::new(config)), files, batch: 0 }
            }
            None => Hand::Here(match &self.ffmpeg {
                Some(ffmpeg) => Box::new(WithFfmpeg(ffmpeg.clone())),
                None => Box::new(InProcess),
            }),
        }
    }

    fn config(&self, config: &Config) -> Config {
        Config { ffmpeg: self.ffmpeg.clone(), ..config.clone() }
    }

    /// What confines ffmpeg where workers have it.
    fn program(&self) -> Result<Option<Confinement>> {
        let Some(config) = self.workers.as_ref().filter(|_| self.ffmpeg.is_some()) else { return Ok(None) };
        Ok(Isolated::new(self.config(config)).program_confinement()?)
    }

    /// As [`Reading::facts`], and says aloud where a barrier is missing.
    pub(crate) fn facts_aloud(&self) -> Result<ReadingFacts> {
        let facts = self.facts()?;
        if let ReadingFacts::Worker(worker) = &facts {
            // What the kernel does not offer workers, it does not offer ffmpeg.
            let ConfinementFacts { landlock, seccomp, .. } = &worker.confinement;
            for (name, barrier) in [("Landlock", landlock), ("seccomp", seccomp)] {
                if barrier.starts_with("not available") {
                    anstream::eprintln!("note: what decodes is not confined by {name}, which is {}", text(barrier));
                }
            }
        }
        Ok(facts)
    }

    /// How files are read, for the record. Starts a worker and ffmpeg to ask them.
    pub(crate) fn facts(&self) -> Result<ReadingFacts> {
        let Some(config) = &self.workers else {
            let unconfined = |ffmpeg: &Ffmpeg| ProgramFacts { version: ffmpeg.version.clone(), confinement: None };
            return Ok(ReadingFacts::Process(ProcessFacts { ffmpeg: self.ffmpeg.as_ref().map(unconfined) }));
        };
        let confinement = Isolated::new(config.clone()).confinement().context(
            "expected to decode in worker processes, and none can be started; `--in-process` decodes without them, \
             which is safe for files that you trust",
        )?;
        let program = self.program()?.zip(self.ffmpeg.as_ref());
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Ok(ReadingFacts::Worker(WorkerFacts {
            address_space_bytes: confinement.address_space_bytes,
            deadline_ms: millis(config.deadline),
            deadline_ms_per_mib: millis(config.deadline_per_mib),
            sound_deadline_ms_per_mib: millis(config.sound_deadline_per_mib),
            film_deadline_ms_per_mib: millis(config.film_deadline_per_mib),
            files_per_worker: config.sources_per_worker,
            confinement: confinement_facts(&confinement),
            ffmpeg: program.map(|(confinement, ffmpeg)| ProgramFacts {
                version: ffmpeg.version.clone(),
                confinement: Some(confinement_facts(&confinement)),
            }),
        }))
    }
}

/// A reader for one thread of a walk.
pub(crate) enum Hand {
    /// A worker at a time, each for files of one batch.
    Worker {
        /// Who has them read.
        isolated: Box<Isolated>,
        /// Files in a batch.
        files: u64,
        /// The batch that it reads.
        batch: u64,
    },
    /// This process.
    Here(Box<dyn Reader>),
}

impl Hand {
    /// Turns to the walk's entry of this number, from 0. The number of its batch, from 1; `None` for this process.
    ///
    /// Batches follow the walk and not the workers, several of which may read one batch: so the records are the same with
    /// any number of threads, and no worker has read files of two batches.
    pub(crate) fn turn_to(&mut self, number: u64) -> Option<u64> {
        match self {
            Hand::Worker { isolated, files, batch } => {
                let next = number / *files + 1;
                if next != *batch {
                    isolated.begin_batch();
                    *batch = next;
                }
                Some(next)
            }
            Hand::Here(_) => None,
        }
    }
}

impl Reader for Hand {
    fn read(&mut self, source: &Source, request: &Request, sink: &mut dyn FnMut(Item)) -> Result<(), Problem> {
        match self {
            Hand::Worker { isolated, .. } => read_closely(isolated.as_mut(), source, request, sink),
            Hand::Here(reader) => read_closely(reader.as_mut(), source, request, sink),
        }
    }
}

fn confinement_facts(confinement: &Confinement) -> ConfinementFacts {
    let limits = if confinement.process_limits { "in force" } else { "not available" };
    ConfinementFacts {
        limits: limits.to_owned(),
        landlock: confinement.landlock.to_string(),
        seccomp: confinement.seccomp.to_string(),
    }
}

/// What confines a process, for people.
pub(crate) fn told(facts: &ConfinementFacts) -> String {
    let mut out = String::new();
    for (name, value) in [("limits", &facts.limits), ("Landlock", &facts.landlock), ("seccomp", &facts.seccomp)] {
        let _ = write!(out, "{}{name} {}", if out.is_empty() { "" } else { "; " }, text(value));
    }
    out
}

/// The ffmpeg program of this machine: the first of that name on the path that says it is one.
pub(crate) fn ffmpeg() -> Option<Ffmpeg> {
    let path = std::env::var_os("PATH")?;
    let programs =
        std::env::split_paths(&path).filter(|folder| folder.is_absolute()).map(|folder| folder.join("ffmpeg"));
    programs.filter(|program| program.is_file()).find_map(|program| Ffmpeg::at(&program).ok())
}
