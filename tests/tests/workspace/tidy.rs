//! How files are kept, where neither the compiler nor clippy looks.

use std::path::Path;

use crate::{all_well, read, root, sources};

/// Lines after which a file is asked what second thing lives in it.
const LINES_MAX: usize = 500;

/// Files of the engine that may be longer, each with its reason.
const LONG: [(&str, &str); 0] = [];

/// Signs of work that was put off. Put together here so that this file does not have them.
const UNDONE: [&str; 4] =
    [concat!("to", "do!"), concat!("unimple", "mented!"), concat!("FIX", "ME"), concat!("TO", "DO")];

/// Where a store's waiting has a limit: it counts, by name, what ran out.
const WITHIN: &str = "engine/store-raft/src/within.rs";

/// Everything that we write.
const OURS: [&str; 5] = ["engine", "nodes", "proto", "loadtest", "tests"];

#[test]
fn files_are_short() {
    let files = sources(&["engine", "nodes"]);
    let reason = |file: &Path| LONG.iter().find(|(long, _)| Path::new(long) == file);
    let too_long = files.iter().filter_map(|file| {
        let lines = read(file).lines().count();
        (lines > LINES_MAX && reason(file).is_none()).then(|| {
            format!(
                "{}: {lines} lines, {LINES_MAX} at most: give the second thing in it a file of its own",
                file.display()
            )
        })
    });
    let stale = LONG.iter().filter(|(long, _)| {
        let is_long = files.iter().any(|file| Path::new(long) == file && read(file).lines().count() > LINES_MAX);
        !is_long
    });
    all_well(too_long.chain(stale.map(|(long, _)| format!("{long} is not long: take it off the list"))));
}

#[test]
fn nothing_is_put_off() {
    all_well(sources(&OURS).iter().flat_map(|file| {
        let text = read(file);
        let signs = text.lines().enumerate().filter_map(|(index, line)| {
            let sign = UNDONE.iter().find(|sign| line.contains(**sign))?;
            Some(format!("{}:{}: {sign}: do it, or leave it out", file.display(), index + 1))
        });
        signs.collect::<Vec<_>>()
    }));
}

#[test]
fn what_a_store_waits_for_no_longer_is_counted_by_name() {
    let stores = ["engine/store/src", "engine/store-fdb/src", "engine/store-local/src", "engine/store-raft/src"];
    let (within, elsewhere): (Vec<_>, Vec<_>) =
        sources(&stores).into_iter().partition(|file| file == Path::new(WITHIN));
    assert!(within.iter().any(|file| read(file).contains("timeout(limit")), "{WITHIN} waits no more");
    all_well(elsewhere.iter().flat_map(|file| {
        let text = read(file);
        let is_bare = |line: &str| line.contains("timeout(") && !line.contains("_timeout(");
        let bare = text.lines().enumerate().filter(|(_, line)| is_bare(line));
        let problem = |(index, _)| {
            format!("{}:{}: use `within` of {WITHIN}, so that it is seen when this runs out", file.display(), index + 1)
        };
        bare.map(problem).collect::<Vec<_>>()
    }));
}

#[test]
fn modules_are_named_by_their_files() {
    let named_mod = sources(&OURS).into_iter().filter(|file| file.file_name().is_some_and(|name| name == "mod.rs"));
    all_well(named_mod.map(|file| {
        let folder = file.parent().expect("a file lies in a folder").display();
        format!("{}: call it {folder}.rs, so that a list of open files says which module each is", file.display())
    }));
}

#[test]
fn every_crate_begins_with_what_it_is() {
    let crates = std::fs::read_dir(root().join("engine")).expect("the engine can be read");
    all_well(crates.filter_map(|folder| {
        let name = folder.expect("the engine can be read").file_name();
        let lib = Path::new("engine").join(name).join("src/lib.rs");
        let documented = read(&lib).starts_with("//! ");
        (!documented).then(|| format!("{}: begin with a `//!` line that says what the crate is", lib.display()))
    }));
}
