//! `witness key`: the key of a witness. In its file, 64 hexadecimal digits.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use sayso_audit::Cosigner;

use crate::cli::KeyArgs;

/// Only its owner reads a file with a key.
const SECRET: u32 = 0o600;

pub(crate) fn run(args: &KeyArgs) -> Result<ExitCode> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).context("the operating system gives no random bytes")?;
    let cosigner = Cosigner::new(&args.name, &seed)?;
    let cannot = || format!("cannot write {}", args.out.display());
    let mut file = OpenOptions::new().write(true).create_new(true).mode(SECRET).open(&args.out).with_context(cannot)?;
    let digits: String = seed.iter().map(|byte| format!("{byte:02x}")).collect();
    writeln!(file, "{digits}").and_then(|()| file.sync_all()).with_context(cannot)?;
    writeln!(std::io::stdout(), "{}", cosigner.verifier()).context("cannot write to standard output")?;
    Ok(ExitCode::SUCCESS)
}

/// Reads the key in `file`.
pub(crate) fn read(file: &Path) -> Result<[u8; 32]> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read the key {}", file.display()))?;
    decode(text.trim()).with_context(|| format!("{} does not hold 64 hexadecimal digits", file.display()))
}

fn decode(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut seed = [0; 32];
    for (i, byte) in seed.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_64_hexadecimal_digits() {
        assert_eq!(decode(&"0A".repeat(32)), Some([10; 32]));
        for text in ["", "0a", &"0g".repeat(32), &"ä".repeat(32)] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
