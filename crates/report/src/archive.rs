//! An index in one file: its files in an uncompressed tar (POSIX ustar), the manifest first. The same index gives the same
//! bytes: owners, times and modes are constant.
//!
//! An archive is hostile input: only the names of an index's files are taken, each once, and the lengths are those that
//! the archive has bytes for.

use std::io::{self, Read, Write};

/// Bytes of a block: headers and contents stand at multiples of it.
const BLOCK: usize = 512;
/// How an archive begins; [`is_archive`] looks for it.
const FIRST: &str = "MANIFEST";
/// More files than an index has: segments are merged.
const MOST_FILES: usize = 4096;

/// A file that an archive holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
}

/// True where a file with these first bytes is meant to be an archive of an index.
pub fn is_archive(first: &[u8]) -> bool {
    first.starts_with(FIRST.as_bytes()) && first.get(257..262) == Some(b"ustar")
}

/// True for the names that an index's files have.
pub fn is_member(name: &str) -> bool {
    let numbered = |start: &str| {
        let number = name.strip_prefix(start);
        number.is_some_and(|number| (1..=20).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit()))
    };
    name == FIRST || numbered("segment-") || numbered("tombstones-")
}

/// Writes one file into an archive.
///
/// # Errors
/// What reading and writing meet; [`io::ErrorKind::UnexpectedEof`] where `from` has fewer bytes than `member` says.
pub fn write(member: &Member, from: &mut dyn Read, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(&header(member))?;
    let copied = io::copy(&mut from.take(member.bytes), out)?;
    if copied != member.bytes {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter while it was read"));
    }
    let padding = member.bytes.next_multiple_of(BLOCK as u64) - member.bytes;
    out.write_all(&[0; BLOCK][..padding as usize])
}

/// Ends an archive.
///
/// # Errors
/// What writing meets.
pub fn finish(out: &mut dyn Write) -> io::Result<()> {
    out.write_all(&[0; 2 * BLOCK])
}

/// Reads an archive: each file is handed to `take` with its contents.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] for what is no archive of an index, and what reading and `take` meet.
pub fn read(from: &mut dyn Read, mut take: impl FnMut(&Member, &mut dyn Read) -> io::Result<()>) -> io::Result<()> {
    let mut seen: Vec<String> = Vec::new();
    loop {
        let mut block = [0; BLOCK];
        from.read_exact(&mut block).map_err(cut)?;
        if block == [0; BLOCK] {
            return if seen.first().is_some_and(|name| name == FIRST) {
                Ok(())
            } else {
                Err(wrong(format!("a file {FIRST} first"), "none"))
            };
        }
        let member = parse(&block)?;
        if seen.contains(&member.name) || seen.len() == MOST_FILES {
            return Err(wrong(format!("each file once, and at most {MOST_FILES}"), &member.name));
        }
        seen.push(member.name.clone());
        let mut contents = from.take(member.bytes);
        take(&member, &mut contents)?;
        let left = io::copy(&mut contents, &mut io::sink())? + contents.limit();
        if left > 0 {
            return Err(cut(io::ErrorKind::UnexpectedEof.into()));
        }
        let padding = member.bytes.next_multiple_of(BLOCK as u64) - member.bytes;
        from.read_exact(&mut block[..padding as usize]).map_err(cut)?;
    }
}

