//! Decoding in this process: symphonia's demuxers and decoders, and Opus.

use std::io;
use std::ops::ControlFlow;
use std::sync::LazyLock;

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_AAC, CODEC_ID_MP1, CODEC_ID_MP2, CODEC_ID_MP3, CODEC_ID_OPUS,
};
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::codecs::registry::CodecRegistry;
use symphonia::core::errors::Error;
use symphonia::core::formats::{FormatOptions, FormatReader, Track};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::packet::Packet;
use symphonia::default::{formats, register_enabled_codecs};

use super::codec::{bands, codec_name, named, ogg_codec, ogg_is_known};
use super::limited::{Cut, Limited, MIN_RATE_HZ, check_shape, ms};
use super::opus::{self, Opus, Refused};
use super::window::{Told, Window};
use super::{
    Declared, Decoded, ENDS_EARLY, SampleSink, caf, check_length, ends_early, matroska, mp4, mpeg, riff, slack_ms,
    unsupported,
};
use crate::decode::caught::caught;
use crate::probe::behind_tags;
use crate::{Format, LimitKind, Limits, Problem, Samples, Source};

/// Recorded with what was decoded. A test compares it with the manifest that is built.
pub(super) const SYMPHONIA: &str = "symphonia 0.6.1";
/// Recorded likewise.
pub(super) const OPUS: &str = "opus-pure 0.2.2";

const MPEG_LAYERS: [AudioCodecId; 3] = [CODEC_ID_MP1, CODEC_ID_MP2, CODEC_ID_MP3];

/// So many packets in a row without sound end a stream: tables of a few bytes can declare billions of empty ones.
const MAX_SILENT_PACKETS: u32 = 100_000;

/// The most frames of silence that stand for a packet which could not be decoded, so that what follows keeps its time.
const MAX_FILLED_FRAMES: u64 = 8_192;

pub(super) static CODECS: LazyLock<CodecRegistry> = LazyLock::new(|| {
    let mut codecs = CodecRegistry::new();
    register_enabled_codecs(&mut codecs);
    codecs
});

/// Decodes a sound track.
pub(super) fn decode(
    source: &Source,
    format: Format,
    track: u32,
    limits: &Limits,
    sink: SampleSink<'_>,
) -> Result<Decoded, Problem> {
    let opened = caught(|| Opened::new(source, format, track, limits))?;
    let mut out = Limited::new(sink, limits);
    let mut decoded = Decoded { tracks: opened.tracks, decoder: SYMPHONIA.to_owned(), ..Decoded::default() };
    // What was handed over before a panic stands, and is counted outside.
    let ended = caught(|| opened.run(&mut out, &mut decoded));
    decoded.rate_hz = out.rate_hz();
    decoded.channels = out.channels();
    decoded.decoded_ms = out.decoded_ms();
    if let Err(problem) = ended {
        if !out.heard() {
            return Err(problem);
        }
        decoded.problems.push(problem);
    }
    if !out.heard() && decoded.problems.is_empty() {
        decoded.problems.push(Problem::Damaged { detail: "no sound in the sound track".to_owned() });
    }
    let slack = decoded.declared_ms.filter(|_| matches!(format, Format::Mp4 | Format::Matroska)).map_or(500, slack_ms);
    check_length(&mut decoded, slack);
    if !out.heard() { Err(decoded.problems.swap_remove(0)) } else { Ok(decoded) }
}

/// Length, number of sound tracks and codec by the container, as far as it can be read.
pub(super) fn declared(source: &Source, format: Format) -> Declared {
    let limits = Limits::default();
    let read = || {
        let opened = Opened::new(source, format, 0, &limits)?;
        let is_decoded = CODECS.get_audio_decoder(opened.params.codec).is_some() && !opened.needs_bands();
        let codec = if is_decoded { String::new() } else { opened.codec() };
        Ok(Declared { ms: opened.declared_ms(), tracks: opened.tracks, codec, ..Declared::default() })
    };
    let told = if matches!(format, Format::Mp4 | Format::M4a | Format::Matroska) { caught(read).ok() } else { None };
    told.unwrap_or_else(|| {
        let codec = caught(|| named(source, format)).ok().flatten().unwrap_or_default();
        Declared { codec, ..Declared::default() }
    })
}

/// A container with a sound track.
struct Opened<'a> {
    source: &'a Source,
    format: Format,
    limits: &'a Limits,
    reader: Box<dyn FormatReader + 'a>,
    track: Track,
    params: AudioCodecParameters,
    tracks: u32,
    boxes: mp4::Boxes,
    /// Where the sound begins behind tags.
    start: u64,
    told: Told,
}

