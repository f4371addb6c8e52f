//! What was typed: commands and their options, with the help that teaches them.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "minutia",
    version,
    about = "Finds copies: which registered work a picture or a recording was copied from, what was done to it, and how sure that is",
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
    /// Print the fingerprints of pictures and of sound
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
    Info(IndexInfo),
    /// Check every byte of an index
    Verify(IndexPlace),
    /// Merge an index into one segment, without what was removed
    Compact(IndexPlace),
    /// Remove works
    Remove(IndexRemove),
    /// Add the hashes of lists, or exported indexes, without any media
    Import(IndexImport),
    /// Write what an index holds: as JSON, as a hash list, or as one file for other indexes
    Export(IndexExport),
    /// Make one index of several, without any media
    Union(IndexUnion),
}

/// An index on disk, and how to tell of it.
#[derive(Debug, clap::Args)]
pub(crate) struct IndexInfo {
    /// The index, a directory
    #[arg(value_name = "IDX")]
    pub(crate) index: PathBuf,
    /// Print one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
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

  file         as it stands below PATHS (logos/mark.png), or as PATHS and it are typed
               (masters/logos/mark.png)
  work_id      several files may belong to one work
  identifiers  SCHEME:number, several separated by spaces; EIDR, ISAN, ISRC, ISWC, ISBN; check
               digits are verified
  territory    in your words, for example world or DE;AT
  window       FROM/TO, ISO 8601 dates, either may be ..
  policy       infringing (also where it is empty), licensed or ignore

With a catalogue only the files in it are added; without one the work id is the file's name
without its extension. Adding again adds; files that the index holds already are left as they are.
No picture is kept unless --thumbnails is given, and no sound: of recordings, and of films with sound,
peaks of the spectrum are kept from which it cannot be heard again.

Examples:
  minutia index add works.idx masters/ --catalogue works.csv
  minutia index add works.idx new/*.tif --owner 'Jo Doe' --thumbnails
  minutia index add songs.idx album/*.flac")]
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

/// How lists of hashes are read.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Listing {
    /// Whose hashes they are, where a list does not say it: of pdq, or of the index's own algorithm, unless given
    #[arg(long, value_name = "NAME")]
    pub(crate) algorithm: Option<String>,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
A list is CSV, JSON or plain lines; which of them shows in its first line. CSV has a header, and only `hash` must be there:

  hash,id,quality,policy,file
  f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6339c4e9c9b22,W-17,100,,a.jpg

  hash         hexadecimal digits, 64 of PDQ
  id           becomes the work's id; several hashes may belong to one work; the file or the hash
               itself where it is empty
  quality      0 to 100; 100 where it is not known
  algorithm    pdq, pdq-512, pdq-area, or a classic hash such as gradient-64 (see minutia doctor);
               what does not compare with the index's codes, such as md5, is counted and left out
  title, holder, identifiers, territory, window, policy
               as in a catalogue (see minutia index add)
  file         rows of one file must stand together; without it each hash counts as a file of its
               own

What `threatexchange dataset -P --csv`, `threatexchange hash` and Hasher-Matcher-Actioner write is
read as it is, and so are `minutia index export` and `minutia fingerprint --json`. So are recordings: what `fpcalc -json`
prints, with `id` and `file` where they are there, one object a line or in an array. So are films, as
vPDQ hashes of their frames: lines `frame,quality,hash,seconds` of one film, which is named after the
list, and what python-threatexchange has for them. docs/LISTS.md
documents all forms. Each line that cannot be read is told with its number, and the rest is
imported; then the exit code is 2.

An imported hash is one reference, of the whole picture. It is found by scans, at the thresholds
of pdq-area, whose codes are some bits (4 to 16 of our test pictures) away from those of pdq;
records name the algorithm that made it. An index of classic hashes, which have no thresholds, is
for search alone.

Examples:
  minutia index import works.idx hashes.csv --owner 'Jo Doe'
  threatexchange dataset -P --csv | minutia index import shared.idx -
  fpcalc -json song.mp3 | minutia index import songs.idx -
  minutia index import films.idx film.txt other-film.txt
  minutia index import works.idx partner.minutia")]
pub(crate) struct IndexImport {
    /// The index, a directory; made at first use
    #[arg(value_name = "IDX")]
    pub(crate) index: PathBuf,
    /// Hash lists (- is standard input), and files that `index export --format minutia` wrote
    #[arg(value_name = "LIST", required = true)]
    pub(crate) lists: Vec<PathBuf>,
    /// Who holds the rights, where a list does not say
    #[arg(long, value_name = "NAME")]
    pub(crate) owner: Option<String>,
    #[command(flatten)]
    pub(crate) listing: Listing,
}

/// What an index is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ExportFormat {
    /// JSON, one work, file, hash or film frame a line
    Json,
    /// A hash list, one hash a row, with the columns that `index import` reads
    Csv,
    /// The Chromaprint items of each recording, JSON as `fpcalc -json` prints it, with work and file
    Fpcalc,
    /// The frames of each film as ThreatExchange's vpdq-hash-video prints them: a text file for each in the new directory
    /// --output
    Vpdq,
    /// Everything, thumbnails among it, in one file, for `index import` and `index union`
    Minutia,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
json and csv have every hash with its work, its file and its part of the picture; importing them
gives an index that finds the same. Thumbnails, and files without a hash (blank pictures), are
kept by minutia alone, and so are the peaks of sound: what is imported from fpcalc is found at its
own speed only. Of films json, csv and vpdq have one view of each frame; copies that are cut or framed
are found less often by it. minutia is the compacted index as a tar archive: the same works give the same
bytes.

Examples:
  minutia index export works.idx --format csv --output works.csv
  minutia index export films.idx --format vpdq --output films/
  minutia index export works.idx --format minutia --output works.minutia
  minutia index export works.idx | jq 'select(.record == \"work\").title'")]
pub(crate) struct IndexExport {
    /// The index, a directory
    #[arg(value_name = "IDX")]
    pub(crate) index: PathBuf,
    /// What to write
    #[arg(long, value_enum, default_value_t = ExportFormat::Json)]
    pub(crate) format: ExportFormat,
    /// Write to this new file instead of standard output; needed for minutia. For vpdq a new directory; without it the one film
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
OUT is what indexing the works of all of them together would give: a file that several hold is
kept once, and where they say different things of a work the last one counts.

Example:
  minutia index union all.idx first.idx second.minutia")]
pub(crate) struct IndexUnion {
    /// The new index, a directory
    #[arg(value_name = "OUT")]
    pub(crate) out: PathBuf,
    /// Indexes, and files that `index export --format minutia` wrote
    #[arg(value_name = "IDX", required = true)]
    pub(crate) indexes: Vec<PathBuf>,
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

/// How files are read.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Reading {
    /// Files read at a time; as many as there are processors unless given
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<std::num::NonZeroUsize>,
    /// Decode in this process instead of in confined workers; recorded
    #[arg(long)]
    pub(crate) in_process: bool,
    /// Never start the ffmpeg program, which otherwise decodes sound that Minutia cannot
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
alone, and no sound. What it finds is printed at once, and marked; what it does not find says little,
so that a film without findings is `undecided`. Then the full pass follows. With --triage-only it
does not.

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
A is taken as a scan takes a suspect's file, B as an index takes a work. Of sound, that of films too,
each stretch of A that runs along a stretch of B is printed, with speed and pitch. Exit codes: 0 no
match, 1 a match, 2 one of them could not be examined.

With --algorithm the codes of the two whole pictures are compared instead, as tools with lists of
such codes do, and their distance is printed. No verdict is given, since thresholds are calibrated
for what scans compare; the exit code is 0. The pictures are decoded in this process.

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
    /// Print one line of JSON, as a scan records A; of sound alone
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
    /// Decode in this process instead of in a confined worker
    #[arg(long)]
    pub(crate) in_process: bool,
    /// Never start the ffmpeg program, which otherwise decodes sound that Minutia cannot
    #[arg(long)]
    pub(crate) no_ffmpeg: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Files are decoded in this process; pictures in colour and upright, films by ffmpeg where it is
installed, sound by it where Minutia cannot. Without --algorithm it is pdq of pictures, of sound (that
of films too) chromaprint with the length, how much of it has content, and the number of peaks, and
of the pictures of films what an index would hold. `minutia doctor` lists the algorithms.

vpdq prints a line for each frame, as ThreatExchange's vpdq-hash-video does: number, quality, hash,
seconds; of the first frame of each second, or of all with --every-frame.

With --json, `fingerprint` and `duration` of sound are those of `fpcalc -json -length 0`; chromaprint
has the `items` of `fpcalc -raw` too, and landmarks each peak as [time, pitch, rank]. Of a film each
frame has its time and the codes of its `views`; of vpdq each frame is an object.

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

With --sound the row of sound is made, crates/core/src/verdict/calibration/sound/landmarks.rs, of
recordings instead of pictures: every thirty seconds of each recording are
searched for in an index of the recordings of all other sets, and the score of a pair is the
greatest that such a window has against a recording.

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
