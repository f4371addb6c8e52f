//! The probe: what a file is, by its content alone. A name or an extension is never believed.

mod annexb;
mod container;
mod formats;
mod frames;
mod packets;
mod tags;
mod text;

pub use formats::{FORMATS, Format, FormatRow, Kind};

#[cfg(feature = "audio")]
pub(crate) use tags::behind_tags;

use crate::{Problem, Source};

/// How many bytes from the start the probe looks at.
pub const PROBE_BYTES: usize = 4096;

/// How a format shows itself at the start of a file.
enum Sign {
    /// These bytes at this offset.
    At(usize, &'static [u8]),
    /// These bytes at the start, and those at a later offset.
    Both(&'static [u8], usize, &'static [u8]),
}

impl Sign {
    fn fits(&self, head: &[u8]) -> bool {
        match self {
            Sign::At(offset, bytes) => at(head, *offset, bytes),
            Sign::Both(first, offset, second) => head.starts_with(first) && at(head, *offset, second),
        }
    }
}

fn at(head: &[u8], offset: usize, bytes: &[u8]) -> bool {
    head.get(offset..).is_some_and(|rest| rest.starts_with(bytes))
}

/// Signatures of media; the first that fits decides. What needs more than bytes at an offset is in `container`.
const SIGNS: &[(Sign, Format)] = &[
    (Sign::At(0, &[0xff, 0xd8, 0xff]), Format::Jpeg),
    (Sign::At(0, b"\x89PNG\r\n\x1a\n"), Format::Png),
    (Sign::At(0, b"GIF87a"), Format::Gif),
    (Sign::At(0, b"GIF89a"), Format::Gif),
    (Sign::Both(b"RIFF", 8, b"WEBP"), Format::WebP),
    (Sign::Both(b"RIFF", 8, b"WAVE"), Format::Wav),
    (Sign::Both(b"RIFF", 8, b"AVI "), Format::Avi),
    (Sign::Both(b"RF64", 8, b"WAVE"), Format::Wav),
    (Sign::Both(b"FORM", 8, b"AIFF"), Format::Aiff),
    (Sign::Both(b"FORM", 8, b"AIFC"), Format::Aiff),
    (Sign::At(0, b"II\x1a\0\0\0HEAPCCDR"), Format::RawCamera),
    (Sign::Both(b"II*\0", 8, b"CR"), Format::RawCamera),
    (Sign::At(0, b"FUJIFILMCCD-RAW"), Format::RawCamera),
    (Sign::At(0, b"IIRO"), Format::RawCamera),
    (Sign::At(0, b"IIU\0"), Format::RawCamera),
    (Sign::At(0, b"II*\0"), Format::Tiff),
    (Sign::At(0, b"MM\0*"), Format::Tiff),
    (Sign::At(0, b"II+\0"), Format::BigTiff),
    (Sign::At(0, b"MM\0+"), Format::BigTiff),
    (Sign::At(0, b"qoif"), Format::Qoi),
    (Sign::At(0, &[0xff, 0x0a]), Format::JpegXl),
    (Sign::At(0, b"\0\0\0\x0cJXL \r\n\x87\n"), Format::JpegXl),
    (Sign::At(0, b"\0\0\0\x0cjP  \r\n\x87\n"), Format::Jpeg2000),
    (Sign::At(0, &[0xff, 0x4f, 0xff, 0x51]), Format::Jpeg2000),
    (Sign::At(0, b"8BPS"), Format::Psd),
    (Sign::At(0, &[0x76, 0x2f, 0x31, 0x01]), Format::OpenExr),
    (Sign::At(0, b"#?RADIANCE"), Format::RadianceHdr),
    (Sign::At(0, b"#?RGBE"), Format::RadianceHdr),
    (Sign::At(0, b"DDS "), Format::Dds),
    (Sign::At(0, b"farbfeld"), Format::Farbfeld),
    (Sign::At(0, b"gimp xcf"), Format::Xcf),
    (Sign::At(0, b"/* XPM */"), Format::Xpm),
    (Sign::Both(b"FORM", 8, b"ILBM"), Format::Ilbm),
    (Sign::Both(b"FORM", 8, b"PBM "), Format::Ilbm),
    (Sign::At(0, &[0x59, 0xa6, 0x6a, 0x95]), Format::SunRaster),
    (Sign::Both(b"icns", 4, &[0]), Format::Icns),
    (Sign::At(0, b"\x8aMNG\r\n\x1a\n"), Format::Mng),
    (Sign::At(0, b"\x8bJNG\r\n\x1a\n"), Format::Mng),
    (Sign::Both(b"AT&TFORM", 12, b"DJV"), Format::DjVu),
    (Sign::At(0, b"SIMPLE  =                    T"), Format::Fits),
    (Sign::At(128, b"DICM"), Format::Dicom),
    (Sign::Both(&[1, 0, 0, 0], 40, b" EMF"), Format::Emf),
    (Sign::At(0, b"fLaC"), Format::Flac),
    (Sign::At(0, b"ID3"), Format::Mp3),
    (Sign::At(0, b"OggS"), Format::Ogg),
    (Sign::At(0, &[0x1a, 0x45, 0xdf, 0xa3]), Format::Matroska),
    (Sign::At(0, b"FLV\x01"), Format::Flv),
    (Sign::At(0, &[0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11]), Format::Asf),
    (Sign::At(0, b"#!AMR"), Format::Amr),
    (Sign::At(0, b"caff"), Format::Caf),
    (Sign::At(0, &[0x0b, 0x77]), Format::Ac3),
    (Sign::At(0, &[0x7f, 0xfe, 0x80, 0x01]), Format::Dts),
    (Sign::At(0, b"MThd"), Format::Midi),
    (Sign::At(0, b"Extended Module: "), Format::TrackerModule),
    (Sign::At(0, b"Creative Voice File\x1a"), Format::Voc),
    (Sign::At(0, &[0, 0, 1, 0xba]), Format::MpegPs),
    (Sign::At(0, &[0, 0, 1, 0xb3]), Format::MpegVideo),
    (Sign::At(0, b".snd"), Format::Au),
    (Sign::Both(b"wvpk", 9, b"\x04"), Format::WavPack),
    (Sign::At(0, b"TTA1\x01\0"), Format::Tta),
    (Sign::At(0, b"TTA1\x02\0"), Format::Tta),
    (Sign::At(0, b"TTA1\x03\0"), Format::Tta),
    (Sign::Both(b"TTA2", 5, b"\0"), Format::Tta2),
    (Sign::At(0, b"DSD \x1c\0\0\0\0\0\0\0"), Format::Dsf),
    (Sign::Both(b"FRM8", 12, b"DSD "), Format::Dsdiff),
    (Sign::At(0, b"MPCKSH"), Format::Musepack),
    (Sign::At(0, b"MP+\x07"), Format::Musepack7),
    (Sign::At(0, b"MP+\x17"), Format::Musepack7),
    (Sign::At(0, b".RMF\0\0\0"), Format::RealMedia),
    (Sign::At(0, b".ra\xfd"), Format::RealMedia),
    (Sign::At(0, container::MXF_PARTITION), Format::Mxf),
    (Sign::At(0, b"DKIF\0\0\x20\0"), Format::Ivf),
    (Sign::At(0, b"nut/multimedia container\0"), Format::Nut),
    (Sign::At(0, b"YUV4MPEG2 "), Format::Y4m),
];

/// Signatures of what is no media, with the words that a record shows.
const OTHER: &[(Sign, &str)] = &[
    (Sign::At(0, b"%PDF-"), "a PDF document"),
    (Sign::At(0, b"PK\x03\x04"), "a ZIP archive, or a document in one"),
    (Sign::At(0, b"PK\x05\x06"), "an empty ZIP archive"),
    (Sign::At(0, b"Rar!\x1a\x07"), "a RAR archive"),
    (Sign::At(0, b"7z\xbc\xaf\x27\x1c"), "a 7-Zip archive"),
    (Sign::At(0, &[0x1f, 0x8b]), "gzip data"),
    (Sign::At(0, b"BZh"), "bzip2 data"),
    (Sign::At(0, b"\xfd7zXZ\0"), "xz data"),
    (Sign::At(0, &[0x28, 0xb5, 0x2f, 0xfd]), "Zstandard data"),
    (Sign::At(257, b"ustar"), "a tar archive"),
    (Sign::At(0, b"!<arch>\n"), "an ar archive or Debian package"),
    (Sign::At(0, b"\x7fELF"), "a program or library (ELF)"),
    (Sign::At(0, b"MZ"), "a program or library (PE)"),
    (Sign::At(0, &[0xca, 0xfe, 0xba, 0xbe]), "a program (Mach-O or Java class)"),
    (Sign::At(0, &[0xcf, 0xfa, 0xed, 0xfe]), "a program (Mach-O)"),
    (Sign::At(0, b"SQLite format 3\0"), "an SQLite database"),
    (Sign::At(0, &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]), "an OLE document"),
    (Sign::At(0, b"OTTO"), "a font"),
    (Sign::At(0, &[0, 1, 0, 0, 0]), "a font"),
    (Sign::At(0, b"wOFF"), "a font"),
    (Sign::At(0, b"wOF2"), "a font"),
    (Sign::At(0, b"{\\rtf"), "an RTF document"),
    (Sign::At(0, b"\0asm"), "a WebAssembly module"),
    (Sign::At(32769, b"CD001"), "a disc image (ISO 9660)"),
];

