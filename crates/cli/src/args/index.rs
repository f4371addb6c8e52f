//! The commands of `minutia index`.

use std::path::PathBuf;

use clap::Subcommand;

use super::{Listing, Reading};

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
No picture is kept unless --thumbnails is given, and no sound: of recordings, and of films with
sound, peaks of the spectrum are kept from which it cannot be heard again.

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
    /// The least PDQ quality of the views of pictures that are kept, 0 to 100; its authors advise 50. The others are left out and
    /// counted
    #[arg(long, value_name = "QUALITY", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) min_quality: u8,
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

#[derive(Debug, clap::Args)]
#[command(after_help = "\
A list is CSV, JSON or plain lines; which of them shows in its first line. CSV has a header, and
only `hash` must be there:

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
read as it is, and so are `minutia index export` and `minutia fingerprint --json`. So are
recordings: what `fpcalc -json` prints, with `id` and `file` where they are there, one object a
line or in an array. So are films, as vPDQ hashes of their frames: lines
`frame,quality,hash,seconds` of one film, which is named after the list, and what
python-threatexchange has for them. docs/LISTS.md documents all forms. Each line that cannot be
read is told with its number, and the rest is imported; then the exit code is 2.

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
    /// The least PDQ quality of the hashes of pictures that are kept, 0 to 100; its authors advise 50. The others are left out and
    /// counted
    #[arg(long, value_name = "QUALITY", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) min_quality: u8,
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
own speed only. Of films json, csv and vpdq have one view of each frame; copies that are cut or
framed are found less often by it. minutia is the compacted index as a tar archive: the same works
give the same bytes.

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
