//! Our side of `benches/record/beside_faiss.py`: makes codes, builds and opens indexes and searches them, as lines on standard
//! input ask, and answers each with one line of JSON. Times are of this process's own processor time and of the wall.
//!
//! ```text
//! make uniform|near|zipf SEED COUNT FILE [FROM MOST | CLUSTERS]
//! codes FOLDER FILE                   every view that an index keeps of every picture below a folder
//! build CODES INDEX VIEWS             pictures of so many views each; one commit
//! grow CODES INDEX VIEWS              adds to it
//! open INDEX mapped|memory
//! verify | info
//! search QUERIES COUNT GROUP NEAR FAR|- planned|brute|lookup|join portable|avx2|avx512 THREADS    all groups in one call
//! single …                            the same, one call for each group
//! ```

#![allow(clippy::print_stdout, reason = "its answers go there")]

use std::error::Error;
use std::fs;
use std::io::{self, BufRead, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use minutia::fingerprint::{Code, Dihedral, Fingerprint, ImageFingerprint, Region, RegionKind, View};
use minutia::index::{Access, Entry, Index, Rules, Work, WorkId, Writer};
use minutia::media::{Orientation, Source};
use minutia::scan::{InProcess, Reader, Request};
use minutia::search::{QueryGroup, Settings, Strategy, Within, search};
use minutia_benches::codes::{near, uniform, zipf};
use minutia_machine::Level;
use rustix::time::{ClockId, clock_gettime};

type Answer = Result<String, Box<dyn Error>>;

fn main() -> Result<(), Box<dyn Error>> {
    let mut index = None;
    for line in io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let answer =
            answer(&words, &mut index).unwrap_or_else(|error| format!("{{\"error\": {:?}}}", error.to_string()));
        println!("{answer}");
        io::stdout().flush()?;
    }
    Ok(())
}

fn answer(words: &[&str], index: &mut Option<Index>) -> Answer {
    let opened = || index.as_ref().ok_or("no index is open");
    match *words {
        ["make", kind, seed, count, file, ref more @ ..] => make(kind, seed.parse()?, count.parse()?, file, more),
        ["codes", folder, file] => codes_of_pictures(folder, file),
        ["build", codes, path, views] => build(codes, path, views.parse()?, true),
        ["grow", codes, path, views] => build(codes, path, views.parse()?, false),
        ["open", path, access] => {
            let access = if access == "mapped" { Access::Mapped } else { Access::InMemory };
            *index = None;
            let (opened, used) = timed(|| Index::open(Path::new(path), access));
            let opened = opened?;
            let pictures = opened.pictures();
            *index = Some(opened);
            Ok(format!("{{\"pictures\": {pictures}, {used}}}"))
        }
        ["verify"] => {
            let (damages, used) = timed(|| opened().map(Index::verify));
            Ok(format!("{{\"damages\": {}, {used}}}", damages?.len()))
        }
        ["info"] => {
            let info = opened()?.info()?;
            Ok(format!(
                "{{\"references\": {}, \"codes\": {}, \"segments\": {}, \"bytes\": {}, \"largest_cluster\": {}}}",
                info.references, info.codes, info.segments, info.bytes, info.largest_cluster
            ))
        }
        [how @ ("search" | "single"), queries, count, group, near, far, strategy, level, threads] => {
            let mut queries = read(queries)?;
            queries.truncate(count.parse()?);
            let groups: Vec<QueryGroup<'_>> =
                queries.chunks(group.parse()?).map(|views| QueryGroup { views }).collect();
            let within = Within { near: near.parse()?, complement: (far != "-").then(|| far.parse()).transpose()? };
            let strategy = match strategy {
                "planned" => Strategy::Planned,
                "brute" => Strategy::Brute,
                "lookup" => Strategy::Lookup,
                "join" => Strategy::Join,
                other => return Err(format!("no strategy {other}").into()),
            };
            let level = Level::named(level).ok_or("no such level here")?;
            let settings = Settings { level, strategy };
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.parse()?).build()?;
            let at_once = if how == "single" { 1 } else { groups.len().max(1) };
            let index = opened()?;
            let all = || -> Result<usize, minutia::index::IndexError> {
                let calls = groups.chunks(at_once);
                calls.map(|groups| Ok(search(groups, index, within, &settings)?.len())).sum()
            };
            let (hits, used) = timed(|| pool.install(all));
            Ok(format!("{{\"queries\": {}, \"hits\": {}, {used}}}", queries.len(), hits?))
        }
        _ => Err(format!("not understood: {words:?}").into()),
    }
}

