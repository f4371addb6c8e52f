//! A case: a directory that keeps a scan's records, and lets a scan that was stopped go on where it was.
//!
//! `records.jsonl` grows by whole lines, so that after a stop at any moment at most its last line is cut short. `run.json`
//! holds what the records depend on, which must be the same when the scan goes on, and what they do not depend on: when
//! the command ran, with which arguments. That is why the records are the same bytes whether a scan was stopped or not.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use minutia::scan::Pass;
use minutia_report::{Chain, ItemRecord, Line, Record, RunRecord, escape, rfc3339};
use serde_json::{Value, json};

use crate::settings::shown;

const RECORDS: &str = "records.jsonl";
const RUN: &str = "run.json";
/// The schema of `run.json`.
const SCHEMA: &str = "minutia/run/0";

/// A case that is being written.
pub(crate) struct Case {
    directory: PathBuf,
    records: BufWriter<File>,
    run: Value,
}

/// What an earlier run left.
#[derive(Debug, Default)]
pub(crate) struct Before {
    /// The last pass that was begun; the one before it is done. `None` where no record is kept.
    pub(crate) pass: Option<Pass>,
    /// Entries of its walk that have their records.
    pub(crate) entries: u64,
    /// The path of the last of them.
    pub(crate) last_path: Option<Vec<u8>>,
}

impl Case {
    /// Opens the case in `directory` for a run with these settings, or makes it. The records that are kept are given to
    /// `follow` in their order.
    ///
    /// # Errors
    /// Another run's case, with what differs; records that were changed; a directory of something else; a case that is
    /// being written by another process.
    pub(crate) fn open(
        directory: &Path,
        run: &RunRecord,
        chain: &mut Chain,
        mut follow: impl FnMut(&Line, &str) -> Result<()>,
    ) -> Result<(Case, Before)> {
        let path = directory.join(RECORDS);
        let mut state = match fs::read(directory.join(RUN)) {
            Ok(bytes) => same_run(directory, &bytes, run)?,
            Err(_) => {
                let others = fs::read_dir(directory).is_ok_and(|mut entries| {
                    entries.any(|entry| entry.is_ok_and(|entry| entry.file_name() != RECORDS))
                });
                if others {
                    bail!(
                        "{}: expected a case or an empty directory, found a directory of other files; choose another",
                        shown(directory)
                    );
                }
                fs::create_dir_all(directory).with_context(|| format!("{}: making the directory", shown(directory)))?;
                json!({ "schema": SCHEMA, "run": run, "sessions": [] })
            }
        };
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut records = opened.with_context(|| format!("{}: opening", shown(&path)))?;
        if records.try_lock().is_err() {
            bail!("{}: another scan writes this case; wait until it has ended", shown(directory));
        }
        let kept = keep(&path, &mut records, chain.clone())?;
        for line in lines(&mut records, kept.bytes)? {
            let json = text(line?).with_context(|| format!("{}: reading", shown(&path)))?;
            let line = chain.follow(&json).with_context(|| format!("{}: following", shown(&path)))?;
            follow(&line, &json)?;
        }
        records.set_len(kept.bytes)?;
        records.seek(SeekFrom::Start(kept.bytes))?;
        let session = json!({
            "started": now(),
            "arguments": std::env::args_os().map(|argument| escape::name(argument.as_bytes())).collect::<Vec<_>>(),
            "entries_before": kept.before.entries,
        });
        if let Some(sessions) = state["sessions"].as_array_mut() {
            sessions.push(session);
        }
        let case = Case { directory: directory.to_owned(), records: BufWriter::new(records), run: state };
        case.write_run()?;
        Ok((case, kept.before))
    }

    /// Adds a line.
    pub(crate) fn add(&mut self, json: &str) -> Result<()> {
        let added = self.records.write_all(json.as_bytes()).and_then(|()| self.records.write_all(b"\n"));
        added.with_context(|| format!("{}: writing", shown(&self.directory.join(RECORDS))))
    }

    /// Hands what was added so far to the system: from now on it outlives this process.
    pub(crate) fn flush(&mut self) -> Result<()> {
        self.records.flush().with_context(|| format!("{}: writing", shown(&self.directory.join(RECORDS))))
    }

    /// Ends the session: everything is on the disk.
    pub(crate) fn finish(mut self, exit_code: u8, head: &str) -> Result<()> {
        self.flush()?;
        self.records.get_ref().sync_all().with_context(|| format!("{}: syncing", shown(&self.directory)))?;
        if let Some(session) = self.run["sessions"].as_array_mut().and_then(|sessions| sessions.last_mut()) {
            session["ended"] = json!(now());
            session["exit_code"] = json!(exit_code);
            session["head"] = json!(head);
        }
        self.write_run()
    }

