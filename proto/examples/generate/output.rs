//! What the checked-in files should hold, from the `.proto` files beside them. Shared by the program that writes them
//! and by the test that proves them fresh.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

/// The files to compile, below the crate's folder: path = package.
const PROTOS: [&str; 17] = [
    "sayso/device/v1/device.proto",
    "sayso/consent/v1/consent.proto",
    "sayso/audit/v1/audit.proto",
    "sayso/admin/v1/admin.proto",
    "sayso/admin/v1/incidents.proto",
    "sayso/admin/v1/permits.proto",
    "sayso/admin/v1/disclosures.proto",
    "sayso/admin/v1/complaints.proto",
    "sayso/admin/v1/referrals.proto",
    "sayso/peer/v1/peer.proto",
    "sayso/admin/v1/guardians.proto",
    "sayso/admin/v1/statistics.proto",
    "sayso/admin/v1/kept.proto",
    "sayso/admin/v1/tenants.proto",
    "sayso/admin/v1/visits.proto",
    "sayso/admin/v1/keys.proto",
    "sayso/admin/v1/cluster.proto",
];

/// Messages with speech, words of a person or a credential: they get their `Debug` by hand.
const SENSITIVE: [&str; 8] =
    ["AudioPacket", "Hello", "PictureOffer", "PicturePart", "Sentence", "TextInput", "Transcript", "Welcome"];

/// The same of the messages between nodes: keys and values are about people.
const SENSITIVE_OF_PEERS: [&str; 6] = ["Batch", "Entry", "Operation", "Outcome", "Record", "Requirement"];

/// Clients and servers need the gRPC stack; most who use the messages do not.
const SERVICES: &str = r#"#[cfg(feature = "services")]"#;

/// Where the generated files lie, below the crate's folder.
pub(crate) const FOLDER: &str = "src/gen";

/// The generated files of the crate in `root`, by file name: a module a package, and the descriptors.
///
/// # Errors
/// When a `.proto` file is not well formed.
pub(crate) fn files(root: &Path) -> Result<BTreeMap<String, Vec<u8>>, Box<dyn Error>> {
    let mut compiler = protox::Compiler::new([root])?;
    compiler.include_source_info(true).include_imports(true);
    compiler.open_files(PROTOS)?;

    let out = tempfile::tempdir()?;
    let mut config = tonic_prost_build::Config::new();
    config.bytes([".sayso.device.v1.AudioPacket.opus", ".sayso.device.v1.PicturePart.bytes", ".sayso.peer.v1"]);
    let of_devices = SENSITIVE.map(|message| format!(".sayso.device.v1.{message}"));
    let of_peers = SENSITIVE_OF_PEERS.map(|message| format!(".sayso.peer.v1.{message}"));
    config.skip_debug(of_devices.into_iter().chain(of_peers));
    tonic_prost_build::configure()
        .out_dir(out.path())
        .client_mod_attribute(".", SERVICES)
        .server_mod_attribute(".", SERVICES)
        .compile_fds_with_config(compiler.file_descriptor_set(), config)?;

    let mut files = BTreeMap::new();
    for entry in fs::read_dir(out.path())? {
        let entry = entry?;
        files.insert(entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path())?);
    }
    // clients of the reflection service need no comments
    compiler.include_source_info(false);
    files.insert("descriptors.bin".into(), compiler.encode_file_descriptor_set());
    Ok(files)
}
