//! Lines for people: one for each finding, and a summary.

use std::fmt::Write as _;

use minutia::verdict::Outcome;

use super::Format;
use crate::escape::text;
use crate::many;
use crate::record::{FindingRecord, ItemRecord, Part, Record, SummaryRecord, Totals};

pub(super) const FORMAT: Format = Format {
    name: "text",
    about: "one line for each finding",
    write: |line, _| match &line.record {
        Record::Item(item) if !item.findings.is_empty() => {
            Some(item.findings.iter().map(|finding| line_of(item, finding)).collect::<Vec<_>>().join("\n"))
        }
        Record::Item(_) | Record::Summary(_) => None,
    },
};

fn line_of(item: &ItemRecord, finding: &FindingRecord) -> String {
    let title = finding.title.as_deref().map_or_else(String::new, |title| format!(" \"{}\"", text(title)));
    let level = if item.pass.is_some() { format!("{} (triage)", finding.level) } else { finding.level.clone() };
    format!(
        "{:<8} {}  {} a copy of {}{title} ({}): {}",
        level,
        item.shown_path(),
        verb(finding),
        text(&finding.work),
        text(&finding.policy),
        described(finding),
    )
}

/// What a file does: a film that a picture is seen in is no copy of it.
fn verb(finding: &FindingRecord) -> &'static str {
    let shows = finding.method == "code" && finding.query_span_ms.is_some();
    match (finding.level.as_str(), shows) {
        ("match", false) => "is",
        ("match", true) => "shows",
        (_, false) => "may be",
        (_, true) => "may show",
    }
}

/// A finding in words and numbers, without the names of what was compared.
pub fn described(finding: &FindingRecord) -> String {
    if finding.method == "identical" {
        return format!("byte for byte the file {}", text(&finding.reference));
    }
    let mut out = if finding.speed.is_some() { along(finding) } else { changes(finding) };
    if finding.speed.is_none() {
        for (span, of) in [(finding.query_span_ms, "it"), (finding.reference_span_ms, "the reference")] {
            let _ = span.map(|(start, end)| write!(out, ", at {}-{} of {of}", clock(start), clock(end)));
        }
    }
    if let (Some(distance), Some(score), Some(threshold)) = (finding.distance_bits, finding.score, finding.threshold) {
        // Writing to a string does not fail.
        let _ = write!(out, "; distance {distance} bits, score {score:.1} of at most {threshold}");
    }
    if let (Some(coinciding), Some(score), Some(least)) = (finding.coinciding, finding.score, finding.least_score) {
        let _ = match (finding.mean_distance_bits, finding.method.as_str()) {
            (Some(bits), _) => write!(out, "; {coinciding} frames compared, {bits:.1} bits apart on average"),
            (None, "chromaprint") => write!(out, "; {coinciding} items coincide"),
            (None, _) => write!(out, "; {coinciding} peaks coincide"),
        };
        let _ = write!(out, ", score {score:.1} of at least {least}");
    }
    let extrapolated = if finding.extrapolated { " (extrapolated)" } else { "" };
    let _ = write!(out, "; {:.1e} false matches expected{extrapolated}", finding.expected_false_matches);
    let _ = write!(out, "; reference {}", text(&finding.reference));
    out
}

/// Which span of sound or of a film runs along which, and what was done to it, in words.
pub fn along(finding: &FindingRecord) -> String {
    let span = |span: Option<(u64, u64)>| {
        span.map_or_else(|| "all".to_owned(), |(start, end)| format!("{}-{}", clock(start), clock(end)))
    };
    let mut out =
        format!("{} of it is {} of the reference", span(finding.query_span_ms), span(finding.reference_span_ms));
    if let Some(shared) = &finding.shared {
        let _ = write!(out, ", {}", text(shared));
        match finding.redubbed {
            Some(true) => out.push_str(" (with other sound)"),
            None if shared == "picture only" => out.push_str(" (the sound was not compared)"),
            _ => {}
        }
    }
    // Finer than anybody hears, and than most spans tell.
    if let Some(percent) = finding.speed.map(|speed| (speed - 1.0) * 100.0).filter(|percent| percent.abs() >= 0.05) {
        let _ = write!(out, ", {:.1} % {}", percent.abs(), if percent > 0.0 { "faster" } else { "slower" });
    }
    if let Some(cents) = finding.pitch_cents.filter(|cents| cents.abs() >= 2.5) {
        let _ = write!(out, ", {cents:+.0} cents");
    }
    if finding.query_sound.iter().chain(&finding.reference_sound).any(|sound| sound.mix == "side") {
        out.push_str(", in the difference of the channels");
    }
    for change in film_changes(finding) {
        let _ = write!(out, ", {change}");
    }
    out
}

