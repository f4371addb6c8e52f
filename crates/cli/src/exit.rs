//! How the command ends: 0 nothing found, 1 a copy of a work with the policy `infringing`, 2 could not run, or something
//! could not be examined.

use std::io;
use std::process::ExitCode;

/// How a command that ran ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything was done, and nothing was found.
    Nothing,
    /// A copy of a work with the policy `infringing` was found.
    Found,
    /// Something could not be examined or done.
    Unexamined,
}

impl Exit {
    /// The exit of this number, as summaries carry it.
    pub(crate) fn of(code: u8) -> Exit {
        match code {
            0 => Exit::Nothing,
            1 => Exit::Found,
            _ => Exit::Unexamined,
        }
    }

    /// The number that the shell gets.
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Nothing => 0,
            Exit::Found => 1,
            Exit::Unexamined => 2,
        }
    }
}

/// The exit code of a command, with its error on standard error.
pub(crate) fn of(ended: anyhow::Result<Exit>) -> ExitCode {
    match ended {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(error) => {
            // A reader that went away (`minutia scan … | head`) knows why, and needs no message.
            if !is_broken_pipe(&error) {
                let message = format!("{error:#}");
                // A message quotes names; its own line breaks are ours.
                let lines: Vec<String> = message.lines().map(shown).collect();
                anstream::eprintln!("minutia: {}", lines.join("\n"));
            }
            ExitCode::from(Exit::Unexamined.code())
        }
    }
}

/// The exit code of what `clap` answers: help and version are no errors.
pub(crate) fn of_usage(error: &clap::Error) -> ExitCode {
    // Nothing is left to be told where not even this can be printed.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { Exit::Unexamined.code() } else { Exit::Nothing.code() })
}

/// True where the reader of standard output has gone.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe))
}

/// Like `escape::text`, but a backslash stays one: messages hold escaped names already.
fn shown(line: &str) -> String {
    let escaped =
        |c: char| if minutia_report::escape::is_unsafe(c) { c.escape_default().to_string() } else { c.to_string() };
    line.chars().map(escaped).collect()
}
