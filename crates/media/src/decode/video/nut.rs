//! The frames that a program writes into a pipe: planes of grey in NUT, a container that carries times
//! (<https://ffmpeg.org/nut.html>, 2008). As much of it is read as is needed for one stream that is written from start to
//! end, and none of its lengths is believed before it is held against the limits.

use std::io::{self, BufReader, Read};
use std::ops::ControlFlow;

use super::out::{Choice, Out, check_length, check_size};
use super::{Decoded, Film, Frame, FrameSink, Selection, Wanted};
use crate::{Limits, Luma, Problem};

const MAGIC: &[u8] = b"nut/multimedia container\0";

const MAIN: u64 = 0x4e4d_7a56_1f5f_04ad;
const STREAM: u64 = 0x4e53_1140_5bf2_f9db;
const SYNCPOINT: u64 = 0x4e4b_e4ad_eeca_4569;

/// The longest of the packets that are no frames; longer ones are read past.
const MAX_PACKET_BYTES: u64 = 64 << 10;

/// Headers and syncpoints in a row, without a frame between them.
const MAX_PACKETS: u32 = 1_000;

const CODED_PTS: u64 = 1 << 3;
const STREAM_ID: u64 = 1 << 4;
const SIZE_MSB: u64 = 1 << 5;
const CHECKSUM: u64 = 1 << 6;
const RESERVED: u64 = 1 << 7;
const SIDE_DATA: u64 = 1 << 8;
const HEADER_INDEX: u64 = 1 << 10;
const MATCH_TIME: u64 = 1 << 11;
const CODED: u64 = 1 << 12;
const INVALID: u64 = 1 << 13;

/// Hands over what is wanted of the frames that `pipe` brings, until it ends. `film` is what the container says, see
/// [`describe`](super::describe).
///
/// # Errors
/// [`Problem::Unsupported`] where no picture came of a film of which nothing is known, [`Problem::Damaged`] where there
/// should be some, [`Problem::Limit`], [`Problem::Io`].
pub fn decode_pipe(
    pipe: &mut dyn Read,
    decoder: &str,
    film: Film,
    wanted: &Wanted,
    limits: &Limits,
    sink: FrameSink<'_>,
) -> Result<Decoded, Problem> {
    let mut out = Out::new(sink, wanted, limits);
    let mut decoded = Decoded { film, decoder: decoder.to_owned(), ..Decoded::default() };
    let key = (wanted.selection == Selection::KeyFrames).then_some(true);
    let pipe = BufReader::with_capacity(64 << 10, pipe);
    let mut reader = Nut { pipe, limits, key, stream: None, codes: Vec::new() };
    let ended = reader.run(&mut out);
    let (broken_off, taken) = (out.broken_off(), out.taken());
    if let Some(stream) = &reader.stream
        && (decoded.film.width, decoded.film.height) == (0, 0)
    {
        (decoded.film.width, decoded.film.height) = (stream.width, stream.height);
    }
    match ended {
        Ok(to_the_end) => decoded.to_the_end = to_the_end && !broken_off,
        Err(problem) if taken == 0 => return Err(problem),
        Err(problem) => decoded.problems.push(problem),
    }
    out.finish(&mut decoded);
    if decoded.decoded_frames == 0 && wanted.span_us.is_none() {
        return Err(no_pictures(decoder, &decoded.film));
    }
    check_length(&mut decoded, wanted.selection);
    Ok(decoded)
}

fn no_pictures(decoder: &str, film: &Film) -> Problem {
    let name = film.format.map_or("file", |format| format.row().name);
    if film.pictures().next().is_some() {
        return Problem::Damaged { detail: format!("{decoder} found no picture in this {name}") };
    }
    let hint = "where there should be pictures, the file is damaged".to_owned();
    Problem::Unsupported { format: format!("{name} in which {decoder} finds no pictures"), hint }
}

/// What a frame's first byte stands for.
#[derive(Clone, Copy, Debug, Default)]
struct Code {
    flags: u64,
    pts_delta: i64,
    stream: u64,
    size_mul: u64,
    size_lsb: u64,
    reserved: u64,
}

