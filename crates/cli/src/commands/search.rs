//! `minutia search`: hash lists against an index, without any media.

mod films;

use std::collections::BTreeMap;
use std::io::{BufWriter, Stdout, Write, stdout};

use anyhow::{Result, bail};
use minutia::fingerprint::{AlgorithmId, Code};
use minutia::index::{Index, Policy, Reference, Work};
use minutia::search::{Hit, QueryGroup, Settings, Within, search};
use minutia_report::lists::{Hash, ListedFilm, Wrong};
use minutia_report::{HitRecord, LookupLine, LookupRecord, LookupSummary, QueryFacts, escape};

use crate::args::Search;
use crate::exit::Exit;
use crate::hash_lists::{Listed, Lists};
use crate::indexes::{facts, open, open_in_memory, sound};
use crate::settings::{search_settings, shown};

/// Hashes in a batch: they share each pass over the index.
const LARGEST_BATCH: usize = 1024;
/// Hits of a batch that are expected at most where many references share a code; they are held at once.
const MOST_SHARED: usize = 1 << 22;

/// Looks up as typed.
pub(crate) fn run(args: &Search) -> Result<Exit> {
    Lists::check(&args.lists)?;
    let settings = search_settings()?;
    let index = if args.in_memory { open_in_memory(&args.index) } else { open(&args.index) }?;
    sound(&index)?;
    let info = index.info()?;
    let mut lists = Lists::of(args.listing.algorithm.as_deref(), index.algorithm())?;
    let bits = index.algorithm().and_then(AlgorithmId::row).map_or(Code::BITS, |row| row.bits);
    let radius = radius(args.radius, bits)?;
    // Bits that the algorithm does not have are zero in both, and differ from a complement.
    let unused = Code::BITS - bits;
    let cluster = usize::try_from(info.largest_cluster).unwrap_or(usize::MAX).max(1);
    let mut looking = Looking {
        index: &index,
        settings,
        within: Within { near: radius, complement: args.complement.then_some(radius + unused) },
        unused,
        most: (MOST_SHARED / cluster).clamp(1, LARGEST_BATCH),
        // The first answers are there at once.
        size: 1,
        batch: Vec::new(),
        json: args.json,
        out: BufWriter::new(stdout()),
        summary: LookupSummary { radius, complement: args.complement, ..LookupSummary::default() },
        films: films::Looking::new(&index, settings),
        wrong_films: Vec::new(),
    };
    for path in &args.lists {
        let list = shown(path);
        lists.read(path, |listed| match listed {
            Listed::Hash(hash) => looking.take(hash.clone(), &list),
            Listed::Film(film) => looking.take_film(film.clone(), &list),
            Listed::Work(_) => Ok(()),
        })?;
        looking.close_film(&list)?;
        looking.wrong_films.drain(..).for_each(|wrong| lists.wrong(&list, &wrong));
    }
    looking.answer()?;
    lists.finish();
    let mut summary = looking.summary;
    summary.wrong_lines = lists.wrong;
    summary.left_out = lists.left_out();
    let exit = match (lists.wrong, summary.infringing_queries) {
        (1.., _) => Exit::Unexamined,
        (0, 1..) => Exit::Found,
        (0, 0) => Exit::Nothing,
    };
    summary.exit_code = exit.code();
    summary.index = Some(facts(&info));
    if args.json {
        let line = LookupLine::new(LookupRecord::Summary(summary.clone()));
        writeln!(looking.out, "{}", escape::json(&line)?)?;
    }
    looking.out.flush()?;
    anstream::eprintln!("{}", summary.shown());
    Ok(exit)
}

/// The radius that was asked for, or PDQ's customary one.
fn radius(asked: Option<u32>, bits: u32) -> Result<u32> {
    let most = bits * 100 / 256;
    match asked {
        Some(radius) if radius <= most => Ok(radius),
        Some(radius) => {
            bail!("--radius: expected at most {most} of {bits} bits, found {radius}: most unrelated hashes are as near")
        }
        None if bits == Code::BITS => Ok(31),
        None => {
            bail!("--radius: expected a number up to {most}: there is none that is customary for hashes of {bits} bits")
        }
    }
}

/// A registered file: its work, its name, its digest.
type File = (String, String, Option<[u8; 32]>);

struct Looking<'i> {
    index: &'i Index,
    settings: Settings,
    within: Within,
    /// Bits of a code that its algorithm does not have.
    unused: u32,
    /// Hashes in a batch at most, and in the next.
    most: usize,
    size: usize,
    batch: Vec<(Hash, QueryFacts)>,
    json: bool,
    out: BufWriter<Stdout>,
    summary: LookupSummary,
    films: films::Looking<'i>,
    /// Told after the list, which is borrowed.
    wrong_films: Vec<Wrong>,
}

