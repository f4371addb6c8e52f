//! Kernels and containers that offer less: a filter of the test's own hides the calls, as theirs do.

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use minutia_sandbox::Barrier;
use rustix::process::getuid;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter};

use crate::confined::answer;
use crate::{
    ends_a_crash_as_one_problem, kills_at_the_deadline, kills_what_a_worker_started, quick, reads_as_in_process,
};

/// Starts this program where the barriers that are named behind it are hidden.
pub(crate) const WITHOUT: &str = "--without";

/// Behind the names: they are hidden now.
const HIDDEN: &str = "hidden";

pub(crate) fn goes_on_where_the_kernel_offers_less() {
    let offered = quick().confinement().unwrap();
    for (hidden, barriers) in
        [(&["landlock"][..], (false, true)), (&["seccomp"], (true, false)), (&["landlock", "seccomp"], (false, false))]
    {
        if hidden == ["seccomp"] && !offered.landlock.holds() || hidden == ["landlock"] && !offered.seccomp.holds() {
            println!("goes_on_where_the_kernel_offers_less: not run without {hidden:?} (the other is missing here)");
            continue;
        }
        let status = Command::new("/proc/self/exe").arg(WITHOUT).args(hidden).status().unwrap();
        assert!(status.success(), "without {hidden:?}: {status} {barriers:?}");
    }
}

/// Hides them, then holds what is left to what it promises.
pub(crate) fn run_without(names: &[String]) -> ExitCode {
    if names.last().is_some_and(|last| last == HIDDEN) {
        let has = |name: &str| names.iter().any(|other| other == name);
        left(!has("landlock"), !has("seccomp"));
        return ExitCode::SUCCESS;
    }
    for name in names {
        let (calls, errno): (&[i64], i32) = match name.as_str() {
            "landlock" => (&[libc::SYS_landlock_create_ruleset, libc::SYS_landlock_restrict_self], libc::ENOSYS),
            _ => (&[libc::SYS_seccomp], libc::EPERM),
        };
        hide(calls, errno);
    }
    let error = Command::new("/proc/self/exe").arg(WITHOUT).args(names).arg(HIDDEN).exec();
    panic!("{error}");
}

fn hide(calls: &[i64], errno: i32) {
    let rules: BTreeMap<_, _> = calls.iter().map(|&call| (call, Vec::new())).collect();
    let here = TargetArch::try_from(std::env::consts::ARCH).unwrap();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(errno as u32), here).unwrap();
    apply_filter(&BpfProgram::try_from(filter).unwrap()).unwrap();
}

fn left(landlock: bool, seccomp: bool) {
    let confinement = quick().confinement().unwrap();
    let stands = (confinement.landlock.holds(), confinement.seccomp.holds());
    assert_eq!(stands, (landlock, seccomp), "{confinement:?}");
    for barrier in [&confinement.landlock, &confinement.seccomp] {
        if let Barrier::Missing { why } = barrier {
            assert!(!why.is_empty() && barrier.to_string().starts_with("not available: "), "{barrier}");
        }
    }
    assert!(confinement.process_limits);
    // Whatever is missing: it reads, and what goes wrong is one problem.
    reads_as_in_process();
    ends_a_crash_as_one_problem();
    kills_at_the_deadline();
    let root = getuid().is_root();
    match (landlock, seccomp) {
        (false, true) => {
            assert_eq!(answer("read /etc/passwd"), "error 13");
            assert!(answer("become /bin/true").starts_with("killed by SIGSYS"));
        }
        (true, false) => {
            assert_eq!(answer("read /etc/passwd"), "error 13");
            assert_eq!(answer("list /"), "error 13");
            assert_eq!(answer("create /tmp/minutia-was-here"), "error 13");
            assert_eq!(answer("become /bin/true"), "error 13");
            // Of processes the limit is left, which does not count root's.
            let started = answer("thread");
            assert!(if root { started == "done" } else { started == "error 11" }, "{started}");
        }
        (false, false) => {
            // Nothing but limits: the test that this test can see a difference.
            assert_eq!(answer("read /etc/passwd"), "done");
            assert_eq!(answer("raise-limit"), "error 1", "no capability is left");
            if root {
                kills_what_a_worker_started();
            }
        }
        (true, true) => panic!("nothing is hidden"),
    }
}

/// Runs the other tests once more as somebody else.
pub(crate) fn confines_a_user_who_is_not_root() {
    let setpriv = ["/usr/bin/setpriv", "/bin/setpriv"].map(PathBuf::from).into_iter().find(|path| path.is_file());
    let (true, Some(setpriv)) = (getuid().is_root(), setpriv) else {
        println!("confines_a_user_who_is_not_root: not run (needs root and setpriv)");
        return;
    };
    // A copy where everybody may start it.
    let folder = tempfile::Builder::new().prefix("minutia-worker").tempdir_in("/tmp").unwrap();
    let program = folder.path().join("worker");
    std::fs::copy("/proc/self/exe", &program).unwrap();
    let readable = |path: &Path| {
        let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(path, everybody).unwrap();
    };
    readable(folder.path());
    readable(&program);
    for tests in ["confined", "kernel"] {
        let names: &[&str] = match tests {
            "confined" => {
                &["reads_as_in_process", "reaches_no_name", "dies_of_a_call", "writes_no_file", "names_the_limit"]
            }
            _ => &["goes_on_where_the_kernel_offers_less", "starts_programs_confined"],
        };
        let status = Command::new(&setpriv)
            .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
            .arg(&program)
            .args(names)
            .env("TMPDIR", "/tmp")
            .current_dir("/")
            .status()
            .unwrap();
        assert!(status.success(), "{names:?}: {status}");
    }
}
