//! [`Files`]: what a node's directory is to hold.

use std::collections::BTreeSet;

use anyhow::Result;

use super::fresh::Fresh;
use crate::certs::Issued;

/// Files by their names within the directory, which have at most one slash, in the order in which they are written.
#[derive(Default)]
pub(super) struct Files(Vec<(String, String, bool)>);

impl From<Vec<(String, String, bool)>> for Files {
    /// Each with its name, its text and whether only its owner may read it.
    fn from(files: Vec<(String, String, bool)>) -> Self {
        Self(files)
    }
}

impl Files {
    /// One for everybody.
    pub(super) fn public(&mut self, name: &str, text: &str) {
        self.0.push((name.to_owned(), text.to_owned(), false));
    }

    /// One that holds a key.
    pub(super) fn secret(&mut self, name: &str, text: &str) {
        self.0.push((name.to_owned(), text.to_owned(), true));
    }

    /// A certificate and its key, in a directory.
    pub(super) fn identity(&mut self, name: &str, issued: &Issued) {
        self.public(&format!("{name}/cert.pem"), &issued.chain_pem);
        self.secret(&format!("{name}/key.pem"), &issued.key_pem);
    }

    /// Writes them to `place` in `fresh`, which is there.
    pub(super) fn write(self, fresh: &mut Fresh, place: &str) -> Result<()> {
        let within = |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place}/{name}") };
        let dirs: BTreeSet<_> = self.0.iter().filter_map(|(name, ..)| Some(name.split_once('/')?.0)).collect();
        for dir in dirs {
            fresh.dir(&within(dir))?;
        }
        for (name, text, is_secret) in &self.0 {
            let name = within(name);
            if *is_secret { fresh.secret(&name, text)? } else { fresh.public(&name, text)? }
        }
        Ok(())
    }
}
