//! The vault of a node, under the KEK that the configuration chose.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use sayso_consent::Register;
use sayso_store::Store;
use sayso_types::Redacted;
use sayso_vault::{EnvKek, FileKek, KeyWrap, Vault};
use sayso_vault_transit::{Token, TransitKek, TransitOptions};

use crate::config::{self, Kek};

/// The variable in which HashiCorp's own tools look for a token.
const TOKEN_VARIABLE: &str = "VAULT_TOKEN";

/// Unlocks the vault whose keys are in `keys`. A node of before there were vaults gets its first KEK here, as `sayso init`
/// would have written it; where there are keys, none is ever made. Nor are new keys, where `data` is sealed under others.
pub(crate) async fn unlock(config: &config::Vault, keys: Arc<dyn Store>, data: &dyn Store) -> Result<Arc<Vault>> {
    let is_new = Vault::is_new(keys.as_ref()).await?;
    if is_new && Register::is_sealed(data).await? {
        bail!(
            "the keys of what is in the store are not here: nothing was begun; put them back first (sayso store restore, from \
             where sayso store backup --keys wrote to, or the old node's keys directory at {})",
            config.keys_dir.display()
        );
    }
    if config.kek == Kek::File && !config.kek_file.exists() && is_new {
        make_kek(&config.kek_file)?;
        tracing::warn!(file = %config.kek_file.display(), "made a key encryption key; keep a copy of it apart from all backups");
    }
    Vault::unlock(keys, kek(config)?).await.context("the vault stays locked")
}

fn kek(config: &config::Vault) -> Result<Arc<dyn KeyWrap>> {
    Ok(match config.kek {
        Kek::File => Arc::new(FileKek::new(&config.kek_file)),
        Kek::Env => Arc::new(EnvKek::new(&config.kek_variable)),
        Kek::Transit => {
            let transit = config.transit.as_ref();
            let transit =
                transit.context("vault.kek = \"transit\" needs a table [vault.transit] that says where it is")?;
            let token =
                transit.token_file.clone().map_or_else(|| Token::Variable(TOKEN_VARIABLE.to_owned()), Token::File);
            Arc::new(TransitKek::new(TransitOptions {
                address: transit.address.clone(),
                mount: transit.mount.clone(),
                key: transit.key.clone(),
                token,
                ca_file: transit.ca_file.clone(),
            })?)
        }
    })
}

/// A new KEK as a file holds it.
pub(crate) fn new_kek() -> Result<Redacted<String>> {
    let mut kek = [0; 32];
    getrandom::fill(&mut kek).context("the operating system gives no random bytes")?;
    Ok(Redacted::new(format!("{}\n", hex::encode(kek))))
}

fn make_kek(path: &Path) -> Result<()> {
    let cannot = || format!("cannot write the key encryption key to {}", path.display());
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).with_context(cannot)?;
    file.write_all(new_kek()?.reveal().as_bytes()).and_then(|()| file.sync_all()).with_context(cannot)
}
