//! The rooms keep apart: who may name whom, and where words such as `unsafe` and `clap` may stand.

// What is missing in the repository fails the test.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// Per room: what its sources must not contain. The reasons are in ARCHITECTURE.md.
const NEVER: &[(&str, &[&str])] = &[
    ("machine", &["minutia_media", "minutia::", "minutia_sandbox", "minutia_report", "rayon", "serde", "clap"]),
    ("media", &["minutia::", "minutia_machine", "minutia_sandbox", "minutia_report", "clap", "unsafe {", "unsafe fn"]),
    (
        "core",
        &[
            "clap",
            "serde_json",
            "std::process",
            "std::env",
            "SystemTime",
            "Instant::",
            "println!",
            "eprintln!",
            "minutia_sandbox",
            "minutia_report",
            "unsafe {",
            "unsafe fn",
        ],
    ),
    ("sandbox", &["minutia_report", "clap", "unsafe {", "unsafe fn"]),
    ("report", &["minutia_machine", "minutia_sandbox", "clap", "println!", "SystemTime", "unsafe {", "unsafe fn"]),
    ("cli", &["unsafe {", "unsafe fn"]),
];

/// Per room: which other rooms its manifest may name.
const DEPENDS: &[(&str, &[&str])] = &[
    ("machine", &[]),
    ("media", &[]),
    ("core", &["minutia-machine", "minutia-media"]),
    ("sandbox", &["minutia", "minutia-media"]),
    ("report", &["minutia", "minutia-media"]),
    ("cli", &["minutia", "minutia-machine", "minutia-media", "minutia-report", "minutia-sandbox"]),
];

/// Inside core data flows one way: a folder may name those before it, never those after.
const FLOW: &[&str] = &["fingerprint", "index", "search", "verdict", "scan"];

#[test]
fn rooms_never_name_what_they_must_not() {
    let mut seen = 0;
    for (room, words) in NEVER {
        for file in sources(&root().join("crates").join(room).join("src")) {
            seen += 1;
            let text = code_of(&file);
            for word in *words {
                assert!(!text.contains(word), "{}: {room} must not contain `{word}`", file.display());
            }
        }
    }
    assert!(seen > 40, "only {seen} source files met");
}

#[test]
fn rooms_depend_only_backwards() {
    for (room, allowed) in DEPENDS {
        let manifest = fs::read_to_string(root().join("crates").join(room).join("Cargo.toml")).unwrap();
        let section = manifest.split("\n[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
        for line in section.lines().filter(|line| line.starts_with("minutia")) {
            let name = line.split([' ', '.', '=']).next().unwrap();
            assert!(allowed.contains(&name), "{room} must not depend on {name}");
        }
    }
}

#[test]
fn core_imports_only_backwards_along_its_flow() {
    let core = root().join("crates/core/src");
    for (place, folder) in FLOW.iter().enumerate() {
        for file in sources(&core.join(folder)) {
            let text = code_of(&file);
            for later in &FLOW[place + 1..] {
                let word = format!("crate::{later}");
                assert!(!text.contains(&word), "{}: {folder} must not name {later}", file.display());
            }
        }
    }
}

#[test]
fn no_file_has_a_name_that_says_nothing() {
    for file in sources(&root().join("crates")) {
        let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(
            !["common", "utils", "util", "helpers", "helper", "misc", "manager"].contains(&stem.as_str()),
            "{stem}"
        );
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The sources below `folder`, without folders of tests, which may use what they like.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "tests") {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// A file without its comments and without its test module, which may use what it likes.
fn code_of(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let code = text.split("\n#[cfg(test)]").next().unwrap();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}
