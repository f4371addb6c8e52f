//! What codecs are called: by the container, in words where these are known, else by who decodes them.

use symphonia::core::codecs::audio::AudioCodecId;
use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_AAC, CODEC_ID_AC3, CODEC_ID_ALAC, CODEC_ID_DCA, CODEC_ID_EAC3, CODEC_ID_FLAC, CODEC_ID_MP1, CODEC_ID_MP2,
    CODEC_ID_MP3, CODEC_ID_OPUS, CODEC_ID_SPEEX, CODEC_ID_TRUEHD, CODEC_ID_VORBIS,
};

use super::native::CODECS;
use super::{matroska, mp4, riff};
use crate::{Format, Problem, Source};

/// What the container calls the codec of its first sound track, in words where these are known.
pub(super) fn named(source: &Source, format: Format) -> Result<Option<String>, Problem> {
    Ok(match format {
        Format::Wav => riff::codec(source)?,
        Format::Ogg => ogg_codec(source)?.map(str::to_owned),
        Format::Mp4 | Format::M4a => mp4::boxes(source)?.codec(),
        Format::Matroska => matroska::codec(source)?,
        _ => None,
    })
}

/// The names that people know, else what symphonia calls it.
pub(super) fn codec_name(codec: AudioCodecId) -> Option<String> {
    const NAMES: &[(AudioCodecId, &str)] = &[
        (CODEC_ID_MP1, "MP1"),
        (CODEC_ID_MP2, "MP2"),
        (CODEC_ID_MP3, "MP3"),
        (CODEC_ID_AAC, "AAC"),
        (CODEC_ID_FLAC, "FLAC"),
        (CODEC_ID_VORBIS, "Vorbis"),
        (CODEC_ID_OPUS, "Opus"),
        (CODEC_ID_ALAC, "ALAC"),
        (CODEC_ID_AC3, "AC-3"),
        (CODEC_ID_EAC3, "E-AC-3"),
        (CODEC_ID_DCA, "DTS"),
        (CODEC_ID_TRUEHD, "TrueHD"),
        (CODEC_ID_SPEEX, "Speex"),
    ];
    let known = NAMES.iter().find(|(id, _)| *id == codec).map(|(_, name)| (*name).to_owned());
    let registered = || CODECS.get_audio_decoder(codec).map(|decoder| decoder.codec.info.short_name.to_uppercase());
    known.or_else(registered)
}

/// What AAC is called whose upper half is copied from the lower (ISO 14496-3, 1.6.5): by its object type, or behind what a decoder
/// of AAC-LC understands, which then decodes the lower half alone, at half the rate.
pub(super) fn bands(config: &[u8]) -> Option<&'static str> {
    match *config {
        [first, ..] if first >> 3 == 5 => Some("HE-AAC"),
        [first, ..] if first >> 3 == 29 => Some("HE-AAC v2"),
        // AAC-LC, then the mark 0x2b7, the object type 5, and that there is such a half.
        [first, _, 0x56, 0xe5, present, ..] if first >> 3 == 2 && present & 0x80 != 0 => Some("HE-AAC (core)"),
        _ => None,
    }
}

/// Whether one of the streams that begin an Ogg file is one that its demuxer knows; without any it calls the file short.
pub(super) fn ogg_is_known(source: &Source) -> Result<bool, Problem> {
    let head = source.head(4_096)?;
    let known: [&[u8]; 3] = [b"\x01vorbis", b"OpusHead", b"\x7fFLAC"];
    Ok(known.iter().any(|sign| head.windows(sign.len()).any(|window| window == *sign)))
}

/// What a stream that begins an Ogg file is, where its demuxer does not know it.
pub(super) fn ogg_codec(source: &Source) -> Result<Option<&'static str>, Problem> {
    const NAMES: [(&[u8], &str); 4] =
        [(b"Speex   ", "Speex"), (b"PCM     ", "PCM"), (b"CELT    ", "CELT"), (b"MIDI\0\0\0\0", "MIDI")];
    let head = source.head(4_096)?;
    let found = |sign: &[u8]| head.windows(sign.len()).any(|window| window == sign);
    Ok(NAMES.iter().find(|(sign, _)| found(sign)).map(|(_, name)| *name))
}
