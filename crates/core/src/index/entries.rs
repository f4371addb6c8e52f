//! The entries of an index: what would register its files again, so that an index can be put into another without any
//! media.

use super::film::Films;
use super::layout::Kind;
use super::reader::Part;
use super::segment::SegmentFrame;
use super::sound::Sound;
use super::{Entry, Index, IndexError};
use crate::fingerprint::{AlgorithmId, Dihedral, Fingerprint, ImageFingerprint, View};

impl Index {
    /// Every registered file as the entry that [`Writer::add_coded`](super::Writer::add_coded) takes, with the algorithm of
    /// its codes: by segment, and in each by work, digest and name, hashes of lists without a file last. Holds eight bytes
    /// for each reference of one segment.
    ///
    /// Pictures come before sound, and sound before films. What an index does not keep comes back plain: references are not
    /// turned, and the plain rim of their views is 0.
    pub fn entries(&self) -> impl Iterator<Item = Result<(Entry, AlgorithmId), IndexError>> {
        self.parts().iter().enumerate().flat_map(move |(place, part)| {
            let prepared = by_item(part).and_then(|references| {
                let sound = Sound::open(&part.segment, &part.dead)?;
                Ok((references, sound, Films::open(&part.segment, &part.dead)?))
            });
            let (references, sound, films, error) = match prepared {
                Ok((references, sound, films)) => (references, sound, films, None),
                Err(error) => (Vec::new(), None, None, Some(error)),
            };
            let items = error.is_none().then(|| part.segment.items()).into_iter().flatten();
            let living = items.filter(|&item| !part.dead.item(item));
            error
                .map(Err)
                .into_iter()
                .chain(living.map(move |item| self.entry(place, item, &references, sound.as_ref(), films.as_ref())))
        })
    }

    fn entry(
        &self,
        place: usize,
        item: u32,
        references: &[(u32, u32)],
        sound: Option<&Sound<'_>>,
        films: Option<&Films<'_>>,
    ) -> Result<(Entry, AlgorithmId), IndexError> {
        let segment = &self.parts()[place].segment;
        let row = segment.item(item)?;
        let work = self.work_of(place, row.work)?;
        let frames = segment.frames_of(item);
        let bare = segment.bare_of_item(item);
        let mut pictures = Vec::with_capacity(frames.len());
        for number in frames.clone() {
            pictures.push(picture(&bare.map_or_else(|| segment.frame(number), |bare| segment.frame_of(bare))?));
        }
        let first = references.partition_point(|&(of, _)| of < item);
        let of_item = references[first..].iter().take_while(|&&(of, _)| of == item).map(|&(_, reference)| reference);
        for reference in of_item.chain(bare) {
            let (frame, region, quality) = segment.reference(reference)?;
            let code = segment.code(segment.code_of(reference)?)?;
            let picture = frame.checked_sub(frames.start).and_then(|place| pictures.get_mut(place as usize));
            let picture = picture.ok_or_else(|| segment.wrong(Kind::References, "a frame of its file", frame))?;
            picture.views.push(View { region, turn: Dihedral::Identity, code, quality, plain_rim: 0 });
        }
        let mut fingerprints: Vec<Fingerprint> = pictures.into_iter().map(Fingerprint::Image).collect();
        if let Some(sound) = sound {
            fingerprints.extend(sound.tracks_of(item).map(|track| Fingerprint::Audio(sound.fingerprint(track))));
        }
        if let Some(films) = films {
            fingerprints.extend(films.films_of(item).map(|film| Fingerprint::Film(films.fingerprint(film))));
        }
        let entry = Entry {
            work,
            source_name: row.source_name.into_owned(),
            source_digest: row.source_digest,
            fingerprints,
            thumbnail: segment.thumbnail(item)?,
        };
        Ok((entry, row.algorithm))
    }
}

/// A picture of which no view is known yet.
fn picture(frame: &SegmentFrame) -> ImageFingerprint {
    ImageFingerprint {
        frame: frame.number,
        time_ms: frame.time_ms,
        width: frame.width,
        height: frame.height,
        orientation: frame.orientation,
        views: Vec::new(),
    }
}

/// Item and number of each living reference of a segment that is no bare hash, sorted: references stand by code, not by
/// file.
fn by_item(part: &Part) -> Result<Vec<(u32, u32)>, IndexError> {
    let segment = &part.segment;
    let mut places = Vec::new();
    for reference in 0..segment.header().counts.references as u32 {
        if segment.work_of_bare(reference)?.is_some() {
            continue;
        }
        let item = segment.item_number_of(reference)?;
        if !part.dead.item(item) {
            places.push((item, reference));
        }
    }
    places.sort_unstable();
    Ok(places)
}
