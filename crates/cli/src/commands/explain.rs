//! `minutia explain`: every number that decided, and what would have changed the answer.

use std::io::{BufWriter, Write, stdout};

use anyhow::{Context, Result};
use minutia::fingerprint::{AlgorithmId, Region};
use minutia::scan::CHROMAPRINT_SCALE;
use minutia::verdict::calibration::{Calibration, ScoreCalibration};
use minutia::verdict::{Allowed, FilmJudge, Judge, Level, SoundJudge};
use minutia_report::escape::{name, text};
use minutia_report::{FilmPart, FindingRecord, SoundPart, format, many};

use super::compare::{exit, verdict};
use crate::args;
use crate::exit::Exit;
use crate::heard::Heard;
use crate::pairs::{self, Compared, Pair, Side};

/// Explains as typed.
pub(crate) fn run(args: &args::Explain) -> Result<Exit> {
    let compared = pairs::compare(&args.a, &args.b, &args.scale)?;
    let mut out = BufWriter::new(stdout().lock());
    side(&mut out, "A, which may be a copy", &compared.a)?;
    side(&mut out, "B, which it may be a copy of", &compared.b)?;
    if !compared.pairs.is_empty() {
        views(&mut out, &compared.pairs)?;
    }
    match &compared.heard {
        Some(heard) => stretches(&mut out, heard)?,
        None => scale(&mut out, &compared)?,
    }
    if let (Some(best), false) = (compared.best(), compared.identical) {
        decision(&mut out, best)?;
        flips(&mut out, &compared, best)?;
    }
    writeln!(out, "\n{}", verdict(&compared))?;
    out.flush()?;
    Ok(exit(&compared))
}

fn side(out: &mut impl Write, title: &str, side: &Side) -> Result<()> {
    let facts = &side.facts;
    writeln!(out, "{title}\n  {}", name(&facts.path))?;
    if let Some(size) = facts.size {
        writeln!(out, "  {size} bytes")?;
    }
    for (algorithm, digest) in [("BLAKE3", facts.blake3), ("SHA-256", facts.sha256)] {
        if let Some(digest) = digest {
            writeln!(out, "  {algorithm:<8} {}", digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>())?;
        }
    }
    if let Ok(item) = &side.item {
        let format = item.format.map_or("no media", |format| format.row().name);
        let coverage = &item.coverage;
        match &coverage.sound {
            Some(sound) => {
                let of = sound.declared_ms.map_or_else(String::new, |ms| format!(" of {ms} declared"));
                let codec = if sound.codec.is_empty() { "sound" } else { &sound.codec };
                writeln!(out, "  {format}, {} by {}, {} ms{of}", text(codec), text(&sound.decoder), sound.decoded_ms)?;
            }
            None if coverage.film.is_some() => writeln!(out, "  {format}, no sound read")?,
            None => {
                writeln!(out, "  {format}, {} frames read, {} distinct", coverage.frames_read, coverage.frames_kept)?;
            }
        }
    }
    if let Some(film) = side.item.as_ref().ok().and_then(|item| item.coverage.film.as_ref()) {
        let of = film.declared_ms.map_or_else(String::new, |ms| format!(" of {ms} declared"));
        let codec = if film.codec.is_empty() { "pictures" } else { &film.codec };
        let (width, height) = (film.width, film.height);
        let (decoder, reached, looked) = (text(&film.decoder), film.decoded_ms, film.frames_read);
        writeln!(
            out,
            "  {}, {width}x{height}, by {decoder}, {reached} ms{of}, {looked} frames looked at",
            text(codec)
        )?;
    }
    for film in side.films() {
        let (frames, views) = (film.frames.len(), film.views.len());
        writeln!(
            out,
            "  stream {}: {} ms, {frames} frames kept, {views} views of each",
            film.stream, film.duration_ms
        )?;
    }
    for audio in side.sounds() {
        writeln!(
            out,
            "  stream {}: {} ms, {} ms of it with content; {} peaks of the mid mix, {} of the side mix, {} items",
            audio.stream,
            audio.duration_ms,
            audio.content_ms,
            audio.mid.len(),
            audio.side.len(),
            audio.chromaprint.len(),
        )?;
    }
    if let Some(first) = side.pictures().next() {
        writeln!(
            out,
            "  {}x{} pixels upright, stored as {:?}, {} views",
            first.width,
            first.height,
            first.orientation,
            first.views.len()
        )?;
    }
    for problem in side.problems() {
        writeln!(out, "  problem: {}", text(&problem))?;
    }
    writeln!(out)?;
    Ok(())
}