/// What was done to the frames of a film.
fn film_changes(finding: &FindingRecord) -> Vec<String> {
    let mut changes = Vec::new();
    let (Some(query), Some(reference)) = (&finding.query_view, &finding.reference_view) else { return changes };
    changes.extend(finding.turn.as_deref().and_then(turned).map(str::to_owned));
    if query.degrees != 0 {
        changes.push(format!("turned by {} degrees", query.degrees.unsigned_abs()));
    }
    match query.kind.as_str() {
        "framed" => changes.push("inside a frame".to_owned()),
        "sharp" => changes.push("before something blurred".to_owned()),
        "slanted" => changes.push("filmed from aside".to_owned()),
        _ => {}
    }
    if query.strip.is_some() || reference.strip.is_some() {
        changes.push("an upright strip of it".to_owned());
    }
    let (of_query, of_reference) = (percent(query.region), percent(reference.region));
    match (of_query < 99.5, of_reference < 99.5) {
        (false, true) => changes.push(format!("cut to {of_reference:.0} % of the reference")),
        (true, false) => changes.push(format!("in {of_query:.0} % of it")),
        // Where a part of both is nearest, the whole is most likely there.
        (true, true) if (of_query - of_reference).abs() > 10.0 => {
            changes.push(format!("{of_query:.0} % of it is {of_reference:.0} % of the reference"));
        }
        _ => {}
    }
    if finding.same_recording == Some(false) {
        changes.push("the scene hardly changes".to_owned());
    }
    changes
}

/// Milliseconds as minutes and seconds, from an hour on with hours.
fn clock(ms: u64) -> String {
    let (tenths, minutes) = (ms / 100 % 600, ms / 60_000);
    let seconds = format!("{:02}.{}", tenths / 10, tenths % 10);
    match minutes / 60 {
        0 => format!("{minutes}:{seconds}"),
        hours => format!("{hours}:{:02}:{seconds}", minutes % 60),
    }
}

/// What was done to the picture, in words, as far as the finding tells.
pub fn changes(finding: &FindingRecord) -> String {
    let mut changes = Vec::new();
    changes.extend(finding.turn.as_deref().and_then(turned).map(str::to_owned));
    if finding.inverted == Some(true) {
        changes.push("negative".to_owned());
    }
    match (&finding.query_part, &finding.reference_part) {
        (Some(query), Some(reference)) if query.kind == "crop" && reference.kind == "crop" => {
            changes.push(parts_of_both(query, reference));
        }
        (query, reference) => {
            changes.extend(query.as_ref().and_then(query_part));
            changes.extend(reference.as_ref().and_then(reference_part));
        }
    }
    if changes.is_empty() {
        changes.push("the whole picture".to_owned());
    }
    changes.join(", ")
}

/// How a query differs that had to be turned so to match.
fn turned(turn: &str) -> Option<&'static str> {
    match turn {
        "rotate_90" | "rotate_270" => Some("turned by a quarter"),
        "rotate_180" => Some("upside down"),
        "flip_x" => Some("mirrored top to bottom"),
        "flip_y" => Some("mirrored left to right"),
        "flip_plus_1" | "flip_minus_1" => Some("mirrored and turned by a quarter"),
        _ => None,
    }
}

fn query_part(part: &Part) -> Option<String> {
    match part.kind.as_str() {
        "trimmed" => Some("without its border".to_owned()),
        "framed" => Some("inside a frame".to_owned()),
        "crop" => Some(format!("in {} of it", share(part))),
        _ => None,
    }
}

fn reference_part(part: &Part) -> Option<String> {
    match part.kind.as_str() {
        "trimmed" => Some("the reference without its border".to_owned()),
        "crop" => Some(format!("cut to {} of the reference", share(part))),
        _ => None,
    }
}

/// Parts of both pictures are alike: neither need have been cut out of the other.
fn parts_of_both(query: &Part, reference: &Part) -> String {
    if (percent(query.region) - percent(reference.region)).abs() <= 10.0 {
        format!("in {} of both", share(reference))
    } else {
        format!("{} of it is {} of the reference", share(query), share(reference))
    }
}

fn share(part: &Part) -> String {
    format!("{:.0} %", percent(part.region))
}

fn percent(region: [u16; 4]) -> f64 {
    let [left, top, right, bottom] = region.map(f64::from);
    (right - left).max(0.0) * (bottom - top).max(0.0) / 1e6
}

