//! Records of `minutia search`: one line a query, and a summary as the last. `docs/LISTS.md` documents every field.

use minutia::index::{Reference, Work};
use serde::{Deserialize, Serialize};

use crate::convert::{algorithm_name, hex, part};
use crate::escape;
use crate::format::described;
use crate::many::many;
use crate::record::{FindingRecord, IndexFacts, Part, is_zero};

/// The schema's name and version.
pub const LOOKUP_SCHEMA: &str = "minutia/search/0";

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LookupLine {
    /// [`LOOKUP_SCHEMA`].
    pub schema: String,
    /// The record itself, named by the field `record`.
    #[serde(flatten)]
    pub record: LookupRecord,
}

/// What a line is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum LookupRecord {
    /// One hash of a list, and what is near it.
    Query {
        /// The hash.
        query: QueryFacts,
        /// The nearest reference of each registered file that has one within the radius; the nearest first, then by work,
        /// file and place in it.
        hits: Vec<HitRecord>,
    },
    /// One film of a list, and what it shares with the films of the index.
    Film {
        /// The film.
        query: FilmQueryFacts,
        /// Each stretch that runs along one of a registered film, as a scan records it, the surest first.
        findings: Vec<FindingRecord>,
    },
    /// The last line.
    Summary(LookupSummary),
}

/// A hash that was looked up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryFacts {
    /// The list's id.
    pub id: String,
    /// The code, hexadecimal.
    pub hash: String,
    /// Whose code it is.
    pub algorithm: String,
    /// The list, as it was named.
    pub list: String,
    /// The line that it stands on, from 1.
    pub line: u64,
}

/// A film whose frames were looked up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilmQueryFacts {
    /// The list's id.
    pub id: String,
    /// The film's name in the list, else the id.
    pub file: String,
    /// Frames that the list has of it.
    pub frames: u64,
    /// Its length in milliseconds, as far as its frames tell.
    pub duration_ms: u64,
    /// Whose hashes they are: `vpdq`.
    pub algorithm: String,
    /// The list, as it was named.
    pub list: String,
    /// The line that its first frame stands on, from 1.
    pub line: u64,
}

/// A reference near a hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HitRecord {
    /// The work's id.
    pub work: String,
    /// Its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Who holds the rights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// What a match on it means: `infringing`, `licensed`, `ignore`.
    pub policy: String,
    /// The file's name when it was registered; of a list without names the hash.
    pub file: String,
    /// BLAKE3 of that file, hexadecimal.
    pub blake3: Option<String>,
    /// Bits that differ; of the negative, where `inverted`.
    pub distance_bits: u32,
    /// The query's complement is near: one picture is the other's negative.
    pub inverted: bool,
    /// Whose code the reference has.
    pub algorithm: String,
    /// The part of the reference's picture.
    pub part: Part,
}

/// What came of all lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookupSummary {
    /// Hashes looked up.
    pub queries: u64,
    /// Those with hits.
    pub queries_with_hits: u64,
    /// Those, films among them, with a hit or a match on a work whose policy is `infringing`.
    pub infringing_queries: u64,
    /// Films looked up; absent where there was none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub films: u64,
    /// Those with findings; absent where there was none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub films_with_findings: u64,
    /// Hits.
    pub hits: u64,
    /// Lines that could not be read.
    pub wrong_lines: u64,
    /// What is no hash of a picture that can be compared with the index, such as texts and digests of files.
    pub left_out: u64,
    /// Bits that were allowed to differ.
    pub radius: u32,
    /// Whether negatives were looked for.
    pub complement: bool,
    /// The exit code of the command.
    pub exit_code: u8,
    /// The index.
    pub index: Option<IndexFacts>,
}

impl LookupLine {
    /// A record as a line.
    pub fn new(record: LookupRecord) -> LookupLine {
        LookupLine { schema: LOOKUP_SCHEMA.to_owned(), record }
    }
}

impl QueryFacts {
    /// A hash of a list.
    pub fn of(hash: &crate::lists::Hash, list: &str) -> QueryFacts {
        QueryFacts {
            id: hash.work.id.as_str().to_owned(),
            hash: hash.digits(),
            algorithm: algorithm_name(hash.algorithm),
            list: list.to_owned(),
            line: hash.line,
        }
    }
}

impl FilmQueryFacts {
    /// For a terminal: a line of what was found.
    pub fn shown(&self, finding: &FindingRecord) -> String {
        let title = finding.title.as_deref().map_or_else(String::new, |title| format!(" ({})", escape::text(title)));
        format!(
            "{:<8} {} line {}: {}  ->  {}{title}, {}: {}",
            finding.level,
            escape::text(&self.list),
            self.line,
            escape::text(&self.id),
            escape::text(&finding.work),
            escape::text(&finding.policy),
            described(finding),
        )
    }
}

impl HitRecord {
    /// A reference at this distance.
    pub fn of(reference: &Reference, work: &Work, distance_bits: u32, inverted: bool) -> HitRecord {
        HitRecord {
            work: work.id.as_str().to_owned(),
            title: work.title.clone(),
            holder: work.holder.clone(),
            policy: work.policy.name().to_owned(),
            file: reference.source_name.clone(),
            blake3: reference.source_digest.map(|digest| hex(&digest)),
            distance_bits,
            inverted,
            algorithm: algorithm_name(reference.algorithm),
            part: part(reference.region, reference.frame, reference.quality),
        }
    }

    /// For a terminal: one line.
    pub fn shown(&self, query: &QueryFacts) -> String {
        let title = self.title.as_deref().map_or_else(String::new, |title| format!(" ({})", escape::text(title)));
        format!(
            "{:>3} bits{}  {} line {}: {}  ->  {}{title}, {}, {}",
            self.distance_bits,
            if self.inverted { ", negative" } else { "" },
            escape::text(&query.list),
            query.line,
            escape::text(&query.id),
            escape::text(&self.work),
            self.policy,
            escape::text(&self.file),
        )
    }
}

impl LookupSummary {
    /// For a terminal: one line.
    pub fn shown(&self) -> String {
        let LookupSummary {
            queries,
            queries_with_hits,
            films,
            films_with_findings,
            infringing_queries,
            hits,
            wrong_lines,
            left_out,
            radius,
            ..
        } = self;
        let films = match films {
            0 => String::new(),
            _ => format!("; {} looked up: {films_with_findings} with findings", many(*films, "film")),
        };
        format!(
            "{} looked up within {radius} bits: {queries_with_hits} with hits ({hits}), {infringing_queries} on works whose \
             policy is infringing{films}; {}, {left_out} left out",
            many(*queries, "hash"),
            many(*wrong_lines, "wrong line")
        )
    }
}
