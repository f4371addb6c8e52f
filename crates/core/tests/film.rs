//! Film from frames to matches, through an index on disk.
// What a test needs and does not get fails the test.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use minutia::fingerprint::{Dihedral, FilmFingerprint, FilmFingerprinter, FilmViews, Fingerprint};
use minutia::index::{Access, Entry, Index, Work, WorkId, Writer};
use minutia::media::Luma;
use minutia::search::{FilmMatch, FilmSearch};

const WIDTH: u32 = 96;
const HEIGHT: u32 = 64;

/// What a film of this seed shows at a time: waves that drift, and another scene every three seconds. Each scene has waves of
/// its own: those of one family would be as alike as takes of one scene are.
fn scene(seed: u32, seconds: f32) -> Vec<u8> {
    let mut state = u64::from(seed) * 1_000 + (seconds / 3.0) as u64 + 1;
    let mut between = |least: f32, most: f32| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        least + (most - least) * (state >> 40) as f32 / (1 << 24) as f32
    };
    let waves: Vec<[f32; 4]> =
        (0..9).map(|_| [between(-22.0, 22.0), between(-22.0, 22.0), between(0.0, 6.3), between(-1.5, 1.5)]).collect();
    (0..WIDTH * HEIGHT)
        .map(|n| ((n % WIDTH) as f32 / WIDTH as f32, (n / WIDTH) as f32 / HEIGHT as f32))
        .map(|(x, y)| {
            let sum: f32 = waves.iter().map(|[a, b, c, drift]| (x * a + y * b + c + drift * seconds).sin()).sum();
            (128.0 + 20.0 * sum).clamp(0.0, 255.0) as u8
        })
        .collect()
}

fn film(views: FilmViews, seconds: f32, frame: impl Fn(f32) -> Vec<u8>) -> FilmFingerprint {
    let mut fingerprinter = FilmFingerprinter::new(0, views);
    for number in 0..(seconds * 25.0) as u64 {
        let luma = Luma::new(WIDTH, HEIGHT, frame(number as f32 / 25.0)).unwrap();
        fingerprinter.push(number * 40_000, luma);
    }
    fingerprinter.finish()
}

/// An index of `film-0` to `film-2`.
fn of_three_films(directory: &Path) -> Index {
    index_of([0, 1, 2].map(|seed| film(FilmViews::Reference, 24.0, |seconds| scene(seed, seconds))), directory)
}

fn index_of(films: impl IntoIterator<Item = FilmFingerprint>, directory: &Path) -> Index {
    let mut writer = Writer::open(directory).unwrap();
    for (number, film) in films.into_iter().enumerate() {
        writer
            .add(Entry {
                work: Work::new(WorkId::new(format!("film-{number}")).unwrap()),
                source_name: format!("film-{number}.mp4"),
                source_digest: None,
                fingerprints: vec![Fingerprint::Film(film)],
                thumbnail: None,
            })
            .unwrap();
    }
    writer.commit().unwrap();
    Index::open(directory, Access::Mapped).unwrap()
}

fn search(query: &FilmFingerprint) -> Vec<(String, FilmMatch)> {
    let directory = tempfile::tempdir().unwrap();
    search_in(&of_three_films(directory.path()), query)
}

fn search_in(index: &Index, query: &FilmFingerprint) -> Vec<(String, FilmMatch)> {
    let found = FilmSearch::new(index).unwrap().find(query, 3.0);
    found.into_iter().map(|found| (index.film(found.segment, found.film).unwrap().source_name, found)).collect()
}

/// Seconds `from..to` of film 1 were found whole, at this speed or within a step of those that are tried.
fn check(found: &[(String, FilmMatch)], from: f64, to: f64, speed: f64) {
    let best = found.iter().max_by(|a, b| a.1.score.total_cmp(&b.1.score)).unwrap();
    assert_eq!(best.0, "film-1.mp4");
    let span = &best.1.reference_span_ms;
    let near = |ms: u64, seconds: f64| (ms as f64 / 1e3 - seconds).abs() < 0.6;
    assert!(near(span.start, from) && near(span.end, to), "{:?}", best.1);
    assert!((best.1.speed - speed).abs() < 0.04 && best.1.same_recording, "{:?}", best.1);
}

