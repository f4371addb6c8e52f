//! Search over codes: the kernels, and every way to search an index of a million codes. Side by side with another engine:
//! `benches/record/beside_faiss.py`.
//!
//! `cargo bench -p minutia-benches --bench search`

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use minutia::fingerprint::{Code, Dihedral, Fingerprint, ImageFingerprint, Region, RegionKind, View};
use minutia::index::{Access, Entry, Index, Work, WorkId, Writer};
use minutia::media::Orientation;
use minutia::search::{QueryGroup, Settings, Strategy, Within, search};
use minutia_benches::codes::{near, uniform};
use minutia_machine::Level;
use minutia_machine::hamming::{self, Columns, Window, scan};

criterion_group!(benches, kernels, ways);
criterion_main!(benches);

/// Codes of an index.
const COUNT: usize = 1_000_000;

fn words(code: &Code) -> hamming::Code {
    std::array::from_fn(|word| u64::from_le_bytes(code.0.as_chunks::<8>().0[word]))
}

/// Comparisons a second, of a tile in cache with 240 queries.
fn kernels(criterion: &mut Criterion) {
    let rows: Vec<hamming::Code> = uniform(1, 4096).iter().map(words).collect();
    let queries: Vec<hamming::Code> = uniform(2, 240).iter().map(words).collect();
    let mut group = criterion.benchmark_group("compare a tile");
    group.throughput(Throughput::Elements((rows.len() * queries.len()) as u64));
    for level in Level::all_here() {
        for near in [31, 47, 63, 84] {
            let window = Window { near, complement: None };
            let mut columns = Columns::default();
            columns.fill(level, &rows, window.filter_words(level));
            let mut found = Vec::new();
            group.bench_function(BenchmarkId::new(level.name(), near), |bencher| {
                bencher.iter(|| {
                    found.clear();
                    scan(level, &columns, &rows, black_box(&queries), window, &mut found);
                    found.len()
                });
            });
        }
    }
    group.finish();
    let mut group = criterion.benchmark_group("make the columns of a tile");
    group.throughput(Throughput::Elements(rows.len() as u64));
    for level in Level::all_here() {
        let mut columns = Columns::default();
        group.bench_function(level.name(), |bencher| bencher.iter(|| columns.fill(level, black_box(&rows), 8)));
    }
}

/// Queries a second against an index.
fn ways(criterion: &mut Criterion) {
    let codes = uniform(1, COUNT);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut writer = Writer::open(folder.path()).expect("a new index");
    let region = Region { kind: RegionKind::Whole, left: 0, top: 0, right: 10_000, bottom: 10_000 };
    for (place, codes) in codes.chunks(1000).enumerate() {
        let view = |&code: &Code| View { region, turn: Dihedral::Identity, code, quality: 100, plain_rim: 0 };
        let (width, height, orientation) = (640, 480, Orientation::Upright);
        let views = codes.iter().map(view).collect();
        let image = ImageFingerprint { frame: 0, time_ms: 0, width, height, orientation, views };
        writer
            .add(Entry {
                work: Work::new(WorkId::new(place.to_string()).expect("a number is an id")),
                source_name: place.to_string(),
                source_digest: None,
                fingerprints: vec![Fingerprint::Image(image)],
                thumbnail: None,
            })
            .expect("an entry");
    }
    writer.commit().expect("room in the temporary folder");
    drop(writer);
    let index = Index::open(folder.path(), Access::Mapped).expect("the index that was written");
    let queries = near(3, 2400, &codes, 31);

    for radius in [31, 47, 70] {
        let mut group = criterion.benchmark_group(format!("a million codes, radius {radius}"));
        group.sample_size(10);
        let within = Within { near: radius, complement: None };
        for (name, strategy) in [("brute", Strategy::Brute), ("look-up", Strategy::Lookup), ("join", Strategy::Join)] {
            if radius > 47 && strategy != Strategy::Brute {
                continue;
            }
            let settings = Settings { strategy, ..Settings::default() };
            for count in [1, 24, 2400] {
                if count == 2400 && radius > 31 {
                    continue;
                }
                group.throughput(Throughput::Elements(count as u64));
                let groups = [QueryGroup { views: &queries[..count] }];
                group.bench_function(BenchmarkId::new(name, count), |bencher| {
                    bencher.iter(|| search(&groups, &index, within, &settings).expect("a sound index").len());
                });
            }
        }
    }
    criterion.bench_function("open a million codes", |bencher| {
        bencher.iter(|| Index::open(folder.path(), Access::Mapped).expect("the index that was written").pictures());
    });
}
