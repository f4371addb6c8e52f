//! What was typed: commands and their options, with the help that teaches them.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "minutia",
    version,
    about = "Finds copies: which registered work a picture was copied from, what was done to it, and how sure that is",
    after_help = "\
Begin here:
  minutia demo                                             see it find copies in a small seized folder
  minutia index add works.idx masters/                     fingerprint your works
  minutia scan /mnt/evidence --index works.idx             look for copies of them
  minutia explain suspect.jpg original.jpg                 see every number that decided

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
    /// Compare two pictures: is A a copy of B?
    Compare(Compare),
    /// Compare two pictures and show every number that decided, and what would have changed the answer
    Explain(Explain),
    /// Print the fingerprints of pictures
    Fingerprint(Fingerprint),
    /// Index a small folder of works, scan a small seized folder, and show the true answers beside what was found
    Demo(Demo),
    /// Measure how alike unrelated pictures are: the table that thresholds and error rates are read from
    Calibrate(Calibrate),
    /// Say what this machine can do
    Doctor,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IndexCommand {
    /// Fingerprint works and add them to an index, which is made at first use
    Add(IndexAdd),
    /// Say what an index consists of
    Info(IndexPlace),
    /// Check every byte of an index
    Verify(IndexPlace),
    /// Merge an index into one segment, without what was removed
    Compact(IndexPlace),
    /// Remove works
    Remove(IndexRemove),
    /// Print an index as JSON, one work, file or fingerprint a line
    Export(IndexPlace),
}

/// An index on disk.
#[derive(Debug, clap::Args)]
pub(crate) struct IndexPlace {
    /// The index, a directory
    #[arg(value_name = "IDX")]
    pub(crate) index: PathBuf,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
A catalogue is a CSV file with a header; only `file` and `work_id` must be there:

  file,work_id,title,holder,identifiers,territory,window,policy
  harbour.jpg,W-17,Harbour at dawn,Jo Doe,ISBN:978-0-306-40615-7,DE;AT,2020-01-01/..,infringing
  logos/mark.png,W-18,Our mark,Jo Doe,,world,,licensed

