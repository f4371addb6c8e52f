//! The table of formats: what the probe can name.

/// The broad kind of a piece of media.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Kind {
    /// Still pictures and short animations.
    Image,
    /// Sound.
    Audio,
    /// Moving pictures, with or without sound.
    Video,
    /// Anything else.
    Other,
}

/// A recognised format. Numbers are stored nowhere; records carry the name of its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
#[allow(missing_docs)] // the table below says what each one is
pub enum Format {
    Jpeg,
    Png,
    Gif,
    WebP,
    Tiff,
    Bmp,
    Ico,
    Pnm,
    Tga,
    Qoi,
    Avif,
    Heic,
    JpegXl,
    Jpeg2000,
    Svg,
    Psd,
    BigTiff,
    RawCamera,
    OpenExr,
    RadianceHdr,
    Dds,
    Farbfeld,
    Xcf,
    Pcx,
    Xpm,
    Ilbm,
    SunRaster,
    Sgi,
    Icns,
    Mng,
    DjVu,
    Fits,
    Dicom,
    Emf,
    Mp3,
    Aac,
    Flac,
    Wav,
    Aiff,
    M4a,
    Amr,
    Caf,
    Ac3,
    Dts,
    Au,
    Gsm,
    Midi,
    TrackerModule,
    Voc,
    Ape,
    WavPack,
    Tta,
    Tta2,
    Dsf,
    Dsdiff,
    Musepack,
    Musepack7,
    Ogg,
    OggFilm,
    Mp4,
    Matroska,
    Avi,
    MpegTs,
    MpegPs,
    Asf,
    Flv,
    RealMedia,
    Mxf,
    Ivf,
    Nut,
    Y4m,
    MpegVideo,
    H264,
    Hevc,
    ShockwaveFlash,
}

/// One row of [`FORMATS`].
#[derive(Clone, Copy, Debug)]
pub struct FormatRow {
    /// The format.
    pub format: Format,
    /// The name that people and records use, for example `JPEG`.
    pub name: &'static str,
    /// Its kind. Containers that hold either are listed under the commoner one.
    pub kind: Kind,
    /// Its media type, for example `image/jpeg`.
    pub media_type: &'static str,
    /// Extensions that do not surprise, lower case, without the dot.
    pub extensions: &'static [&'static str],
    /// What ffmpeg calls its demuxer, where that may be asked for the sound in it.
    pub demuxer: Option<&'static str>,
}

impl Format {
    /// The format's row in [`FORMATS`].
    pub fn row(self) -> &'static FormatRow {
        FORMATS.iter().find(|row| row.format == self).expect("every format has a row: a test walks them")
    }
}

const fn row(
    format: Format,
    name: &'static str,
    kind: Kind,
    media_type: &'static str,
    extensions: &'static [&'static str],
) -> FormatRow {
    FormatRow { format, name, kind, media_type, extensions, demuxer: None }
}

impl FormatRow {
    const fn demuxer(self, demuxer: &'static str) -> FormatRow {
        FormatRow { demuxer: Some(demuxer), ..self }
    }
}