#[test]
fn an_excerpt_is_found_where_it_was_taken_from() {
    let found = search(&film(FilmViews::BothLooks, 9.0, |seconds| scene(1, seconds + 6.4)));
    check(&found, 6.4, 15.4, 1.0);
}

#[test]
fn times_and_speeds_are_told_more_finely_than_frames_are_sampled() {
    for (from, speed) in [(6.41, 1.0), (3.13, 25.0 / 24.0), (5.29, 1.06), (7.77, 0.94)] {
        let query = film(FilmViews::BothLooks, 9.0, |seconds| scene(1, seconds * speed + from));
        let found = search(&query);
        let best = &found.iter().max_by(|a, b| a.1.score.total_cmp(&b.1.score)).unwrap().1;
        assert!((best.speed - f64::from(speed)).abs() < 0.015, "{from} {speed}: {best:?}");
        let at = (best.query_span_ms.start + best.query_span_ms.end) as f64 / 2.0;
        let told = best.reference_span_ms.start as f64 + best.speed * (at - best.query_span_ms.start as f64);
        let apart = told - (f64::from(from) * 1e3 + f64::from(speed) * at);
        // Frames are sampled each 250 ms, and scenes that end in between tell their end and not their time.
        assert!(apart.abs() < 75.0, "{from} {speed}: {apart} ms, {best:?}");
    }
}

#[test]
fn what_moves_fast_is_sampled_in_the_middle_of_steps_too() {
    // Two seconds of waves that hardly drift, four in which they run to and fro, and again two.
    let running = |seconds: f32| {
        let ran = (seconds - 2.0).clamp(0.0, 4.0) * 5.0 % 5.2;
        scene(1, 0.1 + seconds * 0.02 + if ran > 2.6 { 5.2 - ran } else { ran })
    };
    let with = |views, is_handed_over: fn(u64) -> bool| {
        let mut fingerprinter = FilmFingerprinter::new(0, views);
        for number in (0..200_u64).filter(|&number| is_handed_over(number)) {
            let luma = Luma::new(WIDTH, HEIGHT, running(number as f32 / 25.0)).unwrap();
            fingerprinter.push(number * 40_000, luma);
        }
        fingerprinter.finish_at(8_000_000)
    };
    let query = with(FilmViews::BothLooks, |_| true);
    let is_between = |time: u32| (time + 20) % 250 >= 125;
    let between: Vec<u32> = query.frames.iter().map(|frame| frame.time_ms).filter(|&time| is_between(time)).collect();
    assert!(between.len() > 8 && between.iter().all(|time| (1_800..6_200).contains(time)), "{between:?}");
    // Each is the first frame of its half, and one.
    assert!(between.iter().all(|time| (time + 20) % 125 < 40), "{between:?}");
    // Each has its frame difference, to what was shown a second before, whether that is a sample or not.
    let difference = query.views.iter().position(|view| view.motion).unwrap();
    let differs = |frame: usize| query.codes_of(frame)[difference].0 != [0; 32];
    let with_one = (0..query.frames.len()).filter(|&frame| is_between(query.frames[frame].time_ms) && differs(frame));
    assert_eq!(with_one.count(), between.len());

    // The first frame of each eighth of a second, which begins 20 ms early, is enough.
    let first_of_eighth = |number: u64| {
        let eighth = |number: u64| (number * 40 + 20) / 125;
        number == 0 || eighth(number) != eighth(number - 1)
    };
    assert_eq!(with(FilmViews::BothLooks, first_of_eighth), query);
    for views in [FilmViews::Reference, FilmViews::FirstLook] {
        assert!(with(views, |_| true).frames.iter().all(|frame| !is_between(frame.time_ms)));
    }
}

