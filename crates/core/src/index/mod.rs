//! The index: registered works, their references' codes, and where everything stands on disk.
//!
//! An index is a directory of immutable segments and one MANIFEST (see `docs/FORMAT.md`). [`Writer`] adds generations,
//! [`Index`] reads one.
//!
//! ```
//! # use minutia::fingerprint::*;
//! # use minutia::index::*;
//! # use minutia::media::Orientation;
//! # use minutia::search::{QueryGroup, Settings, Within, search};
//! # let directory = std::env::temp_dir().join(format!("minutia-index-example-{}", std::process::id()));
//! # let code: Code = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6339c4e9c9b22".parse()?;
//! # let region = Region { kind: RegionKind::Whole, left: 0, top: 0, right: 10_000, bottom: 10_000 };
//! # let view = View { region, turn: Dihedral::Identity, code, quality: 100, plain_rim: 0 };
//! # let (width, height, orientation) = (640, 480, Orientation::Upright);
//! # let picture = ImageFingerprint { frame: 0, time_ms: 0, width, height, orientation, views: vec![view] };
//! let mut writer = Writer::open(&directory)?;
//! writer.add(Entry {
//!     work: Work::new(WorkId::new("a-photograph").ok_or("not an id")?),
//!     source_name: "photograph.jpg".to_owned(),
//!     source_digest: None,
//!     fingerprints: vec![Fingerprint::Image(picture)],
//!     thumbnail: None,
//! })?;
//! writer.commit()?;
//!
//! let index = Index::open(&directory, Access::Mapped)?;
//! let hits = search(&[QueryGroup { views: &[code] }], &index, Within { near: 31, complement: None }, &Settings::default())?;
//! assert_eq!(index.reference(hits[0].reference)?.work.as_str(), "a-photograph");
//! assert_eq!(index.verify(), []);
//! # std::fs::remove_dir_all(&directory)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bare;
mod bits;
mod catalogue;
mod draft;
mod entries;
mod error;
mod files;
mod film;
mod finished;
mod held;
mod identifier;
mod info;
mod landmarks;
mod layout;
mod manifest;
mod multi_index;
mod name;
mod places;
mod reader;
mod references;
mod segment;
mod sound;
mod tombstones;
mod verify;
mod works;
mod writer;

pub use bare::BareHash;
pub use catalogue::{Policy, Work, WorkId};
pub use error::{Damage, IndexError};
pub use film::{Film, FilmFrames, Films, FilmsInMemory};
pub use identifier::{Identifier, IdentifierError, Scheme};
pub use info::Info;
pub use landmarks::Landmarks;
pub(crate) use landmarks::PostingList;
pub(crate) use multi_index::{MOST_BITS, MOST_TABLES, MultiIndex, Table};
pub(crate) use reader::Part;
pub use reader::{Access, Index, Reference, SourceFile};
pub(crate) use references::References;
pub(crate) use sound::anchor_of;
pub use sound::{PeakSlice, Sound, Track};
pub use writer::{Commit, Entry, Removed, Rules, Writer};

#[cfg(test)]
mod tests;
