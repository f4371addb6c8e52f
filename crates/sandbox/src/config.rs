//! What a worker may cost and how it is started.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use minutia_media::{Ffmpeg, Kind};

use crate::worker;

/// The limits of workers. [`Limits`](minutia_media::Limits) of a request are budgets of work and end the same way
/// everywhere; these stand behind them for decoders that break their budget, and may depend on the machine.
#[derive(Clone, Debug)]
pub struct Config {
    /// How a worker is started.
    pub launch: Launch,
    /// Address space of one worker in bytes, and of ffmpeg beside it: program, stack, file and decoder together. The
    /// default of 1 GiB holds a 256 megapixel luma plane with its decoder beside a file of 256 MiB; where the system allows
    /// less, less is used.
    pub address_space_bytes: u64,
    /// Wall time for one source, whatever its size.
    pub deadline: Duration,
    /// Wall time beside that for each MiB of the source: slow media deserve patience.
    pub deadline_per_mib: Duration,
    /// The same of sound, of which a MiB may be many minutes.
    pub sound_deadline_per_mib: Duration,
    /// The same of a film, of which a MiB may be many seconds of pictures.
    pub film_deadline_per_mib: Duration,
    /// A worker is replaced after so many sources, so that one that was taken over can falsify no more than these.
    pub sources_per_worker: u32,
    /// The program that is asked for the pictures of films, and for sound which no decoder of ours can read; `None` for none. The parent starts it, on the
    /// one file, and a worker reads what it writes.
    pub ffmpeg: Option<Ffmpeg>,
}

/// The program that becomes a worker by calling [`worker::run`].
#[derive(Clone, Debug)]
pub struct Launch {
    /// Absolute path of the program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            launch: Launch::default(),
            address_space_bytes: 1 << 30,
            deadline: Duration::from_secs(30),
            deadline_per_mib: Duration::from_millis(250),
            // 12 minutes of sound at 12 kbit/s, which take a second where nothing else runs.
            sound_deadline_per_mib: Duration::from_secs(4),
            // 20 s of film at 400 kbit/s, decoded and fingerprinted at real time, which a busy machine may take.
            film_deadline_per_mib: Duration::from_secs(20),
            sources_per_worker: 1_000,
            ffmpeg: None,
        }
    }
}

impl Default for Launch {
    /// The running program itself, even where its file was replaced or removed since.
    fn default() -> Launch {
        Launch { program: PathBuf::from("/proc/self/exe"), arguments: vec![OsString::from(worker::ARGUMENT)] }
    }
}

impl Config {
    /// Wall time for a source of `len` bytes, at most a year: clocks do not reach beyond all durations.
    pub(crate) fn deadline_for(&self, len: u64, kind: Option<Kind>) -> Duration {
        let per_mib = match kind {
            Some(Kind::Video) => self.film_deadline_per_mib,
            Some(Kind::Audio) => self.sound_deadline_per_mib,
            _ => self.deadline_per_mib,
        };
        let mib = u32::try_from(len >> 20).unwrap_or(u32::MAX);
        let allowed = self.deadline.saturating_add(per_mib.saturating_mul(mib));
        allowed.min(Duration::from_secs(365 * 24 * 60 * 60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_hours_of_speech_have_time_to_be_read() {
        let config = Config::default();
        // At 12 kbit/s 54 MB. An hour takes some 5 s, and a busy machine four times as long.
        let allowed = config.deadline_for(12_000 / 8 * 36_000, Some(Kind::Audio));
        assert!(allowed >= Duration::from_secs(10 * 5 * 4), "{allowed:?}");
        let of = |kind| config.deadline_for(100 << 20, kind);
        assert!(of(None) == of(Some(Kind::Image)) && of(None) < of(Some(Kind::Audio)));
        assert!(of(Some(Kind::Audio)) < of(Some(Kind::Video)));
        assert_eq!(config.deadline_for(0, Some(Kind::Video)), config.deadline);
    }
}