#[test]
fn where_each_frame_is_another_picture_each_is_sampled() {
    // Frames that have nothing in common, 25 a second: those of a reference, two a second, are found by themselves alone.
    let flashes = |seed: u32, seconds: f32| scene(100 * seed + (seconds * 25.0).round() as u32, 0.0);
    let directory = tempfile::tempdir().unwrap();
    let films = [10, 20, 30].map(|seed| film(FilmViews::Reference, 12.0, |seconds| flashes(seed, seconds)));
    let index = index_of(films, directory.path());
    // By 40 ms more and more, so that frames stand at every place between steps.
    for from in [1.88, 2.92, 3.96] {
        let query = film(FilmViews::BothLooks, 6.0, |seconds| flashes(20, seconds + from));
        // From the second step on, by when it is known.
        assert!((140..=150).contains(&query.frames.len()), "{}", query.frames.len());
        let found = search_in(&index, &query);
        check(&found, from.into(), f64::from(from) + 6.0, 1.0);
        let best = found.iter().map(|(_, found)| found.distance).fold(256.0, f64::min);
        assert!(best < 4.0, "{found:?}");
        // Turned by a quarter it is found by the views for a second look.
        let turn = |frame: Vec<u8>| {
            let turned = (0..WIDTH).flat_map(|x| (0..HEIGHT).rev().map(move |y| (y * WIDTH + x) as usize));
            turned.map(|place| frame[place]).collect::<Vec<u8>>()
        };
        let mut fingerprinter = FilmFingerprinter::new(0, FilmViews::BothLooks);
        for number in 0..150_u64 {
            let frame = turn(flashes(20, number as f32 / 25.0 + from));
            fingerprinter.push(number * 40_000, Luma::new(HEIGHT, WIDTH, frame).unwrap());
        }
        check(&search_in(&index, &fingerprinter.finish()), from.into(), f64::from(from) + 6.0, 1.0);
    }
    for (views, most) in [(FilmViews::Reference, 12), (FilmViews::FirstLook, 24)] {
        assert_eq!(film(views, 6.0, |seconds| flashes(20, seconds)).frames.len(), most);
    }
}

#[test]
fn a_query_that_turns_out_long_has_the_first_look_alone_and_a_beginning_with_both() {
    let with = |views, seconds: &[u64]| {
        let mut fingerprinter = FilmFingerprinter::new(3, views);
        for (number, &at) in (0..).zip(seconds) {
            fingerprinter.push(at * 1_000_000, Luma::new(WIDTH, HEIGHT, scene(number, at as f32)).unwrap());
        }
        let beginning = fingerprinter.beginning();
        assert_eq!(fingerprinter.beginning(), None);
        (fingerprinter.has_second_look(), beginning, fingerprinter.finish())
    };
    let (looks, beginning, short) = with(FilmViews::BothLooks, &[0, 2, 4, 1_200]);
    assert!(looks && beginning.is_none() && !short.thumbnails.is_empty());
    // A frame that comes later than that tells that the film is longer.
    let long = [0, 2, 4, 1_201, 1_203];
    let (looks, beginning, film) = with(FilmViews::BothLooks, &long);
    assert!(!looks && film.frames.iter().any(|frame| frame.time_ms < 4_000));
    assert_eq!((looks, None, film), with(FilmViews::FirstLook, &long));
    let beginning = beginning.unwrap();
    assert_eq!((beginning.stream, &beginning.views), (3, &short.views));
    assert_eq!(beginning.duration_ms, FilmFingerprint::BEGINNING_MS);
    assert!(beginning.frames.len() > 20 && short.frames.starts_with(&beginning.frames));
    let of_beginning = &short.codes[..beginning.codes.len()];
    assert!(beginning.codes == of_beginning && !beginning.thumbnails.is_empty());
}

