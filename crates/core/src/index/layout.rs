//! The bytes of a segment: its header, the kinds of its sections and the rows in them. `docs/FORMAT.md` is this file in
//! words; a change here is a change there.

use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use super::IndexError;

#[cfg(target_endian = "big")]
compile_error!("index files are little-endian and are read in place: this build would read their numbers backwards");

/// The format that this build writes, and the newest that it reads.
pub(super) const VERSION: u32 = 0;
/// First bytes of a segment. Like PNG's they show whether a transfer changed line ends or cut the high bit.
pub(super) const SEGMENT_MAGIC: [u8; 8] = *b"\x89MNTSEG\n";
/// First bytes of a tombstone file.
pub(super) const TOMBSTONE_MAGIC: [u8; 8] = *b"\x89MNTDEL\n";
/// Reads as this number on a machine of the writer's byte order.
pub(super) const ENDIAN_TAG: u32 = 0x0a0b_0c0d;
/// Bytes before the first section.
pub(super) const HEADER_BYTES: usize = 4096;
/// Sections start at multiples of this: a cache line, and one AVX-512 register.
pub(super) const ALIGNMENT: usize = 64;

const COUNTS_AT: usize = 32;
const TABLE_AT: usize = 128;
const ENTRY_BYTES: usize = 32;
const CHECKSUM_AT: usize = HEADER_BYTES - 8;
/// Sections that fit into the header.
const MOST_SECTIONS: usize = (CHECKSUM_AT - TABLE_AT) / ENTRY_BYTES;

/// What a section holds. Numbers are never used again for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `u32` ends of the strings, in bytes; string 0 is empty and stands for "none".
    StringEnds,
    /// The strings' UTF-8, sorted by bytes and distinct.
    Strings,
    /// [`WorkRow`]s sorted by id.
    Works,
    /// [`TermsRow`]s, sorted and distinct.
    Terms,
    /// [`IdentifierRow`]s, those of one work together.
    Identifiers,
    /// [`ItemRow`]s sorted by work, digest, name.
    Items,
    /// `u32` items that have a digest, sorted by it.
    Digests,
    /// [`FrameRow`]s sorted by item, number, time.
    Frames,
    /// [`MomentRow`]s of the frames that are not the first of their file at its start, sorted by frame.
    Moments,
    /// [`RegionRow`]s, sorted and distinct.
    Regions,
    /// 32 bytes each, sorted and distinct.
    Codes,
    /// [`SharedRow`]s: for each 64 codes which of them have more than one reference.
    Shared,
    /// `u32` for each of those codes: how many references more than codes there are up to its end.
    SharedEnds,
    /// [`ReferenceRow`]s, those of one code together.
    References,
    /// `u64` ends of the thumbnails, one an item.
    ThumbnailEnds,
    /// Thumbnails: `u16` width, `u16` height, a JPEG file.
    Thumbnails,
    /// Tables from substrings of codes to codes; see `multi_index.rs`.
    MultiIndex,
    /// [`TrackRow`]s sorted by item, stream.
    Tracks,
    /// `u32` times of the peaks of all tracks; of each those of the mid mix, then those of the side.
    PeakTimes,
    /// `u16` of the same peaks: rank * 2,048 + pitch.
    PeakPitches,
    /// `u32` Chromaprint items of all tracks.
    ChromaprintItems,
    /// `u64` header and ends of the blocks of postings of pairs; see `landmarks.rs`.
    PairEnds,
    /// The blocks.
    Pairs,
    /// `u64` header and ends of the blocks of postings of constellations.
    ConstellationEnds,
    /// The blocks.
    Constellations,
    /// [`FilmRow`]s sorted by item, stream.
    Films,
    /// `u32` times of the frames of all films, in milliseconds.
    FilmTimes,
    /// `u8` qualities of the same frames.
    FilmQualities,
    /// 32 bytes each: the codes of the same frames, frame by frame, of those views in which there is something to see.
    FilmCodes,
    /// `u32` ends of the codes of the same frames.
    FilmCodeEnds,
    /// `u16` of the same frames: a bit for each view that has a code, and the highest where it is wide.
    FilmViewsSeen,
    /// `u32` references that are bare hashes, sorted by their works and their numbers. A bare hash is a code of a list, of
    /// which no file is known: it has a work, and neither an item nor a frame of its own.
    BareHashes,
}

/// One row of the table of kinds.
pub(super) struct KindRow {
    pub(super) kind: Kind,
    pub(super) number: u32,
    pub(super) name: &'static str,
    /// A reader that does not know the kind must refuse the segment.
    pub(super) required: bool,
    /// The section's length is a multiple of this.
    pub(super) row_bytes: usize,
}

