//! Folders of works and of evidence, made on the spot, and the command run over them.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use image::{ImageFormat, Rgb, RgbImage};
use serde_json::Value;
use tempfile::{TempDir, tempdir};

/// A folder that is removed with this.
pub(crate) struct Folder(TempDir);

/// What a command did.
#[derive(Clone, Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The command, run in the folder.
pub(crate) fn minutia(folder: &Folder, arguments: &[&str]) -> Ran {
    let output = Command::cargo_bin("minutia").unwrap().current_dir(folder.path()).args(arguments).output().unwrap();
    Ran {
        code: output.status.code().expect("the command was not killed"),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ran {
    /// The lines of JSON on standard output.
    pub(crate) fn json(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// Asserts what standard error says.
    #[track_caller]
    pub(crate) fn says(self, parts: &[&str]) -> Ran {
        for part in parts {
            assert!(self.err.contains(part), "expected {part:?} in {self:#?}");
        }
        self
    }
}

impl Folder {
    pub(crate) fn new() -> Folder {
        Folder(tempdir().unwrap())
    }

    /// A folder with `works/` of three pictures and an index `works.idx` of them.
    pub(crate) fn with_index() -> Folder {
        let folder = Folder::new();
        for seed in 0..3 {
            folder.picture(&format!("works/work-{seed}.png"), seed);
        }
        minutia(&folder, &["index", "add", "works.idx", "works"]).ends(0);
        folder
    }

    /// A folder with an index `works.idx` of one photograph: nothing that is drawn here comes near to it, where drawn
    /// pictures come near to each other.
    pub(crate) fn with_index_of_a_photograph() -> Folder {
        let folder = Folder::new();
        let photograph = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/image/reference/astronaut.jpg");
        folder.write("works/astronaut.jpg", fs::read(photograph).unwrap());
        minutia(&folder, &["index", "add", "works.idx", "works"]).ends(0);
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn at(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path().join(name)
    }

    /// Writes a file and the folders above it.
    pub(crate) fn write(&self, name: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.at(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Writes the picture of this number; its extension says the format.
    pub(crate) fn picture(&self, name: &str, seed: u32) -> PathBuf {
        self.write(name, picture(seed, ImageFormat::from_path(name).unwrap()))
    }
}

/// A file's bytes of a picture of its own: waves and blocks that no other number has.
pub(crate) fn picture(seed: u32, format: ImageFormat) -> Vec<u8> {
    let mut state = u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def0;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 24) as f32
    };
    let waves: Vec<[f32; 4]> = (0..6).map(|_| std::array::from_fn(|_| random())).collect();
    let blocks: Vec<[f32; 5]> = (0..24).map(|_| std::array::from_fn(|_| random())).collect();
    let picture = RgbImage::from_fn(160, 120, |x, y| {
        let (x, y) = (x as f32 / 160.0, y as f32 / 120.0);
        let mut value: f32 = 128.0;
        for [a, b, c, d] in &waves {
            value += 25.0 * (x * (4.0 + 20.0 * a) + y * (4.0 + 20.0 * b) + 6.3 * c).sin() * d;
        }
        for [left, top, width, height, shade] in &blocks {
            if (x - left).abs() < 0.15 * width && (y - top).abs() < 0.15 * height {
                value = 255.0 * shade;
            }
        }
        let value = value as u8;
        Rgb([value, value.wrapping_add(10), 255 - value])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// `outcome` of each item by its way down from `root`, with the code of its first problem.
pub(crate) fn outcomes(ran: &Ran, root: &str) -> Vec<(String, String)> {
    let items = ran.json().into_iter().filter(|record| record["record"] == "item");
    let of = |item: Value| {
        let path = item["path"].as_str().unwrap();
        let path = path.strip_prefix(root).unwrap().trim_start_matches('/').to_owned();
        let code = item["problems"][0]["code"].as_str().map_or_else(String::new, |code| format!(" {code}"));
        (path, format!("{}{code}", item["outcome"].as_str().unwrap()))
    };
    items.map(of).collect()
}
