//! The words of the schema. They stand here and not beside the types, since they are promised and those are not.

use minutia::fingerprint::{Dihedral, FilmBase, Mix, RegionKind};
use minutia::verdict::{AudioMethod, Level, Shared};
use minutia_media::{Kind, Orientation};

pub(crate) fn region_kind(kind: RegionKind) -> &'static str {
    match kind {
        RegionKind::Whole => "whole",
        RegionKind::Trimmed => "trimmed",
        RegionKind::Framed => "framed",
        RegionKind::Crop => "crop",
    }
}

pub(super) fn film_base(base: FilmBase) -> &'static str {
    match base {
        FilmBase::Trimmed => "trimmed",
        FilmBase::Whole => "whole",
        FilmBase::Framed(_) => "framed",
        FilmBase::Sharp => "sharp",
        FilmBase::Slanted(_) => "slanted",
    }
}

pub(super) fn shared_name(shared: Shared) -> &'static str {
    match shared {
        Shared::PictureAndSound => "picture+sound",
        Shared::PictureOnly { .. } => "picture only",
        Shared::SoundOnly => "sound only",
    }
}

pub(super) fn audio_method(method: AudioMethod) -> &'static str {
    match method {
        AudioMethod::Landmarks => "landmarks",
        AudioMethod::Chromaprint => "chromaprint",
    }
}

pub(super) fn mix(mix: Mix) -> &'static str {
    match mix {
        Mix::Mid => "mid",
        Mix::Side => "side",
    }
}

pub(super) fn turn(turn: Dihedral) -> &'static str {
    match turn {
        Dihedral::Identity => "none",
        Dihedral::Rotate90 => "rotate_90",
        Dihedral::Rotate180 => "rotate_180",
        Dihedral::Rotate270 => "rotate_270",
        Dihedral::FlipX => "flip_x",
        Dihedral::FlipY => "flip_y",
        Dihedral::FlipPlus1 => "flip_plus_1",
        Dihedral::FlipMinus1 => "flip_minus_1",
    }
}

pub(super) fn orientation(orientation: Orientation) -> &'static str {
    match orientation {
        Orientation::Upright => "upright",
        Orientation::FlipX => "flip_x",
        Orientation::Rotate180 => "rotate_180",
        Orientation::FlipY => "flip_y",
        Orientation::Transpose => "transpose",
        Orientation::Rotate90 => "rotate_90",
        Orientation::Transverse => "transverse",
        Orientation::Rotate270 => "rotate_270",
    }
}

pub(super) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Image => "image",
        Kind::Audio => "audio",
        Kind::Video => "video",
        Kind::Other => "other",
    }
}

pub(super) fn level(level: Level) -> &'static str {
    match level {
        Level::Match => "match",
        Level::Possible => "possible",
    }
}