/// Tells what `source` is.
///
/// ```
/// use minutia_media::{Format, Source, probe};
/// assert_eq!(probe(&Source::from_bytes(b"GIF89a\x01\0\x01\0".to_vec()))?, Format::Gif);
/// # Ok::<(), minutia_media::Problem>(())
/// ```
///
/// # Errors
/// [`Problem::Io`] when it cannot be read, [`Problem::NotMedia`] for what is no media, with what it seems to be.
pub fn probe(source: &Source) -> Result<Format, Problem> {
    let head = source.head(PROBE_BYTES)?;
    if head.starts_with(b"ID3") {
        return tags::look_behind(source);
    }
    if head.is_empty() {
        return Err(not_media("an empty file"));
    }
    if let Some(format) = container::ftyp(&head) {
        return Ok(format);
    }
    if container::ogg_film(&head) {
        return Ok(Format::OggFilm);
    }
    if let Some((_, format)) = SIGNS.iter().find(|(sign, _)| sign.fits(&head)) {
        return Ok(*format);
    }
    if let Some((_, what)) = OTHER.iter().find(|(sign, _)| sign.fits(&head)) {
        return Err(not_media(what));
    }
    if let Some(format) = container::structured(&head, source)? {
        return Ok(format);
    }
    match text::look(&head) {
        text::Text::Svg => Ok(Format::Svg),
        text::Text::Words(what) => Err(not_media(what)),
        text::Text::None => match frames::look(source)? {
            Some((format, _)) => Ok(format),
            None if head.iter().all(|&byte| byte == 0) => Err(not_media("zeros only, as far as looked")),
            None => Err(not_media("unknown data")),
        },
    }
}

fn not_media(found: &str) -> Problem {
    Problem::NotMedia { found: found.to_owned() }
}

#[cfg(test)]
mod tests;
