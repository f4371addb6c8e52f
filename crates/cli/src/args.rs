//! What was typed: commands and their options, with the help that teaches them.

mod index;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub(crate) use index::{ExportFormat, IndexAdd, IndexCommand, IndexExport, IndexImport, IndexUnion};

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "minutia",
    version,
    about = "Finds copies: which registered work a picture, a recording or a film was copied from, what was done to it, and how sure that is",
    after_help = "\
Begin here:
  minutia demo                                      see it find copies in a small seized folder
  minutia index add works.idx masters/              fingerprint your works
  minutia scan /mnt/evidence --index works.idx      look for copies of them
  minutia explain suspect.jpg original.jpg          see every number that decided
  minutia compare film.mp4 song.mp3                 see which part of A is which part of B
  minutia search hashes.csv --index works.idx       look up hashes that others made

MINUTIA_KERNEL=portable, avx2 or avx512 makes scan and search use that kernel instead of the
fastest that this machine has (see minutia doctor). The results are the same.

Exit codes of scan and compare:
  0  nothing found
  1  a copy of a work with the policy `infringing` was found
  2  could not run, or something was unreadable, failed or damaged (outranks 1)"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make and look after indexes of registered works
    #[command(subcommand)]
    Index(IndexCommand),
    /// Look for copies of registered works in files and folders
    Scan(Scan),
    /// Look up hash lists in an index, without any media
    Search(Search),
    /// Compare two files: is A a copy of B, and which part of which?
    Compare(Compare),
    /// Compare two files and show every number that decided, and what would have changed the answer
    Explain(Explain),
    /// Print the fingerprints of pictures, of sound and of films
    Fingerprint(Fingerprint),
    /// Index a small folder of works, scan a small seized folder, and show the true answers beside what was found
    Demo(Demo),
    /// Measure how alike unrelated works are: the table that thresholds and error rates are read from
    Calibrate(Calibrate),
    /// Say what this machine can do
    Doctor,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Lists are read as `minutia index import` reads them; see its help for the columns. One line is
printed for each hit: the nearest reference of each registered file within the radius. With
--json, one record for each hash in the order of the lists, with or without hits, and a summary;
docs/LISTS.md documents them.

Of a film (vPDQ) each stretch that runs along a stretch of a registered film is printed, as a scan
judges it; the radius is not asked.

A hit is no verdict: the radius is what you choose, and says nothing about how many false matches
to expect. Unrelated pictures are rarely nearer than 84 bits, and copies often further than 31.

Examples:
  minutia search hashes.csv --index works.idx
  minutia fingerprint --json *.jpg | minutia search - --index works.idx --radius 47 --json

Exit codes: 0 nothing within the radius, or only works with another policy; 1 a hit on a work with
the policy `infringing`; 2 could not run, or a line could not be read (outranks 1).")]
pub(crate) struct Search {
    /// Hash lists; - is standard input
    #[arg(value_name = "LIST", required = true)]
    pub(crate) lists: Vec<PathBuf>,
    /// The index to look them up in
    #[arg(long, value_name = "IDX")]
    pub(crate) index: PathBuf,
    /// Bits that may differ; 31 of PDQ's 256 unless given, and at most 100 of them (of shorter hashes as large a share)
    #[arg(long, value_name = "BITS")]
    pub(crate) radius: Option<u32>,
    /// Read the index into memory instead of mapping it, as is done anyway with one on a network or on removable media
    #[arg(long)]
    pub(crate) in_memory: bool,
    /// Look for negatives too: hashes with nearly all bits flipped
    #[arg(long)]
    pub(crate) complement: bool,
    /// Print one JSON record a line for each hash, and a summary
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) listing: Listing,
}

/// How lists of hashes are read.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Listing {
    /// Whose hashes they are, where a list does not say it: of pdq, or of the index's own algorithm, unless given
    #[arg(long, value_name = "NAME")]
    pub(crate) algorithm: Option<String>,
}

/// How files are read.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Reading {
    /// Files read at a time; as many as there are processors unless given
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<std::num::NonZeroUsize>,
    /// Decode in this process instead of in confined workers; recorded
    #[arg(long)]
    pub(crate) in_process: bool,
    /// Never start the ffmpeg program, which otherwise decodes films, and sound that Minutia cannot
    #[arg(long)]
    pub(crate) no_ffmpeg: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Every file leaves with exactly one outcome: skipped, unreadable, other (no media), protected,
