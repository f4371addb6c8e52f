//! `minutia scan`: files in, one record for each item out.

use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use minutia::fingerprint::AlgorithmId;
use minutia::index::Index;
use minutia::scan::{Examiner, Pass, Query, Request};
use minutia::verdict::{Allowed, FilmJudge, SoundJudge};
use minutia_report::{
    AccessTimes, CalibrationFacts, Chain, FilmFacts, ItemRecord, Line, Record, RunRecord, SoundCalibrationFacts,
    SoundFacts, SummaryRecord, Totals, escape, fate, format, item,
};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::args;
use crate::case::{Before, Case, pass_of};
use crate::exit::Exit;
use crate::indexes::{facts, open, open_in_memory, sound};
use crate::measure::{Content, Measured, Measurer};
use crate::output::Output;
use crate::pipeline;
use crate::progress::Progress;
use crate::reading::Reading;
use crate::settings::{Roots, limit_facts, search_settings, shown};
use crate::walk::{Resolution, Walk};

/// Scans as typed.
pub(crate) fn run(args: args::Scan) -> Result<Exit> {
    let mut output = Output::named(if args.json { "json" } else { "text" })?;
    let settings = Settings {
        roots: Roots::of(args.paths)?,
        index: args.index,
        in_memory: args.in_memory,
        case: args.case,
        passes: match (args.triage, args.triage_only) {
            (_, true) => &[Pass::Triage],
            (true, false) => &[Pass::Triage, Pass::Full],
            (false, false) => &[Pass::Full],
        },
        reading: Reading::of(&args.reading),
    };
    let (summary, head) = scan(&settings, &mut output)?;
    anstream::eprintln!("{}", format::summary(&summary, &head));
    Ok(Exit::of(summary.exit_code))
}

/// What a scan is told.
pub(crate) struct Settings {
    pub(crate) roots: Roots,
    pub(crate) index: PathBuf,
    /// Read the index into memory wherever it is.
    pub(crate) in_memory: bool,
    pub(crate) case: Option<PathBuf>,
    /// The passes over everything, in their order; the last one's counts are the scan's.
    pub(crate) passes: &'static [Pass],
    pub(crate) reading: Reading,
}

/// Where the records of a scan go beside its case.
pub(crate) trait Sink {
    /// Takes one record, also as its line of JSON.
    fn record(&mut self, line: &Line, json: &str) -> Result<()>;

    /// A batch has ended: what was taken should be seen now.
    fn flush(&mut self) -> Result<()>;
}