fn header(member: &Member) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, member.name.as_bytes());
    put(100, b"0000444\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    // Eleven octal digits hold 8 GiB; longer lengths are binary, as GNU tar and POSIX readers take them.
    if member.bytes < 1 << 33 {
        put(124, format!("{:011o}\0", member.bytes).as_bytes());
    } else {
        put(124, &[0x80, 0, 0, 0]);
        put(128, &member.bytes.to_be_bytes());
    }
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    let sum = checksum(&block);
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

fn parse(block: &[u8; BLOCK]) -> io::Result<Member> {
    let number = |field: &[u8]| -> Option<u64> {
        if let [0x80, 0, 0, 0, big @ ..] = field {
            return big.first_chunk().map(|bytes| u64::from_be_bytes(*bytes)).filter(|_| big.len() == 8);
        }
        let text = std::str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
        u64::from_str_radix(text, 8).ok()
    };
    let name = block[..100].split(|&byte| byte == 0).next().unwrap_or_default();
    let name = std::str::from_utf8(name).unwrap_or_default();
    let mut blank = *block;
    blank[148..156].fill(b' ');
    if number(&block[148..156]) != Some(checksum(&blank).into()) {
        return Err(wrong("the header of a file with its checksum", "something else"));
    }
    if block[156] != b'0' || !is_member(name) {
        return Err(wrong(format!("the files of an index ({FIRST}, segment-…, tombstones-…)"), name));
    }
    let bytes = number(&block[124..136]).ok_or_else(|| wrong("the length of a file", "something else"))?;
    Ok(Member { name: name.to_owned(), bytes })
}

fn checksum(block: &[u8; BLOCK]) -> u32 {
    block.iter().map(|&byte| u32::from(byte)).sum()
}

fn wrong(expected: impl AsRef<str>, found: &str) -> io::Error {
    let found = crate::escape::text(found);
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("expected {} in an exported index, found {found}. Export it again", expected.as_ref()),
    )
}

fn cut(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => wrong("its end", "the end of the file: it was cut short"),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, contents) in files {
            let member = Member { name: (*name).to_owned(), bytes: contents.len() as u64 };
            write(&member, &mut &contents[..], &mut out).unwrap();
        }
        finish(&mut out).unwrap();
        out
    }

    fn files(mut archive: &[u8]) -> io::Result<Vec<(String, Vec<u8>)>> {
        let mut files = Vec::new();
        read(&mut archive, |member, contents| {
            let mut bytes = Vec::new();
            contents.read_to_end(&mut bytes)?;
            files.push((member.name.clone(), bytes));
            Ok(())
        })?;
        Ok(files)
    }

    const SOUND: &[(&str, &[u8])] =
        &[("MANIFEST", b"a manifest"), ("segment-0000000000", &[7; 513]), ("tombstones-1", b"")];

    #[test]
    fn what_is_written_is_read_again() {
        let bytes = archive(SOUND);
        assert!(is_archive(&bytes) && bytes.len().is_multiple_of(BLOCK));
        let found = files(&bytes).unwrap();
        assert!(found.iter().map(|(name, bytes)| (name.as_str(), &bytes[..])).eq(SOUND.iter().copied()));
        let long = Member { name: "segment-1".to_owned(), bytes: 1 << 40 };
        assert_eq!(parse(&header(&long)).unwrap(), long);
    }

    #[test]
    fn what_is_none_or_cut_is_refused() {
        let check = |bytes: &[u8], expected: &str| {
            let error = files(bytes).unwrap_err().to_string();
            assert!(error.contains(expected), "{error} lacks {expected}");
        };
        check(b"", "cut short");
        check(&[0; 1024], "MANIFEST first");
        check(&archive(&[("segment-1", b"x")]), "MANIFEST first");
        check(&archive(&[("MANIFEST", b"x"), ("MANIFEST", b"x")]), "each file once");
        for name in
            ["../MANIFEST", "/etc/passwd", "segment-", "segment-1/../x", "segment-123456789012345678901", "LOCK"]
        {
            check(&archive(&[("MANIFEST", b"x"), (name, b"x")]), "the files of an index");
        }
        let sound = archive(SOUND);
        for length in 0..sound.len() - 2 * BLOCK {
            assert!(files(&sound[..length]).is_err(), "{length} bytes");
        }
        // A header of which one bit is wrong is none.
        for bit in 0..8 * BLOCK {
            let mut bytes = sound.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            // Leading zeros of a number and the filling behind it may be blanks.
            assert!(
                files(&bytes).is_err()
                    || (124..156).contains(&(bit / 8)) && files(&bytes).unwrap() == files(&sound).unwrap(),
                "bit {bit}"
            );
        }
    }
}
