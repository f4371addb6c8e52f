//! The records' shape: what stands in each line, apart from the types of the library, so that those may change while the
//! schema does not. `docs/REPORT.md` documents every field. Here are the lines and the summary; [`item`] is one item,
//! [`finding`] one copy, [`run`] what they depend on.

mod finding;
mod item;
mod run;

use std::collections::BTreeMap;

use minutia::verdict::Outcome;
use serde::{Deserialize, Serialize};

pub use finding::{FilmPart, FindingRecord, Part, SoundPart};
pub use item::{Coverage, FilmCoverage, ItemRecord, ProblemRecord, SoundCoverage, TrackRecord};
pub(crate) use run::is_zero;
pub use run::{
    CalibrationFacts, ConfinementFacts, FilmFacts, IndexFacts, LimitFacts, ProcessFacts, ProgramFacts, Reading,
    RunRecord, SoundCalibrationFacts, SoundFacts, WorkerFacts,
};

/// The schema's name and version.
pub const SCHEMA: &str = "minutia/record/0";

/// The schema that a line names; only [`SCHEMA`] is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub struct Schema;

/// One line of a records file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The schema.
    pub schema: Schema,
    /// The record itself, named by the field `record`.
    #[serde(flatten)]
    pub record: Record,
    /// BLAKE3 of the line before (without its line feed), of the run's settings for the first; hexadecimal.
    pub previous: String,
}

/// What a line is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// One item.
    Item(Box<ItemRecord>),
    /// The whole run: the last line.
    Summary(Box<SummaryRecord>),
}

/// The last line: the whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SummaryRecord {
    /// What was counted.
    #[serde(flatten)]
    pub totals: Totals,
    /// The same of a quick pass before; absent where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub triage: Option<Totals>,
    /// What the exit code of the command is.
    pub exit_code: u8,
    /// Whether access times were protected.
    pub access_times: AccessTimes,
    /// The run's settings: everything that the records depend on beside the evidence.
    pub run: RunRecord,
}

/// Counts over all items.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Items.
    pub items: u64,
    /// Items by outcome; they sum to `items`.
    pub outcomes: BTreeMap<String, u64>,
    /// Bytes of all files that were opened.
    pub bytes: u64,
    /// Findings at the level `match`.
    pub matches: u64,
    /// Findings at the level `possible`.
    pub possibles: u64,
    /// Items with a `match` on a work whose policy is `infringing`.
    pub infringing_items: u64,
}

/// How evidence was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTimes {
    /// Files that had to be opened without `O_NOATIME`.
    pub unprotected_files: u64,
    /// Directories that had to be opened without it.
    pub unprotected_directories: u64,
}

impl From<Schema> for &'static str {
    fn from(_: Schema) -> &'static str {
        SCHEMA
    }
}

impl TryFrom<String> for Schema {
    type Error = String;

    fn try_from(found: String) -> Result<Schema, String> {
        if found == SCHEMA { Ok(Schema) } else { Err(format!("expected the schema {SCHEMA}, found {found}")) }
    }
}

impl Line {
    /// Reads a line back.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(line: &str) -> Result<Line, serde_json::Error> {
        serde_json::from_str(line)
    }
}

impl Totals {
    /// Counts one more item.
    pub fn count(&mut self, item: &ItemRecord) {
        self.items += 1;
        *self.outcomes.entry(item.outcome.clone()).or_default() += 1;
        self.bytes = self.bytes.saturating_add(item.size.unwrap_or(0));
        let matches = item.findings.iter().filter(|finding| finding.level == "match");
        let (mut matched, mut infringing) = (0, false);
        for finding in matches {
            matched += 1;
            infringing |= finding.policy == "infringing";
        }
        self.matches += matched;
        self.possibles += item.findings.len() as u64 - matched;
        self.infringing_items += u64::from(infringing);
    }

    /// How many items had this outcome.
    pub fn of(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(outcome.name()).copied().unwrap_or(0)
    }

    /// What the exit code of the command is: 2 where something was unreadable, failed or damaged, else 1 where a copy of a
    /// work with the policy `infringing` was found, else 0.
    pub fn exit_code(&self) -> u8 {
        let unexamined = [Outcome::Unreadable, Outcome::Failed, Outcome::Damaged];
        match (unexamined.into_iter().any(|outcome| self.of(outcome) > 0), self.infringing_items > 0) {
            (true, _) => 2,
            (false, true) => 1,
            (false, false) => 0,
        }
    }
}