impl<'a> Opened<'a> {
    fn new(source: &'a Source, format: Format, track: u32, limits: &'a Limits) -> Result<Opened<'a>, Problem> {
        let start = match format {
            Format::Mp3 | Format::Aac | Format::Flac => behind_tags(source, format)?,
            _ => 0,
        };
        if format == Format::Wav {
            riff::check_format(source, limits)?;
        }
        let told = match format {
            Format::Wav => riff::told(source)?,
            Format::Caf => caf::told(source)?,
            Format::Mp4 | Format::M4a => mp4::told(source)?,
            _ => Told::default(),
        };
        let open = |seekable: bool| {
            let window = Window::new(source, start, seekable, told.clone());
            demuxer(format, MediaSourceStream::new(Box::new(window), MediaSourceStreamOptions::default()))
        };
        // Of a file that was cut short some demuxers refuse all, until they are not told its length.
        let reader = match open(true).or_else(|error| open(false).map_err(|_| error)) {
            Ok(reader) => reader,
            Err(_) if format == Format::Ogg && !ogg_is_known(source)? => {
                return Err(unsupported(format, Some(ogg_codec(source)?.unwrap_or("an unknown codec"))));
            }
            Err(Error::Unsupported(what)) if what.contains("missing moov") => {
                return Err(Problem::Damaged { detail: "the directory (moov) is missing".to_owned() });
            }
            Err(error) => return Err(problem(&error, format, named(source, format)?.as_deref())),
        };
        let boxes = match format {
            Format::Mp4 | Format::M4a => mp4::boxes(source)?,
            _ => mp4::Boxes::default(),
        };
        let sound = |track: &&Track| matches!(track.codec_params, Some(CodecParameters::Audio(_)));
        let tracks: Vec<&Track> = reader.tracks().iter().filter(sound).collect();
        let count = u32::try_from(tracks.len()).unwrap_or(u32::MAX);
        let locked = boxes.tracks.iter().find_map(|track| track.locked_by.clone());
        let Some(track) = tracks.get(track as usize).map(|track| (*track).clone()) else {
            return Err(match locked {
                Some(by) => Problem::Protected { by },
                None => unsupported(format, Some(named(source, format)?.as_deref().unwrap_or("no known sound"))),
            });
        };
        if let Some(by) = locked {
            return Err(Problem::Protected { by });
        }
        if format == Format::Matroska && matroska::encrypted_tracks(source)?.contains(&u64::from(track.id)) {
            return Err(Problem::Protected { by: "Matroska encryption".to_owned() });
        }
        let Some(CodecParameters::Audio(params)) = track.codec_params.clone() else {
            return Err(unsupported(format, None));
        };
        Ok(Opened { source, format, limits, reader, track, params, tracks: count, boxes, start, told })
    }

    /// The track's codec, in words where these are known.
    fn codec(&self) -> String {
        if self.params.codec == CODEC_ID_AAC {
            return bands(self.params.extra_data.as_deref().unwrap_or(&[])).unwrap_or("AAC").to_owned();
        }
        let by_container = || named(self.source, self.format).ok().flatten();
        codec_name(self.params.codec).or_else(by_container).unwrap_or_else(|| "an unknown codec".to_owned())
    }

    /// Whether the sound is declared to be AAC whose upper half is copied from the lower, in the way that old decoders refuse.
    fn needs_bands(&self) -> bool {
        self.params.codec == CODEC_ID_AAC
            && matches!(self.params.extra_data.as_deref(), Some([first, ..]) if first >> 3 != 2)
    }

    fn rate_hz(&self) -> u32 {
        if self.params.codec == CODEC_ID_OPUS { opus::RATE_HZ } else { self.params.sample_rate.unwrap_or(0) }
    }

    fn mp4_track(&self) -> Option<&mp4::Track> {
        self.boxes.tracks.iter().find(|track| track.id == self.track.id)
    }

    /// What of the decoded frames is the recording.
    fn cut(&self, pre_skip: u64) -> Cut {
        let rate_hz = u64::from(self.rate_hz());
        let scaled = |ticks: u64, timescale: u32| {
            let rounded =
                (u128::from(ticks) * u128::from(rate_hz) + u128::from(timescale / 2)) / u128::from(timescale.max(1));
            u64::try_from(rounded).unwrap_or(u64::MAX)
        };
        match self.format {
            Format::Mp4 | Format::M4a => {
                let track = self.mp4_track();
                let edited = track.and_then(|track| Some((track, track.media_time?)));
                if let Some((track, media_time)) = edited.filter(|(_, media_time)| *media_time > 0) {
                    let keep = track.segment_duration.map(|ticks| scaled(ticks, self.boxes.timescale));
                    return Cut { start: scaled(media_time, track.timescale), keep, end: 0 };
                }
                if let Some((before, _, frames)) = self.boxes.itunes.filter(|_| self.tracks == 1) {
                    return Cut { start: before.into(), keep: Some(frames).filter(|&frames| frames > 0), end: 0 };
                }
                let keep = edited.and_then(|(track, _)| track.segment_duration);
                Cut { start: pre_skip, keep: keep.map(|ticks| scaled(ticks, self.boxes.timescale)), end: 0 }
            }
            Format::Mp3 | Format::Caf => {
                // A delay or padding longer than a few frames is no encoder's.
                let (delay, padding) = (self.track.delay.unwrap_or(0), self.track.padding.unwrap_or(0));
                let sane = |frames: u32| if frames <= 16_384 { frames } else { 0 };
                Cut { start: sane(delay).into(), keep: None, end: sane(padding) as usize }
            }
            Format::Ogg if self.params.codec == CODEC_ID_OPUS => {
                let keep = self.track.num_frames.map(|frames| frames.saturating_sub(pre_skip));
                Cut { start: pre_skip, keep: keep.filter(|&frames| frames > 0), end: 0 }
            }
            _ => Cut { start: pre_skip, keep: None, end: 0 },
        }
    }

    fn declared_ms(&self) -> Option<u64> {
        let by_frames = || Some(ms(self.track.num_frames?, self.rate_hz()));
        let by_time = || {
            let ticks = self.track.duration.filter(|ticks| mp4::is_known(ticks.get()))?;
            let time = self.track.time_base?.calc_duration(ticks)?;
            u64::try_from(time.as_millis()).ok()
        };
        let declared = match self.format {
            Format::Mp3 => {
                mpeg::declares_length(self.source, self.start).ok().filter(|&yes| yes).and_then(|_| by_frames())
            }
            Format::Aac => None,
            Format::Matroska => {
                let media = self.reader.media_info();
                let time = media.time_base.and_then(|base| base.calc_duration(media.duration?));
                time.and_then(|time| u64::try_from(time.as_millis()).ok())
            }
            Format::Mp4 | Format::M4a => {
                let track = self.mp4_track();
                let edited = track.and_then(|track| track.segment_duration);
                edited.map(|ticks| ms(ticks, self.boxes.timescale)).or_else(by_time)
            }
            Format::Ogg => self
                .cut(self.track.delay.unwrap_or(0).into())
                .keep
                .map(|frames| ms(frames, self.rate_hz()))
                .or_else(by_frames),
            // What was counted is what is there.
            Format::Caf if self.told.missing_bytes > 0 => None,
            _ => by_frames().or_else(by_time),
        };
        declared.filter(|&length| length > 0)
    }

    /// Decodes to the end. The problem is what kept it from going on; those on the way are in `decoded`.
    fn run(mut self, out: &mut Limited<'_>, decoded: &mut Decoded) -> Result<(), Problem> {
        decoded.declared_ms = self.declared_ms();
        let mut decoder = self.start(out, decoded)?;
        let (mut packets, mut silent, mut bad) = (0_u64, 0_u32, 0_u64);
        let (mut first_bad, mut has_enough, mut shape) = (String::new(), false, None);
        let ended = loop {
            let packet = match self.reader.next_packet() {
                Ok(Some(packet)) => packet,
                Ok(None) => break Ok(()),
                Err(Error::ResetRequired) => {
                    match self.chained().and_then(|()| self.start(out, decoded)) {
                        Ok(next) => decoder = next,
                        Err(problem) => break Err(problem),
                    }
                    // Its length was not known at the start.
                    decoded.declared_ms = None;
                    continue;
                }
                Err(error) => break Err(problem(&error, self.format, None)),
            };
            silent += 1;
            if silent > MAX_SILENT_PACKETS {
                let detail = format!("{MAX_SILENT_PACKETS} packets in a row without sound");
                break Err(Problem::Damaged { detail });
            }
            if packet.track_id != self.track.id {
                // Pictures between the sound are none of its packets; those of a film may be many.
                silent -= u32::from(!packet.data.is_empty());
                continue;
            }
            packets += 1;
            if MPEG_LAYERS.contains(&self.params.codec)
                && let Some(next) = mpeg::Shape::of(&packet.data)
                && let before = shape.replace(next)
                && (before.is_some_and(|before| before != next) || next.layer != self.params.codec)
            {
                // MP4 has one number for all layers, and recordings may stand one behind the other.
                self.params.codec = next.layer;
                match self.decoder(decoded) {
                    Ok(other) => decoder = other,
                    Err(problem) => break Err(problem),
                }
            }
            let block = match decoder.decode(&packet) {
                Ok(block) => block,
                Err(Failed::Fatal(problem)) => break Err(problem),
                Err(Failed::Packet(detail)) => {
                    bad += 1;
                    if first_bad.is_empty() {
                        first_bad = detail;
                    }
                    match self.silence(&packet, out) {
                        Some(block) => block,
                        None => continue,
                    }
                }
            };
            if !block.interleaved.is_empty() {
                silent = 0;
            }
            match out.take(block) {
                ControlFlow::Continue(()) => {}
                ControlFlow::Break(None) => {
                    decoded.declared_ms = None;
                    has_enough = true;
                    break Ok(());
                }
                ControlFlow::Break(Some(problem)) => break Err(problem),
            }
        };
        let ended = match ended {
            Err(Problem::Damaged { detail }) if detail == ENDS_EARLY && self.is_whole() => Ok(()),
            Err(Problem::Damaged { detail }) if detail != ENDS_EARLY => Err(Problem::Damaged { detail }),
            Ok(()) | Err(Problem::Damaged { .. }) if self.told.missing_bytes > 0 && !has_enough => {
                Err(ends_early(self.told.missing_bytes))
            }
            ended => ended,
        };
        if bad > 0 {
            let detail = format!("{bad} of {packets} packets could not be decoded, the first: {first_bad}");
            decoded.problems.push(Problem::Damaged { detail });
        }
        ended
    }

    /// Whether a file that has nothing more to read is whole all the same: what is streamed does not say where it ends.
    fn is_whole(&self) -> bool {
        match self.format {
            Format::Matroska => matroska::ends_with_an_element(self.source).unwrap_or(false),
            _ => self.told.is_open,
        }
    }

    /// The next link of a chain.
    fn chained(&mut self) -> Result<(), Problem> {
        let sound = |track: &&Track| matches!(track.codec_params, Some(CodecParameters::Audio(_)));
        let track = self.reader.tracks().iter().find(sound).cloned();
        let track = track.ok_or_else(|| Problem::Damaged { detail: "a chained stream without sound".to_owned() })?;
        if let Some(CodecParameters::Audio(params)) = track.codec_params.clone() {
            self.params = params;
        }
        self.track = track;
        Ok(())
    }

    /// A decoder for what begins here, whose output is cut as the container says.
    fn start(&self, out: &mut Limited<'_>, decoded: &mut Decoded) -> Result<Decoder, Problem> {
        let decoder = self.decoder(decoded)?;
        let pre_skip = if let Decoder::Opus(opus) = &decoder { opus.pre_skip } else { 0 };
        out.begin(self.cut(pre_skip));
        Ok(decoder)
    }

    fn decoder(&self, decoded: &mut Decoded) -> Result<Decoder, Problem> {
        check_params(&self.params, self.limits)?;
        decoded.codec = self.codec();
        if self.params.codec == CODEC_ID_OPUS {
            let big_endian = matches!(self.format, Format::Mp4 | Format::M4a);
            let opus = Opus::new(self.params.extra_data.as_deref().unwrap_or(&[]), big_endian);
            let opus = opus.map_err(|refused| match refused {
                Refused::Damaged(problem) => problem,
                Refused::Layout => unsupported(self.format, Some("Opus with an uncommon layout of channels")),
            })?;
            decoded.decoder = OPUS.to_owned();
            return Ok(Decoder::Opus(Box::new(opus)));
        }
        // MPEG and CAF are cut here, by what the file says and not by a demuxer's guess at its length.
        let by_packet = !matches!(self.format, Format::Mp3 | Format::Caf);
        let options = AudioDecoderOptions::default().gapless(by_packet);
        let made = CODECS.make_audio_decoder(&self.params, &options);
        let decoder = made.map_err(|error| problem(&error, self.format, Some(&decoded.codec)))?;
        Ok(Decoder::Symphonia(decoder))
    }

    /// Silence for a packet that could not be decoded, as long as it says.
    fn silence(&self, packet: &Packet, out: &Limited<'_>) -> Option<Samples> {
        let (rate_hz, channels) = (out.rate_hz(), out.channels());
        let time = self.track.time_base?.calc_duration(packet.dur)?;
        let frames = u64::try_from(time.as_nanos()).ok()?.saturating_mul(rate_hz.into()) / 1_000_000_000;
        let frames = usize::try_from(frames.min(MAX_FILLED_FRAMES)).ok()?;
        let interleaved = vec![0.0; frames * usize::from(channels)];
        (rate_hz > 0).then_some(Samples { rate_hz, channels, interleaved })
    }
}