/// A whole film that was turned, which a first look does not see, and that is longer than a second one lasts.
#[test]
fn a_long_film_is_found_by_the_second_look_of_its_beginning() {
    let directory = tempfile::tempdir().unwrap();
    let films = [0, 1, 2].map(|seed| film(FilmViews::Reference, 40.0, |seconds| scene(seed, seconds)));
    index_of(films, directory.path());
    let mut fingerprinter = FilmFingerprinter::new(0, FilmViews::BothLooks).second_look_until(12_000);
    for number in 0..40 * 25_u64 {
        let upright = scene(1, number as f32 / 25.0);
        let turned = (0..WIDTH).flat_map(|x| (0..HEIGHT).rev().map(move |y| (y * WIDTH + x) as usize));
        let turned = turned.map(|place| upright[place]).collect();
        fingerprinter.push(number * 40_000, Luma::new(HEIGHT, WIDTH, turned).unwrap());
    }
    let beginning = fingerprinter.beginning().unwrap();
    let whole = fingerprinter.finish();
    let index = Index::open(directory.path(), Access::Mapped).unwrap();
    let search = FilmSearch::new(&index).unwrap();
    assert_eq!(search.find(&whole, 4.0), []);
    let found = search.find_long(&whole, &beginning, 4.0);
    assert_eq!(found.len(), 1, "{found:?}");
    let span = &found[0].query_span_ms;
    assert!(index.film(found[0].segment, found[0].film).unwrap().source_name == "film-1.mp4", "{found:?}");
    assert!(span.start < 1_000 && (11_000..=12_100).contains(&span.end), "{found:?}");
}

/// The best match of a query with film 1, by its thumbnails too and without them.
fn with_and_without_thumbnails(index: &Index, query: &FilmFingerprint) -> [FilmMatch; 2] {
    let without = FilmFingerprint { thumbnails: Vec::new(), ..query.clone() };
    [query, &without].map(|query| {
        let found = search_in(index, query).into_iter();
        let of_film = found.filter(|(name, _)| name == "film-1.mp4").map(|(_, found)| found);
        of_film.max_by(|a, b| a.score.total_cmp(&b.score)).unwrap()
    })
}

/// What is left of a frame that is cut: from these thousandths of its sides, so many thousandths of both.
fn cut(frame: &[u8], [left, top]: [u32; 2], side: u32) -> Vec<u8> {
    let at = |n: u32, from: u32, of: u32| {
        // Between the middles of pixels.
        let place = (n as f32 + 0.5) / of as f32 * side as f32 / 1e3 * of as f32 + from as f32 / 1e3 * of as f32 - 0.5;
        let first = (place.max(0.0) as u32).min(of - 2);
        (first, (place - first as f32).clamp(0.0, 1.0))
    };
    let pixel = |x: u32, y: u32| f32::from(frame[(y * WIDTH + x) as usize]);
    (0..WIDTH * HEIGHT)
        .map(|n| (at(n % WIDTH, left, WIDTH), at(n / WIDTH, top, HEIGHT)))
        .map(|((x, right), (y, below))| {
            let row = |y: u32| pixel(x, y) * (1.0 - right) + pixel(x + 1, y) * right;
            (row(y) * (1.0 - below) + row(y + 1) * below) as u8
        })
        .collect()
}

#[test]
fn a_part_that_was_cut_is_fitted_to_what_the_reference_has_of_it() {
    // What moves fast is told by its times already.
    let slow = |seed, seconds: f32| scene(seed, seconds / 3.0);
    let directory = tempfile::tempdir().unwrap();
    let films = [0, 1, 2].map(|seed| film(FilmViews::Reference, 24.0, |seconds| slow(seed, seconds)));
    let index = index_of(films, directory.path());
    for ([left, top], side) in [([12, 31], 866), ([64, 90], 830), ([30, 110], 800), ([20, 90], 850), ([130, 60], 780)] {
        let query = film(FilmViews::BothLooks, 8.0, |seconds| cut(&slow(1, seconds + 6.4), [left, top], side));
        assert!(!query.thumbnails.is_empty());
        let [with, without] = with_and_without_thumbnails(&index, &query);
        assert!(with.score > without.score && with.distance < without.distance, "{with:?}\n{without:?}");
        // The part of the query is that of the frame which the reference has.
        let views = film(FilmViews::Reference, 0.0, |_| Vec::new()).views;
        let wanted = views[with.reference_view as usize].crop.map(f64::from);
        let from = [left, top, left, top].map(f64::from);
        for ((got, wanted), from) in with.view.crop.iter().zip(wanted).zip(from) {
            let wanted = ((wanted - from) / f64::from(side) * 1e3).clamp(0.0, 1e3);
            assert!((f64::from(*got) - wanted).abs() < 20.0, "{left} {top} {side}: {with:?}");
        }
    }
}

