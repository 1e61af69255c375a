//! `sayso policy key`, `sign` and `verify`: who put a profile in force.
//!
//! A signature is a C2SP signed note beside the profile, `FILE.sig`: its text names the profile, the revision and the hash
//! of all that it says, so that a signature holds for that one revision and whatever file it is written in.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use hex::FromHex;
use sayso_audit::{NoteError, Signer, VerifierKey, note};
use sayso_policy::Profile;
use sayso_types::Redacted;
use serde_json::json;

use super::{ProfileFile, file};
use crate::cli::{KeyArgs, SignArgs, VerifyProfileArgs};
use crate::output;

/// Only its owner reads a key.
const SECRET: u32 = 0o600;

/// Where the signature of the profile in `file` lies.
pub(crate) fn signature_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".sig");
    name.into()
}

/// `key`: makes one, and prints its public part.
pub(super) fn key(args: &KeyArgs, json: bool) -> Result<bool> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).context("the operating system gives no random bytes")?;
    let seed = Redacted::new(seed);
    let verifier = Signer::new(&args.name, seed.reveal())?.verifier().to_string();
    let cannot = || format!("cannot write {}", args.out.display());
    let mut file = OpenOptions::new().write(true).create_new(true).mode(SECRET).open(&args.out).with_context(cannot)?;
    writeln!(file, "{} {}", args.name, hex::encode(seed.reveal())).with_context(cannot)?;
    if json {
        output::line(json!({ "key": verifier }))?
    } else {
        output::line(verifier)?
    };
    Ok(true)
}

/// `sign`: signs what may be put in force, and nothing else.
pub(super) fn sign(args: &SignArgs, json: bool) -> Result<bool> {
    let profile = ProfileFile::open(&args.file)?.profile()?;
    let signer = read_key(&args.key)?;
    let signature = signature_of(&args.file);
    let dir = args.file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    // a node that reads meanwhile finds the earlier signature or this one, never half of one
    let cannot = || format!("cannot write {}", signature.display());
    let mut file = tempfile::NamedTempFile::new_in(dir).with_context(cannot)?;
    file.write_all(note::sign(&profile.statement(), &signer).as_bytes()).with_context(cannot)?;
    file.persist(&signature).with_context(cannot)?;
    told(&profile, &signature, signer.verifier().name(), json)
}

/// `verify`: says by whom a profile is signed.
pub(super) fn verify(args: &VerifyProfileArgs, json: bool) -> Result<bool> {
    let profile = ProfileFile::open(&args.file)?.profile()?;
    let signature = signature_of(&args.file);
    match check(&profile, &args.file, &args.key) {
        Ok(by) => told(&profile, &signature, by, json),
        Err(error) if json => file::refuse(Some(&signature), &error, json).map(|()| false),
        Err(error) => Err(error),
    }
}

fn told(profile: &Profile, signature: &Path, by: &str, json: bool) -> Result<bool> {
    let (id, rev, hash) = (profile.header().id, profile.rev(), profile.hash().to_string());
    if json {
        let signature = signature.display().to_string();
        output::line(json!({ "profile": id, "rev": rev, "hash": hash, "signed_by": by, "signature": signature }))?;
    } else {
        output::line(format_args!("{id} revision {rev} is signed by {by}: {}", signature.display()))?;
    }
    Ok(true)
}

/// Whose signature of `profile`, read from `file`, is beside it: the name of one of `keys`.
///
/// # Errors
/// There is none, it is by somebody else, or it is of something else; says what to do.
pub(crate) fn check<'a>(profile: &Profile, file: &Path, keys: &'a [VerifierKey]) -> Result<&'a str> {
    let path = signature_of(file);
    let signed = fs::read_to_string(&path).with_context(|| {
        format!("cannot read the signature {}; sign with `sayso policy sign {}`", path.display(), file.display())
    })?;
    for key in keys {
        match note::open(&signed, key.name(), core::slice::from_ref(key)) {
            Ok(text) if text == profile.statement() => return Ok(key.name()),
            Ok(_) => bail!(
                "{}: is of another profile or revision than {}; sign what it says now",
                path.display(),
                file.display()
            ),
            Err(NoteError::Unsigned) => {}
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        }
    }
    bail!("{}: no signature by a key that is trusted; trusted are {}", path.display(), names(keys))
}

fn names(keys: &[VerifierKey]) -> String {
    if keys.is_empty() {
        return "none".to_owned();
    }
    keys.iter().map(VerifierKey::name).collect::<Vec<_>>().join(", ")
}

/// The key that `key` wrote: its name and its seed.
fn read_key(file: &Path) -> Result<Signer> {
    let text = Redacted::new(fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?);
    let parts = text.reveal().trim().split_once(' ');
    let key = parts.and_then(|(name, seed)| Some((name, <[u8; 32]>::from_hex(seed).ok()?)));
    let (name, seed) = key.with_context(|| {
        format!("{} is no signing key; make one with `sayso policy key NAME --out FILE`", file.display())
    })?;
    Ok(Signer::new(name, &seed)?)
}
