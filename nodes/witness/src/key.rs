//! `witness key`: the key of a witness. In its file, 64 hexadecimal digits.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use hex::FromHex;
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
    writeln!(file, "{}", hex::encode(seed)).and_then(|()| file.sync_all()).with_context(cannot)?;
    writeln!(std::io::stdout(), "{}", cosigner.verifier()).context("cannot write to standard output")?;
    Ok(ExitCode::SUCCESS)
}

/// Reads the key in `file`.
pub(crate) fn read(file: &Path) -> Result<[u8; 32]> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read the key {}", file.display()))?;
    <[u8; 32]>::from_hex(text.trim()).with_context(|| format!("{} does not hold 64 hexadecimal digits", file.display()))
}