impl Looking<'_> {
    fn take(&mut self, hash: Hash, list: &str) -> Result<()> {
        let query = QueryFacts::of(&hash, list);
        self.batch.push((hash, query));
        if self.batch.len() >= self.size { self.answer() } else { Ok(()) }
    }

    /// Takes frames of a film, and answers for the film before, where it is complete.
    fn take_film(&mut self, film: ListedFilm, list: &str) -> Result<()> {
        let answer = self.films.take(film, list)?;
        self.write_film(answer)
    }

    fn close_film(&mut self, list: &str) -> Result<()> {
        let answer = self.films.finish(list)?;
        self.write_film(answer)
    }

    fn write_film(&mut self, answer: Option<films::Answer>) -> Result<()> {
        let Some(films::Answer { query, findings, infringing, wrong }) = answer else { return Ok(()) };
        // What the list had before it is answered before it.
        if !self.batch.is_empty() {
            self.answer()?;
        }
        self.wrong_films.extend(wrong);
        let summary = &mut self.summary;
        summary.films += 1;
        summary.films_with_findings += u64::from(!findings.is_empty());
        summary.infringing_queries += u64::from(infringing);
        if self.json {
            let line = LookupLine::new(LookupRecord::Film { query, findings });
            writeln!(self.out, "{}", escape::json(&line)?)?;
        } else {
            for finding in &findings {
                writeln!(self.out, "{}", query.shown(finding))?;
            }
        }
        self.out.flush()?;
        Ok(())
    }

    /// Looks up what was taken, and writes the answers in its order.
    fn answer(&mut self) -> Result<()> {
        self.size = (2 * self.size).min(self.most);
        let batch = std::mem::take(&mut self.batch);
        let codes: Vec<Code> = batch.iter().map(|(hash, _)| hash.code).collect();
        let groups: Vec<QueryGroup<'_>> = codes.chunks(1).map(|views| QueryGroup { views }).collect();
        let found = search(&groups, self.index, self.within, &self.settings)?;
        let mut rest = &found[..];
        for (number, (_, query)) in batch.into_iter().enumerate() {
            let (hits, after) = rest.split_at(rest.partition_point(|hit| hit.query as usize <= number));
            rest = after;
            let hits = self.hits(hits)?;
            self.write(query, hits)?;
        }
        self.out.flush()?;
        Ok(())
    }

    /// The nearest reference of each file, in an order that does not depend on how the index grew.
    fn hits(&self, hits: &[Hit]) -> Result<Vec<HitRecord>> {
        let mut nearest: BTreeMap<File, (Reference, Hit)> = BTreeMap::new();
        for &hit in hits {
            let reference = self.index.reference(hit.reference)?;
            let file = (reference.work.as_str().to_owned(), reference.source_name.clone(), reference.source_digest);
            let rank = |reference: &Reference, hit: &Hit| {
                (hit.distance, hit.complement, reference.frame, reference.region, reference.quality, reference.code)
            };
            let is_nearer = |(other, of): &(Reference, Hit)| rank(&reference, &hit) < rank(other, of);
            if nearest.get(&file).is_none_or(is_nearer) {
                nearest.insert(file, (reference, hit));
            }
        }
        let mut records = Vec::with_capacity(nearest.len());
        for (reference, hit) in nearest.into_values() {
            let work = self.index.work(&reference.work)?.unwrap_or_else(|| Work::new(reference.work.clone()));
            let unused = if hit.complement { self.unused } else { 0 };
            let distance = u32::from(hit.distance).saturating_sub(unused);
            records.push(HitRecord::of(&reference, &work, distance, hit.complement));
        }
        // Stable: by work and file where the distance is the same.
        records.sort_by_key(|record| record.distance_bits);
        Ok(records)
    }

    fn write(&mut self, query: QueryFacts, hits: Vec<HitRecord>) -> Result<()> {
        let summary = &mut self.summary;
        summary.queries += 1;
        summary.queries_with_hits += u64::from(!hits.is_empty());
        summary.hits += hits.len() as u64;
        let infringing = hits.iter().any(|hit| hit.policy == Policy::Infringing.name());
        summary.infringing_queries += u64::from(infringing);
        if self.json {
            let line = LookupLine::new(LookupRecord::Query { query, hits });
            writeln!(self.out, "{}", escape::json(&line)?)?;
        } else {
            for hit in &hits {
                writeln!(self.out, "{}", hit.shown(&query))?;
            }
        }
        Ok(())
    }
}
