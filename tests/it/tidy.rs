//! The repository checks itself: who may import whom, how long files are, and what no file may say.
//!
//! Walls between packages come from the manifests; the walls between the modules of `src/` are the table here.

mod imports;
mod paths;
mod texts;

use std::fs;
use std::path::{Path, PathBuf};

/// What holds nothing of ours.
const SKIPPED: [&str; 6] = [".git", ".venv", "node_modules", "sprue-demo", "target", "proptest-regressions"];

/// Longest file. One state machine may stay whole: then it stands in `LONG_FILES` with its reason.
const LINES_MAX: usize = 600;

/// Files above `LINES_MAX`, each with the reason why it is one subject.
const LONG_FILES: &[(&str, &str)] = &[
    ("src/devices/drivers/chitu/session.rs", "one conversation: its state machine stays whole"),
    ("src/devices/drivers/marlin/session.rs", "one conversation: its state machine stays whole"),
    ("src/sim/devices/marlin.rs", "one machine: its state machine stays whole"),
    ("tests/it/profiles.rs", "one table of what is wrong in shop files and profiles"),
];

#[test]
fn modules_import_only_what_their_tier_allows() {
    let mut problems = Vec::new();
    for (path, text) in files("src", "rs") {
        problems.extend(imports::check(&path, &text));
    }
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn every_module_of_src_has_a_row_in_the_table() {
    let mut unknown: Vec<String> = files("src", "rs")
        .iter()
        .filter_map(|(path, _)| imports::tier_of(path))
        .filter(|tier| !imports::is_known(tier))
        .collect();
    unknown.dedup();
    assert!(unknown.is_empty(), "give these modules a row in tests/it/tidy/imports.rs: {unknown:?}");
}

#[test]
fn no_file_names_a_place_or_a_host_that_is_not_the_products() {
    let mut problems = Vec::new();
    for (path, text) in files("", "") {
        problems.extend(texts::check(&path, &text));
    }
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn files_are_about_one_noun_and_not_too_long() {
    let mut problems = Vec::new();
    for (path, text) in files("", "rs") {
        problems.extend(too_long(&path, text.lines().count(), LONG_FILES));
    }
    for (path, _) in LONG_FILES {
        let is_long =
            fs::read_to_string(root().join(path)).is_ok_and(|text| text.lines().count() > LINES_MAX);
        if !is_long {
            problems.push(format!("{path}: no longer above {LINES_MAX} lines, take it off LONG_FILES"));
        }
    }
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn a_file_that_is_too_long_is_reported_unless_it_has_a_reason() {
    let allowed = [("src/a.rs", "one state machine")];
    assert_eq!(too_long("src/a.rs", LINES_MAX + 1, &allowed), None);
    assert_eq!(too_long("src/b.rs", LINES_MAX, &allowed), None);
    let problem = too_long("src/b.rs", LINES_MAX + 1, &allowed).unwrap();
    assert!(problem.starts_with("src/b.rs:601: "), "{problem}");
}

fn too_long(path: &str, lines: usize, allowed: &[(&str, &str)]) -> Option<String> {
    let has_reason = allowed.iter().any(|(long, _)| *long == path);
    (lines > LINES_MAX && !has_reason)
        .then(|| format!("{path}:{lines}: longer than {LINES_MAX} lines; two subjects? Split it"))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every text file under `folder` whose name ends in `.extension` (all, if that is empty), by path, sorted.
fn files(folder: &str, extension: &str) -> Vec<(String, String)> {
    let mut paths = Vec::new();
    walk(&root().join(folder), &mut paths);
    paths.sort();
    paths.retain(|path| extension.is_empty() || path.extension().is_some_and(|found| found == extension));
    paths.iter().filter_map(|path| Some((relative(path), fs::read_to_string(path).ok()?))).collect()
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        let kind = entry.file_type().unwrap();
        if SKIPPED.iter().any(|skipped| name == *skipped) {
            continue;
        }
        if kind.is_dir() {
            walk(&entry.path(), paths);
        } else if kind.is_file() {
            paths.push(entry.path());
        }
    }
}

fn relative(path: &Path) -> String {
    let path = path.strip_prefix(root()).unwrap_or(path);
    path.to_string_lossy().replace('\\', "/")
}