enum Decoder {
    Symphonia(Box<dyn AudioDecoder>),
    Opus(Box<Opus>),
}

enum Failed {
    /// This packet alone.
    Packet(String),
    /// The stream.
    Fatal(Problem),
}

impl Decoder {
    fn decode(&mut self, packet: &Packet) -> Result<Samples, Failed> {
        match self {
            Decoder::Opus(opus) => opus.decode(&packet.data).map_err(|problem| Failed::Packet(problem.to_string())),
            Decoder::Symphonia(decoder) => match decoder.decode(packet) {
                Ok(buffer) => {
                    let (rate_hz, count) = (buffer.spec().rate(), buffer.spec().channels().count());
                    let channels = u16::try_from(count).unwrap_or(u16::MAX);
                    let mut interleaved = Vec::new();
                    buffer.copy_to_vec_interleaved(&mut interleaved);
                    Ok(Samples { rate_hz, channels, interleaved })
                }
                Err(Error::DecodeError(detail)) => Err(Failed::Packet(detail.to_owned())),
                Err(Error::IoError(error)) => Err(Failed::Packet(error.to_string())),
                Err(error) => Err(Failed::Fatal(Problem::Damaged { detail: error.to_string() })),
            },
        }
    }
}

/// Refuses by what is declared, before a decoder takes memory for it.
fn check_params(params: &AudioCodecParameters, limits: &Limits) -> Result<(), Problem> {
    let channels = params.channels.as_ref().map_or(1, |channels| channels.count() as u64);
    // A rate that only the stream tells is checked with its first block.
    check_shape(params.sample_rate.unwrap_or(MIN_RATE_HZ), channels, limits)?;
    // Four bytes a sample, decoded and interleaved.
    let frames = params.max_frames_per_packet.unwrap_or(0).max(params.frames_per_block.unwrap_or(0));
    let bytes = frames.saturating_mul(channels).saturating_mul(8);
    if bytes > limits.decoder_bytes {
        return Err(Problem::Limit { limit: LimitKind::DecoderBytes, allowed: limits.decoder_bytes, found: bytes });
    }
    Ok(())
}

