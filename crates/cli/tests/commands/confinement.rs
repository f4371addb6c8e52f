//! What confines decoding, as commands tell it; also where a kernel or a container offers less.

use std::thread;

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter};
use serde_json::Value;

use crate::evidence::{Folder, Ran, minutia};

const SCAN: &[&str] = &["scan", "evidence", "--index", "works.idx", "--json"];

#[test]
fn doctor_and_records_say_the_same_of_confinement() {
    let folder = Folder::with_index();
    let doctor = minutia(&folder, &["doctor"]).ends(0).out;
    let scan = minutia(&folder, &["scan", "works", "--index", "works.idx", "--json"]).json();
    let reading = &scan.last().unwrap()["run"]["reading"];
    let mut confined = doctor.lines().filter_map(|line| line.strip_prefix("confined by"));
    for confinement in [&reading["confinement"], &reading["ffmpeg"]["confinement"]] {
        if confinement.is_null() {
            continue;
        }
        let says = confined.next().unwrap();
        for barrier in ["limits", "landlock", "seccomp"] {
            assert!(says.contains(confinement[barrier].as_str().unwrap()), "{says}: {confinement}");
        }
    }
    assert_eq!(confined.next(), None);
}

#[test]
fn a_scan_goes_on_without_barriers_and_says_so() {
    let folder = Folder::with_index();
    folder.picture("evidence/copy.jpg", 0);
    folder.write("evidence/cut.png", b"\x89PNG\r\n\x1a\n");
    let whole = minutia(&folder, SCAN).ends(2);
    let bare = without_barriers(|| minutia(&folder, SCAN)).ends(2);
    bare.clone().says(&["not confined by Landlock", "not confined by seccomp"]);
    let reading = reading(&bare);
    for barrier in ["landlock", "seccomp"] {
        let told = reading["confinement"][barrier].as_str().unwrap();
        assert!(told.starts_with("not available: "), "{reading}");
        let ffmpeg = &reading["ffmpeg"];
        assert!(ffmpeg.is_null() || ffmpeg["confinement"][barrier] == told, "{reading}");
    }
    assert_eq!(reading["confinement"]["limits"], "in force");
    // Nothing else differs.
    assert_eq!(items(&bare), items(&whole));
    for barrier in ["landlock", "seccomp"] {
        let told = self::reading(&whole)["confinement"][barrier].as_str().unwrap().to_owned();
        let name = if barrier == "landlock" { "Landlock" } else { barrier };
        assert_eq!(told.starts_with("not available"), whole.err.contains(&format!("not confined by {name}")), "{told}");
        if told.starts_with("not available") {
            println!("a_scan_goes_on_without_barriers_and_says_so: not run with {barrier} ({told})");
        }
    }
}

/// Runs it as where the kernel has no Landlock and a container forbids seccomp: for this thread and what it starts.
fn without_barriers<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    let hide = |call, errno: i32| {
        let here = TargetArch::try_from(std::env::consts::ARCH).unwrap();
        let rules = [(call, Vec::new())].into_iter().collect();
        let filter = SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(errno as u32), here);
        apply_filter(&BpfProgram::try_from(filter.unwrap()).unwrap()).unwrap();
    };
    let hidden = || {
        hide(libc::SYS_landlock_create_ruleset, libc::ENOSYS);
        hide(libc::SYS_seccomp, libc::EPERM);
        run()
    };
    thread::scope(|scope| scope.spawn(hidden).join().unwrap())
}

fn reading(ran: &Ran) -> Value {
    ran.json().last().unwrap()["run"]["reading"].clone()
}

/// The items without the chain, which starts from the settings.
fn items(ran: &Ran) -> Vec<Value> {
    let records = ran.json().into_iter().filter(|record| record["record"] == "item");
    let unchained = |mut record: Value| {
        record.as_object_mut().unwrap().remove("previous");
        record
    };
    records.map(unchained).collect()
}
