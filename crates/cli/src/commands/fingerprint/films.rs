//! What is kept of films: vPDQ of frames, and the codes of an index.

use minutia::fingerprint::{AlgorithmId, Code, FilmFingerprint, FilmView, VpdqFrame};
use minutia_report::{TrackRecord, escape, film_part};
use serde_json::{Value, json};

/// The name of frames' hashes on the command line and in lists.
pub(super) const VPDQ: &str = "vpdq";

/// A frame of a list, by the names of the reference's fields.
pub(super) fn frame_json(frame: &VpdqFrame) -> Value {
    let VpdqFrame { time_ms, number, quality, code } = frame;
    json!({
        "algorithm": VPDQ,
        "frame": number,
        "quality": quality,
        "hash": code.to_string(),
        // Milliseconds are exact as a fraction of three digits.
        "timestamp": f64::from(*time_ms) / 1_000.0,
    })
}

/// What an index would hold: the views, and of each frame its time, quality and codes, `null` where a view is not kept or has
/// nothing to see.
pub(super) fn json(film: &FilmFingerprint, tracks: &[TrackRecord]) -> Value {
    let code = |code: &Code| (code.0 != [0; 32]).then(|| code.to_string());
    let frames = film.frames.iter().enumerate().map(|(place, frame)| {
        let all = film.codes_of(place);
        let narrow = film.narrow_views();
        let kept = if frame.wide { all } else { &all[..all.len().min(narrow)] };
        json!({
            "time_ms": frame.time_ms,
            "quality": frame.quality,
            "codes": kept.iter().map(code).collect::<Vec<_>>(),
        })
    });
    let frames: Vec<Value> = frames.collect();
    let mut line = json!({
        "algorithm": AlgorithmId::PDQ_AREA.name(),
        "duration_ms": film.duration_ms,
        "width": film.width,
        "height": film.height,
        "step_ms": FilmFingerprint::REFERENCE_STEP_MS,
        "wide_step_ms": FilmFingerprint::WIDE_STEP_MS,
        "views": film.views.iter().map(view).collect::<Vec<_>>(),
        "frames": frames,
        "tracks": tracks,
    });
    if film.stream > 0 {
        line["stream"] = json!(film.stream);
    }
    line
}

fn view(view: &FilmView) -> Value {
    let part = film_part(view, 0);
    let mut line = json!({ "kind": part.kind, "region": part.region, "degrees": part.degrees });
    if let Some(strip) = part.strip {
        line["strip"] = json!(strip);
    }
    if view.motion {
        line["motion"] = json!(true);
    }
    line
}

/// What a container holds, in a line.
pub(super) fn held(tracks: &[TrackRecord], path: &str) -> String {
    let told = |track: &TrackRecord| {
        let mut out = track.kind.clone();
        let size = track.width.zip(track.height).map(|(width, height)| format!("{width}x{height}"));
        let words = [Some(&track.codec), size.as_ref(), Some(&track.language), Some(&track.name)];
        for word in words.into_iter().flatten().filter(|word| !word.is_empty()) {
            out += &format!(" {}", escape::text(word));
        }
        if let Some(by) = &track.locked_by {
            out += &format!(" (locked by {})", escape::text(by));
        }
        out
    };
    format!("holds {}  {path}", tracks.iter().map(told).collect::<Vec<_>>().join("; "))
}

/// The same for people, in a line.
pub(super) fn text(film: &FilmFingerprint, path: &str) -> String {
    let wide = film.frames.iter().filter(|frame| frame.wide).count();
    let blank = film.codes.iter().step_by(film.views.len().max(1)).filter(|code| code.0 == [0; 32]).count();
    format!(
        "{} frames, {wide} of them in {} views, {blank} blank, {}x{} pixels, {}.{:02} s {}  {path}",
        film.frames.len(),
        film.views.len(),
        film.width,
        film.height,
        film.duration_ms / 1_000,
        film.duration_ms / 10 % 100,
        AlgorithmId::PDQ_AREA.name().unwrap_or_default(),
    )
}
