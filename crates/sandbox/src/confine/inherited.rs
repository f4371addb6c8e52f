//! Descriptors that nobody handed over: whoever started the parent left them open.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::{env, fs, io};

/// The bit of close-on-exec in the octal `flags` line of `/proc/self/fdinfo/N` (`O_CLOEXEC`; see proc(5)).
const CLOSE_ON_EXEC: u32 = 0o2000000;

/// Closes the descriptors above standard error that whoever started the program left open, by starting it again: they
/// have no owner here that could close them, but a new program does not inherit what is marked to be closed.
///
/// # Errors
/// What the system refused.
pub fn close_inherited_descriptors() -> io::Result<()> {
    if !inherits_descriptors()? {
        return Ok(());
    }
    close_fds::set_fds_cloexec(3, &[]);
    Err(Command::new("/proc/self/exe").args(env::args_os().skip(1)).exec())
}

/// At the start of a program whatever is open above standard error was inherited, and is not marked close-on-exec;
/// everything that Rust opens is.
fn inherits_descriptors() -> io::Result<bool> {
    for entry in fs::read_dir("/proc/self/fdinfo")? {
        let entry = entry?;
        if entry.file_name().to_str().and_then(|name| name.parse().ok()).is_none_or(|number: u32| number < 3) {
            continue;
        }
        let info = fs::read_to_string(entry.path())?;
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
        if flags.is_none_or(|flags| flags & CLOSE_ON_EXEC == 0) {
            return Ok(true);
        }
    }
    Ok(false)
}
