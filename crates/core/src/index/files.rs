//! Writing files so that a stop at any moment leaves the old state or the new one: write under another name, sync,
//! make read-only, rename, sync the directory.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::IndexError;

/// The end of the name of a file that is being written. Such files belong to nobody once their writer is gone.
pub(super) const ASIDE: &str = ".aside";

/// Writes `name` in `directory` through `write`. The file has its name only once all its bytes are on the disk; the
/// name itself is only certain after [`sync_directory`].
pub(super) fn write_aside<T>(
    directory: &Path,
    name: &str,
    write: impl FnOnce(&mut dyn Write) -> io::Result<T>,
) -> Result<T, IndexError> {
    let (aside, path) = (directory.join(format!("{name}{ASIDE}")), directory.join(name));
    let written = (|| {
        step("creating")?;
        let mut out = BufWriter::with_capacity(1 << 20, File::create(&aside)?);
        step("writing")?;
        let value = write(&mut out)?;
        let file = out.into_inner()?;
        step("syncing")?;
        file.sync_all()?;
        let mut permissions = file.metadata()?.permissions();
        permissions.set_readonly(true);
        step("making read-only")?;
        file.set_permissions(permissions)?;
        step("renaming")?;
        fs::rename(&aside, &path)?;
        Ok(value)
    })();
    written.map_err(|error: io::Error| {
        // What is half written must not fill the disk; where this fails too, the next writer clears it away.
        let _ = fs::remove_file(&aside);
        IndexError::Io { path, during: "writing", error }
    })
}

/// Makes the names in `directory` certain.
pub(super) fn sync_directory(directory: &Path) -> Result<(), IndexError> {
    step("syncing the directory")
        .and_then(|()| File::open(directory)?.sync_all())
        .map_err(IndexError::io(directory, "syncing the directory"))
}

/// A moment at which a writer may be stopped.
#[cfg(not(test))]
fn step(_what: &str) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
pub(super) use stop::{step, stop_after};

/// Stops writers of this thread on purpose, after a number of steps.
#[cfg(test)]
mod stop {
    use std::cell::Cell;
    use std::io;

    thread_local! {
        static LEFT: Cell<Option<u32>> = const { Cell::new(None) };
    }

    /// Lets `steps` steps pass and fails those after it; `None` lets all pass.
    pub(crate) fn stop_after(steps: Option<u32>) {
        LEFT.set(steps);
    }

    pub(crate) fn step(what: &str) -> io::Result<()> {
        match LEFT.get() {
            Some(0) => Err(io::Error::other(format!("stopped before {what}"))),
            Some(left) => {
                LEFT.set(Some(left - 1));
                Ok(())
            }
            None => Ok(()),
        }
    }
}
