//! The pipeline: one thread walks, several measure, and the results are taken in the order of the walk, in batches.
//!
//! The window of entries that are on their way bounds the memory: where one file takes long, the others wait.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::Result;

use crate::measure::{Measured, Measurer};
use crate::walk::Entry;

/// Entries in a batch at most: many queries share a pass over the index.
const LARGEST_BATCH: usize = 64;

/// Measures `entries`, the first of which has the number `first` in its walk, in `threads` threads, each with a measurer of its own, and gives them to `take` in their order. The
/// first batch is one entry, so that the first finding is there at once, and they grow.
///
/// # Errors
/// What `take` answers; then everything is stopped.
pub(crate) fn run(
    entries: impl Iterator<Item = Entry> + Send,
    first: u64,
    threads: usize,
    measurer: impl Fn() -> Measurer + Sync,
    mut take: impl FnMut(Vec<Measured>) -> Result<()>,
) -> Result<()> {
    let (free, frees) = channel();
    for _ in 0..LARGEST_BATCH.max(32 * threads) {
        // The receiver lives: sending cannot fail.
        let _ = free.send(());
    }
    let (work, works) = sync_channel(2 * threads);
    let works = Mutex::new(works);
    let (done, dones) = channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            for (number, entry) in entries.enumerate() {
                if frees.recv().is_err() || work.send((number as u64, entry)).is_err() {
                    break;
                }
            }
        });
        for _ in 0..threads {
            let (works, done, measurer) = (&works, done.clone(), &measurer);
            scope.spawn(move || {
                let mut measurer = measurer();
                while let Some((number, entry)) = next(works) {
                    if done.send((number, measurer.measure(first + number, entry))).is_err() {
                        // Whoever walks must not wait for the others to notice.
                        while next(works).is_some() {}
                    }
                }
            });
        }
        drop(done);
        // Both ends are dropped when this returns, before the threads are waited for: that stops them.
        in_order(dones, free, &mut take)
    })
}

fn next(works: &Mutex<Receiver<(u64, Entry)>>) -> Option<(u64, Entry)> {
    works.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

fn in_order(
    dones: Receiver<(u64, Measured)>,
    free: Sender<()>,
    take: &mut impl FnMut(Vec<Measured>) -> Result<()>,
) -> Result<()> {
    let mut early = BTreeMap::new();
    let (mut next, mut batch_size) = (0_u64, 1);
    while let Ok((number, measured)) = dones.recv() {
        early.insert(number, measured);
        early.extend(dones.try_iter());
        loop {
            let mut batch = Vec::new();
            while batch.len() < batch_size
                && let Some(measured) = early.remove(&next)
            {
                batch.push(measured);
                next += 1;
            }
            if batch.is_empty() {
                break;
            }
            let taken = batch.len();
            take(batch)?;
            batch_size = (2 * batch_size).min(LARGEST_BATCH);
            for _ in 0..taken {
                // Where the walk has ended nobody waits for it.
                let _ = free.send(());
            }
        }
    }
    Ok(())
}
