//! Two files compared, as a scan would compare them: pictures view by view, sound and films by aligning them.

use std::path::Path;

use anyhow::{Context, Result};
use minutia::fingerprint::{AlgorithmId, Fingerprint, ImageFingerprint, View};
use minutia::scan::{Item, Request};
use minutia::verdict::calibration::Calibration;
use minutia::verdict::{Allowed, Judge, Level, Outcome, Penalty, redundancy};
use minutia_report::{FileFacts, ItemRecord};

use crate::args::Scale;
use crate::heard::{self, Heard};
use crate::indexes;
use crate::measure::{Content, Measured, Measurer};
use crate::reading::Reading;
use crate::walk;

/// One of two files.
pub(crate) struct Side {
    pub(crate) facts: FileFacts,
    /// The file itself as an item; `Err` with what kept it from being opened.
    pub(crate) item: Result<Item, (Outcome, String)>,
}

/// Two files, and what was found between them.
pub(crate) struct Compared {
    pub(crate) a: Side,
    pub(crate) b: Side,
    pub(crate) judge: Judge,
    /// The files are byte for byte the same.
    pub(crate) identical: bool,
    /// For each region of A, in each of its frames, the pair of views with the lowest score.
    pub(crate) pairs: Vec<Pair>,
    /// Of two recordings or films what runs along; `None` where there is nothing to align.
    pub(crate) heard: Option<Heard>,
}

/// Two views and how near they are.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) a: View,
    pub(crate) a_frame: u32,
    pub(crate) b: View,
    pub(crate) b_frame: u32,
    pub(crate) penalty: Penalty,
    pub(crate) b_redundancy: f64,
    pub(crate) distance_bits: u32,
    /// The distance is that of A's negative.
    pub(crate) inverted: bool,
    pub(crate) score: f64,
}

/// A as a scan would record it, with B as the one work; sound alone, since pictures are compared by more than a scan tells.
pub(crate) fn record(compared: &Compared) -> Result<ItemRecord> {
    let heard = compared.heard.as_ref();
    heard.map(|heard| heard.record.clone()).context(
        "expected two files with sound, or two films, beside --json; of pictures `minutia explain` prints every number",
    )
}

/// Compares A, as a scan takes a suspect's file, with B, as an index takes a work.
pub(crate) fn compare(a: &Path, b: &Path, scale: &Scale) -> Result<Compared> {
    let pictures = match &scale.index {
        Some(index) => indexes::open(index)?.pictures(),
        None => scale.pictures,
    };
    let calibration = Calibration::of(AlgorithmId::PDQ_AREA).context("expected a calibration in this build")?;
    let judge = Judge::new(calibration, pictures, Allowed::default());
    let reading = Reading::one(scale.decoding.in_process).with_ffmpeg(!scale.decoding.no_ffmpeg);
    // An early word where no worker can be started.
    reading.facts_aloud()?;
    let a = side(a, &reading, Request::query());
    let b = side(b, &reading, Request::reference());
    let identical = a.facts.blake3.is_some() && a.facts.blake3 == b.facts.blake3;
    let pairs = a.pictures().flat_map(|picture| nearest(picture, &b)).collect();
    let heard = heard::align(&a, &b)?;
    Ok(Compared { a, b, judge, identical, pairs, heard })
}

impl Compared {
    /// The pair with the lowest score; the first of equals.
    pub(crate) fn best(&self) -> Option<&Pair> {
        self.pairs.iter().min_by(|a, b| a.score.total_cmp(&b.score))
    }

    /// The level that the two files reach together.
    pub(crate) fn level(&self) -> Option<Level> {
        if self.identical {
            return Some(Level::Match);
        }
        self.best().and_then(|best| self.judge.level(best.score)).map(|(level, _)| level)
    }

    /// What came of it, as a scan would say of A.
    pub(crate) fn outcome(&self) -> Outcome {
        // Animated pictures are compared as films and picture by picture.
        if let (Some(heard), None) = (&self.heard, self.level()) {
            return if heard.outcome == Outcome::NoMatch { self.b.outcome() } else { heard.outcome };
        }
        if let (Some(Level::Possible), Some(Outcome::Match)) = (self.level(), self.heard.as_ref().map(|h| h.outcome)) {
            return Outcome::Match;
        }
        match self.level() {
            Some(Level::Match) => Outcome::Match,
            Some(Level::Possible) => Outcome::Possible,
            None => match (self.a.outcome(), self.b.outcome()) {
                (Outcome::NoMatch, b) => b,
                (a, _) => a,
            },
        }
    }
}

impl Side {
    /// Its pictures.
    pub(crate) fn pictures(&self) -> impl Iterator<Item = &ImageFingerprint> {
        let fingerprints = self.item.as_ref().map_or(&[][..], |item| &item.fingerprints);
        fingerprints.iter().filter_map(Fingerprint::image)
    }

    /// Whether it has sound to align.
    pub(crate) fn has_sound(&self) -> bool {
        let fingerprints = self.item.as_ref().map_or(&[][..], |item| &item.fingerprints);
        fingerprints.iter().any(|print| print.audio().is_some())
    }

    /// What a scan would say of it if nothing were found.
    pub(crate) fn outcome(&self) -> Outcome {
        match &self.item {
            Ok(item) => item.outcome(&[]),
            Err((outcome, _)) => *outcome,
        }
    }

    /// What is wrong with it.
    pub(crate) fn problems(&self) -> Vec<String> {
        match &self.item {
            Ok(item) => item.problems.iter().map(ToString::to_string).collect(),
            Err((_, reason)) => vec![reason.clone()],
        }
    }
}

fn side(path: &Path, reading: &Reading, request: Request) -> Side {
    let Measured { facts, content } = Measurer::new(reading.reader(), request).measure(0, walk::one(path));
    let item = match content {
        // What is inside of a container is not compared: its own item comes first.
        Content::Items(items) => items.into_iter().next().ok_or((Outcome::Undecided, "nothing in it".to_owned())),
        Content::Unopened(outcome, _, reason) => Err((outcome, reason)),
    };
    Side { facts, item }
}

/// For each region of a picture the pair with the lowest score.
fn nearest(picture: &ImageFingerprint, b: &Side) -> Vec<Pair> {
    let mut nearest: Vec<Pair> = Vec::new();
    for view in &picture.views {
        let penalty = Penalty::of(&view.code, view.plain_rim);
        for other in b.pictures() {
            for known in &other.views {
                let distance = view.code.distance(&known.code);
                let (distance_bits, inverted) =
                    if distance <= 256 - distance { (distance, false) } else { (256 - distance, true) };
                let b_redundancy = redundancy(&known.code);
                let score = penalty.score(distance_bits, b_redundancy);
                let pair = || Pair {
                    a: *view,
                    a_frame: picture.frame,
                    b: *known,
                    b_frame: other.frame,
                    penalty,
                    b_redundancy,
                    distance_bits,
                    inverted,
                    score,
                };
                match nearest.iter_mut().find(|pair| pair.a.region == view.region) {
                    Some(best) if best.score <= score => {}
                    Some(best) => *best = pair(),
                    None => nearest.push(pair()),
                }
            }
        }
    }
    nearest
}
