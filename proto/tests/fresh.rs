//! The checked-in code is what the `.proto` files say.

#[path = "../examples/generate/output.rs"]
mod output;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn generated_code_is_fresh() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join(output::FOLDER);
    let expected = output::files(root).unwrap();

    let found: BTreeSet<String> =
        fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(found, expected.keys().cloned().collect(), "run `cargo run -p sayso-proto --example generate`");
    for (name, content) in expected {
        assert!(
            fs::read(folder.join(&name)).unwrap() == content,
            "{name} is stale: run `cargo run -p sayso-proto --example generate` and commit what it writes"
        );
    }
}