/// Scans; the summary and the head of the records' chain.
pub(crate) fn scan(settings: &Settings, sink: &mut dyn Sink) -> Result<(SummaryRecord, String)> {
    let roots = &settings.roots;
    roots.keep_out(&settings.index, "the index")?;
    if let Some(case) = &settings.case {
        roots.keep_out(case, "a case")?;
    }
    let index = if settings.in_memory { open_in_memory(&settings.index) } else { open(&settings.index) }?;
    let pool = ThreadPoolBuilder::new().num_threads(settings.reading.threads).build()?;
    pool.install(|| sound(&index))?;
    if let Some(other) = index.algorithm().filter(|algorithm| !algorithm.compares_with(AlgorithmId::PDQ_AREA)) {
        let name = other.row().map_or("an unknown algorithm", |row| row.name);
        bail!(
            "{}: expected an index of pdq-area, with which pictures are compared; found one of {name}: look hashes up in it \
             with `minutia search`",
            shown(&settings.index)
        );
    }
    let resolution = Resolution::here();
    let examiner = Examiner::new(&index, Allowed::default(), search_settings()?);
    let request = Request::query();
    let run = run_record(settings, &index, &examiner, &request, resolution)?;

    let chain = Chain::of(&run)?;
    let progress = Progress::over(roots, resolution);
    let mut scan = Scan {
        examiner,
        pool,
        chain,
        totals: Totals::default(),
        triage: None,
        unprotected: 0,
        case: None,
        progress,
        sink,
    };
    let mut before = Before::default();
    if let Some(directory) = &settings.case {
        let mut summary = None;
        let mut chain = scan.chain.clone();
        let (case, found) = Case::open(directory, &run, &mut chain, |line, json| {
            match &line.record {
                Record::Item(item) => {
                    scan.turn_to(pass_of(item), settings.passes);
                    scan.count(item);
                }
                Record::Summary(record) => summary = Some(record.clone()),
            }
            scan.show(line, json)
        })?;
        scan.chain = chain;
        before = found;
        if let Some(summary) = summary {
            scan.sink.flush()?;
            let head = scan.chain.head().to_owned();
            case.finish(summary.exit_code, &head)?;
            return Ok((*summary, head));
        }
        scan.case = Some(case);
    }

    let mut unprotected_directories = 0;
    let begun = settings.passes.iter().position(|pass| before.pass.is_some_and(|before| before == *pass)).unwrap_or(0);
    for &pass in &settings.passes[begun..] {
        scan.turn_to(pass, settings.passes);
        let before = if before.pass == Some(pass) { std::mem::take(&mut before) } else { Before::default() };
        let mut walk = Walk::new(&roots.paths, resolution);
        pass_over(&mut walk, &before)?;
        let request = Request { pass, ..request.clone() };
        let measurer = || Measurer::new(settings.reading.reader(), request.clone());
        pipeline::run(&mut walk, before.entries, settings.reading.threads, measurer, |batch| scan.take(&batch))?;
        unprotected_directories = walk.unprotected_directories();
    }

    let access_times = AccessTimes { unprotected_files: scan.unprotected, unprotected_directories };
    let exit_code = scan.totals.exit_code();
    let summary =
        SummaryRecord { totals: scan.totals.clone(), triage: scan.triage.clone(), exit_code, access_times, run };
    scan.write(Record::Summary(Box::new(summary.clone())))?;
    scan.flush()?;
    let head = scan.chain.head().to_owned();
    if let Some(case) = scan.case {
        case.finish(exit_code, &head)?;
    }
    Ok((summary, head))
}

/// A scan that runs.
struct Scan<'i, 's> {
    examiner: Examiner<'i>,
    pool: ThreadPool,
    chain: Chain,
    /// Of the pass that runs.
    totals: Totals,
    /// Of a quick pass before it.
    triage: Option<Totals>,
    /// Files opened without protection of their access times.
    unprotected: u64,
    case: Option<Case>,
    progress: Progress,
    sink: &'s mut dyn Sink,
}

impl Scan<'_, '_> {
    /// Begins the counts of a pass, where it is not the one that runs.
    fn turn_to(&mut self, pass: Pass, passes: &[Pass]) {
        if pass == Pass::Full && passes.len() > 1 && self.triage.is_none() {
            self.triage = Some(std::mem::take(&mut self.totals));
            self.unprotected = 0;
            self.progress.again();
        }
    }

    /// Examines a batch and writes its records.
    fn take(&mut self, batch: &[Measured]) -> Result<()> {
        let mut queries = Vec::new();
        for measured in batch {
            if let Content::Items(items) = &measured.content {
                let of = |item| Query { digest: measured.facts.blake3.as_ref().filter(|_| is_file(item)), item };
                queries.extend(items.iter().map(of));
            }
        }
        let mut examined = self.pool.install(|| self.examiner.examine(&queries))?.into_iter();
        for Measured { facts, content } in batch {
            match content {
                Content::Unopened(outcome, code, message) => {
                    self.item(fate(facts, *outcome, code, message.clone()))?;
                }
                Content::Items(items) => {
                    for (of, examined) in items.iter().zip(&mut examined) {
                        self.item(item(facts, of, &examined))?;
                    }
                }
            }
            self.progress.add(facts.size.unwrap_or(0));
        }
        self.flush()
    }

    fn item(&mut self, record: ItemRecord) -> Result<()> {
        if !record.findings.is_empty() {
            self.progress.found(record.shown_path());
        }
        self.count(&record);
        self.write(Record::Item(Box::new(record)))
    }

    fn count(&mut self, item: &ItemRecord) {
        self.totals.count(item);
        self.unprotected += u64::from(item.access_time_unprotected);
    }

    fn write(&mut self, record: Record) -> Result<()> {
        let (line, json) = self.chain.add(record)?;
        if let Some(case) = &mut self.case {
            case.add(&json)?;
        }
        self.show(&line, &json)
    }

