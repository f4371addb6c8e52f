//! Pictures in memory: 8-bit luma or 8-bit RGB planes whose size and bytes agree by construction.

/// A luma plane: row-major, `width * height` bytes, no padding, 0 black to 255 white.
///
/// ```
/// # use minutia_media::Luma;
/// let plane = Luma::new(2, 1, vec![0, 255]).ok_or("size and bytes disagree")?;
/// assert_eq!((plane.width(), plane.height(), plane.pixels()[1]), (2, 1, 255));
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Luma {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

/// An RGB picture: row-major, `3 * width * height` bytes (red, green, blue), no padding. Values are as stored: no
/// colour profile is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rgb {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

/// A decoded picture, upright (its stored orientation is applied already).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Picture {
    /// Luma alone: what scans ask for, since a JPEG gives it for half the work.
    Luma(Luma),
    /// Colour: for algorithms that are defined on it.
    Rgb(Rgb),
}

/// A small picture for people, JPEG encoded, its longer side at most 512 px.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Preview {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The JPEG file's bytes.
    pub jpeg: Vec<u8>,
}

/// How a file's pixels are stored, as EXIF (CIPA DC-008, tag 0x0112) and TIFF number it. The name says what a viewer does
/// to show the picture upright.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Orientation {
    /// 1: nothing.
    #[default]
    Upright,
    /// 2: mirror left to right.
    FlipX,
    /// 3: turn by 180 degrees.
    Rotate180,
    /// 4: mirror top to bottom.
    FlipY,
    /// 5: mirror left to right, then turn by 270 degrees clockwise (transpose).
    Transpose,
    /// 6: turn by 90 degrees clockwise.
    Rotate90,
    /// 7: mirror left to right, then turn by 90 degrees clockwise (transverse).
    Transverse,
    /// 8: turn by 270 degrees clockwise.
    Rotate270,
}

impl Orientation {
    /// From the tag's value; anything but 1..=8 is upright.
    pub fn from_exif(value: u16) -> Orientation {
        match value {
            2 => Orientation::FlipX,
            3 => Orientation::Rotate180,
            4 => Orientation::FlipY,
            5 => Orientation::Transpose,
            6 => Orientation::Rotate90,
            7 => Orientation::Transverse,
            8 => Orientation::Rotate270,
            _ => Orientation::Upright,
        }
    }
}

impl Luma {
    /// Takes `pixels` as a plane; `None` unless there are exactly `width * height` of them and at least one.
    pub fn new(width: u32, height: u32, pixels: Vec<u8>) -> Option<Luma> {
        fits(width, height, 1, pixels.len()).then_some(Luma { width, height, pixels })
    }

    /// Width in pixels, at least 1.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels, at least 1.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The plane's bytes.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Gives the bytes back.
    pub fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }
}

impl Rgb {
    /// Takes `pixels` as a picture; `None` unless there are exactly `3 * width * height` of them and at least one pixel.
    pub fn new(width: u32, height: u32, pixels: Vec<u8>) -> Option<Rgb> {
        fits(width, height, 3, pixels.len()).then_some(Rgb { width, height, pixels })
    }

    /// Width in pixels, at least 1.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels, at least 1.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The picture's bytes.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Gives the bytes back.
    pub fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }
}

impl Picture {
    /// Width in pixels, at least 1.
    pub fn width(&self) -> u32 {
        match self {
            Picture::Luma(p) => p.width,
            Picture::Rgb(p) => p.width,
        }
    }

    /// Height in pixels, at least 1.
    pub fn height(&self) -> u32 {
        match self {
            Picture::Luma(p) => p.height,
            Picture::Rgb(p) => p.height,
        }
    }
}

fn fits(width: u32, height: u32, channels: u64, bytes: usize) -> bool {
    let wanted = u64::from(width) * u64::from(height);
    wanted > 0 && wanted.checked_mul(channels) == Some(bytes as u64)
}
