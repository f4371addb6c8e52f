//! Decoding in this process: our own demuxers, and a decoder of each of [`CODECS`].

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::codec::{CODECS, Codec, Decoder, Failed};
use super::demux::{Opened, Sample, Samples, open, read};
use super::out::{Choice, Out, check_bytes, check_length};
use super::{Decoded, Film, Frame, FrameSink, Selection, Wanted, unsupported};
use crate::decode::caught::caught;
use crate::{Format, LimitKind, Limits, Luma, Problem, Source};

/// Decodes what is wanted.
pub(super) fn decode(
    source: &Source,
    format: Format,
    wanted: &Wanted,
    limits: &Limits,
    sink: FrameSink<'_>,
) -> Result<Decoded, Problem> {
    let opened = caught(|| open(source, format, wanted.track.unwrap_or(0)))?;
    let opened = opened.map_err(|film| without_pictures(&film, format))?;
    if let Some(problem) = opened.film.refused(wanted.track.unwrap_or(0)) {
        return Err(problem);
    }
    let codec = CODECS.iter().find(|codec| codec.name == opened.film.codec && !opened.packed);
    let codec = codec.ok_or_else(|| unsupported(format, Some(&opened.film.codec)))?;
    let mut out = Out::new(sink, wanted, limits);
    let mut decoded = Decoded { film: opened.film.clone(), decoder: codec.decoder.to_owned(), ..Decoded::default() };
    // What was handed over before a panic stands, and is counted outside.
    let mut run = Run::new(source, format, wanted, limits, &opened, codec);
    let ended = caught(|| run.all(&mut out, &mut decoded));
    decoded.problems.extend(run.found());
    match ended {
        Ok(()) => {}
        Err(problem) if out.taken() == 0 => return Err(problem),
        Err(problem) => decoded.problems.push(problem),
    }
    let whole = wanted.span_us.is_none();
    out.finish(&mut decoded);
    if decoded.frames == 0 && whole && decoded.to_the_end {
        let nothing = || Problem::Damaged { detail: "no picture in the picture track".to_owned() };
        return Err(if decoded.problems.is_empty() { nothing() } else { decoded.problems.swap_remove(0) });
    }
    check_length(&mut decoded, wanted.selection);
    Ok(decoded)
}

fn without_pictures(film: &Film, format: Format) -> Problem {
    match film.tracks.iter().find_map(|track| track.locked_by.clone()) {
        Some(by) => Problem::Protected { by },
        None => unsupported(format, Some("no picture track")),
    }
}

/// A decoded picture that waits for its turn, earliest first, then first decoded.
struct Waiting {
    pts_us: i64,
    number: u64,
    luma: Luma,
    key: bool,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Waiting) -> bool {
        (self.pts_us, self.number) == (other.pts_us, other.number)
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Waiting) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Waiting) -> std::cmp::Ordering {
        (self.pts_us, self.number).cmp(&(other.pts_us, other.number))
    }
}

struct Run<'a> {
    source: &'a Source,
    format: Format,
    wanted: &'a Wanted,
    limits: &'a Limits,
    opened: &'a Opened,
    codec: &'a Codec,
    waiting: BinaryHeap<Reverse<Waiting>>,
    /// Samples met, those that gave no picture, and those that lie outside the file.
    samples: u64,
    bad: u64,
    missing: u64,
    first_bad: String,
    /// Bytes of samples: tables may name the same bytes again and again.
    bytes: u64,
}

