//! Who may depend on whom: the architecture's invariants, as far as Cargo can see them. ARCHITECTURE.md has the reasons.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, TargetKind};

use crate::{all_well, root};

/// Crates that hold contracts and pure logic.
const CORES: [&str; 6] = ["sayso-types", "sayso-wire", "sayso-audio", "sayso-policy", "sayso-audit", "sayso-session"];

/// What runs tasks or moves bytes.
const RUNTIMES: [&str; 5] = ["tokio", "quinn", "hyper", "tonic", "ractor"];

/// What stands behind the trait `session::Sessions`, which is all that a gateway knows.
const BEHIND_SESSIONS: [&str; 5] = ["ractor", "sayso-store", "sayso-provider", "sayso-consent", "sayso-session-actor"];

/// Backends, one of several that keep a contract.
const BACKENDS: [&str; 6] = [
    "sayso-store-local",
    "sayso-store-raft",
    "sayso-store-fdb",
    "sayso-provider-local",
    "sayso-provider-openai",
    "sayso-vault-transit",
];

/// Backends that are built on another.
const BUILT_ON: [(&str, &str); 1] = [("sayso-store-raft", "sayso-store-local")];

/// Takes the place of a library that is not there when tests are run, and is found by the linker alone.
const STAND_IN: &str = "sayso-store-fdb-stand-in";

/// Foreign libraries, each with the crates that may name it and the reason.
const OWNED: [(&str, &[&str], &str); 13] = [
    ("ractor", &["sayso-session-actor"], "only session-actor runs actors; others know the trait session::Sessions"),
    ("ogg", &["sayso-audio"], "only audio owns the container of recordings"),
    ("opus", &["sayso-audio", "sayso-loadtest"], "only audio owns the codec; loadtest measures the bare part"),
    ("webrtc-vad", &["sayso-audio", "sayso-loadtest"], "only audio owns the detector; loadtest measures the bare part"),
    (
        "quinn",
        &["sayso-gateway", "sayso-device", "sayso-store-raft", "sayso-cluster", "sayso-loadtest", "sayso-tests"],
        "the gateway, peer links and clients speak QUIC; others use sayso-device or the trait session::Sessions",
    ),
    (
        "hyper-rustls",
        &["sayso-vault-transit", "sayso"],
        "it passes no gate: only what is about nobody may go over it, and what an operator backs up",
    ),
    (
        "hyper",
        &["sayso-provider-openai", "sayso-http", "sayso-loadtest"],
        "connections to processors belong to providers, behind the gate; witnesses are shown hashes, of nobody, and public \
         pages are for everybody; the load test is a processor",
    ),
    (
        "tokio-tungstenite",
        &["sayso-provider-openai", "sayso", "sayso-loadtest"],
        "connections to processors belong to providers, behind the gate; tests and the load test are processors",
    ),
    ("whisper-rs", &["sayso-provider-local"], "models run in provider-local"),
    (
        "chacha20poly1305",
        &["sayso-vault", "sayso-loadtest"],
        "only the vault seals; others hand it what is to be sealed, and the load test measures beside it",
    ),
    ("lsm-tree", &["sayso-store-local"], "nothing above the store knows its engine"),
    ("foundationdb", &["sayso-store-fdb"], "nothing above the store knows which backend runs"),
    ("openraft", &["sayso-store-raft"], "nothing above the store knows how it replicates"),
];

fn workspace() -> Metadata {
    let mut command = MetadataCommand::new();
    // manifests only: nothing is resolved, so nothing is looked for on the network
    command.manifest_path(root().join("Cargo.toml")).no_deps();
    command.exec().expect("cargo reads the workspace")
}

/// Where a crate lies in the workspace.
fn folder(package: &Package) -> PathBuf {
    let folder = package.manifest_path.parent().expect("a manifest lies in a folder");
    folder.as_std_path().strip_prefix(root()).expect("a member lies in the workspace").to_owned()
}

/// Crates that a crate's manifest names for its library or program, without those for its tests.
fn named(package: &Package) -> impl Iterator<Item = &str> {
    package.dependencies.iter().filter(|d| d.kind != DependencyKind::Development).map(|d| d.name.as_str())
}

/// Whether a crate puts parts together, or looks at all of them.
fn composes(package: &Package) -> bool {
    let folder = folder(package);
    folder.starts_with("nodes") || folder == Path::new("loadtest") || folder == Path::new("tests")
}

/// Every crate that is linked into `name`'s library, with the features that `name` asks for and no others.
fn linked(name: &str) -> BTreeSet<String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root()).args(["tree", "--offline", "--package", name]);
    command.args(["--edges", "normal", "--prefix", "none", "--format", "{p}"]);
    let output = command.output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("names are text");
    let linked: BTreeSet<_> = lines.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    assert!(linked.contains(name), "cargo tree does not show {name}: {lines}");
    linked
}

/// What `name` links of `forbidden`: a crate, or one of its family (`sayso-store`, `sayso-store-local`).
fn forbidden_in(name: &str, forbidden: &[&str]) -> Vec<String> {
    let family = |found: &str, one: &str| found == one || found.strip_prefix(one).is_some_and(|f| f.starts_with('-'));
    linked(name).into_iter().filter(|found| forbidden.iter().any(|one| family(found, one))).collect()
}