/// The stream of planes.
#[derive(Clone, Copy, Debug)]
struct Stream {
    width: u32,
    height: u32,
    /// Bits a sample; above 8, in two bytes, the lower first.
    bits: u8,
    pts_shift: u32,
    last_pts: i64,
}

struct Nut<'a, R> {
    pipe: BufReader<R>,
    limits: &'a Limits,
    /// What is known of every frame.
    key: Option<bool>,
    stream: Option<Stream>,
    codes: Vec<Code>,
}

/// Why reading stopped.
enum Stop {
    /// The pipe ended inside something.
    Short,
    Io(io::Error),
    Wrong(&'static str),
    Problem(Problem),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        if error.kind() == io::ErrorKind::UnexpectedEof { Stop::Short } else { Stop::Io(error) }
    }
}

impl<R: Read> Nut<'_, R> {
    /// Reads to the end; `true` where the pipe ended, `false` where no more was wanted.
    fn run(&mut self, out: &mut Out<'_>) -> Result<bool, Problem> {
        let told = |stop: Stop| match stop {
            Stop::Short => Problem::Damaged { detail: "the program's answer was cut short".to_owned() },
            Stop::Io(error) => Problem::io("reading pictures from a program", &error),
            Stop::Wrong(what) => Problem::Damaged { detail: format!("the program's answer: {what}") },
            Stop::Problem(problem) => problem,
        };
        let mut magic = [0; MAGIC.len()];
        match self.pipe.read_exact(&mut magic) {
            // It had nothing to say.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(true),
            Err(error) => return Err(told(Stop::Io(error))),
            Ok(()) if magic != MAGIC => return Err(told(Stop::Wrong("no NUT"))),
            Ok(()) => {}
        }
        let mut packets = 0;
        loop {
            let Some(first) = self.first_byte().map_err(told)? else { return Ok(true) };
            if first == b'N' {
                packets += 1;
                if packets > MAX_PACKETS {
                    return Err(told(Stop::Wrong("headers only")));
                }
                self.packet().map_err(told)?;
                continue;
            }
            packets = 0;
            if let ControlFlow::Break(end) = self.frame(first, out).map_err(told)? {
                return end.map_or(Ok(false), Err);
            }
        }
    }

    fn first_byte(&mut self) -> Result<Option<u8>, Stop> {
        let mut byte = [0];
        loop {
            match self.pipe.read(&mut byte) {
                Ok(0) => return Ok(None),
                Ok(_) => return Ok(Some(byte[0])),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A packet that is no frame; its first byte is read.
    fn packet(&mut self) -> Result<(), Stop> {
        let mut code = [b'N', 0, 0, 0, 0, 0, 0, 0];
        self.pipe.read_exact(&mut code[1..])?;
        let size = number(&mut self.pipe)?;
        if size > 4_096 {
            self.pipe.read_exact(&mut [0; 4])?;
        }
        let code = u64::from_be_bytes(code);
        if !matches!(code, MAIN | STREAM | SYNCPOINT) {
            return self.pass(size);
        }
        if !(4..=MAX_PACKET_BYTES).contains(&size) {
            return Err(Stop::Wrong("a header of impossible length"));
        }
        let mut body = vec![0; size as usize];
        self.pipe.read_exact(&mut body)?;
        let mut body = &body[..body.len() - 4];
        match code {
            MAIN if self.codes.is_empty() => self.codes = frame_codes(&mut body)?,
            STREAM if self.stream.is_none() => self.stream = Some(self.stream(&mut body)?),
            SYNCPOINT => {
                // One time base, so that the number is the time.
                let time = number(&mut body)?;
                if let Some(stream) = &mut self.stream {
                    stream.last_pts = i64::try_from(time).map_err(|_| Stop::Wrong("an impossible time"))?;
                }
            }
            // Headers may be repeated.
            _ => {}
        }
        Ok(())
    }

    fn pass(&mut self, bytes: u64) -> Result<(), Stop> {
        let passed = io::copy(&mut self.pipe.by_ref().take(bytes), &mut io::sink())?;
        if passed == bytes { Ok(()) } else { Err(Stop::Short) }
    }

    fn stream(&self, body: &mut &[u8]) -> Result<Stream, Stop> {
        let (id, class) = (number(body)?, number(body)?);
        if (id, class) != (0, 0) {
            return Err(Stop::Wrong("a stream that is no film"));
        }
        let tag = bytes(body)?;
        let bits = match tag[..] {
            [b'Y', b'8', b'0', b'0'] => 8,
            // Grey of so many bits, little-endian.
            [b'Y', b'1', 0, bits @ 9..=16] => bits,
            _ => return Err(Stop::Wrong("pictures that are not grey")),
        };
        // Its time base is the only one, a microsecond: `frame_codes` has seen to that.
        let _time_base = number(body)?;
        let pts_shift = number(body)?;
        let (_distance, _delay, _flags) = (number(body)?, number(body)?, number(body)?);
        bytes(body)?;
        let (width, height) = (number(body)?, number(body)?);
        check_size(width, height, self.limits).map_err(Stop::Problem)?;
        let side = |px: u64| u32::try_from(px).map_err(|_| Stop::Wrong("an impossible size"));
        let pts_shift = u32::try_from(pts_shift).ok().filter(|&shift| shift < 16);
        let pts_shift = pts_shift.ok_or(Stop::Wrong("an impossible time"))?;
        Ok(Stream { width: side(width)?, height: side(height)?, bits, pts_shift, last_pts: 0 })
    }

    /// A frame whose first byte is read. Breaks with nothing where no more is wanted, or with what stopped it.
    fn frame(&mut self, first: u8, out: &mut Out<'_>) -> Result<ControlFlow<Option<Problem>>, Stop> {
        let code = *self.codes.get(usize::from(first)).ok_or(Stop::Wrong("a frame before its header"))?;
        let Some(mut stream) = self.stream else { return Err(Stop::Wrong("a frame before its stream")) };
        let pipe = &mut self.pipe;
        let mut flags = code.flags;
        if flags & INVALID != 0 {
            return Err(Stop::Wrong("no frame where one should begin"));
        }
        if flags & CODED != 0 {
            flags ^= number(pipe)?;
        }
        let id = if flags & STREAM_ID != 0 { number(pipe)? } else { code.stream };
        let pts = if flags & CODED_PTS != 0 {
            full_pts(number(pipe)?, stream)
        } else {
            stream.last_pts.checked_add(code.pts_delta)
        };
        let pts = pts.ok_or(Stop::Wrong("an impossible time"))?;
        let msb = if flags & SIZE_MSB != 0 { number(pipe)? } else { 0 };
        let size = code.size_mul.checked_mul(msb).and_then(|size| size.checked_add(code.size_lsb));
        if flags & MATCH_TIME != 0 {
            number(pipe)?;
        }
        // Bytes that frames have in common: planes have none.
        let header = if flags & HEADER_INDEX != 0 { number(pipe)? } else { 0 };
        let reserved = if flags & RESERVED != 0 { number(pipe)? } else { code.reserved };
        for _ in 0..reserved.min(64) {
            number(pipe)?;
        }
        if flags & CHECKSUM != 0 {
            pipe.read_exact(&mut [0; 4])?;
        }
        let pixels = u64::from(stream.width) * u64::from(stream.height);
        let width = if stream.bits > 8 { 2 } else { 1 };
        if id != 0 || header != 0 || reserved > 64 || flags & SIDE_DATA != 0 || size != Some(pixels * width) {
            return Err(Stop::Wrong("a frame of another size than declared"));
        }
        stream.last_pts = pts;
        self.stream = Some(stream);
        match out.choose(pts) {
            Choice::Take => {}
            Choice::Skip => {
                self.pass(pixels * width)?;
                return Ok(ControlFlow::Continue(()));
            }
            Choice::Stop(why) => return Ok(ControlFlow::Break(why)),
        }
        // Within the limits: the stream's size was held against them.
        let mut plane = Vec::with_capacity((pixels * width) as usize);
        self.pipe.by_ref().take(pixels * width).read_to_end(&mut plane)?;
        if plane.len() as u64 != pixels * width {
            return Err(Stop::Short);
        }
        let plane = if width == 1 { plane } else { reduced(&plane, stream.bits) };
        let luma = Luma::new(stream.width, stream.height, plane).ok_or(Stop::Wrong("an impossible size"))?;
        let pts_us = u64::try_from(pts).map_err(|_| Stop::Wrong("an impossible time"))?;
        Ok(match out.give(Frame { pts_us, luma, key: self.key }) {
            ControlFlow::Continue(()) => ControlFlow::Continue(()),
            ControlFlow::Break(()) => ControlFlow::Break(None),
        })
    }
}

/// Samples of more than 8 bits, in two bytes each, without their lower bits.
pub(super) fn reduced(samples: &[u8], bits: u8) -> Vec<u8> {
    let shift = u32::from(bits.clamp(8, 16) - 8);
    samples.chunks_exact(2).map(|b| (u16::from_le_bytes([b[0], b[1]]) >> shift).min(255) as u8).collect()
}

/// A time of which the lower bits are written, near the last one; or all of it.
fn full_pts(coded: u64, stream: Stream) -> Option<i64> {
    let range = 1_i64 << stream.pts_shift;
    let coded = i64::try_from(coded).ok()?;
    if coded >= range {
        return Some(coded - range);
    }
    let near = stream.last_pts.checked_sub((range - 1) / 2)?;
    coded.checked_sub(near).map(|ahead| (ahead & (range - 1)).checked_add(near))?
}

/// The table of what a frame's first byte stands for, out of the main header.
fn frame_codes(body: &mut &[u8]) -> Result<Vec<Code>, Stop> {
    let version = number(body)?;
    if version > 3 {
        number(body)?;
    }
    let (streams, _distance, bases) = (number(body)?, number(body)?, number(body)?);
    let base = (number(body)?, number(body)?);
    if (streams, bases, base) != (1, 1, (1, 1_000_000)) {
        return Err(Stop::Wrong("another time base than a microsecond"));
    }
    let mut codes: Vec<Code> = Vec::with_capacity(256);
    let mut code = Code { size_mul: 1, ..Code::default() };
    while codes.len() < 256 {
        let (flags, fields) = (number(body)?, number(body)?);
        let mut field = |at: u64| if fields > at { number(body).map(Some) } else { Ok(None) };
        code.flags = flags;
        code.pts_delta = field(0)?.map_or(Ok(code.pts_delta), signed)?;
        code.size_mul = field(1)?.unwrap_or(code.size_mul);
        code.stream = field(2)?.unwrap_or(code.stream);
        let size = field(3)?.unwrap_or(0);
        code.reserved = field(4)?.unwrap_or(0);
        let count = field(5)?.unwrap_or(code.size_mul.saturating_sub(size));
        for at in 6..fields.min(32) {
            field(at)?;
        }
        if !(1..=256).contains(&count) {
            return Err(Stop::Wrong("an impossible table of frames"));
        }
        let mut step = 0;
        while step < count && codes.len() < 256 {
            if codes.len() == usize::from(b'N') {
                codes.push(Code { flags: INVALID, ..Code::default() });
                continue;
            }
            let size_lsb = size.checked_add(step).ok_or(Stop::Wrong("an impossible size"))?;
            codes.push(Code { size_lsb, ..code });
            step += 1;
        }
    }
    Ok(codes)
}

/// Seven bits a byte, the highest first; the top bit says that more follow.
fn number(from: &mut impl Read) -> Result<u64, Stop> {
    let mut value = 0_u64;
    for _ in 0..10 {
        let mut byte = [0];
        from.read_exact(&mut byte)?;
        if value >> 57 != 0 {
            break;
        }
        value = value << 7 | u64::from(byte[0] & 0x7f);
        if byte[0] & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Stop::Wrong("an impossible number"))
}

/// 0, 1, -1, 2, -2, ...
fn signed(value: u64) -> Result<i64, Stop> {
    let half = i64::try_from(value.div_ceil(2)).map_err(|_| Stop::Wrong("an impossible number"))?;
    Ok(if value.is_multiple_of(2) { -half } else { half })
}

/// Bytes behind their length.
fn bytes(body: &mut &[u8]) -> Result<Vec<u8>, Stop> {
    let len = usize::try_from(number(body)?).unwrap_or(usize::MAX);
    let (bytes, rest) = body.split_at_checked(len).ok_or(Stop::Short)?;
    *body = rest;
    Ok(bytes.to_vec())
}