#[test]
fn a_frame_that_was_turned_a_little_is_turned_back_as_far() {
    let slow = |seed, seconds: f32| scene(seed, seconds / 12.0);
    let directory = tempfile::tempdir().unwrap();
    let films = [0, 1, 2].map(|seed| film(FilmViews::Reference, 24.0, |seconds| slow(seed, seconds)));
    let index = index_of(films, directory.path());
    for degrees in [3.0_f32, 5.0] {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let (middle_x, middle_y) = (WIDTH as f32 / 2.0, HEIGHT as f32 / 2.0);
        let turned = |frame: Vec<u8>| {
            let pixel = |n: u32| {
                let (dx, dy) = ((n % WIDTH) as f32 + 0.5 - middle_x, (n / WIDTH) as f32 + 0.5 - middle_y);
                let x = (middle_x + cos * dx + sin * dy) as u32;
                let y = (middle_y - sin * dx + cos * dy) as u32;
                frame[(y.min(HEIGHT - 1) * WIDTH + x.min(WIDTH - 1)) as usize]
            };
            (0..WIDTH * HEIGHT).map(pixel).collect::<Vec<u8>>()
        };
        let query = film(FilmViews::BothLooks, 8.0, |seconds| turned(slow(1, seconds + 6.4)));
        let [with, without] = with_and_without_thumbnails(&index, &query);
        assert!(with.score > 1.2 * without.score && with.distance < without.distance, "{with:?}\n{without:?}");
        assert!((f32::from(with.view.degrees) - degrees).abs() < 2.5, "{degrees}: {with:?}");
    }
}

#[test]
fn a_mirrored_excerpt_at_another_speed_is_found() {
    let mirrored = |seconds: f32| {
        let frame = scene(1, seconds * 1.08 + 4.0);
        frame.chunks_exact(WIDTH as usize).flat_map(|row| row.iter().rev().copied()).collect()
    };
    let found = search(&film(FilmViews::BothLooks, 10.0, mirrored));
    check(&found, 4.0, 14.8, 1.08);
    assert!(found.iter().any(|(_, found)| found.view.turn == Dihedral::FlipY));
}

/// A camera that stands still: one picture, and something small in it that goes its own way, by `seed`.
fn fixed_camera(seed: u32, seconds: f32) -> Vec<u8> {
    let turn = seed as f32 * 2.1 + 0.7;
    let (x, y) = (
        48.0 + 22.0 * (seconds * 0.9 + turn).sin() + 20.0 * (seconds * 0.37 * turn).cos(),
        32.0 + 14.0 * (seconds * 1.1 * turn).cos() + 12.0 * (seconds * 0.53).sin(),
    );
    let mut frame = scene(7, 0.0);
    for (n, pixel) in (0_u32..).zip(&mut frame) {
        let (dx, dy) = ((n % WIDTH) as f32 - x, (n / WIDTH) as f32 - y);
        if dx * dx + dy * dy < 12.0 {
            *pixel = pixel.wrapping_add(128);
        }
    }
    frame
}

#[test]
fn a_scene_that_hardly_changes_is_found_where_it_was_taken_from_and_another_take_of_it_is_not() {
    let take = |seed| film(FilmViews::Reference, 40.0, |seconds| fixed_camera(seed, seconds));
    let directory = tempfile::tempdir().unwrap();
    let index = index_of([0, 1].map(take), directory.path());
    let found = search_in(&index, &film(FilmViews::BothLooks, 8.0, |seconds| fixed_camera(1, seconds + 21.3)));
    check(&found, 21.3, 29.3, 1.0);
    let best_of_other = found.iter().filter(|(name, _)| name != "film-1.mp4").map(|(_, found)| found.score);
    let best_of_other = best_of_other.fold(0.0, f64::max);
    assert!(found.iter().any(|(_, found)| found.score > 5.0 * best_of_other), "{found:?}");

    // The same moment under a band of lettering that stays.
    let under = |seconds: f32| {
        let mut frame = scene(1, seconds + 6.4);
        let letters = |n: u32| if n % WIDTH / 5 % 2 == n / WIDTH / 5 % 2 { 255 } else { 20 };
        (0..WIDTH * HEIGHT / 6).for_each(|n| frame[n as usize] = letters(n));
        frame
    };
    check(&search(&film(FilmViews::BothLooks, 9.0, under)), 6.4, 15.4, 1.0);
}