unsupported, match, possible, failed, damaged, undecided (too little content to tell: a blank
picture, silence, a steady tone) or no-match. Of sound, that of films too, each stretch that runs
along a stretch of a work is a finding.
Directories are walked in the order of their names' bytes, across mount points. A link that is
named in PATHS is followed, one that is found on the way never. Nothing is written to the
evidence: files are opened read-only and, where the system allows it, without touching access
times.

With --triage a quick pass over everything comes first: pictures as ever, of films the key frames
alone, and no sound. What it finds is printed at once, and marked; what it does not find says
little, so that a film without findings is `undecided`. Then the full pass follows. With
--triage-only it does not.

With --case, a scan that was stopped at any moment goes on where it was when the same command is
given again. CASE holds records.jsonl and run.json; docs/REPORT.md documents them.

Examples:
  minutia scan /mnt/evidence --index works.idx
  minutia scan /mnt/evidence --index works.idx --case case-17
  minutia scan /mnt/evidence --index works.idx --triage
  minutia scan photo.jpg --index works.idx --json | jq '.findings'

Exit codes: 0 nothing found; 1 a copy of a work with the policy `infringing`; 2 could not run, or
something was unreadable, failed or damaged.")]
pub(crate) struct Scan {
    /// Files and folders to look into
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// The index of the works to look for
    #[arg(long, value_name = "IDX")]
    pub(crate) index: PathBuf,
    /// Read the index into memory instead of mapping it, as is done anyway with one on a network or on removable media
    #[arg(long)]
    pub(crate) in_memory: bool,
    /// Keep the records in this directory, and go on where an earlier run of the same command stopped
    #[arg(long, value_name = "CASE")]
    pub(crate) case: Option<PathBuf>,
    /// Print one JSON record a line for every item, and a summary
    #[arg(long)]
    pub(crate) json: bool,
    /// Look quickly through everything first, by key frames of films, and then fully
    #[arg(long)]
    pub(crate) triage: bool,
    /// Look quickly through everything, and no more
    #[arg(long, conflicts_with = "triage")]
    pub(crate) triage_only: bool,
    #[command(flatten)]
    pub(crate) reading: Reading,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
A is taken as a scan takes a suspect's file, B as an index takes a work. Of sound and of films each
stretch of A that runs along a stretch of B is printed, with its speed, and of sound its pitch.
Exit codes: 0 no match, 1 a match, 2 one of them could not be examined.

With --algorithm the codes of the two whole pictures are compared instead, as tools with lists of
such codes do, and their distance is printed. No verdict is given, since thresholds are calibrated
for what scans compare; the exit code is 0.

Examples:
  minutia compare suspect.jpg original.jpg
  minutia compare film.mp4 song.mp3
  minutia compare suspect.jpg original.jpg --algorithm gradient-64")]
pub(crate) struct Compare {
    /// The file that may be a copy
    pub(crate) a: PathBuf,
    /// The file that it may be a copy of
    pub(crate) b: PathBuf,
    /// Print the distance of the two codes by this algorithm, without a verdict; `minutia doctor` lists the names
    #[arg(long, value_name = "NAME", conflicts_with_all = ["index", "pictures"])]
    pub(crate) algorithm: Option<String>,
    /// Print one line of JSON, as a scan records A; not of two pictures
    #[arg(long, conflicts_with = "algorithm")]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) scale: Scale,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
--index and --pictures are of pictures; recordings are judged as in an index of 1,000.

Examples:
  minutia explain suspect.jpg original.jpg --index works.idx
  minutia explain excerpt.ogg song.mp3")]
pub(crate) struct Explain {
    /// The file that may be a copy
    pub(crate) a: PathBuf,
    /// The file that it may be a copy of
    pub(crate) b: PathBuf,
    #[command(flatten)]
    pub(crate) scale: Scale,
}

/// What two files are judged as if they were part of.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Scale {
    /// Judge as in a scan of this index, whose size sets the thresholds
    #[arg(long, value_name = "IDX", conflicts_with = "pictures")]
    pub(crate) index: Option<PathBuf>,
    /// Judge as in a scan of an index of so many pictures
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) pictures: u64,
    #[command(flatten)]
    pub(crate) decoding: Decoding,
}

