//! `sayso policy key`, `sign` and `verify`: who put a profile in force.
//!
//! A signature is a C2SP signed note beside the profile, `FILE.sig`: its text names the profile, the revision and the hash
//! of all that it says, so that a signature holds for that one revision and whatever file it is written in. The key lies beside
//! the profile where `sayso init` made it, `policy.key`, unless somebody took it elsewhere.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
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
use crate::shell::quote_path;

/// Only its owner reads a key.
const SECRET: u32 = 0o600;

/// Whoever may read the profile reads its signature, such as the user that the node runs as.
const PUBLIC: u32 = 0o644;

/// What the key is called that `sayso init` makes beside the profile.
pub(crate) const KEY: &str = "policy.key";

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
    let key = SigningKey { name: args.name.clone(), seed: Redacted::new(seed) };
    let verifier = key.signer()?.verifier().to_string();
    let cannot = || format!("cannot write {}", args.out.display());
    let mut file = OpenOptions::new().write(true).create_new(true).mode(SECRET).open(&args.out).with_context(cannot)?;
    file.write_all(key.text().reveal().as_bytes()).with_context(cannot)?;
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
    let signer = read_key(&args.key.clone().unwrap_or_else(|| key_beside(&args.file)))?;
    let signature = signature_of(&args.file);
    let dir = args.file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    // a node that reads meanwhile finds the earlier signature or this one, never half of one
    let cannot = || format!("cannot write {}", signature.display());
    let mut file =
        tempfile::Builder::new().permissions(Permissions::from_mode(PUBLIC)).tempfile_in(dir).with_context(cannot)?;
    file.write_all(signed(&profile, &signer).as_bytes()).with_context(cannot)?;
    file.persist(&signature).with_context(cannot)?;
    told(&profile, &signature, signer.verifier().name(), json)
}

/// `verify`: says by whom a profile is signed.
pub(super) fn verify(args: &VerifyProfileArgs, json: bool) -> Result<bool> {
    let profile = ProfileFile::open(&args.file)?.profile()?;
    let beside = || Ok::<_, anyhow::Error>(vec![read_key(&key_beside(&args.file))?.verifier().clone()]);
    let keys = if args.key.is_empty() { beside()? } else { args.key.clone() };
    let signature = signature_of(&args.file);
    match check(&profile, &args.file, &keys) {
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

/// The signature of `profile` by `signer`, as its file has it.
pub(crate) fn signed(profile: &Profile, signer: &Signer) -> String {
    note::sign(&profile.statement(), signer)
}

/// Whose signature of `profile`, read from `file`, is beside it: the name of one of `keys`.
///
/// # Errors
/// There is none, it is by somebody else, or it is of something else; names the command that signs.
pub(crate) fn check<'a>(profile: &Profile, file: &Path, keys: &'a [VerifierKey]) -> Result<&'a str> {
    let path = signature_of(file);
    let signed = fs::read_to_string(&path).with_context(|| {
        format!("cannot read the signature {}; sign the profile with {}", path.display(), command(file, keys))
    })?;
    for key in keys {
        match note::open(&signed, key.name(), core::slice::from_ref(key)) {
            Ok(text) if text == profile.statement() => return Ok(key.name()),
            Ok(_) => bail!(
                "{}: is of another profile or revision, or another text, than {} now; sign what it says, with {}",
                path.display(),
                file.display(),
                command(file, keys)
            ),
            Err(NoteError::Unsigned) => {}
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("{}; sign the profile with {}", path.display(), command(file, keys)));
            }
        }
    }
    bail!(
        "{}: no signature by a key that is trusted; trusted are {}; sign the profile with {}",
        path.display(),
        names(keys),
        command(file, keys)
    )
}

/// What the signature beside `file` is worth, as far as can be said without knowing whom to trust: in a word, and for people.
pub(super) fn state(profile: &Profile, file: &Path) -> (&'static str, String) {
    let path = signature_of(file);
    let Ok(text) = fs::read_to_string(&path) else { return ("none", "not signed".to_owned()) };
    match note::Note::parse(&text) {
        Ok(note) if note.text() == profile.statement() => {
            ("current", format!("{} is of what it says now; `sayso policy verify` checks by whom", path.display()))
        }
        Ok(_) => ("stale", format!("{} is of another profile or revision: sign anew what it says now", path.display())),
        Err(error) => ("damaged", format!("{}: {error}", path.display())),
    }
}

/// The command that signs the profile in `file` with one of `keys`: without a word of the key where that lies beside it.
fn command(file: &Path, keys: &[VerifierKey]) -> String {
    let beside = read_key(&key_beside(file)).is_ok_and(|signer| {
        let key = signer.verifier().to_string();
        keys.iter().any(|trusted| trusted.to_string() == key)
    });
    let file = quote_path(file);
    if beside {
        return format!("`sayso policy sign {file}`");
    }
    format!("`sayso policy sign {file} --key KEY`, KEY being the file with the key of {}", names(keys))
}

fn names(keys: &[VerifierKey]) -> String {
    if keys.is_empty() {
        return "none".to_owned();
    }
    keys.iter().map(VerifierKey::name).collect::<Vec<_>>().join(" or ")
}

/// Where the key lies with which the profile in `file` is signed, unless somebody says otherwise.
fn key_beside(file: &Path) -> PathBuf {
    file.with_file_name(KEY)
}

/// What signs profiles: whose it is, and the seed of an Ed25519 key.
pub(crate) struct SigningKey {
    pub(crate) name: String,
    pub(crate) seed: Redacted<[u8; 32]>,
}

impl SigningKey {
    /// As its file has it.
    pub(crate) fn text(&self) -> Redacted<String> {
        Redacted::new(format!("{} {}\n", self.name, hex::encode(self.seed.reveal())))
    }

    /// Signs with it.
    pub(crate) fn signer(&self) -> Result<Signer> {
        Ok(Signer::new(&self.name, self.seed.reveal())?)
    }
}

/// The key that `key` wrote: its name and its seed.
fn read_key(file: &Path) -> Result<Signer> {
    let text = fs::read_to_string(file);
    let text = Redacted::new(text.with_context(|| {
        format!(
            "cannot read the key {}; say with --key where yours is, or make one with `sayso policy key NAME --out FILE`",
            file.display()
        )
    })?);
    let parts = text.reveal().trim().split_once(' ');
    let key = parts.and_then(|(name, seed)| Some((name, <[u8; 32]>::from_hex(seed).ok()?)));
    let (name, seed) = key.with_context(|| {
        format!("{} is no signing key; make one with `sayso policy key NAME --out FILE`", file.display())
    })?;
    Ok(Signer::new(name, &seed)?)
}
