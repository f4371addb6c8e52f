//! The worker's reader of these tests: what its input names, it does.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use minutia::fingerprint::{Code, Dihedral, Fingerprint, ImageFingerprint, Region, RegionKind, View};
use minutia::scan::{Coverage, InProcess, Item, Reader, Request};
use minutia_media::{Orientation, Problem, Source};
use minutia_sandbox::wire::{Answer, MAX_PIECE, PROTOCOL, Piece, encode};

/// Starts this program as a process that spins within a budget of processor time.
pub(crate) const SPIN: &str = "--spin-within-a-budget";

/// How many of [`samples`] can be read.
pub(crate) const READABLE_SAMPLES: u32 = 5;

/// Files for the readers of both sides.
pub(crate) fn samples() -> BTreeMap<&'static str, Vec<u8>> {
    let scene = |width: u32, height: u32| {
        let wave = |x: u32, y: u32, k: u32| ((x * 7 + y * k) as f32 / 90.0).sin().mul_add(100.0, 128.0) as u8;
        DynamicImage::from(RgbImage::from_fn(width, height, |x, y| Rgb([3, 17, 31].map(|k| wave(x, y, k)))))
    };
    let encoded = |picture: DynamicImage, format| {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    let jpeg = encoded(scene(320, 200), ImageFormat::Jpeg);
    let png = encoded(scene(200, 300), ImageFormat::Png);
    let blank = encoded(DynamicImage::new_luma8(64, 64), ImageFormat::Png);
    let thin = encoded(scene(1, 70_000), ImageFormat::Qoi);
    BTreeMap::from([
        ("empty", Vec::new()),
        ("text", b"plain text".to_vec()),
        ("cut JPEG", jpeg[..jpeg.len() / 2].to_vec()),
        ("cut PNG header", png[..20].to_vec()),
        ("JPEG", jpeg),
        ("PNG", png),
        ("blank", blank),
        ("long and thin", thin),
    ])
}

pub(crate) struct Marked;

/// What an earlier source has done to this worker.
static POISONED: AtomicBool = AtomicBool::new(false);

impl Reader for Marked {
    fn read(&mut self, source: &Source, request: &Request, sink: &mut dyn FnMut(Item)) -> Result<(), Problem> {
        if POISONED.load(Ordering::Relaxed) {
            std::process::abort();
        }
        let head = source.head(64)?;
        match std::str::from_utf8(&head).unwrap_or_default() {
            "two items" => [item("1"), item("2")].into_iter().for_each(sink),
            "two items, then crash" => {
                [item("1"), item("2")].into_iter().for_each(sink);
                std::process::abort();
            }
            "abort" => std::process::abort(),
            "exit" => std::process::exit(3),
            "panic" => panic!("a reader's panic"),
            "reports a panic" => return Err(Problem::Crashed { detail: "panic: caught".to_owned() }),
            "recurse" => drop(recurse(1)),
            "bomb" => drop(vec![1_u8; 2 << 30]),
            "creep" => {
                let mut held = Vec::new();
                loop {
                    held.push(vec![1_u8; 16 << 20]);
                }
            }
            "sleep" => std::thread::sleep(Duration::from_secs(1_000)),
            "spin" => spin(),
            "drip" => {
                write_raw(&[0, 0, 1, 0, PROTOCOL]);
                loop {
                    write_raw(&[0]);
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
            "poison" => POISONED.store(true, Ordering::Relaxed),
            "start a program" => {
                let started = Command::new("/bin/sleep").arg("1000").spawn().unwrap();
                sink(item(&started.id().to_string()));
                std::process::exit(0);
            }
            "wait" => {
                sink(item(&std::process::id().to_string()));
                std::thread::sleep(Duration::from_secs(1_000));
            }
            "wire: noise" => write_raw(&[7; 64]),
            "wire: long" => write_raw(&[0xff, 0xff, 0xff, 0xff, PROTOCOL]),
            "wire: payload" => write_raw(&[3, 0, 0, 0, PROTOCOL, 9, 9, 9]),
            "wire: turn" => {
                let confinement = minutia_sandbox::Confinement::default();
                write_raw(&encode(&Answer::Ready { build: String::new(), confinement }).unwrap());
            }
            "wire: twice" => write_raw(&[done(), done()].concat()),
            "wire: region" => {
                let mut item = item("");
                let Fingerprint::Image(image) = &mut item.fingerprints[0] else { unreachable!() };
                image.views[0].region.right = 10_001;
                sink(item);
            }
            "wire: piece" => write_raw(&[piece(0), encode(&Answer::Item(item(""))).unwrap()].concat()),
            "wire: pieces" => (0..200).for_each(|_| write_raw(&piece(MAX_PIECE))),
            "wire: half" => write_raw(&[piece(1), done()].concat()),
            "wire: items" => (0..2_000).for_each(|_| sink(item(""))),
            other => match other.strip_prefix("try: ") {
                Some(deed) => sink(item(&crate::confined::tried(deed, source))),
                None => return InProcess.read(source, request, sink),
            },
        }
        Ok(())
    }
}

fn piece(len: usize) -> Vec<u8> {
    encode(&Answer::Piece { of: 0, piece: Piece::Chromaprint(vec![0; len]) }).unwrap()
}

fn item(name: &str) -> Item {
    let region = Region { kind: RegionKind::Whole, left: 0, top: 0, right: 10_000, bottom: 10_000 };
    let view = View { region, turn: Dihedral::Identity, code: Code([7; 32]), quality: 100, plain_rim: 0 };
    Item {
        member: vec![name.to_owned()],
        format: None,
        coverage: Coverage { frames_read: 1, frames_kept: 1, ..Coverage::default() },
        fingerprints: vec![Fingerprint::Image(ImageFingerprint {
            frame: 0,
            time_ms: 0,
            width: 1,
            height: 1,
            orientation: Orientation::Upright,
            views: vec![view],
        })],
        listed: Vec::new(),
        tracks: Vec::new(),
        preview: None,
        problems: Vec::new(),
    }
}

fn done() -> Vec<u8> {
    encode(&Answer::Done(Ok(()))).unwrap()
}

/// Around the worker's own loop.
fn write_raw(bytes: &[u8]) {
    UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned().unwrap()).write_all(bytes).unwrap();
}

fn spin() {
    let mut turns = 0_u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

/// A second of processor time, then the kernel's signal.
pub(crate) fn spin_within_a_budget() -> ExitCode {
    minutia_sandbox::confine::budget_cpu(0).unwrap();
    spin();
    ExitCode::SUCCESS
}

fn recurse(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 512]);
    if depth == 0 { 0 } else { recurse(depth + 1) + frame[depth as usize % 512] }
}

/// The processes whose parent is this one, ended or not.
pub(crate) fn children() -> Vec<String> {
    let own = std::process::id().to_string();
    let stats =
        fs::read_dir("/proc").unwrap().filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("stat")).ok());
    stats.filter(|stat| stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)) == Some(&own)).collect()
}