#[test]
fn cores_know_no_runtime() {
    all_well(CORES.iter().flat_map(|core| {
        forbidden_in(core, &RUNTIMES).into_iter().map(move |found| {
            format!(
                "{core} links {found}: a core does no I/O and spawns nothing; move what needs it into the crate that \
                 runs it (see `cargo tree -p {core} -e normal -i {found}`)"
            )
        })
    }));
}

#[test]
fn the_gateway_knows_only_sessions() {
    all_well(forbidden_in("sayso-gateway", &BEHIND_SESSIONS).into_iter().map(|found| {
        format!(
            "sayso-gateway links {found}: it may know the trait session::Sessions and nothing behind it (see `cargo \
             tree -p sayso-gateway -e normal -i {found}`)"
        )
    }));
}

#[test]
fn only_composition_roots_name_backends() {
    let workspace = workspace();
    let packages = workspace.workspace_packages();
    all_well(packages.iter().filter(|package| !composes(package)).flat_map(|package| {
        let builds_on = |name: &&str| BUILT_ON.contains(&(package.name.as_str(), *name));
        named(package).filter(|name| BACKENDS.contains(name)).filter(move |name| !builds_on(name)).map(|backend| {
            format!(
                "{} names {backend}: depend on the contract (sayso-store, sayso-provider) and let nodes/* choose; for \
                 tests it may be a dev-dependency",
                package.name
            )
        })
    }));
}

#[test]
fn foreign_libraries_have_one_owner() {
    let workspace = workspace();
    let packages = workspace.workspace_packages();
    all_well(OWNED.iter().flat_map(|(library, owners, reason)| {
        let strangers = packages.iter().filter(|p| !owners.contains(&p.name.as_str()));
        let naming = strangers.filter(|p| named(p).any(|name| name == *library));
        naming.map(move |p| format!("{} names {library}: {reason}; remove the dependency", p.name))
    }));
}

#[test]
fn nobody_is_built_with_a_stand_in() {
    let workspace = workspace();
    let packages = workspace.workspace_packages();
    assert!(packages.iter().any(|package| package.name.as_str() == STAND_IN), "the test looks for the wrong name");
    let naming = packages.iter().filter(|package| package.dependencies.iter().any(|d| d.name == STAND_IN));
    all_well(naming.map(|package| format!("{} names {STAND_IN}: only .ci/fdb-stand-in may link it", package.name)));
}

#[test]
fn nobody_is_built_with_a_mutant() {
    let is_mutant = |feature: &str| {
        let name = feature.rsplit('/').next().unwrap_or(feature);
        name == "mutants" || name.starts_with("mutant-")
    };
    let (workspace, mut mutants) = (workspace(), 0);
    let packages = workspace.workspace_packages();
    all_well(packages.into_iter().flat_map(|package| {
        // a mutant may ask for what it needs
        let (own, others): (Vec<_>, Vec<_>) = package.features.iter().partition(|(name, _)| is_mutant(name));
        mutants += own.len();
        let by_feature = others.into_iter().flat_map(|(_, asked)| asked);
        let by_dependency = package.dependencies.iter().flat_map(|dependency| &dependency.features);
        let asked = by_feature.chain(by_dependency).filter(|feature| is_mutant(feature));
        let problem =
            |mutant: &String| format!("{} asks for {mutant}: only .ci/mutants may, for a test run", package.name);
        asked.map(problem).collect::<Vec<_>>()
    }));
    assert_eq!(
        mutants, 9,
        "seven mutants, one of them in two places, and what they need: the test looks for the wrong names"
    );
}

#[test]
fn the_engine_has_no_program_and_nodes_have_nothing_else() {
    let workspace = workspace();
    all_well(workspace.workspace_packages().into_iter().filter_map(|package| {
        let is = |kind| package.targets.iter().any(|target| target.kind.contains(&kind));
        let folder = folder(package);
        match (folder.starts_with("engine"), folder.starts_with("nodes")) {
            (true, _) if is(TargetKind::Bin) => {
                Some(format!("{} has a program: programs live in nodes/", package.name))
            }
            (_, true) if is(TargetKind::Lib) => {
                Some(format!("{} has a library: what others use lives in engine/", package.name))
            }
            (_, true) if !is(TargetKind::Bin) => Some(format!("{} has no program", package.name)),
            _ => None,
        }
    }));
}

#[test]
fn a_crate_is_named_as_its_folder() {
    let workspace = workspace();
    all_well(workspace.workspace_packages().into_iter().filter_map(|package| {
        let folder = folder(package);
        let last = folder.file_name().expect("a folder has a name").to_string_lossy();
        // a program is called what people type
        let expected = if folder.starts_with("nodes") { last.to_string() } else { format!("sayso-{last}") };
        let name = &package.name;
        (name.as_str() != expected).then(|| format!("{}: the crate {name} must be called {expected}", folder.display()))
    }));
}

#[test]
fn every_crate_says_what_it_is_and_takes_the_lints() {
    let workspace = workspace();
    all_well(workspace.workspace_packages().into_iter().flat_map(|package| {
        let manifest = std::fs::read_to_string(&package.manifest_path).expect("a manifest can be read");
        let described = package.description.as_deref().is_some_and(|d| !d.trim().is_empty());
        let linted = manifest.contains("[lints]\nworkspace = true\n");
        let missing = [
            (!described, "a description: say in a line what it is"),
            (!linted, "`[lints]` with `workspace = true`: one set of lints holds for all"),
        ];
        let name = &package.name;
        missing.into_iter().filter(|(is_missing, _)| *is_missing).map(move |(_, what)| format!("{name} lacks {what}"))
    }));
}