const fn row(kind: Kind, number: u32, name: &'static str, required: bool, row_bytes: usize) -> KindRow {
    KindRow { kind, number, name, required, row_bytes }
}

/// Every kind that this build knows. 1, 3, 5, 7, 10, 23, 27 and 32 were rows of builds before.
pub(super) const KINDS: &[KindRow] = &[
    row(Kind::Strings, 2, "strings", true, 1),
    row(Kind::Identifiers, 4, "identifiers", true, 8),
    row(Kind::Digests, 6, "digests", true, 4),
    row(Kind::Regions, 8, "regions", true, 12),
    row(Kind::Codes, 9, "codes", true, 32),
    row(Kind::References, 11, "references", true, 8),
    row(Kind::ThumbnailEnds, 12, "thumbnail ends", false, 8),
    row(Kind::Thumbnails, 13, "thumbnails", false, 1),
    row(Kind::MultiIndex, 14, "multi-index", false, 4),
    row(Kind::Tracks, 15, "tracks", true, 48),
    row(Kind::PeakTimes, 16, "peak times", true, 4),
    row(Kind::PeakPitches, 17, "peak pitches", true, 2),
    row(Kind::ChromaprintItems, 18, "Chromaprint items", true, 4),
    row(Kind::PairEnds, 19, "pair ends", true, 8),
    row(Kind::Pairs, 20, "pairs", true, 1),
    row(Kind::ConstellationEnds, 21, "constellation ends", true, 8),
    row(Kind::Constellations, 22, "constellations", true, 1),
    row(Kind::FilmTimes, 24, "film times", true, 4),
    row(Kind::FilmQualities, 25, "film qualities", true, 1),
    row(Kind::FilmCodes, 26, "film codes", true, 32),
    row(Kind::StringEnds, 28, "string ends", true, 4),
    row(Kind::Works, 29, "works", true, 16),
    row(Kind::Terms, 30, "terms", true, 16),
    row(Kind::Items, 31, "items", true, 48),
    row(Kind::Moments, 33, "moments", true, 16),
    row(Kind::Shared, 34, "shared codes", true, 12),
    row(Kind::SharedEnds, 35, "shared code ends", true, 4),
    row(Kind::Frames, 36, "frames", true, 12),
    row(Kind::Films, 37, "films", true, 36),
    row(Kind::FilmCodeEnds, 38, "film code ends", true, 4),
    row(Kind::FilmViewsSeen, 39, "film views seen", true, 2),
    row(Kind::BareHashes, 40, "bare hashes", true, 4),
];

impl Kind {
    pub(super) fn row(self) -> &'static KindRow {
        KINDS.iter().find(|row| row.kind == self).expect("every kind has a row: a test walks them")
    }
}

/// A work: strings id and title; terms; first identifier, those of the works following one another.
pub(super) type WorkRow = [u32; 4];
/// What many works have in common: strings holder, territory, window; policy.
pub(super) type TermsRow = [u32; 4];
/// An identifier: scheme, string.
pub(super) type IdentifierRow = [u32; 2];
/// An item: work, string name, references, twice the number of the algorithm that made its codes (0: the
/// segment's) and 1 where it has a digest, the digest's 32 bytes.
pub(super) type ItemRow = [u32; 12];
/// A frame: item, width, height * 8 + EXIF orientation - 1.
pub(super) type FrameRow = [u32; 3];
/// Heights of pictures are below this.
pub(super) const HEIGHTS: u32 = 1 << 29;
/// A frame's place in its file: frame, number, time in ms (low half, high half).
pub(super) type MomentRow = [u32; 4];
/// A region: kind, left, top, right, bottom, and of regions of bare hashes the number of the algorithm that made their
/// codes (0: the segment's).
pub(super) type RegionRow = [u16; 6];
/// 64 codes: a bit for each that has more than one reference (low half, high half), and how many such codes stand before.
pub(super) type SharedRow = [u32; 3];
/// A reference: frame (of a bare hash the number of frames + its work), region * 256 + quality.
pub(super) type ReferenceRow = [u32; 2];
/// A track: item, stream, duration in ms (low half, high half), content in ms (low, high), first peak, peaks of the mid mix,
/// peaks of the side mix, first Chromaprint item, Chromaprint items, zero.
pub(super) type TrackRow = [u32; 12];
/// A film: item, stream, duration in ms (low half, high half), width, height, first frame, frames, the number of the set of
/// views.
pub(super) type FilmRow = [u32; 9];

