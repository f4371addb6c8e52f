//! How much a frame of a query says: what many films show proves nothing.

use super::FilmHit;

/// Films that may show a view of a frame before it counts less.
const FEW_FILMS: f64 = 3.0;

/// What each view of each frame of the query counts for: less the more films show it, since black, logos and test cards prove
/// nothing. Another view of the frame may still be one film's alone.
#[derive(Debug)]
pub(super) struct Rarity(Vec<(u32, u16, f64)>);

impl Rarity {
    pub(super) fn of(hits: &[FilmHit]) -> Rarity {
        let mut all: Vec<(u32, u16, u32)> =
            hits.iter().map(|hit| (hit.query_frame, hit.query_view, hit.film)).collect();
        all.sort_unstable();
        all.dedup();
        let of_view = |same: &[(u32, u16, u32)]| (same[0].0, same[0].1, FEW_FILMS / same.len() as f64);
        let of_views = all.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).map(of_view);
        Rarity(of_views.filter(|view| view.2 < 1.0).collect())
    }

    pub(super) fn of_view(&self, frame: usize, view: u32) -> f64 {
        let wanted = (frame as u32, view as u16);
        let place = self.0.binary_search_by_key(&wanted, |&(frame, view, _)| (frame, view));
        place.map_or(1.0, |place| self.0[place].2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_that_many_films_show_counts_less_and_another_of_the_frame_does_not() {
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
        // Six films show the first view of frame 4, one of them often; the other views three or fewer.
        let many = (0..6).map(|film| hit(film, 4, 0, 9));
        let often = (0..5).map(|frame| hit(2, 4, 0, frame));
        let few = [hit(1, 4, 7, 9), hit(0, 5, 0, 9), hit(3, 5, 0, 9), hit(5, 5, 0, 9)];
        let rarity = Rarity::of(&many.chain(often).chain(few).collect::<Vec<_>>());
        assert_eq!(rarity.of_view(4, 0), 0.5);
        assert_eq!([rarity.of_view(4, 7), rarity.of_view(5, 0), rarity.of_view(6, 0)], [1.0; 3]);
    }
}
