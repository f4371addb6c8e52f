//! How much a frame of a query says: what many films show proves nothing.

use super::FilmHit;
use crate::fingerprint::{FilmBase, FilmView};

/// Films that may show a frame before it counts less.
const FEW_FILMS: f64 = 3.0;

/// What each frame of the query counts for, by the kind of view: less the more films show it in views of that kind, since black,
/// logos, skies and test cards prove nothing. Among many views of a frame one is like many films by chance, which says
/// nothing of views of another kind.
#[derive(Debug)]
pub(super) struct Rarity {
    kinds: Vec<Kind>,
    /// Frames, kinds, and what they count for where that is less than 1, sorted.
    counts: Vec<(u32, Kind, f64)>,
}

/// What a view is a part of, whichever of those it is, whether a strip of it, and whether turned.
type Kind = (u8, bool, bool);

fn kind(view: &FilmView) -> Kind {
    let base = match view.base {
        FilmBase::Trimmed => 0,
        FilmBase::Whole => 1,
        FilmBase::Framed(_) => 2,
        FilmBase::Sharp => 3,
        FilmBase::Slanted(_) => 4,
    };
    (base, view.strip.is_some(), view.degrees != 0)
}

impl Rarity {
    /// Of a query with these views.
    pub(super) fn of(hits: &[FilmHit], views: &[FilmView]) -> Rarity {
        let kinds: Vec<Kind> = views.iter().map(kind).collect();
        let place = |hit: &FilmHit| Some((hit.query_frame, *kinds.get(usize::from(hit.query_view))?, hit.film));
        let mut all: Vec<(u32, Kind, u32)> = hits.iter().filter_map(place).collect();
        all.sort_unstable();
        all.dedup();
        let of_kind = |same: &[(u32, Kind, u32)]| (same[0].0, same[0].1, FEW_FILMS / same.len() as f64);
        let counts = all.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).map(of_kind).filter(|kind| kind.2 < 1.0).collect();
        Rarity { kinds, counts }
    }

    pub(super) fn of_view(&self, frame: usize, view: u32) -> f64 {
        let Some(&kind) = self.kinds.get(view as usize) else { return 1.0 };
        let place = self.counts.binary_search_by_key(&(frame as u32, kind), |&(frame, kind, _)| (frame, kind));
        place.map_or(1.0, |place| self.counts[place].2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::{FilmFingerprinter, FilmViews};

    #[test]
    fn what_many_films_show_in_one_kind_of_view_counts_less_and_in_another_does_not() {
        let views = FilmFingerprinter::new(0, FilmViews::BothLooks).finish().views;
        let of_base = |wanted: FilmBase| views.iter().position(|view| view.base == wanted).unwrap() as u16;
        let strip = views.iter().position(|view| view.strip.is_some()).unwrap() as u16;
        let slanted = [FilmBase::Slanted(0), FilmBase::Slanted(3)].map(of_base);
        let hit = |film, query_frame, query_view, reference_frame| FilmHit {
            film,
            query_frame,
            reference_frame,
            distance: 30,
            query_view,
            reference_view: 0,
            query_ms: 0,
            reference_ms: 0,
        };
        // Six films show strips of frame 4, one of them often, and three of them other parts; of frame 5 four films, two in
        // each of two slanted pictures.
        let many = (0..6).map(|film| hit(film, 4, strip + film as u16 % 2, 9));
        let often = (0..5).map(|frame| hit(2, 4, strip, frame));
        let few = (0..3).map(|film| hit(film, 4, 0, 9));
        let both = (0..4).map(|film| hit(film, 5, slanted[film as usize % 2], 9));
        let rarity = Rarity::of(&many.chain(often).chain(few).chain(both).collect::<Vec<_>>(), &views);
        assert_eq!([rarity.of_view(4, strip.into()), rarity.of_view(4, 0)], [0.5, 1.0]);
        assert_eq!(slanted.map(|view| rarity.of_view(5, view.into())), [0.75; 2]);
        assert_eq!([rarity.of_view(5, 0), rarity.of_view(6, strip.into()), rarity.of_view(4, 100_000)], [1.0; 3]);
    }
}