/// What a segment holds, as its header says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Distinct codes.
    pub(super) codes: u64,
    /// References: places where a code was seen.
    pub(super) references: u64,
    /// Pictures: stills and frames of animations.
    pub(super) frames: u64,
    /// Files.
    pub(super) items: u64,
    /// Works.
    pub(super) works: u64,
    /// References of the code that has most.
    pub(super) largest_cluster: u64,
    /// Codes with at least [`HOT`] references.
    pub(super) hot_codes: u64,
}

/// From this many references on a code is called hot: a logo, a test card, a black frame.
pub(super) const HOT: usize = 1024;

/// One entry of the section table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) kind: u32,
    pub(super) required: bool,
    pub(super) offset: usize,
    pub(super) length: usize,
    pub(super) checksum: u64,
}

/// A segment's header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) file_bytes: u64,
    pub(super) algorithm: u32,
    pub(super) counts: Counts,
    pub(super) sections: Vec<Section>,
}

impl Header {
    /// The header's 4096 bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![0; HEADER_BYTES];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(0, &SEGMENT_MAGIC);
        put(8, &VERSION.to_le_bytes());
        put(12, &ENDIAN_TAG.to_le_bytes());
        put(16, &self.file_bytes.to_le_bytes());
        put(24, &self.algorithm.to_le_bytes());
        put(28, &(self.sections.len() as u32).to_le_bytes());
        for (place, count) in self.counts.numbers().into_iter().enumerate() {
            put(COUNTS_AT + 8 * place, &count.to_le_bytes());
        }
        for (place, section) in self.sections.iter().enumerate() {
            let at = TABLE_AT + ENTRY_BYTES * place;
            put(at, &section.kind.to_le_bytes());
            put(at + 4, &u32::from(section.required).to_le_bytes());
            put(at + 8, &(section.offset as u64).to_le_bytes());
            put(at + 16, &(section.length as u64).to_le_bytes());
            put(at + 24, &section.checksum.to_le_bytes());
        }
        let checksum = xxh3_64(&bytes[..CHECKSUM_AT]);
        bytes[CHECKSUM_AT..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Reads the header of a segment whose whole file is `file`, and checks everything that it says against the file's
    /// length. The sections' own bytes are not looked at.
    pub(super) fn decode(path: &Path, file: &[u8]) -> Result<Header, IndexError> {
        let damaged = |expected: String, found: String| IndexError::damaged(path, "header", expected, found);
        let Some(bytes) = file.get(..HEADER_BYTES) else {
            return Err(damaged(format!("at least {HEADER_BYTES} bytes"), format!("{} bytes", file.len())));
        };
        if bytes[..8] != SEGMENT_MAGIC {
            return Err(damaged("the first bytes of a segment".to_owned(), format!("{:02x?}", &bytes[..8])));
        }
        let version = u32_at(bytes, 8);
        if version > VERSION {
            return Err(IndexError::Newer { path: path.to_owned(), found: version, known: VERSION });
        }
        let checksum = xxh3_64(&bytes[..CHECKSUM_AT]);
        if u64_at(bytes, CHECKSUM_AT) != checksum {
            return Err(damaged(format!("checksum {:016x}", u64_at(bytes, CHECKSUM_AT)), format!("{checksum:016x}")));
        }
        if u32_at(bytes, 12) != ENDIAN_TAG {
            return Err(damaged(format!("byte order tag {ENDIAN_TAG:08x}"), format!("{:08x}", u32_at(bytes, 12))));
        }
        let file_bytes = u64_at(bytes, 16);
        if file_bytes != file.len() as u64 {
            return Err(damaged(format!("a file of {file_bytes} bytes"), format!("{} bytes", file.len())));
        }
        let section_count = u32_at(bytes, 28) as usize;
        if section_count > MOST_SECTIONS {
            return Err(damaged(format!("at most {MOST_SECTIONS} sections"), section_count.to_string()));
        }
        let mut sections: Vec<Section> = Vec::with_capacity(section_count);
        let mut end = HEADER_BYTES;
        for place in 0..section_count {
            let at = TABLE_AT + ENTRY_BYTES * place;
            let (kind, flags) = (u32_at(bytes, at), u32_at(bytes, at + 4));
            let place = |at: usize| usize::try_from(u64_at(bytes, at)).unwrap_or(usize::MAX);
            let section = Section {
                kind,
                required: flags & 1 != 0,
                offset: place(at + 8),
                length: place(at + 16),
                checksum: u64_at(bytes, at + 24),
            };
            let Some(row) = KINDS.iter().find(|row| row.number == kind) else {
                if section.required {
                    return Err(IndexError::UnknownSection { path: path.to_owned(), kind });
                }
                end = section_end(path, &section, end, file.len())?;
                sections.push(section);
                continue;
            };
            if sections.iter().any(|other| other.kind == kind) {
                return Err(damaged(format!("one section {}", row.name), "two".to_owned()));
            }
            if !section.length.is_multiple_of(row.row_bytes) {
                let rows = format!("rows of {} bytes in section {}", row.row_bytes, row.name);
                return Err(damaged(rows, format!("{} bytes", section.length)));
            }
            end = section_end(path, &section, end, file.len())?;
            sections.push(section);
        }
        if end.next_multiple_of(ALIGNMENT) != file.len() {
            return Err(damaged(format!("sections up to byte {}", file.len()), format!("up to {end}")));
        }
        let header = Header { file_bytes, algorithm: u32_at(bytes, 24), counts: Counts::read(bytes), sections };
        header.check_counts(path)?;
        Ok(header)
    }

    /// The section of this kind, if there is one.
    pub(super) fn section(&self, kind: Kind) -> Option<&Section> {
        self.sections.iter().find(|section| section.kind == kind.row().number)
    }

    /// Every count is also the length of a section; where the two differ, one of them is wrong.
    fn check_counts(&self, path: &Path) -> Result<(), IndexError> {
        let counts = &self.counts;
        for (kind, count) in [
            (Kind::Works, counts.works),
            (Kind::Items, counts.items),
            (Kind::Frames, counts.frames),
            (Kind::Codes, counts.codes),
            (Kind::References, counts.references),
        ] {
            let row = kind.row();
            let Some(section) = self.section(kind) else {
                return Err(IndexError::damaged(path, "header", format!("a section {}", row.name), "none"));
            };
            let rows = (section.length / row.row_bytes) as u64;
            if rows != count || count > u64::from(u32::MAX) {
                let expected = format!("{count} {}, each numbered by 32 bits", row.name);
                return Err(IndexError::damaged(path, "header", expected, format!("{rows} rows")));
            }
        }
        Ok(())
    }
}

/// The end of a section that starts at the first multiple of the alignment after `end`, if it lies within the file.
fn section_end(path: &Path, section: &Section, end: usize, file_bytes: usize) -> Result<usize, IndexError> {
    let start = end.next_multiple_of(ALIGNMENT);
    match section.offset.checked_add(section.length) {
        Some(end) if section.offset == start && end <= file_bytes => Ok(end),
        _ => Err(IndexError::damaged(
            path,
            "header",
            format!("section {} at byte {start}, within {file_bytes} bytes", section.kind),
            format!("{} bytes at {}", section.length, section.offset),
        )),
    }
}

impl Counts {
    fn numbers(&self) -> [u64; 7] {
        [self.codes, self.references, self.frames, self.items, self.works, self.largest_cluster, self.hot_codes]
    }

