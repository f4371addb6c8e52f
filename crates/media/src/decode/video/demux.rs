//! Between containers and the decoder: samples, the coded pictures of one track with their times, in the order of decoding.

use super::film::{Film, Track, TrackKind};
use super::fragments::Fragments;
use super::{blocks, matroska, mp4, tables};
use crate::decode::declared::{self, Sort};
use crate::{Format, Problem, Source};

/// One coded picture: where its bytes are, and when it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) offset: u64,
    pub(super) size: u64,
    /// Microseconds from the film's zero; `None` where the container hides it.
    pub(super) pts_us: Option<i64>,
    /// Whether it can be decoded alone.
    pub(super) key: bool,
    /// Which of the track's descriptions it is coded by.
    pub(super) description: u32,
}

/// A picture track that is ready to be read.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) film: Film,
    /// The decoder's configuration by each of the descriptions.
    pub(super) configs: Vec<Vec<u8>>,
    /// Bytes that the container took away from the start of each sample.
    pub(super) prefix: Vec<u8>,
    /// Whether samples are packed in a way that is not undone here.
    pub(super) packed: bool,
    place: Place,
}

/// Where the samples of a track are found.
#[derive(Debug)]
enum Place {
    Tables(Box<mp4::Track>, u32),
    Fragments(Box<mp4::Track>, u32, u64),
    Clusters(matroska::Clusters),
}

/// The samples of a track, in the order of decoding.
pub(super) enum Samples<'a> {
    Tables(Box<tables::Samples<'a>>),
    Fragments(Box<Fragments<'a>>),
    Clusters(Box<blocks::Samples<'a>>),
}

impl Samples<'_> {
    /// The next one; `None` at the end.
    ///
    /// # Errors
    /// [`Problem::Io`], [`Problem::Damaged`] where nothing more can be found.
    pub(super) fn next(&mut self) -> Result<Option<Sample>, Problem> {
        match self {
            Samples::Tables(samples) => samples.next(),
            Samples::Fragments(samples) => samples.next(),
            Samples::Clusters(samples) => samples.next(),
        }
    }
}

/// Reads the directory of a container, and finds picture track number `track`, from 0, cover art not counted.
///
/// # Errors
/// [`Problem::Io`], [`Problem::Damaged`] without a directory. `Ok` with the film alone where there is no such track.
pub(super) fn open(source: &Source, format: Format, track: u32) -> Result<Result<Opened, Film>, Problem> {
    match format {
        Format::Mp4 | Format::M4a => {
            let movie = mp4::movie(source)?;
            let film = movie.film(format, track);
            let Some(place) = movie.pictures().nth(track as usize) else { return Ok(Err(film)) };
            let mut found = place.clone();
            let timescale = movie.timescale;
            let entries = std::mem::take(&mut found.entries);
            let configs = entries.into_iter().map(|entry| entry.config).collect();
            let place = match movie.fragments_from {
                Some(from) if found.tables.sizes.count == 0 => Place::Fragments(Box::new(found), timescale, from),
                _ => {
                    found.late = tables::Samples::new(source, &found, timescale).late()?;
                    Place::Tables(Box::new(found), timescale)
                }
            };
            Ok(Ok(Opened { film, configs, prefix: Vec::new(), packed: false, place }))
        }
        Format::Matroska => {
            let segment = matroska::segment(source)?;
            let film = segment.film(format, track);
            let Some(found) = segment.pictures().nth(track as usize) else { return Ok(Err(film)) };
            Ok(Ok(Opened {
                film,
                configs: vec![found.config.clone()],
                prefix: found.prefix.clone(),
                packed: found.is_packed(),
                place: Place::Clusters(segment.clusters(found)),
            }))
        }
        _ => {
            let listed = declared::locked(source, format)?.into_iter().take(Film::MOST_TRACKS);
            let tracks = listed.map(|listed| Track {
                locked_by: listed.locked_by,
                ..Track::still(listed.number, kind(listed.sort), listed.codec)
            });
            Ok(Err(Film { format: Some(format), tracks: tracks.collect(), ..Film::default() }))
        }
    }
}

fn kind(sort: Sort) -> TrackKind {
    match sort {
        Sort::Picture => TrackKind::Picture,
        Sort::Sound => TrackKind::Sound,
        Sort::Other => TrackKind::Other,
    }
}

/// How many bytes are missing at the end of the file, by what its outermost parts declare.
///
/// # Errors
/// [`Problem::Io`].
pub(super) fn missing_bytes(source: &Source, format: Format) -> Result<u64, Problem> {
    match format {
        Format::Mp4 | Format::M4a => mp4::missing_bytes(source),
        Format::Matroska => matroska::missing_bytes(source),
        _ => declared::missing_bytes(source, format),
    }
}

impl Opened {
    /// The track's samples from the first.
    pub(super) fn samples<'a>(&self, source: &'a Source) -> Samples<'a> {
        match &self.place {
            Place::Tables(track, timescale) => {
                Samples::Tables(Box::new(tables::Samples::new(source, track, *timescale)))
            }
            Place::Fragments(track, timescale, from) => {
                Samples::Fragments(Box::new(Fragments::new(source, track, *timescale, *from)))
            }
            Place::Clusters(clusters) => Samples::Clusters(Box::new(blocks::Samples::new(source, clusters))),
        }
    }
}

/// Up to `len` bytes from `offset`; fewer at the end of the file. The caller has held `len` against a limit.
pub(super) fn read(source: &Source, offset: u64, len: usize) -> Result<Vec<u8>, Problem> {
    let mut data = vec![0; len];
    let read = source.read_at(offset, &mut data)?;
    data.truncate(read);
    Ok(data)
}

/// `ticks` of a clock of `timescale` a second in microseconds, rounded to the nearest, halves away from zero.
pub(super) fn microseconds(ticks: i64, timescale: u32) -> i64 {
    let (ticks, scale) = (i128::from(ticks) * 1_000_000, i128::from(timescale.max(1)));
    let half = if ticks < 0 { -(scale / 2) } else { scale / 2 };
    i64::try_from((ticks + half) / scale).unwrap_or(if ticks < 0 { i64::MIN } else { i64::MAX })
}

pub(super) fn be32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |value, &byte| value << 8 | u32::from(byte))
}

pub(super) fn be64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

/// The 32-bit field at `at`, 0 where there is none.
pub(super) fn field(data: &[u8], at: usize) -> u32 {
    at.checked_add(4).and_then(|end| data.get(at..end)).map_or(0, be32)
}