/// For each region of A the pair of views that is nearest.
fn views(out: &mut impl Write, pairs: &[Pair]) -> Result<()> {
    writeln!(out, "Nearest views, for each region of A (left,top-right,bottom in 1/10000)")?;
    writeln!(
        out,
        "  {:<32} {:<11} {:<8} {:<32} {:>8} {:>6} {:>11} {:>5} {:>11}",
        "of A", "turned", "negative", "of B", "distance", "score", "redundancy", "rim", "quality"
    )?;
    for pair in pairs {
        writeln!(
            out,
            "  {:<32} {:<11} {:<8} {:<32} {:>8} {:>6.1} {:>5.2} {:>5.2} {:>5.2} {:>5} {:>5}",
            at(&pair.a.region, pair.a_frame),
            format!("{:?}", pair.a.turn),
            if pair.inverted { "yes" } else { "no" },
            at(&pair.b.region, pair.b_frame),
            pair.distance_bits,
            pair.score,
            pair.penalty.redundancy(),
            pair.b_redundancy,
            f64::from(pair.a.plain_rim) / 255.0,
            pair.a.quality,
            pair.b.quality,
        )?;
    }
    writeln!(out)?;
    Ok(())
}

fn at(region: &Region, frame: u32) -> String {
    let Region { kind, left, top, right, bottom } = region;
    let frame = if frame > 0 { format!(" frame {frame}") } else { String::new() };
    format!("{kind:?} {left},{top}-{right},{bottom}{frame}")
}

/// A stretch of a film that runs along.
fn frames(out: &mut impl Write, number: usize, finding: &FindingRecord) -> Result<()> {
    let part = |part: &Option<FilmPart>| {
        part.as_ref().map_or(String::new(), |part| {
            let [left, top, right, bottom] = part.region;
            let turned =
                if part.degrees == 0 { String::new() } else { format!(", turned by {} degrees", part.degrees) };
            format!("stream {}, {} {left},{top}-{right},{bottom}{turned}", part.stream, part.kind)
        })
    };
    let shared = finding.shared.as_deref().unwrap_or("-");
    writeln!(out, "Stretch {number}: {}, by frames, {shared}", finding.level)?;
    writeln!(out, "  of A         {} ({})", span(finding.query_span_ms), part(&finding.query_view))?;
    writeln!(out, "  of B         {} ({})", span(finding.reference_span_ms), part(&finding.reference_view))?;
    writeln!(out, "  turn         {}", finding.turn.as_deref().unwrap_or("-"))?;
    writeln!(out, "  speed        {}", value(finding.speed))?;
    writeln!(
        out,
        "  frames       {} compared, {} bits apart on average, {} where B is shifted",
        finding.coinciding.unwrap_or(0),
        value(finding.mean_distance_bits),
        value(finding.shifted_distance_bits)
    )?;
    let recording =
        if finding.same_recording == Some(true) { "the same" } else { "perhaps another one of the same scene" };
    writeln!(out, "  recording    {recording}")?;
    writeln!(out, "  evidence     nearness {}, changes {}", value(finding.nearness), value(finding.changes))?;
    score(out, finding)
}

/// How much it says, and how often chance would.
fn score(out: &mut impl Write, finding: &FindingRecord) -> Result<()> {
    writeln!(out, "  score        {}, of at least {}", value(finding.score), value(finding.least_score))?;
    let extrapolated = if finding.extrapolated { " (extrapolated)" } else { "" };
    writeln!(out, "  by chance    {:.1e} expected{extrapolated}\n", finding.expected_false_matches)?;
    Ok(())
}

fn span(span: Option<(u64, u64)>) -> String {
    span.map_or("all".to_owned(), |(start, end)| format!("{start}-{end} ms"))
}

fn value(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.4}"))
}

