//! The reader without a sandbox: for those who link the library and trust their input, and inside the worker itself.

use std::ops::ControlFlow;

use minutia_media::decode::image::{Channels, decode};
use minutia_media::{Kind, Problem, Source, probe};

use super::{Coverage, Item, Reader, Request};
use crate::fingerprint::{Fingerprint, fingerprint_image};

/// Reads in this process. A decoder's panic is caught and ends as [`Problem::Crashed`]; nothing else confines it.
#[derive(Debug, Default)]
pub struct InProcess;

impl Reader for InProcess {
    fn read(&mut self, source: &Source, request: &Request, sink: &mut dyn FnMut(Item)) -> Result<(), Problem> {
        let format = probe(source)?;
        if format.row().kind != Kind::Image {
            return Err(Problem::Unsupported { format: format.row().name.to_owned(), hint: "images only".to_owned() });
        }
        let mut fingerprints = Vec::new();
        let decoded = decode(source, format, Channels::Luma, &request.limits, &mut |frame| {
            let mut fingerprint = fingerprint_image(&frame.picture, frame.orientation, request.views);
            fingerprint.frame = frame.number;
            fingerprint.time_ms = frame.time_ms;
            fingerprints.push(Fingerprint::Image(fingerprint));
            ControlFlow::Continue(())
        })?;
        sink(Item {
            member: Vec::new(),
            format: Some(format),
            coverage: Coverage {
                frames_read: decoded.frames,
                frames_kept: fingerprints.len() as u32,
                partial_rows: decoded.partial_rows,
            },
            fingerprints,
            preview: None,
            problems: decoded.problems,
        });
        Ok(())
    }
}
