//! Hash lists of any bytes: nothing panics, every line that is told lies within the list, what is told is safe to print, and
//! a hash that was read is read again from what is written of it. And archives of any bytes, which never hand out more than
//! they have.
//!
//! `cargo +nightly fuzz run hash_lists -- -max_total_time=60`
#![no_main]

use libfuzzer_sys::fuzz_target;
use minutia::fingerprint::AlgorithmId;
use minutia_report::lists::{Hash, ListedFilm, Read, Reader, header, row, vpdq_line};
use minutia_report::{archive, escape};

fuzz_target!(|data: &[u8]| {
    // Once more behind beginnings that make a table and an array of it.
    for begin in [
        "",
        "hash,id,file,region\n",
        "[{\"hash\":\"\"},\n",
        "algorithm,hash,seconds,frame\nvpdq,",
        "vpdq [",
        "{\"0\":{\"hash\":",
    ] {
        list(&[begin.as_bytes(), data].concat());
    }
    let mut taken = 0;
    let _ = archive::read(&mut &data[..], |_, contents| {
        taken += std::io::copy(contents, &mut std::io::sink())?;
        Ok(())
    });
    assert!(taken <= data.len() as u64);
});

fn list(list: &[u8]) {
    let pdq = AlgorithmId::PDQ.row().expect("pdq is always known");
    let lines = list.iter().filter(|&&byte| byte == b'\n').count() as u64 + 1;
    for read in Reader::new(list, pdq) {
        match read.expect("memory can be read") {
            Read::Hash(hash) => {
                assert!((1..=lines).contains(&hash.line));
                again(&hash, pdq);
            }
            Read::Wrong(wrong) => {
                assert!((1..=lines).contains(&wrong.line));
                assert!(!wrong.message.chars().any(escape::is_unsafe), "{}", wrong.message);
            }
            Read::Film(film) => {
                assert!((1..=lines).contains(&film.line));
                frames(&film);
            }
            Read::Work(_) | Read::Other(_) => {}
        }
    }
}

fn frames(film: &ListedFilm) {
    let list: String = film.frames.iter().map(|frame| vpdq_line(frame) + "\n").collect();
    let pdq = AlgorithmId::PDQ.row().expect("pdq is always known");
    let mut read = 0;
    for (found, frame) in Reader::new(list.as_bytes(), pdq).zip(&film.frames) {
        let Ok(Read::Film(found)) = found else { panic!("{list}") };
        assert_eq!(found.frames, [*frame], "{list}");
        read += 1;
    }
    assert_eq!(read, film.frames.len(), "{list}");
}

fn again(hash: &Hash, pdq: &'static minutia::fingerprint::Algorithm) {
    let list = format!("{}\n{}\n", header(), row(hash));
    let mut read = Reader::new(list.as_bytes(), pdq);
    let Some(Ok(Read::Hash(found))) = read.next() else { panic!("{list}") };
    assert_eq!((found.code, &found.work.id, found.algorithm), (hash.code, &hash.work.id, hash.algorithm), "{list}");
    assert_eq!((found.digest, found.region, found.quality), (hash.digest, hash.region, hash.quality), "{list}");
    assert!(read.next().is_none(), "{list}");
}
