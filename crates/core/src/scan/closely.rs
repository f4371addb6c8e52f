//! A second reading, frame by frame, of films that move too fast for what a scan samples.
//!
//! A decoder that hands over every frame costs a scan a third more time, and where a frame is like the one before nothing is
//! gained by it. So a scan has the first frame of each eighth of a second handed over, and what these say decides whether
//! all of them are asked for.

use minutia_media::decode::image::ANIMATION_DECODER;
use minutia_media::{Problem, Source};

use super::{Item, Pass, Reader, Request, Tiers};
use crate::fingerprint::{FilmFingerprint, Fingerprint, Views};

/// Frames a second of the second reading.
const FRAMES_FPS: u32 = 1_000 / FilmFingerprint::FRAME_STEP_MS;

/// Reads `source` by `reader` as `request` says, and of a film of which every frame is another picture half a minute once more, from
/// where that begins ([`FilmFingerprint::moves_very_fast_from`]), with all frames: its item is handed over after that, with the
/// pictures of both readings. What is not a query of everything, or has a rate of its own, is read once.
///
/// # Errors
/// As [`Reader::read`]. A second reading that fails leaves the item as it was.
pub fn read_closely(
    reader: &mut dyn Reader,
    source: &Source,
    request: &Request,
    sink: &mut dyn FnMut(Item),
) -> Result<(), Problem> {
    let is_scan = (request.views, request.pass) == (Views::Query, Pass::Full) && request.span_ms.is_none();
    if !is_scan || request.exchange.is_some() || request.rate_fps.is_some() || !request.tiers.codes {
        return reader.read(source, request, sink);
    }
    let (mut held, mut from_ms): (Vec<Item>, u32) = (Vec::new(), 0);
    let read = reader.read(source, request, &mut |item| {
        let fast = if held.is_empty() { moves_very_fast_from(&item) } else { None };
        from_ms = fast.unwrap_or(from_ms);
        // In their order.
        if fast.is_none() && held.is_empty() { sink(item) } else { held.push(item) }
    });
    if let Some(film) = held.first_mut().and_then(|item| item.fingerprints.iter_mut().find_map(film_of)) {
        let part = from_ms..from_ms.saturating_add(FilmFingerprint::FRAME_BY_FRAME_MS);
        let tiers = Tiers { landmarks: false, ..request.tiers };
        // With what was shown a second before, which frame differences are to.
        let span_ms = Some(u64::from(part.start.saturating_sub(FilmFingerprint::MOTION_LAG_MS))..u64::from(part.end));
        let again = Request { tiers, rate_fps: Some(FRAMES_FPS), span_ms, preview_px: None, ..request.clone() };
        let mut closer = None;
        let again = reader.read(source, &again, &mut |mut item| {
            closer = closer.take().or_else(|| item.fingerprints.iter_mut().find_map(film_of).map(std::mem::take));
        });
        let within = |film: &FilmFingerprint| film.frames.iter().filter(|frame| part.contains(&frame.time_ms)).count();
        // One that came less far says less.
        if let (Ok(()), Some(closer)) = (again, closer)
            && closer.views == film.views
            && within(&closer) >= within(film)
        {
            *film = film.with_part(&part, &closer);
        }
    }
    held.into_iter().for_each(sink);
    read
}

/// Of animated pictures all frames were looked at.
fn moves_very_fast_from(item: &Item) -> Option<u32> {
    let all = item.coverage.film.as_ref().is_none_or(|film| film.decoder == ANIMATION_DECODER);
    let mut films = item.fingerprints.iter().filter_map(Fingerprint::film);
    films.find_map(FilmFingerprint::moves_very_fast_from).filter(|_| !all)
}

