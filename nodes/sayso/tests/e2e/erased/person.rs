//! [`Person`]: somebody, and what is looked for of them in files.

use std::fs;
use std::path::Path;

use hex::FromHex;
use sayso_tests::{Admin, Installation};
use sayso_types::{Category, Name, SubjectId};
use sayso_vault::testing::Adversary;

use super::desk::word;

const DOCUMENT: Category = Category(Name::constant("knowledge_base"));

/// Something that is kept of somebody and is nowhere else.
struct Secret {
    what: &'static str,
    category: Category,
    bytes: Vec<u8>,
}

/// Somebody, and what is looked for of them.
pub(super) struct Person {
    subject: SubjectId,
    secrets: Vec<Secret>,
}

impl Person {
    /// Whoever has `device`, with what they [told](super::desk::Desk::tells).
    pub(super) async fn of(admin: &Admin, device: &str) -> Self {
        let mut person = Self { subject: admin.consent(device).await.subject_id.parse().unwrap(), secrets: Vec::new() };
        person.has("what is remembered", Category::MEMORY_SUMMARY, word("remembered", device));
        person.has("the beginning of a document", DOCUMENT, word("first", device));
        person.has("its end", DOCUMENT, word("last", device));
        person
    }

    /// Looks for `bytes` of them, too, which are sealed as `category`.
    pub(super) fn has(&mut self, what: &'static str, category: Category, bytes: impl Into<Vec<u8>>) {
        self.secrets.push(Secret { what, category, bytes: bytes.into() });
    }

    /// What is read of them where all is.
    pub(super) fn all(&self) -> Vec<&'static str> {
        self.secrets.iter().map(|secret| secret.what).collect()
    }

    /// What somebody reads of them who has all files below `dirs`, and the KEK of `installation`.
    ///
    /// # Panics
    /// When something is in a file in clear.
    pub(super) fn read_from(&self, dirs: &[&Path], installation: &Installation) -> Vec<&'static str> {
        let kek = <[u8; 32]>::from_hex(fs::read_to_string(installation.path("kek.key")).unwrap().trim()).unwrap();
        let adversary = Adversary::of_files(dirs, kek).unwrap();
        let is_read = |secret: &&Secret| {
            assert!(!adversary.sees(&secret.bytes), "{} is in a file in clear", secret.what);
            adversary.finds(self.subject, secret.category, &secret.bytes)
        };
        self.secrets.iter().filter(is_read).map(|secret| secret.what).collect()
    }
}
