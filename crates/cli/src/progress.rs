//! Progress on a terminal: files, bytes, rate and time left. Nothing where standard error is no terminal.

use std::io::{IsTerminal, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::settings::Roots;
use crate::walk::{Met, Resolution, Walk};

/// A line that tells how far a walk has come.
pub(crate) struct Progress {
    bar: ProgressBar,
    files: u64,
    /// How many files had findings, and the name of the last of them.
    found: u64,
    last: String,
    total: Arc<Total>,
}

/// A bar over so many of `what`.
pub(crate) fn counted(count: u64, what: &str) -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(count);
    bar.set_style(style(&format!("{{spinner}} {{pos}} of {{len}} {what} ({{eta}} left)")));
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

/// A word on what takes a while.
pub(crate) fn waiting(message: String) -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner().with_message(message);
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

/// What a walk ahead counts.
#[derive(Default)]
struct Total {
    files: AtomicU64,
    counted: AtomicBool,
    given_up: AtomicBool,
}

impl Progress {
    /// Progress over `roots`. On a terminal they are counted meanwhile, without opening a file.
    pub(crate) fn over(roots: &Roots, resolution: Resolution) -> Progress {
        let total = Arc::new(Total::default());
        if !stderr().is_terminal() {
            return Progress { bar: ProgressBar::hidden(), files: 0, found: 0, last: String::new(), total };
        }
        let bar = ProgressBar::new(0);
        bar.set_style(style("{spinner} {msg}, {bytes} ({bytes_per_sec})"));
        bar.enable_steady_tick(Duration::from_millis(250));
        let (walk, shared, counted) = (Walk::new(&roots.paths, resolution), Arc::clone(&total), bar.clone());
        thread::spawn(move || count(walk, &shared, &counted));
        Progress { bar, files: 0, found: 0, last: String::new(), total }
    }

    /// One more file of so many bytes.
    pub(crate) fn add(&mut self, bytes: u64) {
        self.files += 1;
        if self.bar.is_hidden() {
            return;
        }
        self.bar.inc(bytes);
        let of = match self.total.counted.load(Ordering::Acquire) {
            true => format!(" of {}", self.total.files.load(Ordering::Acquire)),
            false => String::new(),
        };
        let found = match self.found {
            0 => String::new(),
            found => format!(", {found} with findings, the last {}", self.last),
        };
        self.bar.set_message(format!("{}{of} files{found}", self.files));
    }

    /// The same files once more.
    pub(crate) fn again(&mut self) {
        (self.files, self.found) = (0, 0);
        self.bar.set_position(0);
    }

    /// A file had findings; its name, fit for a terminal.
    pub(crate) fn found(&mut self, name: String) {
        self.found += 1;
        self.last = name;
    }

    /// Prints something while the progress is out of the way.
    pub(crate) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.total.given_up.store(true, Ordering::Release);
        self.bar.finish_and_clear();
    }
}

fn count(mut walk: Walk, total: &Total, bar: &ProgressBar) {
    let (mut files, mut bytes) = (0, 0_u64);
    while let Some(entry) = walk.pass() {
        if total.given_up.load(Ordering::Acquire) {
            return;
        }
        files += 1;
        if let Met::Passed(size) = entry.met {
            bytes = bytes.saturating_add(size);
        }
    }
    total.files.store(files, Ordering::Release);
    total.counted.store(true, Ordering::Release);
    bar.set_length(bytes);
    bar.set_style(style("{bar:24} {msg}, {bytes} of {total_bytes} ({bytes_per_sec}), {eta} left"));
}

fn style(template: &str) -> ProgressStyle {
    // A test shows that both templates are understood.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