/// The summary of a run in a few lines.
pub fn summary(summary: &SummaryRecord, head: &str) -> String {
    let SummaryRecord { totals, access_times, run, .. } = summary;
    let counted = |totals: &Totals| {
        let named = Outcome::ALL.into_iter().map(|outcome| (outcome.name(), totals.of(outcome)));
        let counts: Vec<String> =
            named.filter(|&(_, count)| count > 0).map(|(name, count)| format!("{count} {name}")).collect();
        if counts.is_empty() { "nothing there".to_owned() } else { counts.join(", ") }
    };
    let mut out = format!("{}, {}: {}\n", many(totals.items, "item"), bytes(totals.bytes), counted(totals));
    if let Some(triage) = &summary.triage {
        let _ = writeln!(out, "in the quick pass before: {}", counted(triage));
    }
    let level = |score: Option<u32>| score.map_or_else(|| "never".to_owned(), |score| format!("up to {score}"));
    let index = &run.index;
    let of = [(index.pictures, "picture"), (index.recordings, "recording"), (index.films, "film")];
    let of: Vec<String> =
        of.into_iter().filter(|&(count, _)| count > 0).map(|(count, what)| many(count, what)).collect();
    let mut thresholds = Vec::new();
    if index.pictures > 0 {
        let (at_match, at_possible) = (level(run.match_score), level(run.possible_score));
        thresholds.push(format!("pictures: match {at_match}, possible {at_possible}"));
    }
    let from = |what: &str, at_match: f64, at_possible: f64| {
        format!("{what}: match from {at_match}, possible from {at_possible}")
    };
    if let Some(sound) = run.sound.as_ref().filter(|_| index.recordings > 0) {
        thresholds.push(from("sound", sound.match_score, sound.possible_score));
    }
    if let Some(film) = run.film.as_ref().filter(|_| index.films > 0) {
        thresholds.push(from("films", film.match_score, film.possible_score));
    }
    let _ = writeln!(
        out,
        "searched {} of {}, index {} generation {}; scores: {}",
        if of.is_empty() { "nothing".to_owned() } else { of.join(", ") },
        many(index.works, "work"),
        run.index.manifest_digest,
        run.index.generation,
        thresholds.join("; "),
    );
    if *access_times != crate::record::AccessTimes::default() {
        let _ = writeln!(
            out,
            "access times of {} files and {} directories could not be protected: they belong to another user",
            access_times.unprotected_files, access_times.unprotected_directories
        );
    }
    let _ = write!(out, "head of the records' chain: {head}");
    out
}

fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if count < 1000 {
        return format!("{count} bytes");
    }
    let (mut value, mut unit) = (count as f64 / 1000.0, 0);
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_were_compared_are_no_claim_that_one_was_cut_out() {
        let part = |kind: &str, region| Some(Part { kind: kind.to_owned(), region, frame: 0, quality: 100 });
        let (whole, wide, narrow) = ([0, 0, 10_000, 10_000], [0, 0, 10_000, 7_000], [0, 0, 5_000, 10_000]);
        let check = |query_part, reference_part, expected: &str| {
            assert_eq!(changes(&FindingRecord { query_part, reference_part, ..FindingRecord::default() }), expected);
        };
        check(part("whole", whole), part("whole", whole), "the whole picture");
        check(part("whole", whole), part("crop", wide), "cut to 70 % of the reference");
        check(part("crop", wide), part("whole", whole), "in 70 % of it");
        check(part("crop", wide), part("crop", wide), "in 70 % of both");
        check(part("crop", narrow), part("crop", wide), "50 % of it is 70 % of the reference");
        check(part("framed", wide), part("whole", whole), "inside a frame");
    }

    #[test]
    fn times_are_read_as_on_a_player() {
        let check = |ms, expected: &str| assert_eq!(clock(ms), expected);
        check(0, "0:00.0");
        check(59_999, "0:59.9");
        check(62_500, "1:02.5");
        check(3_599_999, "59:59.9");
        check(3_661_000, "1:01:01.0");
    }

    #[test]
    fn bytes_are_rounded_to_a_readable_unit() {
        let check = |count, expected: &str| assert_eq!(bytes(count), expected);
        check(0, "0 bytes");
        check(999, "999 bytes");
        check(1000, "1.0 kB");
        check(999_949, "999.9 kB");
        check(999_950, "1.0 MB");
        check(u64::MAX, "18.4 EB");
    }
}