#[test]
fn a_logo_that_stands_in_two_films_tells_of_one_picture_however_long() {
    // Something else before and behind it, in both.
    let with_logo = |seed: u32, from: f32, seconds: f32| {
        if (from..from + 3.0).contains(&seconds) { scene(77, 0.0) } else { scene(seed, seconds) }
    };
    let directory = tempfile::tempdir().unwrap();
    let films = [0, 1].map(|seed| film(FilmViews::Reference, 20.0, |seconds| with_logo(seed, 7.0, seconds)));
    let index = index_of(films, directory.path());
    let score = |query: &FilmFingerprint| {
        let found = search_in(&index, query).into_iter().map(|(_, found)| found.score);
        found.fold(0.0, f64::max)
    };
    let other = film(FilmViews::BothLooks, 12.0, |seconds| with_logo(50, 4.3, seconds));
    let copy = film(FilmViews::BothLooks, 12.0, |seconds| with_logo(1, 7.0, seconds + 3.0));
    let (other, copy) = (score(&other), score(&copy));
    // A `match` of so short a query has 7.0.
    assert!(other < 7.0 && copy > 40.0, "{other}, {copy}");
}

#[test]
fn what_runs_backwards_between_two_parts_belongs_to_neither() {
    let take = |seed| film(FilmViews::Reference, 40.0, |seconds| fixed_camera(seed, seconds));
    let directory = tempfile::tempdir().unwrap();
    let index = index_of([0, 1].map(take), directory.path());
    let turned = |from: f32, to: f32| {
        let at = move |seconds: f32| if (from..to).contains(&seconds) { from + to - seconds } else { seconds };
        search_in(&index, &film(FilmViews::BothLooks, 9.0, |seconds| fixed_camera(1, 21.3 + at(seconds))))
    };
    let spans = |found: Vec<(String, FilmMatch)>| {
        let of_film = found.into_iter().filter(|(name, found)| name == "film-1.mp4" && found.score > 6.0);
        of_film.map(|(_, found)| (found.query_span_ms.start as f64 / 1e3, found.query_span_ms.end as f64 / 1e3))
    };
    let found: Vec<(f64, f64)> = spans(turned(3.1, 5.5)).collect();
    let [first, last] = found[..] else { panic!("{found:?}") };
    assert!(first.0 == 0.0 && (2.4..3.6).contains(&first.1), "{found:?}");
    assert!((5.0..6.1).contains(&last.0) && last.1 > 8.7, "{found:?}");
    let found: Vec<(f64, f64)> = spans(turned(0.0, 0.0)).collect();
    assert!(found.len() == 1 && found[0].0 == 0.0 && found[0].1 > 8.7, "{found:?}");
}

#[test]
fn times_count_from_the_zero_of_the_container_and_not_from_the_first_frame() {
    for (views, step) in [(FilmViews::Reference, 500), (FilmViews::FirstLook, 250)] {
        let mut fingerprinter = FilmFingerprinter::new(0, views);
        for number in 0..100_u64 {
            let luma = Luma::new(WIDTH, HEIGHT, scene(1, number as f32 / 25.0)).unwrap();
            // The pictures begin 1.083 s behind the sound.
            fingerprinter.push(1_083_000 + number * 40_000, luma);
        }
        let film = fingerprinter.finish();
        let times: Vec<u32> = film.frames.iter().map(|frame| frame.time_ms).collect();
        // A reference's are the steps, and a query's when the first frames of these begin.
        let begins = |time: u32| if time == 1_000 { 1_083 } else { (time - 20 - 1_083).div_ceil(40) * 40 + 1_083 };
        let steps = (1_000..5_083).step_by(step);
        let expected = steps.map(|time| if views == FilmViews::Reference { time } else { begins(time) });
        assert_eq!((film.duration_ms, times), (5_083, expected.collect::<Vec<u32>>()));
    }
    let late = |views, zero_ms: u64| {
        let mut fingerprinter = FilmFingerprinter::new(0, views);
        for number in 0..250_u64 {
            let luma = Luma::new(WIDTH, HEIGHT, scene(1, number as f32 / 25.0)).unwrap();
            fingerprinter.push((zero_ms + number * 40) * 1_000, luma);
        }
        fingerprinter.finish()
    };
    let found = search(&late(FilmViews::FirstLook, 2_310));
    let best = found.iter().max_by(|a, b| a.1.score.total_cmp(&b.1.score)).unwrap();
    assert!(best.1.query_span_ms.start.abs_diff(2_310) < 600 && best.1.query_span_ms.end.abs_diff(12_310) < 600);
    assert!(best.1.reference_span_ms.start < 600 && best.1.reference_span_ms.end.abs_diff(10_000) < 600);
}