    fn show(&mut self, line: &Line, json: &str) -> Result<()> {
        self.progress.aside(|| self.sink.record(line, json))
    }

    /// The case first: what was seen outlives this process.
    fn flush(&mut self) -> Result<()> {
        if let Some(case) = &mut self.case {
            case.flush()?;
        }
        self.progress.aside(|| self.sink.flush())
    }
}

impl Sink for Output {
    fn record(&mut self, line: &Line, json: &str) -> Result<()> {
        Output::record(self, line, json)
    }

    fn flush(&mut self) -> Result<()> {
        Output::flush(self)
    }
}

fn is_file(item: &minutia::scan::Item) -> bool {
    item.member.is_empty()
}

/// Passes over what has its records.
fn pass_over(walk: &mut Walk, before: &Before) -> Result<()> {
    let mut last = None;
    for _ in 0..before.entries {
        last = walk.pass().map(|entry| entry.path.as_os_str().as_bytes().to_vec());
    }
    if last != before.last_path {
        let name = |path: &Option<Vec<u8>>| path.as_deref().map_or_else(|| "nothing".to_owned(), escape::name);
        bail!(
            "the evidence changed since this case was begun: expected {} as entry {}, found {}. Give the scan a new case",
            name(&before.last_path),
            before.entries,
            name(&last)
        );
    }
    Ok(())
}

fn run_record(
    settings: &Settings,
    index: &Index,
    examiner: &Examiner<'_>,
    request: &Request,
    resolution: Resolution,
) -> Result<RunRecord> {
    let info = index.info()?;
    let judge = examiner.judge();
    let calibration = judge.calibration();
    let allowed = Allowed::default();
    let sound = if info.tracks > 0 { Some(sound_facts(examiner.sound_judge()?)) } else { None };
    let film = if info.films > 0 { Some(film_facts(examiner.film_judge()?)) } else { None };
    Ok(RunRecord {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        build: program_digest()?,
        paths: settings.roots.paths.iter().map(|path| path.to_string_lossy().into_owned()).collect(),
        passes: match settings.passes {
            [Pass::Full] => Vec::new(),
            passes => passes.iter().map(|&pass| pass_name(pass).to_owned()).collect(),
        },
        index: facts(&info),
        algorithm: calibration.algorithm.row().map_or("unknown", |row| row.name).to_owned(),
        calibration: CalibrationFacts {
            data: calibration.data.to_owned(),
            command: calibration.command.to_owned(),
            pairs: calibration.pairs,
        },
        allowed_at_match: allowed.at_match,
        allowed_at_possible: allowed.at_possible,
        match_score: judge.thresholds().match_score,
        possible_score: judge.thresholds().possible_score,
        sound,
        film,
        limits: limit_facts(&request.limits),
        reading: settings.reading.facts_aloud()?,
        resolution: resolution.name().to_owned(),
    })
}

fn pass_name(pass: Pass) -> &'static str {
    match pass {
        Pass::Triage => "triage",
        Pass::Full => "full",
    }
}

/// How sound is judged in this index.
fn sound_facts(judge: &SoundJudge) -> SoundFacts {
    let calibration = judge.calibration();
    let (match_score, possible_score) = judge.thresholds(1);
    SoundFacts {
        calibration: SoundCalibrationFacts {
            data: calibration.data.to_owned(),
            command: calibration.command.to_owned(),
            pairs: calibration.pairs,
        },
        match_score,
        possible_score,
    }
}

/// How films are judged.
fn film_facts(judge: &FilmJudge) -> FilmFacts {
    let calibration = judge.calibration();
    let (match_score, possible_score) = judge.thresholds(0);
    FilmFacts {
        data: calibration.data.to_owned(),
        command: calibration.command.to_owned(),
        pairs: calibration.pairs,
        match_score,
        possible_score,
    }
}

/// BLAKE3 of the program that runs.
fn program_digest() -> Result<String> {
    let path = Path::new("/proc/self/exe");
    let read = || -> std::io::Result<String> {
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(File::open(path)?)?;
        Ok(hasher.finalize().to_hex().to_string())
    };
    read().with_context(|| format!("{}: reading the program, whose digest is part of every run", shown(path)))
}
