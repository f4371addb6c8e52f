//! What confinement costs: a source read in process and by a worker, and the start of a worker.
//!
//! `cargo bench -p minutia-benches --bench sandbox`

use std::io::Cursor;
use std::process::ExitCode;

use criterion::{Criterion, Throughput};
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};
use minutia::scan::{InProcess, Reader, Request};
use minutia_media::Source;
use minutia_sandbox::{Config, Isolated, worker};

fn main() -> ExitCode {
    if worker::requested() {
        return worker::run();
    }
    let mut criterion = Criterion::default().configure_from_args();
    reading(&mut criterion);
    starting(&mut criterion);
    criterion.final_summary();
    ExitCode::SUCCESS
}

/// 0.18 megapixels, the size of a small web picture, with detail enough to keep the entropy decoder busy.
fn jpeg() -> Source {
    let picture = RgbImage::from_fn(500, 360, |x, y| {
        let grain =
            x.wrapping_mul(2_654_435_761).wrapping_add(y.wrapping_mul(40_503)).wrapping_mul(2_246_822_519) >> 27;
        let wave = |k: u32| ((x * 7 + y * k) as f32 / 90.0).sin() * 90.0 + 110.0 + grain as f32;
        Rgb([3, 17, 31].map(|k| wave(k) as u8))
    });
    let mut bytes = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut bytes, 85).encode_image(&picture).expect("a picture can be encoded");
    Source::from_bytes(bytes.into_inner())
}

fn as_file(source: &Source) -> Source {
    let mut file = tempfile::tempfile().expect("a temporary file");
    let bytes = source.read_all(u64::MAX).expect("bytes in memory");
    std::io::Write::write_all(&mut file, &bytes).expect("room for a temporary file");
    Source::from_file(file).expect("an open file has a length")
}

fn reading(criterion: &mut Criterion) {
    let source = as_file(&jpeg());
    let mut group = criterion.benchmark_group("read a JPEG of 0.18 MP");
    group.throughput(Throughput::Elements(1));
    let request = Request::query();
    let mut isolated = Isolated::new(Config::default());
    let readers: [(&str, &mut dyn Reader); 2] = [("in process", &mut InProcess), ("by a worker", &mut isolated)];
    for (name, reader) in readers {
        group.bench_function(name, |bencher| {
            bencher.iter(|| reader.read(&source, &request, &mut |item| assert_eq!(item.fingerprints.len(), 1)));
        });
    }
    let text = as_file(&Source::from_bytes(b"plain text".to_vec()));
    group.bench_function("by a worker, a text instead", |bencher| {
        bencher.iter(|| isolated.read(&text, &request, &mut |_| ()).is_err());
    });
}

fn starting(criterion: &mut Criterion) {
    criterion.bench_function("start and end a worker", |bencher| {
        bencher.iter(|| Isolated::new(Config::default()).confinement().expect("a worker starts"));
    });
}
