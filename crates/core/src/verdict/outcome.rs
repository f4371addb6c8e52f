//! Outcomes: exactly one for every item, the first that applies.

use minutia_media::Problem;

use super::Outcome;

/// The outcome of a source, or of an item in which nothing was found, that met this problem.
pub fn outcome_of_failure(problem: &Problem) -> Outcome {
    match problem {
        Problem::Io { .. } => Outcome::Unreadable,
        Problem::NotMedia { .. } => Outcome::Other,
        Problem::Protected { .. } => Outcome::Protected,
        Problem::Unsupported { .. } => Outcome::Unsupported,
        Problem::Limit { .. } | Problem::Crashed { .. } | Problem::TimedOut { .. } => Outcome::Failed,
        Problem::Damaged { .. } => Outcome::Damaged,
        // The enum is open: what this build cannot name has failed, never passed in silence.
        _ => Outcome::Failed,
    }
}

impl Outcome {
    /// All outcomes, in order of precedence.
    pub const ALL: [Outcome; 11] = [
        Outcome::Skipped,
        Outcome::Unreadable,
        Outcome::Other,
        Outcome::Protected,
        Outcome::Unsupported,
        Outcome::Match,
        Outcome::Possible,
        Outcome::Failed,
        Outcome::Damaged,
        Outcome::Undecided,
        Outcome::NoMatch,
    ];

    /// The name that records use.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Skipped => "skipped",
            Outcome::Unreadable => "unreadable",
            Outcome::Other => "other",
            Outcome::Protected => "protected",
            Outcome::Unsupported => "unsupported",
            Outcome::Match => "match",
            Outcome::Possible => "possible",
            Outcome::Failed => "failed",
            Outcome::Damaged => "damaged",
            Outcome::Undecided => "undecided",
            Outcome::NoMatch => "no-match",
        }
    }
}
