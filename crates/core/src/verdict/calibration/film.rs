//! What scores of films are judged by, until a row is measured as for pictures and sound.
//!
//! The numbers are those of the development set, on which the search itself was tuned, and so are kinder than films that
//! nobody tuned on would be.

/// Levels of scores, and how often unrelated films reach a score. Higher is surer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FilmScale {
    /// The least score of a `match`.
    pub at_match: f64,
    /// The least score of a `possible`.
    pub at_possible: f64,
    /// The films that were measured, in words.
    pub data: &'static str,
    /// The command that measured them.
    pub command: &'static str,
    /// Pairs of a query and an unrelated film.
    pub pairs: u64,
    /// The highest score of those pairs.
    pub highest_false: f64,
    /// Share of unrelated pairs that reach `tail_score`, and by what it falls with each point above.
    pub tail_share: f64,
    /// Where the tail begins; the share is not known below and taken to be that.
    pub tail_score: f64,
    /// Between 0 and 1.
    pub tail_decline: f64,
}

/// The scale of this build. Of the pairs 31 reach 1, 13 reach 1.5, 6 reach 2, 2 reach 2.5 and one 3.3: that falls by a factor of
/// 0.2 a point, of which 0.25 is believed. A `possible` begins above all of them, and a `match` two points further.
pub const FILM_SCALE: &FilmScale = &FilmScale {
    at_match: 6.0,
    at_possible: 4.0,
    data: "190 queries of films that were not registered, plain and altered, against 85 films (development set)",
    command: "minutia scan SET/queries-1 --index INDEX --json, with every score told",
    pairs: 190 * 85,
    highest_false: 3.3,
    tail_share: 31.0 / (190.0 * 85.0),
    tail_score: 1.0,
    tail_decline: 0.25,
};

impl FilmScale {
    /// Share of unrelated pairs expected to score `score` or more.
    #[must_use]
    pub fn share(&self, score: f64) -> f64 {
        self.tail_share * libm::pow(self.tail_decline, (score - self.tail_score).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_unrelated_pair_that_was_measured_is_a_finding() {
        let scale = FILM_SCALE;
        assert!(scale.highest_false < scale.at_possible && scale.at_possible < scale.at_match);
        // What was counted is not rarer than the scale says.
        for (score, pairs) in [(1.0, 31.0), (1.5, 13.0), (2.0, 6.0), (2.5, 2.0), (3.2, 1.0)] {
            assert!(scale.share(score) * scale.pairs as f64 >= 0.5 * pairs, "{score}");
        }
        assert!(scale.share(7.0) < 1e-6);
    }
}
