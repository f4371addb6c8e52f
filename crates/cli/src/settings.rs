//! What was typed, made sense of: paths that exist and do not overlap, outputs that stay out of them.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use minutia::search;
use minutia_machine::Level;
use minutia_media::Limits;
use minutia_report::LimitFacts;
use minutia_report::escape::{name, text};

/// Files and folders to look into: they exist, and none lies in another.
#[derive(Clone, Debug)]
pub(crate) struct Roots {
    /// As they were typed.
    pub(crate) paths: Vec<PathBuf>,
    /// The same without links, dots and relative parts.
    real: Vec<PathBuf>,
}

impl Roots {
    pub(crate) fn of(paths: Vec<PathBuf>) -> Result<Roots> {
        let real = paths
            .iter()
            .map(|path| {
                let expected = || format!("{}: expected a file or a directory; check the path", shown(path));
                fs::canonicalize(path).with_context(expected)
            })
            .collect::<Result<Vec<_>>>()?;
        // In the order of their components a directory stands right before what is in it.
        let mut order: Vec<usize> = (0..real.len()).collect();
        order.sort_by(|&a, &b| real[a].cmp(&real[b]));
        if let Some(pair) = order.windows(2).find(|pair| real[pair[1]].starts_with(&real[pair[0]])) {
            let (outer, inner) = (&paths[pair[0]], &paths[pair[1]]);
            bail!("{} is examined as a part of {} already: name it once", shown(inner), shown(outer));
        }
        Ok(Roots { paths, real })
    }

    /// Refuses to write to `output` where it would lie in one of the roots.
    pub(crate) fn keep_out(&self, output: &Path, what: &str) -> Result<()> {
        let real = real_place(output).with_context(|| format!("{}: finding out where it is", shown(output)))?;
        if let Some(place) = self.real.iter().position(|root| real.starts_with(root)) {
            bail!(
                "{}: {what} must not lie in what is examined, and this is inside of {}; choose a place outside of it",
                shown(output),
                shown(&self.paths[place])
            );
        }
        Ok(())
    }
}

/// Where something is or will be that need not exist yet: its nearest ancestor that does, without links.
fn real_place(path: &Path) -> std::io::Result<PathBuf> {
    let absolute = std::path::absolute(path)?;
    let mut missing = Vec::new();
    let mut there: &Path = &absolute;
    loop {
        match fs::canonicalize(there) {
            Ok(real) => return Ok(missing.iter().rev().fold(real, |path: PathBuf, part| path.join(part))),
            Err(error) => match (there.parent(), there.file_name()) {
                (Some(parent), Some(part)) => {
                    missing.push(part);
                    there = parent;
                }
                _ => return Err(error),
            },
        }
    }
}

/// A path for a message.
pub(crate) fn shown(path: &Path) -> String {
    name(path.as_os_str().as_bytes())
}

/// Names the kernel to search with, where it is set; the fastest otherwise.
const KERNEL: &str = "MINUTIA_KERNEL";

/// How to search: with the kernel that the environment names. The hits do not depend on it.
///
/// # Errors
/// A name that is none of this machine's kernels.
pub(crate) fn search_settings() -> Result<search::Settings> {
    match std::env::var_os(KERNEL).filter(|name| !name.is_empty()) {
        None => Ok(search::Settings::default()),
        Some(name) => Ok(search::Settings { level: kernel(&name.to_string_lossy())?, ..search::Settings::default() }),
    }
}

fn kernel(name: &str) -> Result<Level> {
    Level::named(name).with_context(|| {
        let here: Vec<&str> = Level::all_here().into_iter().map(Level::name).collect();
        format!(
            "{KERNEL}: expected a kernel of this machine ({}), found {}; unset it to take the fastest",
            here.join(", "),
            text(name)
        )
    })
}

/// A file's budgets, for the record.
pub(crate) fn limit_facts(limits: &Limits) -> LimitFacts {
    let Limits { file_bytes, pixels, side_px, animation_pixels, frames, decoder_bytes, .. } = *limits;
    let Limits { audio_seconds, channels, sample_rate_hz, film_seconds, film_pixels, film_frames, .. } = *limits;
    LimitFacts {
        file_bytes,
        pixels,
        side_px,
        animation_pixels,
        frames,
        decoder_bytes,
        audio_seconds,
        channels,
        sample_rate_hz,
        film_seconds,
        film_pixels,
        film_frames,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_stay_out_of_what_is_examined() {
        let folder = tempfile::tempdir().unwrap();
        let evidence = folder.path().join("evidence");
        fs::create_dir_all(evidence.join("deep")).unwrap();
        std::os::unix::fs::symlink(&evidence, folder.path().join("link")).unwrap();
        let roots = Roots::of(vec![evidence.clone()]).unwrap();
        let check = |output: &str, expected: bool| {
            assert_eq!(roots.keep_out(&folder.path().join(output), "it").is_ok(), expected, "{output}");
        };
        check("case", true);
        check("evidence-2/case", true);
        check("evidence", false);
        check("evidence/case", false);
        check("evidence/deep/new/case", false);
        check("link/case", false);
        check("link/../case", true);
        check("evidence/../case", true);
    }

    #[test]
    fn kernels_are_those_of_this_machine() {
        for level in Level::all_here() {
            assert_eq!(kernel(level.name()).unwrap(), level);
        }
        for name in ["", "AVX2", "abacus", "portable "] {
            let error = kernel(name).unwrap_err().to_string();
            assert!(error.contains("MINUTIA_KERNEL") && error.contains("(portable"), "{error}");
        }
    }

    #[test]
    fn overlapping_paths_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["a/b", "a.b", "c"] {
            fs::create_dir_all(path(name)).unwrap();
        }
        let check = |names: &[&str], expected: bool| {
            assert_eq!(Roots::of(names.iter().map(|name| path(name)).collect()).is_ok(), expected, "{names:?}");
        };
        check(&["a", "a.b", "c"], true);
        check(&["a", "a.b", "a/b"], false);
        check(&["c", "a/../c"], false);
        check(&["missing"], false);
    }
}
