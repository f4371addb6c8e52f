//! Pictures a second: from the bytes of a JPEG to all views of a query, and its parts, beside `image` with `image_hasher`.
//!
//! `cargo bench -p minutia-benches --bench image`. One iteration reads every photograph of `testdata/image/reference`, all
//! brought to one size; elements are pictures. Everything runs in one thread.

// What a bench needs and does not get ends it.
#![allow(clippy::unwrap_used)]

use std::ops::ControlFlow;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use img_hash::{HashAlg, HasherConfig};
use minutia::fingerprint::{Views, fingerprint_image, pdq_512_dihedral, pdq_dihedral};
use minutia::scan::{InProcess, Reader, Request};
use minutia_benches::pictures::{jpeg, photographs, source};
use minutia_media::decode::image::{Channels, decode};
use minutia_media::{Format, Limits, Luma, Orientation, Picture, Source};

/// A small web picture, and a camera's.
const SIZES: [(&str, u32); 2] = [("0.18 MP", 180_000), ("13 MP", 13_000_000)];

fn whole(criterion: &mut Criterion) {
    for (name, pixels) in SIZES {
        let photographs = photographs();
        // A few are enough where each takes as long as seventy small ones.
        let photographs = &photographs[..if pixels > 1_000_000 { 3 } else { photographs.len() }];
        let sources: Vec<Source> = photographs.iter().map(|photograph| source(photograph, pixels)).collect();
        let files: Vec<Vec<u8>> = photographs.iter().map(|photograph| jpeg(photograph, pixels)).collect();
        let mut group = criterion.benchmark_group("JPEG to fingerprint");
        group.sample_size(if pixels > 1_000_000 { 10 } else { 60 });
        group.throughput(Throughput::Elements(sources.len() as u64));
        for (what, request) in [("query", Request::query()), ("reference", Request::reference())] {
            group.bench_with_input(BenchmarkId::new(what, name), &sources, |bencher, sources| {
                bencher.iter(|| {
                    for source in sources {
                        InProcess.read(source, &request, &mut |item| assert_eq!(item.fingerprints.len(), 1)).unwrap();
                    }
                });
            });
        }
        group.bench_with_input(BenchmarkId::new("decode alone", name), &sources, |bencher, sources| {
            bencher.iter(|| sources.iter().for_each(|source| drop(luma(source))));
        });
        group.bench_with_input(BenchmarkId::new("image + image_hasher", name), &files, |bencher, files| {
            let hasher = HasherConfig::new().hash_alg(HashAlg::Gradient).to_hasher();
            bencher.iter(|| {
                files.iter().map(|file| hasher.hash_image(&image::load_from_memory(file).unwrap())).collect::<Vec<_>>()
            });
        });
        group.finish();
    }
}

fn luma(source: &Source) -> Picture {
    let mut picture = None;
    decode(source, Format::Jpeg, Channels::Luma, &Limits::default(), &mut |frame| {
        picture = Some(frame.picture);
        ControlFlow::Break(())
    })
    .unwrap();
    picture.unwrap()
}

/// From pixels: what is added to a decoder.
fn hashing(criterion: &mut Criterion) {
    let photograph = &photographs()[0];
    let plane = image::imageops::resize(photograph, 512, 512, image::imageops::FilterType::CatmullRom);
    let plane = image::DynamicImage::from(plane).into_luma8().into_raw();
    let plane = Picture::Luma(Luma::new(512, 512, plane).unwrap());
    let mut group = criterion.benchmark_group("512x512 plane");
    group.bench_function("pdq, eight positions", |bencher| bencher.iter(|| pdq_dihedral(&plane)));
    group.bench_function("pdq-512, eight positions", |bencher| bencher.iter(|| pdq_512_dihedral(&plane)));
    group.bench_function("all views of a query", |bencher| {
        bencher.iter(|| fingerprint_image(&plane, Orientation::Upright, Views::Query));
    });
    group.bench_function("all views of a reference", |bencher| {
        bencher.iter(|| fingerprint_image(&plane, Orientation::Upright, Views::Reference));
    });
    group.finish();
}

/// The digests of a file, which are part of a scan and of no fingerprint.
fn digests(criterion: &mut Criterion) {
    let file = jpeg(&photographs()[0], 13_000_000);
    let mut group = criterion.benchmark_group("digests");
    group.throughput(Throughput::Bytes(file.len() as u64));
    group.bench_function("BLAKE3", |bencher| bencher.iter(|| blake3::hash(&file)));
    group.bench_function("SHA-256", |bencher| bencher.iter(|| <sha2::Sha256 as sha2::Digest>::digest(&file)));
    group.finish();
}

criterion_group!(benches, whole, hashing, digests);
criterion_main!(benches);
