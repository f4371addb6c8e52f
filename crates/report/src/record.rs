//! The records' shape: what stands in each line, apart from the types of the library, so that those may change while the
//! schema does not. `docs/REPORT.md` documents every field.

use std::collections::BTreeMap;

use minutia::verdict::Outcome;
use serde::{Deserialize, Serialize};

use crate::escape;

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

/// What became of one item.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ItemRecord {
    /// The path as it was given and walked; bytes that are no UTF-8 stand as U+FFFD.
    pub path: String,
    /// The path's bytes in hexadecimal, where they are no UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_bytes: Option<String>,
    /// The names of the members on the way down, for an item inside a container.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub member: Vec<String>,
    /// What came of it: one of the names of [`minutia::verdict::Outcome`].
    pub outcome: String,
    /// The batch of files, numbered from 1 along the walk, to which the workers that read it were kept; absent where no
    /// worker did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<u64>,
    /// Length of the file in bytes; `null` where it was not opened.
    pub size: Option<u64>,
    /// BLAKE3 of the file, hexadecimal; `null` where it was not read to its end.
    pub blake3: Option<String>,
    /// SHA-256 of the file, hexadecimal; `null` where it was not read to its end.
    pub sha256: Option<String>,
    /// When the file was last modified, as its file system says; RFC 3339 in UTC.
    pub modified: Option<String>,
    /// The format found in the content; `null` for what is no media or was not read.
    pub format: Option<String>,
    /// The name's extension belongs to something else than the content.
    pub extension_mismatch: bool,
    /// Width of the upright picture in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Height of the upright picture in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// How the pixels are stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orientation: Option<String>,
    /// Length in milliseconds: of the longest audio or video stream, as it was decoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// How much was read; absent where nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
    /// What was found, the surest first.
    pub findings: Vec<FindingRecord>,
    /// What went wrong, or why it was left out.
    pub problems: Vec<ProblemRecord>,
    /// `true` where the file had to be opened in a way that may have changed its access time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub access_time_unprotected: bool,
}

/// How much of an item was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Frames decoded.
    pub frames_read: u32,
    /// Frames that carried something new.
    pub frames_kept: u32,
    /// Pixel rows decoded, where a picture was cut short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_read: Option<u32>,
    /// Pixel rows that it declares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_declared: Option<u32>,
    /// Its sound, where any was decoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sound: Option<SoundCoverage>,
    /// Its moving pictures, where any were decoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub film: Option<FilmCoverage>,
}

/// How much of a recording, or of a film's sound, was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoundCoverage {
    /// Which decoder read it, with its version.
    pub decoder: String,
    /// The codec, where the decoder tells.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub codec: String,
    /// Sound tracks of the container, of which one is read; 0 where the decoder does not tell.
    pub tracks: u32,
    /// The length that the container declares, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_ms: Option<u64>,
    /// The length that was decoded.
    pub decoded_ms: u64,
}

/// How much of a film's pictures was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilmCoverage {
    /// Which decoder read them, with its version.
    pub decoder: String,
    /// The codec, where the container tells.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub codec: String,
    /// Picture tracks of the container, of which the first is read; 0 where nobody here can read the container.
    pub tracks: u32,
    /// Frames that were looked at, at most eight a second.
    pub frames_read: u64,
    /// The length that the container declares, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_ms: Option<u64>,
    /// How far decoding came.
    pub decoded_ms: u64,
    /// Whether that is the film's end, as far as the decoder can tell.
    pub to_the_end: bool,
    /// Whether the views for a second look were made.
    pub second_look: bool,
}

/// A problem: a stable code and a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemRecord {
    /// The code.
    pub code: String,
    /// The sentence.
    pub message: String,
}