fn film_of(print: &mut Fingerprint) -> Option<&mut FilmFingerprint> {
    match print {
        Fingerprint::Film(film) => Some(film),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use minutia_media::{Format, Luma};

    use super::*;
    use crate::fingerprint::{FilmFingerprinter, FilmViews};
    use crate::scan::{Coverage, FilmCoverage};

    /// Reads a film of 25 frames a second and 40 seconds, of which every frame is another picture where `flashes`, as far as the request
    /// wants it. Keeps what was asked for.
    struct Film {
        flashes: bool,
        fails_again: bool,
        asked: Vec<Request>,
    }

    impl Reader for Film {
        fn read(&mut self, _: &Source, request: &Request, sink: &mut dyn FnMut(Item)) -> Result<(), Problem> {
            self.asked.push(request.clone());
            if self.asked.len() > 1 && self.fails_again {
                return Err(Problem::Crashed { detail: "the second time".to_owned() });
            }
            let rate = u64::from(request.rate_fps.unwrap_or(8));
            let span = request.span_ms.clone().unwrap_or(0..40_000);
            let mut fingerprinter = FilmFingerprinter::new(0, FilmViews::BothLooks);
            let mut last = None;
            for number in 0..40 * 25_u64 {
                let (time_ms, part) = (number * 40, (number * 40 + 20) * rate / 1_000);
                if span.contains(&time_ms) && last.replace(part) != Some(part) {
                    fingerprinter.push(time_ms * 1_000, squares(if self.flashes { number } else { 0 }));
                }
            }
            let film = Some(FilmCoverage { frames_read: 320, ..FilmCoverage::default() });
            let coverage = Coverage { film, ..Coverage::default() };
            let fingerprints = vec![Fingerprint::Film(fingerprinter.finish())];
            sink(Item { coverage, fingerprints, ..Item::of(Format::Mp4) });
            sink(Item::of(Format::Mp4));
            Ok(())
        }
    }

    fn squares(number: u64) -> Luma {
        let mut state = number;
        let light: Vec<u8> = (0..64)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 57) as u8
            })
            .collect();
        Luma::new(64, 64, (0..64 * 64).map(|n| 40 + light[n / 512 * 8 + n / 8 % 8]).collect()).unwrap()
    }

    fn read(flashes: bool, fails_again: bool, request: &Request) -> (Vec<Item>, Vec<Request>) {
        let mut reader = Film { flashes, fails_again, asked: Vec::new() };
        let mut items = Vec::new();
        read_closely(&mut reader, &Source::from_bytes(Vec::new()), request, &mut |item| items.push(item)).unwrap();
        assert!(items.len() == 2 && items[1].fingerprints.is_empty(), "in their order");
        (items, reader.asked)
    }

    #[test]
    fn what_moves_very_fast_is_read_twice_and_half_a_minute_of_it_frame_by_frame() {
        let (items, asked) = read(true, false, &Request::query());
        assert_eq!(asked.len(), 2);
        assert_eq!((asked[1].rate_fps, asked[1].tiers.landmarks), (Some(40), false));
        let film = items[0].fingerprints[0].film().unwrap();
        let times: Vec<u32> = film.frames.iter().map(|frame| frame.time_ms).collect();
        assert!(times.is_sorted_by(|a, b| a < b) && film.codes.len() == film.frames.len() * film.views.len());
        let within = |from: u32, to: u32| times.iter().filter(|&&time| (from..to).contains(&time)).count();
        // 25 a second in the first half, but for the first step, and eight behind it.
        let [close, behind] = [within(1_000, 29_000), within(31_000, 39_000)];
        assert!(close == 28 * 25 && (8 * 7..=8 * 8).contains(&behind), "{close}, {behind}");
        let samples = film.thumbnails.iter().map(|thumbnail| film.frames[thumbnail.frame as usize].time_ms);
        assert!(samples.is_sorted(), "thumbnails are of their samples");
        assert_eq!(items[0].coverage.film.as_ref().unwrap().frames_read, 320);
    }

    #[test]
    fn what_moves_slowly_or_is_no_scan_is_read_once() {
        assert_eq!(read(false, false, &Request::query()).1.len(), 1);
        let rate = Request { rate_fps: Some(8), ..Request::query() };
        let part = Request { span_ms: Some(0..30_000), ..Request::query() };
        for request in [Request::reference(), Request::triage(), rate, part] {
            assert_eq!(read(true, false, &request).1.len(), 1, "{request:?}");
        }
    }

    #[test]
    fn a_second_reading_that_fails_leaves_what_the_first_gave() {
        let (items, asked) = read(true, true, &Request::query());
        assert_eq!(asked.len(), 2);
        assert_eq!(
            items[0].fingerprints,
            read(true, false, &Request { rate_fps: Some(8), ..Request::query() }).0[0].fingerprints
        );
    }
}