    fn read(bytes: &[u8]) -> Counts {
        let at = |place: usize| u64_at(bytes, COUNTS_AT + 8 * place);
        Counts {
            codes: at(0),
            references: at(1),
            frames: at(2),
            items: at(3),
            works: at(4),
            largest_cluster: at(5),
            hot_codes: at(6),
        }
    }
}

/// The `u32` at `at`; 0 past the end.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |four| u32::from_le_bytes(*four))
}

/// The `u64` at `at`; 0 past the end.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |eight| u64::from_le_bytes(*eight))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_numbered_once_and_their_rows_are_as_long_as_they_say() {
        for (place, row) in KINDS.iter().enumerate() {
            assert_eq!(row.kind.row().number, row.number);
            assert!(KINDS[..place].iter().all(|other| other.number != row.number && other.name != row.name));
        }
        assert_eq!(Kind::Works.row().row_bytes, size_of::<WorkRow>());
        assert_eq!(Kind::Terms.row().row_bytes, size_of::<TermsRow>());
        assert_eq!(Kind::Identifiers.row().row_bytes, size_of::<IdentifierRow>());
        assert_eq!(Kind::Items.row().row_bytes, size_of::<ItemRow>());
        assert_eq!(Kind::Frames.row().row_bytes, size_of::<FrameRow>());
        assert_eq!(Kind::Moments.row().row_bytes, size_of::<MomentRow>());
        assert_eq!(Kind::Regions.row().row_bytes, size_of::<RegionRow>());
        assert_eq!(Kind::References.row().row_bytes, size_of::<ReferenceRow>());
        assert_eq!(Kind::Shared.row().row_bytes, size_of::<SharedRow>());
        assert_eq!(Kind::Tracks.row().row_bytes, size_of::<TrackRow>());
        assert_eq!(Kind::Films.row().row_bytes, size_of::<FilmRow>());
    }
}