/// Who decodes a few files.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Decoding {
    /// Decode in this process instead of in a confined worker
    #[arg(long)]
    pub(crate) in_process: bool,
    /// Never start the ffmpeg program, which otherwise decodes films, and sound that Minutia cannot
    #[arg(long)]
    pub(crate) no_ffmpeg: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Files are decoded in a confined worker; pictures in colour and upright, films by ffmpeg where it
is installed, sound by it where Minutia cannot. Without --algorithm it is pdq of pictures, of
sound (that of films too) chromaprint with the length, how much of it has content, and the number
of peaks, and of the pictures of films what an index would hold. `minutia doctor` lists the
algorithms.

vpdq prints a line for each frame, as ThreatExchange's vpdq-hash-video does: number, quality,
hash, seconds; of the first frame of each second, or of all with --every-frame.

With --json, `fingerprint` and `duration` of sound are those of `fpcalc -json -length 0`;
chromaprint has the `items` of `fpcalc -raw` too, and landmarks each peak as [time, pitch, rank].
Of a film each frame has its time and the codes of its `views`; of vpdq each frame is an object.

Examples:
  minutia fingerprint photo.jpg
  minutia fingerprint song.mp3 film.mp4
  minutia fingerprint --algorithm chromaprint --json *.mp3 | minutia index import songs.idx -
  minutia fingerprint --algorithm vpdq film.mp4 > film.txt
  minutia fingerprint --algorithm pdq-512 --json *.png")]
pub(crate) struct Fingerprint {
    /// The pictures, recordings and films
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Which fingerprint
    #[arg(long, value_name = "NAME")]
    pub(crate) algorithm: Option<String>,
    /// Of vpdq every frame, instead of the first of each second
    #[arg(long)]
    pub(crate) every_frame: bool,
    /// One JSON object a line: path, algorithm, and hex and quality of pictures
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) decoding: Decoding,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Demo {
    /// The folder of test media; `testdata` of the repository unless given
    #[arg(long, value_name = "DIR")]
    pub(crate) testdata: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Each SET is a folder. Pictures of one set may be related and are not compared; those of different
sets must have nothing to do with each other. Every picture is taken as a scan takes a suspect's
and as an index takes a work, and the score of a pair is the lowest over all their views. The row
goes to standard output, to be put into the source as
crates/core/src/verdict/calibration/views.rs; a build's thresholds and expected false matches come
from it. The pairs with the lowest scores go to standard error: look at them before you believe
that the pictures are unrelated.

With --sound the row of sound is made, crates/core/src/verdict/calibration/scores/landmarks.rs, of
recordings instead of pictures: every thirty seconds of each recording are searched for in an index
of the recordings of all other sets, and the score of a pair is the greatest that such a window has
against a recording. With --film it is that of films, scores/frames.rs beside it.

Examples:
  minutia calibrate --data 'photographs of 40 collections' sets/*/ > views.rs
  minutia calibrate --sound --data 'music of 40 labels' sets/*/ > landmarks.rs")]
pub(crate) struct Calibrate {
    /// Folders of pictures, of recordings, or of films
    #[arg(required = true, value_name = "SET")]
    pub(crate) sets: Vec<PathBuf>,
    /// Calibrate sound
    #[arg(long, conflicts_with = "film")]
    pub(crate) sound: bool,
    /// Calibrate the pictures of films
    #[arg(long)]
    pub(crate) film: bool,
    /// What the pictures, recordings or films are, in words; part of every record of a scan
    #[arg(long, value_name = "WORDS")]
    pub(crate) data: String,
    /// A list of files to leave out, one path a line as the walk names them
    #[arg(long, value_name = "FILE")]
    pub(crate) without: Option<PathBuf>,
    /// How many of the pairs that are most alike to show
    #[arg(long, value_name = "N", default_value_t = 40, alias = "lowest")]
    pub(crate) pairs: usize,
    #[command(flatten)]
    pub(crate) reading: Reading,
}