/// What `work` gives, and the processor and wall seconds it took, as members of a JSON object.
fn timed<T>(work: impl FnOnce() -> T) -> (T, String) {
    let cpu = || {
        let now = clock_gettime(ClockId::ProcessCPUTime);
        Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
    };
    let (wall, before) = (Instant::now(), cpu());
    let value = work();
    let (cpu, wall) = (cpu() - before, wall.elapsed());
    (value, format!("\"cpu_s\": {:.7}, \"wall_s\": {:.7}", cpu.as_secs_f64(), wall.as_secs_f64()))
}

fn read(file: &str) -> Result<Vec<Code>, Box<dyn Error>> {
    Ok(fs::read(file)?.as_chunks::<32>().0.iter().map(|bytes| Code(*bytes)).collect())
}

fn write(file: &str, codes: &[Code]) -> Answer {
    fs::write(file, codes.iter().flat_map(|code| code.0).collect::<Vec<u8>>())?;
    Ok(format!("{{\"codes\": {}}}", codes.len()))
}

fn make(kind: &str, seed: u64, count: usize, file: &str, more: &[&str]) -> Answer {
    let codes = match (kind, more) {
        ("uniform", []) => uniform(seed, count),
        ("near", [from, most]) => near(seed, count, &read(from)?, most.parse()?),
        ("zipf", [clusters]) => zipf(seed, count, clusters.parse()?),
        _ => return Err(format!("no corpus {kind} {more:?}").into()),
    };
    write(file, &codes)
}

fn codes_of_pictures(folder: &str, file: &str) -> Answer {
    let (mut codes, mut pictures, mut folders) = (Vec::new(), 0, vec![Path::new(folder).to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)?.flatten() {
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                let Ok(file) = fs::File::open(entry.path()) else { continue };
                let Ok(source) = Source::from_file(file) else { continue };
                let _ = InProcess.read(&source, &Request::reference(), &mut |item| {
                    for image in item.fingerprints.iter().filter_map(Fingerprint::image) {
                        pictures += 1;
                        codes.extend(image.views.iter().filter(|view| view.quality >= 50).map(|view| view.code));
                    }
                });
            }
        }
    }
    codes.sort_unstable();
    codes.dedup();
    write(file, &codes)?;
    Ok(format!("{{\"pictures\": {pictures}, \"codes\": {}}}", codes.len()))
}

fn build(codes: &str, path: &str, views: usize, fresh: bool) -> Answer {
    let codes = read(codes)?;
    if fresh && Path::new(path).exists() {
        fs::remove_dir_all(path)?;
    }
    let region = Region { kind: RegionKind::Whole, left: 0, top: 0, right: 10_000, bottom: 10_000 };
    let name = if fresh { "work" } else { "more" };
    let entries: Vec<Entry> = codes
        .chunks(views)
        .enumerate()
        .map(|(place, codes)| {
            let view = |(place, &code): (usize, &Code)| {
                let region = Region { left: place as u16, ..region };
                View { region, turn: Dihedral::Identity, code, quality: 100, plain_rim: 0 }
            };
            let views = codes.iter().enumerate().map(view).collect();
            let (width, height, orientation) = (640, 480, Orientation::Upright);
            let image = ImageFingerprint { frame: 0, time_ms: 0, width, height, orientation, views };
            let id = WorkId::new(format!("{name}-{place:08}"));
            Entry {
                work: Work::new(id.expect("letters and digits are an id")),
                source_name: format!("{name}/{place:08}.jpg"),
                source_digest: Some(std::array::from_fn(|at| {
                    (place >> (8 * (at % 8))) as u8 ^ name.as_bytes()[at % 4]
                })),
                fingerprints: vec![Fingerprint::Image(image)],
                thumbnail: None,
            }
        })
        .collect();
    let (done, all) = timed(|| -> Result<_, Box<dyn Error>> {
        let mut writer = Writer::open_with(Path::new(path), Rules::default())?;
        let (added, adding) = timed(|| entries.into_iter().try_for_each(|entry| writer.add(entry)));
        added?;
        let (commit, committing) = timed(|| writer.commit());
        Ok((commit?, adding, committing))
    });
    let (commit, adding, committing) = done?;
    Ok(format!(
        "{{\"references\": {}, \"segments\": {}, {all}, \"adding\": {{{adding}}}, \"committing\": {{{committing}}}}}",
        commit.references, commit.segments
    ))
}
