//! Indexes to read: directories, and files that `index export --format minutia` wrote. Both are checked to the last byte
//! before anything rests on them, whoever made them.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result, bail};
use minutia::index::{Access, Index, IndexError, Info, Rules, Writer};
use minutia_report::{IndexFacts, archive};
use tempfile::TempDir;

use crate::settings::shown;

/// Opens an index for reading: mapped where its file system is local and stays, read into memory where it may go away
/// under a mapping, which ends the process (networks, FUSE, media that are taken out).
pub(crate) fn open(path: &Path) -> Result<Index, IndexError> {
    Index::open(path, if is_leaving(path) { Access::InMemory } else { Access::Mapped })
}

/// Opens an index for writing, and makes it at first use. Views of less quality than `min_quality` are left out.
pub(crate) fn writer(path: &Path, min_quality: u8) -> Result<Writer, IndexError> {
    let place = if path.exists() { path } else { directory_of(path) };
    let access = if is_leaving(place) { Access::InMemory } else { Access::Mapped };
    Writer::open_with(path, Rules { access, min_quality, ..Rules::default() })
}

/// Opens an index into memory, wherever it is.
pub(crate) fn open_in_memory(path: &Path) -> Result<Index, IndexError> {
    Index::open(path, Access::InMemory)
}

/// True for what lies on a file system that may go away. One that cannot be asked is taken for one that stays: opening will say
/// what is wrong.
fn is_leaving(path: &Path) -> bool {
    rustix::fs::statfs(path).is_ok_and(|found| leaves(found.f_type as u64 & 0xffff_ffff))
}

/// Whether file systems of that number of statfs(2) may go away.
fn leaves(kind: u64) -> bool {
    const LEAVING: [u64; 17] = [
        0x6969,      // NFS
        0x517b,      // SMB
        0xff53_4d42, // CIFS
        0xfe53_4d42, // SMB2
        0x0102_1997, // 9P
        0x5346_414f, // AFS
        0x00c3_6400, // Ceph
        0x7375_7245, // Coda
        0x6573_5546, // FUSE
        0x4d44,      // FAT
        0x2011_bab0, // exFAT
        0x9660,      // ISO 9660
        0x1501_3346, // UDF
        0x7366_746e, // NTFS
        0x482b,      // HFS+
        0x786f_4256, // shared folders of VirtualBox
        0xbacb_acbc, // and of VMware
    ];
    LEAVING.contains(&kind)
}

/// An index that is open for reading, and sound.
pub(crate) struct Opened {
    pub(crate) index: Index,
    /// Where an exported file was unpacked to; removed with this.
    _unpacked: Option<TempDir>,
}

impl Opened {
    /// Opens the index at `path`. A file is unpacked to a new directory in `beside`, which must have the room.
    pub(crate) fn at(path: &Path, beside: &Path) -> Result<Opened> {
        let mut unpacked = None;
        if is_exported(path)? {
            let directory = tempfile::Builder::new().prefix(ASIDE).tempdir_in(beside);
            let directory = directory.with_context(|| format!("{}: making a directory to unpack in", shown(beside)))?;
            unpack(path, directory.path()).with_context(|| format!("{}: unpacking", shown(path)))?;
            unpacked = Some(directory);
        }
        let index = open(unpacked.as_ref().map_or(path, TempDir::path));
        // The path that was typed means more than the one that was made up.
        let of = || format!("{}: not a sound index", shown(path));
        let index = if unpacked.is_some() { index.with_context(of)? } else { index? };
        sound(&index).with_context(of)?;
        Ok(Opened { index, _unpacked: unpacked })
    }
}

/// How the names of files and directories begin that are there only while a command runs.
pub(crate) const ASIDE: &str = ".minutia-aside-";

/// True where `path` is a file that begins like an exported index.
pub(crate) fn is_exported(path: &Path) -> Result<bool> {
    // Pipes and the like are read once.
    if !fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return Ok(false);
    }
    let mut first = Vec::new();
    let file = File::open(path).with_context(|| format!("{}: opening", shown(path)))?;
    file.take(512).read_to_end(&mut first).with_context(|| format!("{}: reading", shown(path)))?;
    Ok(archive::is_archive(&first))
}

fn unpack(path: &Path, to: &Path) -> io::Result<()> {
    let mut from = BufReader::with_capacity(1 << 20, File::open(path)?);
    archive::read(&mut from, |member, contents| {
        let mut file = File::create_new(to.join(&member.name))?;
        io::copy(contents, &mut file)?;
        Ok(())
    })
}

/// The directory that a file or directory is made in.
pub(crate) fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Refuses a damaged index before anything rests on it.
pub(crate) fn sound(index: &Index) -> Result<()> {
    let damages = index.verify();
    if damages.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = damages.iter().map(ToString::to_string).collect();
    bail!("{}", lines.join("\n"))
}

/// Says that some codes are those of many references: a blank form, a logo, a default picture. Each is found by all of them.
pub(crate) fn tell_hot_codes(info: &Info) {
    if info.hot_codes > 0 {
        anstream::eprintln!(
            "note: {} shared by 1,024 references or more, the most shared one by {}: a query that is near one is near all of these",
            if info.hot_codes == 1 { "1 code is".to_owned() } else { format!("{} codes are", info.hot_codes) },
            info.largest_cluster
        );
    }
}

/// An index, for the record.
pub(crate) fn facts(info: &Info) -> IndexFacts {
    IndexFacts {
        manifest_digest: info.manifest_digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        generation: info.generation,
        works: info.works,
        files: info.items,
        pictures: info.pictures,
        references: info.references,
        recordings: info.tracks,
        films: info.films,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_networks_and_removable_media_hold_is_read_and_what_stays_is_mapped() {
        // As `stat -f -c %t` prints them: NFS, FUSE, exFAT; ext4, XFS, Btrfs, tmpfs, overlayfs.
        assert!([0x6969, 0x6573_5546, 0x2011_bab0].into_iter().all(leaves));
        assert!(![0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0x794c_7630].into_iter().any(leaves));
        let there = tempfile::tempdir().unwrap();
        let found = rustix::fs::statfs(there.path()).unwrap();
        assert_eq!(is_leaving(there.path()), leaves(found.f_type as u64 & 0xffff_ffff));
        assert!(!is_leaving(&there.path().join("missing")));
    }
}