    /// Replaces `run.json` in one step.
    fn write_run(&self) -> Result<()> {
        let (path, aside) = (self.directory.join(RUN), self.directory.join("run.json.aside"));
        let write = || -> std::io::Result<()> {
            let mut file = File::create(&aside)?;
            file.write_all(serde_json::to_string_pretty(&self.run)?.as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            fs::rename(&aside, &path)?;
            File::open(&self.directory)?.sync_all()
        };
        write().with_context(|| format!("{}: writing", shown(&path)))
    }
}

/// The case's `run.json`, if it is of a run with these settings.
fn same_run(directory: &Path, bytes: &[u8], run: &RunRecord) -> Result<Value> {
    let path = shown(&directory.join(RUN));
    let mut state: Value =
        serde_json::from_slice(bytes).with_context(|| format!("{path}: expected the file of a case"))?;
    if state["schema"] != SCHEMA {
        bail!("{path}: expected the schema {SCHEMA}, found {}; use the build that wrote it", state["schema"]);
    }
    let mut differences = Vec::new();
    let ours = serde_json::to_value(run)?;
    // Both sides went through text, so that a number is compared as it is written.
    differ("", &state["run"], &serde_json::from_str(&ours.to_string())?, &mut differences);
    if !differences.is_empty() {
        bail!(
            "{}: this case was begun by another run; it can only go on with the same settings, index and build, and these \
             differ:\n{}\nGive the scan a new case, or run it as it was",
            shown(directory),
            differences.join("\n")
        );
    }
    state["run"] = ours;
    Ok(state)
}

/// The pass that a record is of.
pub(crate) fn pass_of(item: &ItemRecord) -> Pass {
    if item.pass.is_some() { Pass::Triage } else { Pass::Full }
}

/// Lists what differs, by name.
fn differ(name: &str, case: &Value, run: &Value, differences: &mut Vec<String>) {
    match (case, run) {
        (Value::Object(case), Value::Object(run)) => {
            let names: std::collections::BTreeSet<&String> = case.keys().chain(run.keys()).collect();
            for key in names {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                let of = |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or(Value::Null);
                differ(&name, &of(case), &of(run), differences);
            }
        }
        _ if case == run => {}
        _ => differences.push(format!("  {name}: the case has {case}, this run {run}")),
    }
}

/// What of a records file is kept.
struct Kept {
    before: Before,
    bytes: u64,
}

/// How much of the records stands: whole lines, and of an unfinished scan all but those of the last file, which may have
/// brought more.
fn keep(path: &Path, records: &mut File, mut chain: Chain) -> Result<Kept> {
    let mut kept = Kept { before: Before::default(), bytes: 0 };
    let mut group: Option<(Pass, Vec<u8>)> = None;
    let mut position = 0;
    let all = records.metadata()?.len();
    for (number, line) in lines(records, all)?.enumerate() {
        let line = line.with_context(|| format!("{}: reading", shown(path)))?;
        let whole = position + line.len() as u64 + 1;
        if whole > all {
            // Cut short: the line feed is missing.
            break;
        }
        let followed = text(line).and_then(|json| Ok(chain.follow(&json)?));
        let line = followed.with_context(|| {
            format!("{}: line {}: expected a record of this run; give the scan a new case", shown(path), number + 1)
        })?;
        let of_line = match line.record {
            Record::Item(item) => Some((pass_of(&item), item.path_as_bytes())),
            Record::Summary(_) => None,
        };
        if group != of_line
            && let Some((pass, path)) = group.take()
        {
            let of_pass = if kept.before.pass == Some(pass) { kept.before.entries } else { 0 };
            kept.before = Before { pass: Some(pass), entries: of_pass + 1, last_path: Some(path) };
            kept.bytes = position;
        }
        position = whole;
        if of_line.is_none() {
            // The summary: nothing comes after it.
            kept.bytes = position;
            break;
        }
        group = of_line;
    }
    Ok(kept)
}

/// The lines in the first `bytes` of a file.
fn lines(file: &mut File, bytes: u64) -> Result<impl Iterator<Item = std::io::Result<Vec<u8>>>> {
    file.seek(SeekFrom::Start(0))?;
    Ok(BufReader::new(file.take(bytes)).split(b'\n'))
}

fn text(line: Vec<u8>) -> Result<String> {
    Ok(String::from_utf8(line)?)
}

/// The time of day, which no record carries.
fn now() -> String {
    match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => rfc3339(i64::try_from(since.as_secs()).unwrap_or(i64::MAX), 0),
        Err(before) => rfc3339(-i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX), 0),
    }
}
