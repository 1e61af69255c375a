//! What must hold of the sources as a whole: who may depend on whom, and how files are kept.

mod clauses;
mod events;
mod layering;
mod tidy;

use std::path::{Path, PathBuf};

/// The directory of the workspace.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate is a folder of the workspace")
}

/// Fails with everything that is wrong at once, so that it can be mended at once.
fn all_well(problems: impl IntoIterator<Item = String>) {
    let problems: Vec<_> = problems.into_iter().collect();
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

/// Every Rust file below the folders `roots`, relative to the workspace, but what is built, generated or somebody else's.
fn sources(roots: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left: Vec<_> = roots.iter().map(PathBuf::from).collect();
    while let Some(dir) = left.pop() {
        for entry in std::fs::read_dir(root().join(&dir)).expect("a folder of the workspace can be read") {
            let entry = entry.expect("a folder of the workspace can be read");
            let path = dir.join(entry.file_name());
            let name = entry.file_name();
            if entry.file_type().expect("an entry has a type").is_dir() {
                if name != "target" && name != "gen" {
                    left.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "{roots:?} hold no sources: the test looks in the wrong place");
    found.sort();
    found
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(root().join(file)).expect("a source file can be read")
}
