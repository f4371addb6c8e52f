//! The samples of a fragmented MP4 track (`moof`, ISO 14496-12:2022, 8.8).

use std::collections::VecDeque;
use std::ops::Range;

use super::demux::{Sample, field, read};
use super::mp4::{Boxed, Defaults, Track, box_at};
use super::tables::Timeline;
use crate::{LimitKind, Problem, Source};

/// The largest `moof`: some ten bytes a sample, a few seconds of film.
const MAX_MOOF_BYTES: u64 = 4 << 20;
/// The most boxes at the outermost level.
const MAX_BOXES: u32 = 1_000_000;

pub(super) struct Fragments<'a> {
    source: &'a Source,
    track: u32,
    defaults: Defaults,
    timeline: Timeline,
    at: u64,
    boxes: u32,
    dts: i64,
    ready: VecDeque<Sample>,
}

impl<'a> Fragments<'a> {
    pub(super) fn new(source: &'a Source, track: &Track, film_timescale: u32, from: u64) -> Fragments<'a> {
        // What an edit of a fragmented film leaves out at the end is not known when it is written.
        let edits: Vec<_> = track
            .edits
            .iter()
            .map(|edit| super::mp4::Edit {
                duration: if edit.media_time.is_some() { 0 } else { edit.duration },
                ..*edit
            })
            .collect();
        Fragments {
            source,
            track: track.id,
            defaults: track.defaults,
            timeline: Timeline::new(&edits, track.timescale, film_timescale),
            at: from,
            boxes: 0,
            dts: 0,
            ready: VecDeque::new(),
        }
    }

    pub(super) fn next(&mut self) -> Result<Option<Sample>, Problem> {
        loop {
            if let Some(sample) = self.ready.pop_front() {
                return Ok(Some(sample));
            }
            let (start, end) = (self.at, self.source.len());
            let Some(found) = box_at(self.source, start, end)? else { return Ok(None) };
            self.at = found.body.end;
            self.boxes += 1;
            if self.boxes > MAX_BOXES {
                return Err(Problem::Damaged { detail: "boxes without end".to_owned() });
            }
            if &found.kind == b"moof" {
                self.fragment(start, &found.body)?;
            }
        }
    }

    fn fragment(&mut self, start: u64, body: &Range<u64>) -> Result<(), Problem> {
        let size = body.end - body.start;
        if size > MAX_MOOF_BYTES {
            let (limit, allowed) = (LimitKind::DecoderBytes, MAX_MOOF_BYTES);
            return Err(Problem::Limit { limit, allowed, found: size });
        }
        let data = Source::from_bytes(read(self.source, body.start, size as usize)?);
        // Where a track without a base begins: at the fragment, or behind the track before it.
        let mut behind = start;
        for part in boxes(&data, 0..data.len())? {
            if &part.kind == b"traf" {
                behind = self.part(&data, part.body, start, behind)?;
            }
        }
        Ok(())
    }

    /// One track's part of a fragment; gives where its bytes end.
    fn part(&mut self, data: &Source, body: Range<u64>, moof: u64, behind: u64) -> Result<u64, Problem> {
        let (mut defaults, mut base, mut ours, mut end) = (self.defaults, behind, false, behind);
        for found in boxes(data, body)? {
            let bytes = read(data, found.body.start, (found.body.end - found.body.start) as usize)?;
            let flags = field(&bytes, 0) & 0xff_ffff;
            match &found.kind {
                b"tfhd" => {
                    ours = field(&bytes, 4) == self.track;
                    let mut fields = Fields { bytes: &bytes, at: 8 };
                    if flags & 1 != 0 {
                        base = u64::from(fields.next()) << 32 | u64::from(fields.next());
                    } else if flags & 0x2_0000 != 0 {
                        base = moof;
                    }
                    let mut set = |flag: u32, value: &mut u32| {
                        if flags & flag != 0 {
                            *value = fields.next();
                        }
                    };
                    let mut description = defaults.description + 1;
                    set(2, &mut description);
                    defaults.description = description.saturating_sub(1);
                    set(8, &mut defaults.duration);
                    set(16, &mut defaults.size);
                    set(32, &mut defaults.flags);
                    end = base;
                }
                b"tfdt" if ours => {
                    let wide = bytes.first() == Some(&1);
                    let time = if wide {
                        u64::from(field(&bytes, 4)) << 32 | u64::from(field(&bytes, 8))
                    } else {
                        u64::from(field(&bytes, 4))
                    };
                    self.dts = i64::try_from(time).unwrap_or(i64::MAX);
                }
                b"trun" => end = self.run(&bytes, flags, &defaults, base, end, ours),
                _ => {}
            }
        }
        Ok(end)
    }

    /// A run of samples; gives where its bytes end.
    fn run(&mut self, bytes: &[u8], flags: u32, defaults: &Defaults, base: u64, end: u64, ours: bool) -> u64 {
        let mut fields = Fields { bytes, at: 8 };
        let count = field(bytes, 4);
        let mut position =
            if flags & 1 != 0 { base.saturating_add_signed(fields.next().cast_signed().into()) } else { end };
        let first_flags = (flags & 4 != 0).then(|| fields.next());
        // Without fields of their own, samples cost no bytes here: a film has a few in one run.
        let own = flags & 0xf00 != 0;
        for place in 0..if own { count } else { count.min(100_000) } {
            if own && fields.at >= bytes.len() {
                break;
            }
            let mut field = |flag: u32, default: u32| if flags & flag != 0 { fields.next() } else { default };
            let duration = field(0x100, defaults.duration);
            let size = field(0x200, defaults.size);
            let default = if place == 0 { first_flags.unwrap_or(defaults.flags) } else { defaults.flags };
            let sample_flags = field(0x400, default);
            let shown = self.dts.saturating_add(i64::from(field(0x800, 0).cast_signed()));
            if ours {
                self.ready.push_back(Sample {
                    offset: position,
                    size: size.into(),
                    pts_us: self.timeline.place(shown),
                    key: sample_flags & 0x1_0000 == 0,
                    description: defaults.description,
                });
                self.dts = self.dts.saturating_add(duration.into());
            }
            position = position.saturating_add(size.into());
        }
        position
    }
}

/// The boxes of one level.
fn boxes(data: &Source, range: Range<u64>) -> Result<Vec<Boxed>, Problem> {
    let (mut found, mut at) = (Vec::new(), range.start);
    while let Some(next) = box_at(data, at, range.end)? {
        at = next.body.end;
        found.push(next);
    }
    Ok(found)
}

/// 32-bit fields in a row; 0 behind the end.
struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Fields<'_> {
    fn next(&mut self) -> u32 {
        self.at += 4;
        field(self.bytes, self.at - 4)
    }
}