/// One copy found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FindingRecord {
    /// The work's id.
    pub work: String,
    /// Its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What a match on it means: `infringing`, `licensed`, `ignore`.
    pub policy: String,
    /// The reference's file name when it was registered.
    pub reference: String,
    /// BLAKE3 of the reference's file, hexadecimal.
    pub reference_blake3: Option<String>,
    /// What was compared: `image`, `audio`, `video`, `other`.
    pub modality: String,
    /// `match` or `possible`.
    pub level: String,
    /// How many unrelated references would score as well in this search.
    pub expected_false_matches: f64,
    /// The calibration's data do not reach this far.
    pub extrapolated: bool,
    /// `1 - min(1, expected_false_matches)`.
    pub confidence: f64,
    /// `identical`, `code`, `frames`, `landmarks` or `chromaprint`.
    pub method: String,
    /// The algorithm of the codes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    /// The algorithm that made the reference's code, where it is another: it came from a hash list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_algorithm: Option<String>,
    /// Bits that differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance_bits: Option<u32>,
    /// Of codes the distance and what was added because they say little; of sound and films what decided, higher is surer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The score was to be at most this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<u32>,
    /// Of sound and films: the score was to be at least this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_score: Option<f64>,
    /// Peaks (of `chromaprint` items) that coincide; of films the frames that were compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coinciding: Option<u32>,
    /// Share of the query's peaks inside of its span that do, 0..=1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aligned_share: Option<f64>,
    /// Seconds of the reference in a second of the query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed: Option<f64>,
    /// What of the speed did not change the pitch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tempo: Option<f64>,
    /// How much higher the query sounds, in hundredths of a semitone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pitch_cents: Option<f64>,
    /// The audio stream of the query, and the mix of its channels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_sound: Option<SoundPart>,
    /// The audio stream of the reference, and the mix of its channels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_sound: Option<SoundPart>,
    /// Redundancy of the query's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_redundancy: Option<f64>,
    /// Redundancy of the reference's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_redundancy: Option<f64>,
    /// How the query was turned to match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<String>,
    /// The query is the negative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inverted: Option<bool>,
    /// Of a film: `picture+sound`, `picture only` or `sound only`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<String>,
    /// Where the picture only is the reference's: whether both films have sound, and it is not the same one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redubbed: Option<bool>,
    /// Of a film: the mean distance of its frames in bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_distance_bits: Option<f64>,
    /// Of a film: the mean distance where the reference is shifted by a second or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shifted_distance_bits: Option<f64>,
    /// Of a film: frames change and change alike. Else it may be another recording of the same scene.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_recording: Option<bool>,
    /// Of a film: the part of the query's frames that matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_view: Option<FilmPart>,
    /// Of a film: the part of the reference's frames that it matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_view: Option<FilmPart>,
    /// The part of the query that matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_part: Option<Part>,
    /// The part of the reference that it matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_part: Option<Part>,
    /// Start and end in the query in milliseconds, half open; absent for stills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_span_ms: Option<(u64, u64)>,
    /// Start and end in the reference in milliseconds, half open; absent for stills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_span_ms: Option<(u64, u64)>,
}

/// A part of a picture that was compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// How it was chosen: `whole`, `trimmed`, `framed`, `crop`.
    pub kind: String,
    /// Left, top, right, bottom in 1/10000 of the picture, half open.
    pub region: [u16; 4],
    /// Frame number, 0 for stills.
    pub frame: u32,
    /// PDQ quality of the view, 0..=100.
    pub quality: u8,
}

/// A part of the frames of a film that was compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilmPart {
    /// The number of the video stream in its file, from 0.
    pub stream: u32,
    /// What it is a part of: `trimmed` (the frame without the border of its shot), `whole` or `framed` (a rectangle inside
    /// of the frame whose edges stay).
    pub kind: String,
    /// Left, top, right, bottom in 1/10000 of that, half open.
    pub region: [u16; 4],
    /// By how many degrees it was turned clockwise before.
    pub degrees: i8,
}

/// What of a recording was compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoundPart {
    /// The number of the audio stream in its file, from 0.
    pub stream: u32,
    /// `mid` (the mean of the channels) or `side` (half the difference of the first two).
    pub mix: String,
}

/// The last line: the whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SummaryRecord {
    /// What was counted.
    #[serde(flatten)]
    pub totals: Totals,
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

/// What the records of a run depend on beside the evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Version of the tool.
    pub version: String,
    /// BLAKE3 of the program's file, hexadecimal.
    pub build: String,
    /// What was scanned, as it was given.
    pub paths: Vec<String>,
    /// The index.
    pub index: IndexFacts,
    /// Name of the algorithm whose codes were compared.
    pub algorithm: String,
    /// What the thresholds rest on.
    pub calibration: CalibrationFacts,
    /// False matches allowed for one item at the level `match`.
    pub allowed_at_match: f64,
    /// False matches allowed for one item at the level `possible`.
    pub allowed_at_possible: f64,
    /// Greatest score of a `match`; `null` where no score is rare enough.
    pub match_score: Option<u32>,
    /// Greatest score of a `possible`.
    pub possible_score: Option<u32>,
    /// The same of sound; absent where the index has no recordings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sound: Option<SoundFacts>,
    /// The same of films; absent where the index has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub film: Option<FilmFacts>,
    /// What one file may cost.
    pub limits: LimitFacts,
    /// How files were read.
    pub reading: Reading,
    /// How names were resolved: `openat2` (the kernel keeps them beneath the tree) or `openat` (one component at a time).
    pub resolution: String,
}

