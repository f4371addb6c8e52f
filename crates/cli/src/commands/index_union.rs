//! `minutia index union`: one index of several, without any media.

use std::fs::{self, File};
use std::io::{Write, stdout};
use std::path::Path;

use anyhow::{Context, Result, bail};
use minutia::fingerprint::Fingerprint;
use minutia::index::{Entry, Index, Writer};
use minutia_report::many;

use crate::args::IndexUnion;
use crate::exit::Exit;
use crate::indexes::{self, ASIDE, Opened, directory_of};
use crate::progress;
use crate::settings::shown;

/// References between commits: what is held of them bounds the memory, some 2 GB where each is a work of its own. Fewer are
/// written again by more merges.
pub(crate) const REFERENCES_PER_COMMIT: usize = 1 << 22;

/// Makes the union as typed.
pub(crate) fn run(args: &IndexUnion) -> Result<Exit> {
    let out = &args.out;
    if fs::symlink_metadata(out).is_ok() {
        bail!("{}: expected a new directory, found something there; choose another name", shown(out));
    }
    let beside = directory_of(out);
    let open = |path| Opened::at(path, beside);
    // All are looked at before anything is written.
    let opened = args.indexes.iter().map(|path| open(path)).collect::<Result<Vec<_>>>()?;
    // Under its name it is whole or not there.
    let aside = tempfile::Builder::new().prefix(ASIDE).tempdir_in(beside);
    let aside = aside.with_context(|| format!("{}: making the directory", shown(out)))?;
    let directory = aside.path().join("index");
    // The path that was typed means more than the one that was made up.
    make(&directory, opened).with_context(|| format!("{}: making the union", shown(out)))?;
    fs::rename(&directory, out).with_context(|| format!("{}: naming the finished index", shown(out)))?;
    File::open(beside)?.sync_all()?;
    let info = indexes::open(out)?.info()?;
    writeln!(
        stdout().lock(),
        "{}, {}, {} from {}",
        many(info.works, "work"),
        many(info.items, "file"),
        many(info.references, "reference"),
        many(args.indexes.len() as u64, "index")
    )?;
    Ok(Exit::Nothing)
}

/// Makes a compact index in `directory` of all of `indexes`.
pub(super) fn make(directory: &Path, indexes: impl IntoIterator<Item = Opened>) -> Result<()> {
    let mut writer = indexes::writer(directory, 0)?;
    for opened in indexes {
        put(&mut writer, &opened.index)?;
    }
    let bar = progress::waiting("merging".to_owned());
    let merged = writer.compact();
    bar.finish_and_clear();
    merged?;
    Ok(())
}

/// Puts everything of an index into another, and commits what is much; the number of files.
pub(super) fn put(writer: &mut Writer, index: &Index) -> Result<u64> {
    let (mut files, mut references) = (0, 0);
    let bar = progress::counted(index.info()?.items, "files");
    for entry in index.entries() {
        let (entry, algorithm) = entry?;
        files += 1;
        bar.inc(1);
        references += references_of(&entry);
        writer.add_coded(entry, algorithm)?;
        if references >= REFERENCES_PER_COMMIT {
            references = 0;
            writer.commit()?;
        }
    }
    bar.finish_and_clear();
    Ok(files)
}

fn references_of(entry: &Entry) -> usize {
    let of_one = |fingerprint: &Fingerprint| match fingerprint {
        Fingerprint::Image(image) => image.views.len(),
        // A peak and its landmarks take about the bytes of a third of a code.
        Fingerprint::Audio(audio) => (audio.mid.len() + audio.side.len()) / 3,
        Fingerprint::Film(film) => film.codes.len(),
    };
    entry.fingerprints.iter().map(of_one).sum::<usize>().max(1)
}