  file         as it stands below PATHS (logos/mark.png), or as PATHS and it are typed (masters/logos/mark.png)
  work_id      several files may belong to one work
  identifiers  SCHEME:number, several separated by spaces; EIDR, ISAN, ISRC, ISWC, ISBN; check digits are verified
  territory    in your words, for example world or DE;AT
  window       FROM/TO, ISO 8601 dates, either may be ..
  policy       infringing (also where it is empty), licensed or ignore

With a catalogue only the files in it are added; without one the work id is the file's name without its extension.
Adding again adds; files that the index holds already are left as they are. No picture is kept unless --thumbnails is given.

Examples:
  minutia index add works.idx masters/ --catalogue works.csv
  minutia index add works.idx new/*.tif --owner 'Jo Doe' --thumbnails")]
pub(crate) struct IndexAdd {
    /// The index, a directory; made at first use
    #[arg(value_name = "IDX")]
    pub(crate) index: PathBuf,
    /// Files of works, and folders of them
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Who holds the rights, where the catalogue does not say
    #[arg(long, value_name = "NAME")]
    pub(crate) owner: Option<String>,
    /// A CSV file that says which file is which work
    #[arg(long, value_name = "CSV")]
    pub(crate) catalogue: Option<PathBuf>,
    /// Keep a small picture of each file, to be shown in reports
    #[arg(long)]
    pub(crate) thumbnails: bool,
    #[command(flatten)]
    pub(crate) reading: Reading,
}

#[derive(Debug, clap::Args)]
pub(crate) struct IndexRemove {
    /// The index, a directory
    #[arg(value_name = "IDX")]
    pub(crate) index: PathBuf,
    /// The id of a work to remove; may be given several times
    #[arg(long = "work", value_name = "ID", required = true)]
    pub(crate) works: Vec<String>,
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
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Every file leaves with exactly one outcome: skipped, unreadable, other (no media), protected, unsupported, match, possible,
failed, damaged, undecided (too little content to tell) or no-match. Directories are walked in the order of their names'
bytes, across mount points. A link that is named in PATHS is followed, one that is found on the way never. Nothing is
written to the evidence: files are opened read-only and, where the system allows it, without touching access times.

With --case, a scan that was stopped at any moment goes on where it was when the same command is given again. CASE holds
records.jsonl and run.json; docs/REPORT.md documents them.

Examples:
  minutia scan /mnt/evidence --index works.idx
  minutia scan /mnt/evidence --index works.idx --case case-17
  minutia scan photo.jpg --index works.idx --json | jq '.findings'

Exit codes: 0 nothing found; 1 a copy of a work with the policy `infringing`; 2 could not run, or something was unreadable,
failed or damaged.")]
pub(crate) struct Scan {
    /// Files and folders to look into
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// The index of the works to look for
    #[arg(long, value_name = "IDX")]
    pub(crate) index: PathBuf,
    /// Keep the records in this directory, and go on where an earlier run of the same command stopped
    #[arg(long, value_name = "CASE")]
    pub(crate) case: Option<PathBuf>,
    /// Print one JSON record a line for every item, and a summary
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) reading: Reading,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
A is taken as a scan takes a suspect's picture, B as an index takes a work. Exit codes: 0 no match, 1 a match, 2 one of them
could not be examined.

With --algorithm the codes of the two whole pictures are compared instead, as tools with lists of such codes do, and their
distance is printed. No verdict is given, since thresholds are calibrated for what scans compare; the exit code is 0. The
pictures are decoded in this process.

Examples:
  minutia compare suspect.jpg original.jpg
  minutia compare suspect.jpg original.jpg --algorithm gradient-64")]
pub(crate) struct Compare {
    /// The picture that may be a copy
    pub(crate) a: PathBuf,
    /// The picture that it may be a copy of
    pub(crate) b: PathBuf,
    /// Print the distance of the two codes by this algorithm, without a verdict; `minutia doctor` lists the names
    #[arg(long, value_name = "NAME", conflicts_with_all = ["index", "pictures"])]
    pub(crate) algorithm: Option<String>,
    #[command(flatten)]
    pub(crate) scale: Scale,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  minutia explain suspect.jpg original.jpg --index works.idx")]
pub(crate) struct Explain {
    /// The picture that may be a copy
    pub(crate) a: PathBuf,
    /// The picture that it may be a copy of
    pub(crate) b: PathBuf,
    #[command(flatten)]
    pub(crate) scale: Scale,
}

/// What two pictures are judged as if they were part of.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Scale {
    /// Judge as in a scan of this index, whose size sets the thresholds
    #[arg(long, value_name = "IDX", conflicts_with = "pictures")]
    pub(crate) index: Option<PathBuf>,
    /// Judge as in a scan of an index of so many pictures
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) pictures: u64,
    /// Decode in this process instead of in a confined worker
    #[arg(long)]
    pub(crate) in_process: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Pictures are decoded in this process, in colour, upright. `minutia doctor` lists the algorithms.

Examples:
  minutia fingerprint photo.jpg
  minutia fingerprint --algorithm pdq-512 --json *.png")]
pub(crate) struct Fingerprint {
    /// The pictures
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Which fingerprint
    #[arg(long, value_name = "NAME", default_value = "pdq")]
    pub(crate) algorithm: String,
    /// One JSON object a line: path, algorithm, hex, quality
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Demo {
    /// The folder of test media; `testdata` of the repository unless given
    #[arg(long, value_name = "DIR")]
    pub(crate) testdata: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Each SET is a folder. Pictures of one set may be related and are not compared; those of different sets must have nothing to
do with each other. Every picture is taken as a scan takes a suspect's and as an index takes a work, and the score of a pair
is the lowest over all their views. The row goes to standard output, to be put into the source as
crates/core/src/verdict/calibration/views.rs; a build's thresholds and expected false matches come from it. The pairs with
the lowest scores go to standard error: look at them before you believe that the pictures are unrelated.

Example:
  minutia calibrate --data 'photographs of 40 collections' sets/*/ > views.rs")]
pub(crate) struct Calibrate {
    /// Folders of pictures
    #[arg(required = true, value_name = "SET")]
    pub(crate) sets: Vec<PathBuf>,
    /// What the pictures are, in words; part of every record of a scan
    #[arg(long, value_name = "WORDS")]
    pub(crate) data: String,
    /// A list of files to leave out, one path a line as the walk names them
    #[arg(long, value_name = "FILE")]
    pub(crate) without: Option<PathBuf>,
    /// How many of the lowest pairs to show
    #[arg(long, value_name = "N", default_value_t = 40)]
    pub(crate) lowest: usize,
    #[command(flatten)]
    pub(crate) reading: Reading,
}