/// Of sound and films: each stretch that runs along, and what it is judged by.
fn stretches(out: &mut impl Write, heard: &Heard) -> Result<()> {
    for (number, finding) in heard.record.findings.iter().enumerate() {
        let sound = |sound: &Option<SoundPart>| {
            sound.as_ref().map_or(String::new(), |part| format!("stream {}, {} mix", part.stream, part.mix))
        };
        if finding.method == "frames" {
            frames(out, number + 1, finding)?;
            continue;
        }
        if finding.method == "code" {
            writeln!(out, "Frame {}: {}, by its code", number + 1, finding.level)?;
            writeln!(out, "  {}\n", format::described(finding))?;
            continue;
        }
        let what = if finding.method == "chromaprint" { "items" } else { "peaks" };
        writeln!(out, "Stretch {}: {}, by {}", number + 1, finding.level, finding.method)?;
        writeln!(out, "  of A         {} ({})", span(finding.query_span_ms), sound(&finding.query_sound))?;
        writeln!(out, "  of B         {} ({})", span(finding.reference_span_ms), sound(&finding.reference_sound))?;
        writeln!(out, "  speed        {} (tempo {})", value(finding.speed), value(finding.tempo))?;
        writeln!(out, "  pitch        {} cents", value(finding.pitch_cents))?;
        writeln!(
            out,
            "  coinciding   {} {what}, {} of those of A in it",
            finding.coinciding.unwrap_or(0),
            value(finding.aligned_share)
        )?;
        if finding.likelihood.is_some() {
            writeln!(
                out,
                "  evidence     likelihood {}, contrast {}, closeness {}, harmony {}",
                value(finding.likelihood),
                value(finding.contrast),
                value(finding.closeness),
                value(finding.harmony)
            )?;
        }
        score(out, finding)?;
    }
    if let Some(judge) = &heard.film_judge {
        let (calibration, (at_match, at_possible)) = (judge.calibration(), judge.thresholds(0));
        let allowed = Allowed::default();
        writeln!(
            out,
            "Judged by, for an index of {}, judged as one of at least {}",
            many(judge.films(), "film"),
            FilmJudge::FEWEST_FILMS
        )?;
        writeln!(
            out,
            "  match     score from {at_match}, where frames change and change alike: at most {} false ones for one item",
            allowed.at_match
        )?;
        writeln!(out, "  possible  score from {at_possible}: at most {}", allowed.at_possible)?;
        writeln!(out, "  more for films of several minutes")?;
        calibrated(out, calibration, "films")?;
    }
    if heard.still {
        let by = Calibration::of(AlgorithmId::PDQ_AREA).context("expected a calibration in this build")?;
        writeln!(
            out,
            "Judged by, for a picture beside each frame of a film that shows something else (pdq-area, 256 bits)"
        )?;
        writeln!(out, "  calibrated on {} pairs of unrelated pictures: {}", by.pairs, by.data)?;
        writeln!(out, "  by {}", by.command)?;
    }
    if !heard.sound {
        return Ok(());
    }
    let (judge, allowed) = (&heard.judge, Allowed::default());
    let (calibration, (at_match, at_possible)) = (judge.calibration(), judge.thresholds(1));
    writeln!(
        out,
        "Judged by, for an index of {}, judged as one of at least {} (landmarks)",
        many(judge.tracks(), "recording"),
        SoundJudge::FEWEST_TRACKS
    )?;
    writeln!(out, "  match     score from {at_match}: at most {} false ones for one item", allowed.at_match)?;
    writeln!(out, "  possible  score from {at_possible}: at most {}", allowed.at_possible)?;
    writeln!(out, "  more for recordings that are searched in several windows")?;
    calibrated(out, calibration, "recordings")?;
    if heard.record.findings.iter().any(|finding| finding.method == "chromaprint") {
        let scale = CHROMAPRINT_SCALE;
        writeln!(out, "\nJudged by, where nothing but Chromaprint items are known of a recording")?;
        writeln!(out, "  match     score from {:.1}", scale.at_match)?;
        writeln!(out, "  possible  score from {:.1}", scale.at_possible)?;
        writeln!(out, "  measured on {}", scale.data)?;
        writeln!(out, "  by {}", scale.command)?;
    }
    Ok(())
}