/// Every format that the probe can name.
pub const FORMATS: &[FormatRow] = &[
    row(Format::Jpeg, "JPEG", Kind::Image, "image/jpeg", &["jpg", "jpeg", "jpe", "jfif", "thm"]),
    row(Format::Png, "PNG", Kind::Image, "image/png", &["png", "apng"]),
    row(Format::Gif, "GIF", Kind::Image, "image/gif", &["gif"]),
    row(Format::WebP, "WebP", Kind::Image, "image/webp", &["webp"]),
    row(Format::Tiff, "TIFF", Kind::Image, "image/tiff", &["tif", "tiff"]),
    row(Format::Bmp, "BMP", Kind::Image, "image/bmp", &["bmp", "dib"]),
    row(Format::Ico, "ICO", Kind::Image, "image/x-icon", &["ico", "cur"]),
    row(Format::Pnm, "PNM", Kind::Image, "image/x-portable-anymap", &["pnm", "pbm", "pgm", "ppm", "pam"]),
    row(Format::Tga, "TGA", Kind::Image, "image/x-tga", &["tga", "icb", "vda", "vst"]),
    row(Format::Qoi, "QOI", Kind::Image, "image/qoi", &["qoi"]),
    row(Format::Avif, "AVIF", Kind::Image, "image/avif", &["avif", "avifs"]),
    row(Format::Heic, "HEIC", Kind::Image, "image/heic", &["heic", "heif", "hif"]),
    row(Format::JpegXl, "JPEG XL", Kind::Image, "image/jxl", &["jxl"]),
    row(Format::Jpeg2000, "JPEG 2000", Kind::Image, "image/jp2", &["jp2", "j2k", "jpf", "jpx", "j2c"]),
    row(Format::Svg, "SVG", Kind::Image, "image/svg+xml", &["svg"]),
    row(Format::Psd, "Photoshop document", Kind::Image, "image/vnd.adobe.photoshop", &["psd", "psb"]),
    row(Format::BigTiff, "BigTIFF", Kind::Image, "image/tiff", &["tif", "tiff", "btf"]),
    row(
        Format::RawCamera,
        "camera raw",
        Kind::Image,
        "image/x-raw",
        &["cr2", "cr3", "crw", "raf", "orf", "rw2", "nef", "dng", "arw"],
    ),
    row(Format::OpenExr, "OpenEXR", Kind::Image, "image/x-exr", &["exr"]),
    row(Format::RadianceHdr, "Radiance HDR", Kind::Image, "image/vnd.radiance", &["hdr", "pic"]),
    row(Format::Dds, "DirectDraw surface", Kind::Image, "image/vnd-ms.dds", &["dds"]),
    row(Format::Farbfeld, "farbfeld", Kind::Image, "image/x-farbfeld", &["ff"]),
    row(Format::Xcf, "GIMP document", Kind::Image, "image/x-xcf", &["xcf"]),
    row(Format::Pcx, "PCX", Kind::Image, "image/x-pcx", &["pcx", "pcc"]),
    row(Format::Xpm, "X pixmap", Kind::Image, "image/x-xpixmap", &["xpm"]),
    row(Format::Ilbm, "ILBM", Kind::Image, "image/x-ilbm", &["iff", "lbm", "ilbm", "ham"]),
    row(Format::SunRaster, "Sun raster", Kind::Image, "image/x-sun-raster", &["ras", "sun", "im8", "im24"]),
    row(Format::Sgi, "SGI picture", Kind::Image, "image/x-sgi", &["sgi", "rgb", "rgba", "bw"]),
    row(Format::Icns, "Apple icons", Kind::Image, "image/x-icns", &["icns"]),
    row(Format::Mng, "MNG", Kind::Image, "video/x-mng", &["mng", "jng"]),
    row(Format::DjVu, "DjVu", Kind::Image, "image/vnd.djvu", &["djvu", "djv"]),
    row(Format::Fits, "FITS", Kind::Image, "image/fits", &["fits", "fit", "fts"]),
    row(Format::Dicom, "DICOM", Kind::Image, "application/dicom", &["dcm", "dicom"]),
    row(Format::Emf, "Windows metafile", Kind::Image, "image/emf", &["emf"]),
    row(Format::Mp3, "MPEG audio", Kind::Audio, "audio/mpeg", &["mp3", "mp2", "mpga"]).demuxer("mp3"),
    row(Format::Aac, "AAC (ADTS)", Kind::Audio, "audio/aac", &["aac", "adts"]).demuxer("aac"),
    row(Format::Flac, "FLAC", Kind::Audio, "audio/flac", &["flac"]).demuxer("flac"),
    row(Format::Wav, "WAV", Kind::Audio, "audio/wav", &["wav", "wave", "w64", "rf64"]).demuxer("wav"),
    row(Format::Aiff, "AIFF", Kind::Audio, "audio/aiff", &["aif", "aiff", "aifc"]).demuxer("aiff"),
    row(Format::M4a, "MPEG-4 audio", Kind::Audio, "audio/mp4", &["m4a", "m4b", "m4p"]).demuxer("mov"),
    row(Format::Amr, "AMR", Kind::Audio, "audio/amr", &["amr"]).demuxer("amr"),
    row(Format::Caf, "Core Audio", Kind::Audio, "audio/x-caf", &["caf"]).demuxer("caf"),
    row(Format::Ac3, "AC-3", Kind::Audio, "audio/ac3", &["ac3", "eac3"]).demuxer("ac3"),
    row(Format::Dts, "DTS", Kind::Audio, "audio/vnd.dts", &["dts"]).demuxer("dts"),
    row(Format::Au, "Sun audio", Kind::Audio, "audio/basic", &["au", "snd"]).demuxer("au"),
    row(Format::Gsm, "GSM 06.10", Kind::Audio, "audio/gsm", &["gsm"]).demuxer("gsm"),
    row(Format::Midi, "MIDI", Kind::Audio, "audio/midi", &["mid", "midi"]),
    row(Format::TrackerModule, "tracker module", Kind::Audio, "audio/x-mod", &["mod", "xm", "s3m", "it"])
        .demuxer("libopenmpt"),
    row(Format::Voc, "Creative Voice", Kind::Audio, "audio/x-voc", &["voc"]).demuxer("voc"),
    row(Format::Ape, "Monkey's Audio", Kind::Audio, "audio/x-ape", &["ape"]).demuxer("ape"),
    row(Format::WavPack, "WavPack", Kind::Audio, "audio/x-wavpack", &["wv"]).demuxer("wv"),
    row(Format::Tta, "True Audio", Kind::Audio, "audio/x-tta", &["tta"]).demuxer("tta"),
    row(Format::Tta2, "True Audio 2", Kind::Audio, "audio/x-tta", &["tta"]),
    row(Format::Dsf, "DSF", Kind::Audio, "audio/x-dsf", &["dsf"]).demuxer("dsf"),
    row(Format::Dsdiff, "DSDIFF", Kind::Audio, "audio/x-dff", &["dff"]).demuxer("iff"),
    row(Format::Musepack, "Musepack", Kind::Audio, "audio/x-musepack", &["mpc", "mp+", "mpp"]).demuxer("mpc8"),
    row(Format::Musepack7, "Musepack 7", Kind::Audio, "audio/x-musepack", &["mpc", "mp+", "mpp"]).demuxer("mpc"),
    row(Format::Ogg, "Ogg", Kind::Audio, "application/ogg", &["ogg", "oga", "ogv", "opus", "spx"]).demuxer("ogg"),
    row(Format::OggFilm, "Ogg film", Kind::Video, "video/ogg", &["ogv", "ogg", "ogm", "ogx"]).demuxer("ogg"),
    row(Format::Mp4, "MPEG-4 or QuickTime", Kind::Video, "video/mp4", &["mp4", "m4v", "mov", "qt", "3gp", "3g2"])
        .demuxer("mov"),
    row(Format::Matroska, "Matroska or WebM", Kind::Video, "video/x-matroska", &["mkv", "webm", "mka", "mks"])
        .demuxer("matroska"),
    row(Format::Avi, "AVI", Kind::Video, "video/x-msvideo", &["avi", "divx"]).demuxer("avi"),
    row(Format::MpegTs, "MPEG transport stream", Kind::Video, "video/mp2t", &["ts", "m2ts", "mts"]).demuxer("mpegts"),
    row(Format::MpegPs, "MPEG program stream", Kind::Video, "video/mpeg", &["mpg", "mpeg", "vob", "dat"])
        .demuxer("mpeg"),
    row(Format::Asf, "ASF (WMV, WMA)", Kind::Video, "video/x-ms-asf", &["asf", "wmv", "wma"]).demuxer("asf"),
    row(Format::Flv, "Flash video", Kind::Video, "video/x-flv", &["flv", "f4v"]).demuxer("flv"),
    row(Format::RealMedia, "RealMedia", Kind::Video, "application/vnd.rn-realmedia", &["rm", "rmvb", "rv", "ra"])
        .demuxer("rm"),
    row(Format::Mxf, "MXF", Kind::Video, "application/mxf", &["mxf"]).demuxer("mxf"),
    row(Format::Ivf, "IVF", Kind::Video, "video/x-ivf", &["ivf"]).demuxer("ivf"),
    row(Format::Nut, "NUT", Kind::Video, "video/x-nut", &["nut"]).demuxer("nut"),
    row(Format::Y4m, "YUV4MPEG2", Kind::Video, "video/x-yuv4mpeg", &["y4m"]).demuxer("yuv4mpegpipe"),
    row(Format::MpegVideo, "MPEG video stream", Kind::Video, "video/mpeg", &["m1v", "m2v", "mpv", "mpg", "mpeg"])
        .demuxer("mpegvideo"),
    row(Format::H264, "H.264 stream", Kind::Video, "video/h264", &["h264", "264", "avc"]).demuxer("h264"),
    row(Format::Hevc, "HEVC stream", Kind::Video, "video/h265", &["h265", "265", "hevc"]).demuxer("hevc"),
    row(Format::ShockwaveFlash, "Shockwave Flash", Kind::Video, "application/x-shockwave-flash", &["swf"]),
];