#[test]
fn key_frames_are_sampled_once_each_and_find_a_film() {
    let mut fingerprinter = FilmFingerprinter::of_key_frames(0, FilmViews::FirstLook);
    // One in some two seconds, of 18 s of the film, from 4.3 s on, and some of another film before and behind.
    let times = [0.0, 2.2, 4.0, 6.1, 8.7, 10.2, 12.4, 14.9, 17.0, 19.3, 21.5, 23.7];
    for (number, &seconds) in times.iter().enumerate() {
        let inside = (2..11).contains(&number);
        let frame = if inside { scene(1, seconds + 0.3) } else { scene(70, seconds) };
        fingerprinter.push((seconds * 1e6) as u64, Luma::new(WIDTH, HEIGHT, frame).unwrap());
    }
    let query = fingerprinter.finish_at(26_000_000);
    assert_eq!(query.frames.len(), times.len());
    assert_eq!((query.frames[1].time_ms, query.duration_ms), (2_200, 26_000));

    let directory = tempfile::tempdir().unwrap();
    let index = of_three_films(directory.path());
    let (found, pairs) = FilmSearch::new(&index).unwrap().find_key_frames(&query, 4.0);
    assert_eq!(found.len(), 1, "{found:?}");
    // The nearest first, at most eight of a film.
    let of_film: Vec<_> = pairs.iter().filter(|pair| pair.film == found[0].film).collect();
    assert!(of_film.len() == 8 && of_film.is_sorted_by_key(|pair| pair.distance), "{pairs:?}");
    let (first, name) = (&found[0], index.film(found[0].segment, found[0].film).unwrap().source_name);
    // A frame beside the nine may be near by chance.
    assert!(name == "film-1.mp4" && (9..=10).contains(&first.frames), "{first:?}");
    let (query, reference) = (&first.query_span_ms, &first.reference_span_ms);
    assert!([4_000, 2_200].contains(&query.start) && (23_600..=26_000).contains(&query.end), "{first:?}");
    assert!((reference.start + 4_000 - query.start).abs_diff(4_300) < 600 && first.same_recording, "{first:?}");
}

#[test]
fn other_films_and_empty_ones_are_not_found() {
    for seed in [50, 51, 60] {
        let found = search(&film(FilmViews::BothLooks, 8.0, |seconds| scene(seed, seconds)));
        assert!(found.iter().all(|(_, found)| found.score < 8.0), "{found:?}");
    }
    assert_eq!(search(&film(FilmViews::BothLooks, 8.0, |_| vec![0; (WIDTH * HEIGHT) as usize])), []);
    assert_eq!(search(&film(FilmViews::BothLooks, 0.0, |_| Vec::new())), []);
}