/// What was measured on which `works`.
fn calibrated(out: &mut impl Write, by: &ScoreCalibration, works: &str) -> Result<()> {
    writeln!(out, "  calibrated on {} pairs of {} unrelated {works}: {}", by.pairs, by.works, by.data)?;
    writeln!(out, "  by {}", by.command)?;
    Ok(())
}

/// What the numbers are judged by.
fn scale(out: &mut impl Write, compared: &Compared) -> Result<()> {
    let (judge, allowed) = (&compared.judge, Allowed::default());
    let calibration = judge.calibration();
    let thresholds = judge.thresholds();
    let level = |score: Option<u32>| {
        score.map_or_else(|| "no score is rare enough".to_owned(), |score| format!("score up to {score}"))
    };
    let algorithm = AlgorithmId::PDQ_AREA.row().map_or("unknown", |row| row.name);
    let pictures = match judge.references() {
        few if few < Judge::FEWEST_PICTURES => {
            format!("{}, judged as one of {}", many(few, "picture"), Judge::FEWEST_PICTURES)
        }
        enough => many(enough, "picture"),
    };
    writeln!(out, "Judged by, for an index of {pictures} ({algorithm}, 256 bits)")?;
    writeln!(
        out,
        "  match     {}: at most {} false ones for one item",
        level(thresholds.match_score),
        allowed.at_match
    )?;
    writeln!(out, "  possible  {}: at most {}", level(thresholds.possible_score), allowed.at_possible)?;
    writeln!(out, "  calibrated on {} pairs of unrelated pictures: {}", calibration.pairs, calibration.data)?;
    writeln!(out, "  by {}", calibration.command)?;
    Ok(())
}

fn decision(out: &mut impl Write, best: &Pair) -> Result<()> {
    let added = best.score - f64::from(best.distance_bits);
    writeln!(
        out,
        "\nDecided by {} of A and {} of B",
        at(&best.a.region, best.a_frame),
        at(&best.b.region, best.b_frame)
    )?;
    writeln!(out, "  A {}", best.a.code)?;
    writeln!(out, "  B {}", best.b.code)?;
    let negative = if best.inverted { " from A's negative" } else { "" };
    writeln!(
        out,
        "  {} of 256 bits differ{negative}; {added:.1} added for what the codes do not say",
        best.distance_bits
    )?;
    Ok(())
}

/// What would have changed the answer.
fn flips(out: &mut impl Write, compared: &Compared, best: &Pair) -> Result<()> {
    let judge = &compared.judge;
    let thresholds = judge.thresholds();
    writeln!(out, "\nWhat would change it")?;
    for (level, threshold, allowed) in [
        (Level::Match, thresholds.match_score, Allowed::default().at_match),
        (Level::Possible, thresholds.possible_score, Allowed::default().at_possible),
    ] {
        let level_name = if level == Level::Match { "match" } else { "possible" };
        let reached = threshold.is_some_and(|most| best.score <= f64::from(most));
        match threshold.and_then(|most| greatest_distance(best, f64::from(most))) {
            Some(most) if reached => writeln!(
                out,
                "  {level_name}: up to {} more bits of difference would still be one ({most} in all)",
                most - best.distance_bits
            )?,
            Some(most) => writeln!(
                out,
                "  {level_name}: would need {} bits of difference less ({most} in all)",
                best.distance_bits.saturating_sub(most)
            )?,
            None => writeln!(
                out,
                "  {level_name}: no distance would do: the codes say too little, or the index is too large"
            )?,
        }
        // The threshold is whole: the score counts as the next whole one.
        let probability = judge.calibration().tail(best.score).probability;
        let pictures = allowed / probability;
        match pictures >= 1.0 {
            true => writeln!(out, "  {level_name}: this score is one in an index of up to {pictures:.0} pictures")?,
            false => writeln!(out, "  {level_name}: this score is none in an index of any size")?,
        }
    }
    let (expected, _) = judge.expected_false_matches(best.score);
    writeln!(out, "  at this index size it is a finding wherever {expected:.1e} false ones for one item are allowed")?;
    Ok(())
}

/// The greatest distance at which the pair would still have at most this score.
fn greatest_distance(pair: &Pair, score: f64) -> Option<u32> {
    (0..=256).take_while(|&distance| pair.penalty.score(distance, pair.b_redundancy) <= score).last()
}
