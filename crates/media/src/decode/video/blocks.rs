//! The blocks of one Matroska track, in the order of the file. Block headers are walked and the bytes of blocks that are not wanted are not
//! read. Where elements stop making sense, reading goes on at the next cluster.

use super::demux::{Sample, be64, read};
use super::matroska::{CLUSTER, Clusters, Element, MAX_ELEMENTS, OUTERMOST, element, number};
use crate::{Problem, Source};

/// How much is read at once where a cluster is looked for.
const SCAN_BYTES: usize = 64 << 10;

const CLUSTER_ID: [u8; 4] = [0x1f, 0x43, 0xb6, 0x75];
const TIMESTAMP: u32 = 0xe7;
const SIMPLE_BLOCK: u32 = 0xa3;
const BLOCK_GROUP: u32 = 0xa0;
const BLOCK: u32 = 0xa1;
const REFERENCE_BLOCK: u32 = 0xfb;

pub(super) struct Samples<'a> {
    source: &'a Source,
    clusters: Clusters,
    at: u64,
    /// The end and the time of the cluster that is being read.
    cluster: Option<(u64, bool)>,
    time: u64,
    outside: u32,
}

impl<'a> Samples<'a> {
    pub(super) fn new(source: &'a Source, clusters: &Clusters) -> Samples<'a> {
        let clusters = clusters.clone();
        Samples { source, at: clusters.range.start, clusters, cluster: None, time: 0, outside: 0 }
    }

    pub(super) fn next(&mut self) -> Result<Option<Sample>, Problem> {
        loop {
            let end = self.cluster.map_or(self.clusters.range.end, |(end, _)| end);
            if self.at >= end {
                if self.cluster.take().is_none() {
                    return Ok(None);
                }
                continue;
            }
            let found = element(self.source, self.at, end)?;
            let Some(found) = found.filter(|found| self.fits(found)) else {
                match self.next_cluster()? {
                    Some(at) => (self.at, self.cluster) = (at, None),
                    None => return Ok(None),
                }
                continue;
            };
            if self.cluster.is_some_and(|(_, open)| open) && OUTERMOST.contains(&found.id) {
                self.cluster = None;
                continue;
            }
            match (found.id, self.cluster) {
                (CLUSTER, _) => {
                    self.cluster = Some((found.end, found.open));
                    (self.at, self.time, self.outside) = (found.start, 0, 0);
                    continue;
                }
                (TIMESTAMP, Some(_)) => self.time = self.unsigned(&found)?,
                (SIMPLE_BLOCK, Some(_)) => {
                    self.at = found.end;
                    if let Some((sample, _)) = self.block(&found, None)? {
                        return Ok(Some(sample));
                    }
                    continue;
                }
                (BLOCK_GROUP, Some(_)) => {
                    self.at = found.end;
                    if let Some(sample) = self.group(&found)? {
                        return Ok(Some(sample));
                    }
                    continue;
                }
                (_, None) => {
                    self.outside += 1;
                    if self.outside > MAX_ELEMENTS {
                        return Err(Problem::Damaged { detail: "no cluster among many elements".to_owned() });
                    }
                }
                _ => {}
            }
            self.at = found.end;
        }
    }

    /// Whether an element makes sense where it stands: inside a cluster only what belongs there.
    fn fits(&self, found: &Element) -> bool {
        let inside =
            matches!(found.id, TIMESTAMP | SIMPLE_BLOCK | BLOCK_GROUP | 0xa7 | 0xab | 0x5854 | 0xec | 0xbf | 0xaf);
        match self.cluster {
            Some((_, open)) => inside && !found.open || open && OUTERMOST.contains(&found.id),
            None => OUTERMOST.contains(&found.id) || matches!(found.id, 0xec | 0xbf),
        }
    }

    /// Where the next cluster's identifier stands behind here.
    fn next_cluster(&mut self) -> Result<Option<u64>, Problem> {
        let mut at = self.at + 1;
        loop {
            let window = read(self.source, at, SCAN_BYTES)?;
            if let Some(place) = window.windows(4).position(|id| id == CLUSTER_ID) {
                return Ok(Some(at + place as u64));
            }
            if window.len() < SCAN_BYTES {
                return Ok(None);
            }
            at += (SCAN_BYTES - 3) as u64;
        }
    }

    fn unsigned(&self, found: &Element) -> Result<u64, Problem> {
        Ok(be64(&read(self.source, found.start, (found.end - found.start).min(8) as usize)?))
    }

    /// A block, unless it is another track's. Says too whether it marks itself as decodable alone.
    fn block(&self, found: &Element, key: Option<bool>) -> Result<Option<(Sample, bool)>, Problem> {
        let head = read(self.source, found.start, (found.end - found.start).min(12) as usize)?;
        let Some((track, len)) = number(&head) else { return Ok(None) };
        let Some(&[high, low, flags]) = head.get(len..len + 3).and_then(|rest| rest.first_chunk::<3>()) else {
            return Ok(None);
        };
        // Laced blocks hold several frames: films have none, but what is there is left to the decoder to refuse.
        if track != self.clusters.track {
            return Ok(None);
        }
        let relative = i64::from(i16::from_be_bytes([high, low]));
        let ticks = i128::from(self.time) + i128::from(relative);
        let ns = ticks * i128::from(self.clusters.scale_ns);
        let half = if ns < 0 { -500 } else { 500 };
        let offset = found.start + (len + 3) as u64;
        let sample = Sample {
            offset,
            size: found.end - offset,
            pts_us: i64::try_from((ns + half) / 1_000).ok(),
            key: key.unwrap_or(flags & 0x80 != 0),
            description: 0,
        };
        Ok(Some((sample, flags & 0x80 != 0)))
    }

    /// A block with what is said of it: it can be decoded alone where it names no other.
    fn group(&self, group: &Element) -> Result<Option<Sample>, Problem> {
        let (mut at, mut block, mut key, mut left) = (group.start, None, true, 64);
        while at < group.end && left > 0 {
            left -= 1;
            let Some(found) = element(self.source, at, group.end)? else { break };
            match found.id {
                BLOCK => block = Some(found),
                REFERENCE_BLOCK => key = false,
                _ => {}
            }
            at = found.end;
        }
        match block {
            Some(found) => Ok(self.block(&found, Some(key))?.map(|(sample, _)| sample)),
            None => Ok(None),
        }
    }
}