/// Which index, in which state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexFacts {
    /// Tells its state from any other; hexadecimal.
    pub manifest_digest: String,
    /// Commits so far.
    pub generation: u64,
    /// Works.
    pub works: u64,
    /// Registered files.
    pub files: u64,
    /// Pictures in them.
    pub pictures: u64,
    /// Views of the pictures.
    pub references: u64,
    /// Recordings: audio streams of the files; absent where there is none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub recordings: u64,
    /// Films: video streams of the files; absent where there is none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub films: u64,
}

/// Whether a count is left out.
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What the thresholds rest on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalibrationFacts {
    /// The pictures that were measured.
    pub data: String,
    /// The command that measured them.
    pub command: String,
    /// Pairs of unrelated pictures.
    pub pairs: u64,
}

/// How sound is judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SoundFacts {
    /// What the thresholds rest on.
    pub calibration: SoundCalibrationFacts,
    /// Least score of a `match` for a recording of one window; longer ones need more.
    pub match_score: f64,
    /// Least score of a `possible` for a recording of one window.
    pub possible_score: f64,
}

/// What the thresholds of sound rest on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoundCalibrationFacts {
    /// The recordings that were measured.
    pub data: String,
    /// The command that measured them.
    pub command: String,
    /// Pairs of a window and an unrelated recording.
    pub pairs: u64,
}

/// How films are judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FilmFacts {
    /// The films that the thresholds were measured on.
    pub data: String,
    /// The command that measured them.
    pub command: String,
    /// Pairs of a minute of a film and an unrelated film.
    pub pairs: u64,
    /// Least score of a `match` for a film of up to a minute; longer ones need more.
    pub match_score: f64,
    /// Least score of a `possible` for a film of up to a minute.
    pub possible_score: f64,
}

/// The budgets of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each is the field of the same name of minutia_media::Limits")]
pub struct LimitFacts {
    pub file_bytes: u64,
    pub pixels: u64,
    pub side_px: u32,
    pub animation_pixels: u64,
    pub frames: u32,
    pub decoder_bytes: u64,
    #[serde(default)]
    pub audio_seconds: u32,
    #[serde(default)]
    pub channels: u16,
    #[serde(default)]
    pub sample_rate_hz: u32,
    #[serde(default)]
    pub film_seconds: u32,
    #[serde(default)]
    pub film_pixels: u64,
    #[serde(default)]
    pub film_frames: u64,
}

/// Where files were decoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "in", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "there is one in a run")]
pub enum Reading {
    /// In worker processes.
    Worker(WorkerFacts),
    /// In the scanning process itself, as was asked for.
    Process,
}

/// How workers read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerFacts {
    /// Address space of one in bytes.
    pub address_space_bytes: u64,
    /// Wall time for one file in milliseconds.
    pub deadline_ms: u64,
    /// Wall time beside that for each MiB.
    pub deadline_ms_per_mib: u64,
    /// The same of a film.
    #[serde(default)]
    pub film_deadline_ms_per_mib: u64,
    /// A worker was replaced after so many files, and after any problem that a decoder had. As many entries of the walk
    /// are a batch, and no worker read files of two.
    pub files_per_worker: u32,
    /// What confined the workers.
    pub confinement: ConfinementFacts,
    /// The ffmpeg program that decoded for them; absent where there was none or it was not to be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ffmpeg: Option<ProgramFacts>,
}

/// What confined a process. Each is what was in force, or `not available: ` and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfinementFacts {
    /// `in force`: no file written, no core dumps, bounded memory and descriptors, no privileges, nothing inherited.
    pub limits: String,
    /// Landlock's version: no file could be reached by its name but what a program needs to start, no network.
    pub landlock: String,
    /// No system calls but those of a list.
    pub seccomp: String,
}

/// A program that decoded for workers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramFacts {
    /// What it says of itself.
    pub version: String,
    /// What confined it.
    pub confinement: ConfinementFacts,
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

impl ItemRecord {
    /// The path for a terminal, whatever its bytes, with the members on the way down.
    pub fn shown_path(&self) -> String {
        let mut out = escape::name(&self.path_as_bytes());
        for member in &self.member {
            out.push_str(" > ");
            out.push_str(&escape::text(member));
        }
        out
    }

    /// The path's own bytes.
    pub fn path_as_bytes(&self) -> Vec<u8> {
        self.path_bytes.as_deref().and_then(unhex).unwrap_or_else(|| self.path.as_bytes().to_vec())
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pair = |pair: &[u8; 2]| Some((digit(pair[0])? * 16 + digit(pair[1])?) as u8);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if rest.is_empty() { pairs.iter().map(pair).collect() } else { None }
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