/// The demuxer of a format that the probe has recognised.
fn demuxer(format: Format, stream: MediaSourceStream<'_>) -> Result<Box<dyn FormatReader + '_>, Error> {
    let options = FormatOptions::default();
    Ok(match format {
        Format::Mp3 => Box::new(formats::MpaReader::try_new(stream, options)?),
        Format::Aac => Box::new(formats::AdtsReader::try_new(stream, options)?),
        Format::Flac => Box::new(formats::FlacReader::try_new(stream, options)?),
        Format::Wav => Box::new(formats::WavReader::try_new(stream, options)?),
        Format::Aiff => Box::new(formats::AiffReader::try_new(stream, options)?),
        Format::Caf => Box::new(formats::CafReader::try_new(stream, options)?),
        Format::Ogg => Box::new(formats::OggReader::try_new(stream, options)?),
        Format::M4a | Format::Mp4 => Box::new(formats::IsoMp4Reader::try_new(stream, options)?),
        Format::Matroska => Box::new(formats::MkvReader::try_new(stream, options)?),
        _ => return Err(Error::Unsupported("no demuxer")),
    })
}

fn problem(error: &Error, format: Format, codec: Option<&str>) -> Problem {
    match error {
        Error::Unsupported(_) => unsupported(format, codec),
        Error::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Problem::Damaged { detail: ENDS_EARLY.to_owned() }
        }
        // What the source itself could not read.
        Error::IoError(error) if error.raw_os_error().is_some() => Problem::io("reading sound", error),
        error => Problem::Damaged { detail: error.to_string() },
    }
}
