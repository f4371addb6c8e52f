//! A process between the parent and a program that decodes: it confines itself and then becomes the program.
//!
//! What a process may do can only be taken away by itself, and the program does not know how; but limits, Landlock and
//! seccomp outlast the start of another program. So the parent starts its own program once more, with the program and
//! its arguments behind [`worker::ARGUMENT`](crate::worker::ARGUMENT).

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::Launch;
use crate::confine::landlock::Admitted;
use crate::confine::{Confinement, close_inherited_descriptors, confine_program};

/// How the launcher ends when it cannot confine itself or start the program. The program itself is never seen then.
pub(crate) const FAILED: u8 = 125;

/// Instead of a program: confine, tell how, and end.
const TELL: &str = "tell";

/// Where programs have their libraries; what is not there is passed over. Reading them is allowed, not listing them.
const LIBRARIES: &[&str] = &[
    "/lib",
    "/lib32",
    "/lib64",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/local/lib64",
    "/etc/ld.so.cache",
    "/etc/ld.so.preload",
    "/nix/store",
    "/gnu/store",
];

/// What links a program to its libraries, and is started in its place: `ld-linux-x86-64.so.2`, `ld-musl-aarch64.so.1`.
const LINKERS: &[&str] = &["/lib", "/lib64", "/usr/lib", "/usr/lib64"];

/// What a program may cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) address_space_bytes: u64,
    pub(crate) cpu_seconds: u64,
}

/// `command`, to be run by a launcher: the same program and arguments, no environment. Input and output are for the caller
/// to set.
pub(crate) fn confined(launch: &Launch, cost: Cost, command: &Command) -> Command {
    let mut launcher = launcher(launch, cost);
    launcher.arg(command.get_program()).args(command.get_args());
    launcher
}

/// A launcher that starts nothing and tells what would have confined it.
pub(crate) fn tell(launch: &Launch, cost: Cost) -> Command {
    let mut launcher = launcher(launch, cost);
    launcher.arg(TELL);
    launcher
}

fn launcher(launch: &Launch, cost: Cost) -> Command {
    let mut command = Command::new(&launch.program);
    command
        .args(&launch.arguments)
        .args([cost.address_space_bytes.to_string(), cost.cpu_seconds.to_string()])
        .env_clear()
        .current_dir("/");
    command
}

/// What a launcher that was to tell has told.
pub(crate) fn told(answer: &[u8]) -> Option<Confinement> {
    postcard::from_bytes(answer).ok()
}

/// Becomes the program. Returns only where it cannot.
pub(crate) fn run(arguments: &[OsString]) -> ExitCode {
    match become_program(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::from(FAILED)
        }
    }
}

fn become_program(arguments: &[OsString]) -> io::Result<()> {
    let [address_space_bytes, cpu_seconds, program, arguments @ ..] = arguments else {
        return Err(io::Error::other("expected limits and a program"));
    };
    close_inherited_descriptors()?;
    let number =
        |text: &OsStr| text.to_str().and_then(|text| text.parse().ok()).ok_or_else(|| io::Error::other("a limit"));
    let program = Path::new(program);
    let admitted = admitted(program);
    let confinement = confine_program(number(address_space_bytes)?, number(cpu_seconds)?, &admitted)?;
    if program == Path::new(TELL) {
        let answer = postcard::to_stdvec(&confinement).map_err(io::Error::other)?;
        return io::stdout().write_all(&answer);
    }
    Err(Command::new(program).args(arguments).exec())
}

/// What a program needs to be started, and the file that it is to read.
fn admitted(program: &Path) -> Vec<Admitted> {
    let mut admitted: Vec<Admitted> = LIBRARIES.iter().map(|path| Admitted::Read(PathBuf::from(path))).collect();
    // Where it is in truth: a package may keep its libraries beside it.
    if let Ok(real) = fs::canonicalize(program) {
        admitted.extend(real.parent().and_then(Path::parent).map(|folder| Admitted::Read(folder.join("lib"))));
        admitted.push(Admitted::Run(real));
    }
    let linkers = LINKERS.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    let linkers = linkers.filter(|entry| is_linker(&entry.file_name()));
    admitted.extend(linkers.map(|entry| Admitted::Run(entry.path())));
    admitted.push(Admitted::Input);
    admitted
}

fn is_linker(name: &OsStr) -> bool {
    let name = name.as_bytes();
    [&b"ld-linux"[..], b"ld-musl", b"ld64.so"].iter().any(|start| name.starts_with(start))
}