#[test]
fn times_of_a_hostile_file_neither_panic_nor_fill_the_memory() {
    let frame = || Luma::new(WIDTH, HEIGHT, scene(1, 0.0)).unwrap();
    let mut fingerprinter = FilmFingerprinter::new(0, FilmViews::BothLooks);
    for time_us in [0, 40_000, 20_000, u64::MAX / 2, u64::MAX, 5] {
        fingerprinter.push(time_us, frame());
    }
    let film = fingerprinter.finish();
    assert!(film.frames.len() < 200, "{} frames", film.frames.len());

    // The last seconds that 32 bits of milliseconds count.
    for views in [FilmViews::Reference, FilmViews::BothLooks] {
        let mut fingerprinter = FilmFingerprinter::new(0, views);
        for number in 0..30 {
            let luma = Luma::new(WIDTH, HEIGHT, scene(1, number as f32 / 10.0)).unwrap();
            fingerprinter.push(u64::from(u32::MAX - 3_000) * 1_000 + number * 100_000, luma);
        }
        let film = fingerprinter.finish();
        assert!(film.frames.len() >= 3 && film.codes.len() == film.frames.len() * film.views.len());
    }
}

#[test]
fn a_film_is_called_dubbed_only_where_its_sound_was_compared() {
    use minutia::fingerprint::AudioFingerprinter;
    use minutia::media::{Format, Samples};
    use minutia::scan::{Coverage, Examiner, Item, Query, SoundCoverage, Track};
    use minutia::search::Settings;
    use minutia::verdict::{Allowed, Shared};

    // Chords that nothing else has, four a second.
    let sound = |seed: u32| {
        let mut fingerprinter = AudioFingerprinter::new(0);
        let chord = |n: u32| (0..3).map(move |note| (n / 2_756 + 1) * (seed + note) * 2_654_435 % 97);
        let sample = |n: u32| chord(n).map(|note| (n as f32 * (0.08 + note as f32 * 0.01)).sin() * 0.2).sum();
        let interleaved = (0..11_025 * 9).map(sample).collect();
        fingerprinter.push(&Samples { rate_hz: 11_025, channels: 1, interleaved });
        let fingerprint = Fingerprint::Audio(fingerprinter.finish());
        assert!(!fingerprint.says_too_little());
        fingerprint
    };
    let directory = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(directory.path()).unwrap();
    for (name, with_sound) in [("sound", true), ("silent", false)] {
        let mut fingerprints = vec![Fingerprint::Film(film(FilmViews::Reference, 24.0, |seconds| scene(1, seconds)))];
        fingerprints.extend(with_sound.then(|| sound(3)));
        let (source_name, work) = (name.to_owned(), Work::new(WorkId::new(name).unwrap()));
        writer.add(Entry { work, source_name, source_digest: None, fingerprints, thumbnail: None }).unwrap();
    }
    writer.commit().unwrap();
    let index = Index::open(directory.path(), Access::Mapped).unwrap();
    let examiner = Examiner::new(&index, Allowed::default(), Settings::default());
    let pictures = Fingerprint::Film(film(FilmViews::BothLooks, 9.0, |seconds| scene(1, seconds + 6.4)));
    let track = |kind: &str| Track { kind: kind.to_owned(), ..Track::default() };
    let check = |kinds: &[&str], heard: Option<SoundCoverage>, expected: Option<bool>| {
        let mut fingerprints = vec![pictures.clone()];
        fingerprints.extend(heard.is_some().then(|| sound(7)));
        let coverage = Coverage { sound: heard, ..Coverage::default() };
        let tracks = kinds.iter().map(|kind| track(kind)).collect();
        let item = Item { coverage, fingerprints, tracks, ..Item::of(Format::Mp4) };
        let found = examiner.examine(&[Query { digest: None, item: &item }]).unwrap().remove(0).findings;
        for finding in &found {
            let expected = if finding.reference_name == "sound" { expected } else { Some(false) };
            assert_eq!(finding.shared, Some(Shared::PictureOnly { redubbed: expected }), "{kinds:?}");
        }
        assert_eq!(found.len(), 2, "{kinds:?}");
    };
    let read = |tracks, tracks_read| Some(SoundCoverage { tracks, tracks_read, ..SoundCoverage::default() });
    check(&["picture", "sound"], read(1, 1), Some(true));
    check(&["picture", "sound", "sound"], read(2, 1), None);
    check(&["picture", "sound"], None, None);
    check(&["picture", "subtitle"], None, Some(false));
    check(&[], None, None);
}