impl<'a> Run<'a> {
    fn new(
        source: &'a Source,
        format: Format,
        wanted: &'a Wanted,
        limits: &'a Limits,
        opened: &'a Opened,
        codec: &'a Codec,
    ) -> Run<'a> {
        Run {
            source,
            format,
            wanted,
            limits,
            opened,
            codec,
            waiting: BinaryHeap::new(),
            samples: 0,
            bad: 0,
            missing: 0,
            first_bad: String::new(),
            bytes: 0,
        }
    }

    /// What went wrong with single samples.
    fn found(&self) -> Vec<Problem> {
        let mut found = Vec::new();
        if self.missing > 0 {
            let detail = format!("{} of {} pictures lie behind the end of the file", self.missing, self.samples);
            found.push(Problem::Damaged { detail });
        }
        if self.bad > 0 {
            let first = &self.first_bad;
            let detail = format!("{} of {} pictures could not be decoded, the first: {first}", self.bad, self.samples);
            found.push(Problem::Damaged { detail });
        }
        found
    }

    /// Decodes to the end. The problem is what kept it from going on.
    fn all(&mut self, out: &mut Out<'_>, decoded: &mut Decoded) -> Result<(), Problem> {
        let first = self.first()?;
        let mut samples = self.opened.samples(self.source);
        let mut decoder = None;
        let mut begun = false;
        while let Some(sample) = self.next(&mut samples)? {
            if self.samples <= first || self.wanted.selection == Selection::KeyFrames && !sample.key {
                continue;
            }
            // A film may be of key frames alone.
            if self.wanted.selection == Selection::KeyFrames
                && sample.pts_us.is_some_and(|pts_us| !out.may_take(pts_us))
            {
                continue;
            }
            // What comes before the first picture that stands alone refers to what is not there.
            begun |= sample.key;
            let Some(data) = self.data(&sample)?.filter(|_| begun) else { continue };
            if self.wanted.selection == Selection::KeyFrames {
                // Each is decoded alone, so that the ones between are not missed.
                decoder = None;
            }
            let decoder = match &mut decoder {
                Some((description, decoder)) if *description == sample.description => decoder,
                _ => {
                    let made = self.decoder(sample.description)?;
                    &mut decoder.insert((sample.description, made)).1
                }
            };
            let (pictures, ended) = decoder.decode(&data);
            let reordered = if self.wanted.selection == Selection::KeyFrames { 0 } else { decoder.reordered() };
            match ended {
                Ok(()) => {}
                // Amid damage, what names an unknown part of the standard is damage too.
                Err(Failed::Unsupported(_)) if self.bad > 0 && out.taken() > 0 => self.bad += 1,
                Err(Failed::Sample(detail)) => {
                    self.bad += 1;
                    if self.first_bad.is_empty() {
                        self.first_bad = detail;
                    }
                }
                Err(Failed::Unsupported(what)) => return Err(unsupported(self.format, Some(&what))),
                Err(Failed::Fatal(problem)) => return Err(problem),
            }
            if let Some(pts_us) = sample.pts_us {
                for luma in pictures {
                    let number = self.samples;
                    self.waiting.push(Reverse(Waiting { pts_us, number, luma, key: sample.key }));
                }
            }
            if !self.show(out, reordered)? {
                return Ok(());
            }
        }
        decoded.to_the_end = self.show(out, 0)?;
        Ok(())
    }

    /// How many samples stand before the one with which the wanted part can be decoded.
    fn first(&mut self) -> Result<u64, Problem> {
        let Some(start) = self.wanted.span_us.as_ref().map(|span| span.start).filter(|&start| start > 0) else {
            return Ok(0);
        };
        let mut samples = self.opened.samples(self.source);
        let mut first = 0;
        let start = i64::try_from(start).unwrap_or(i64::MAX);
        while let Some(sample) = self.next(&mut samples)? {
            match sample.pts_us {
                Some(pts_us) if sample.key && pts_us <= start => first = self.samples - 1,
                // Pictures are decoded some frames before they are shown, and never later.
                Some(pts_us) if sample.key && pts_us > start => break,
                _ => {}
            }
        }
        (self.samples, self.bytes) = (0, 0);
        Ok(first)
    }

    fn next(&mut self, samples: &mut Samples<'_>) -> Result<Option<Sample>, Problem> {
        let Some(sample) = samples.next()? else { return Ok(None) };
        self.samples += 1;
        if self.samples > self.limits.film_frames {
            let (limit, allowed) = (LimitKind::FilmFrames, self.limits.film_frames);
            return Err(Problem::Limit { limit, allowed, found: self.samples });
        }
        Ok(Some(sample))
    }

    /// The bytes of a sample; `None` where they are not there.
    fn data(&mut self, sample: &Sample) -> Result<Option<Vec<u8>>, Problem> {
        check_bytes(sample.size, self.limits)?;
        if sample.offset.saturating_add(sample.size) > self.source.len() {
            self.missing += 1;
            return Ok(None);
        }
        self.bytes = self.bytes.saturating_add(sample.size).saturating_add(1);
        if self.bytes > self.source.len().saturating_mul(4).saturating_add(1 << 20) {
            return Err(Problem::Damaged { detail: "the tables name more bytes than the file has".to_owned() });
        }
        let mut data = self.opened.prefix.clone();
        data.extend(read(self.source, sample.offset, sample.size as usize)?);
        Ok(Some(data))
    }

    fn decoder(&self, description: u32) -> Result<Box<dyn Decoder>, Problem> {
        let configs = &self.opened.configs;
        let config = configs.get(description as usize).or(configs.first()).map_or(&[][..], Vec::as_slice);
        (self.codec.begin)(config, self.wanted.selection, self.limits).map_err(|failed| match failed {
            Failed::Fatal(problem) => problem,
            Failed::Unsupported(what) => unsupported(self.format, Some(&what)),
            Failed::Sample(detail) => Problem::Damaged { detail },
        })
    }

    /// Hands over what no later picture can come before: all but `kept`. `false` where no more is wanted.
    fn show(&mut self, out: &mut Out<'_>, kept: usize) -> Result<bool, Problem> {
        while self.waiting.len() > kept {
            let Some(Reverse(Waiting { pts_us, luma, key, .. })) = self.waiting.pop() else { break };
            match out.choose(pts_us) {
                Choice::Skip => {}
                Choice::Stop(None) => return Ok(false),
                Choice::Stop(Some(problem)) => return Err(problem),
                Choice::Take => {
                    let pts_us = u64::try_from(pts_us).unwrap_or(0);
                    if out.give(Frame { pts_us, luma, key: Some(key) }).is_break() {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }
}
