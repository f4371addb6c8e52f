//! A query as it is followed: its fingerprint, and parts of it that were fitted to a reference.

use crate::fingerprint::{FilmFingerprint, FilmFrame, FilmView};

/// The numbers of fitted parts as views follow those of the fingerprint.
#[derive(Clone, Debug)]
pub(super) struct Query<'q> {
    film: &'q FilmFingerprint,
    fitted: Vec<Fitted>,
}

/// A part of the query that is a view of a reference.
#[derive(Clone, Debug)]
pub(super) struct Fitted {
    /// The view of the fingerprint that it was fitted from.
    pub(super) from: u32,
    pub(super) view: FilmView,
    /// Its codes, by frame.
    pub(super) codes: Vec<(u32, [u64; 4])>,
}

impl<'q> Query<'q> {
    pub(super) fn of(film: &'q FilmFingerprint) -> Query<'q> {
        Query { film, fitted: Vec::new() }
    }

    pub(super) fn film(&self) -> &'q FilmFingerprint {
        self.film
    }

    pub(super) fn frames(&self) -> &'q [FilmFrame] {
        &self.film.frames
    }

    pub(super) fn duration_ms(&self) -> f64 {
        self.film.duration_ms as f64
    }

    /// The number of the view that a part becomes.
    pub(super) fn add(&mut self, fitted: Fitted) -> u32 {
        self.fitted.push(fitted);
        (self.film.views.len() + self.fitted.len() - 1) as u32
    }

    fn fitted(&self, view: u32) -> Option<&Fitted> {
        self.fitted.get((view as usize).checked_sub(self.film.views.len())?)
    }

    pub(super) fn view(&self, view: u32) -> FilmView {
        self.fitted(view).map_or_else(|| self.film.views[view as usize], |fitted| fitted.view)
    }

    /// The view itself, or that which it was fitted from.
    pub(super) fn origin(&self, view: u32) -> u32 {
        self.fitted(view).map_or(view, |fitted| fitted.from)
    }

    pub(super) fn code(&self, frame: usize, view: u32) -> Option<[u64; 4]> {
        if let Some(Fitted { codes, .. }) = self.fitted(view) {
            let place = codes.binary_search_by_key(&(frame as u32), |code| code.0).ok()?;
            return Some(codes[place].1);
        }
        let code = self.film.codes_of(frame).get(view as usize)?;
        (code.0 != [0; 32]).then(|| bytemuck::cast(code.0))
    }
}
