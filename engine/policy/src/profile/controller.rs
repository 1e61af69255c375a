//! [`Controller`]: who answers for the processing.

use std::collections::BTreeSet;

use sayso_types::Name;
use serde::{Deserialize, Serialize};

use super::Src;

/// `[controller]`: who answers for the processing. Nothing runs without one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Controller {
    /// A short id.
    pub id: Name,
    /// The person or organisation.
    pub name: String,
    /// In which role (DPV's words).
    #[serde(default)]
    pub role: ControllerRole,
    /// Where to reach them; at least one way that works.
    #[serde(default)]
    pub contact: Contact,
    /// The others who decide together with it, where `role` is `JointDataControllers`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub joint: BTreeSet<Responsible>,
    /// Who speaks for it where it is not itself (GDPR 27, PIPL 53).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub representative: Option<Responsible>,
    /// Who looks after the protection of data there (GDPR 37, PIPL 52).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpo: Option<Responsible>,
    /// The clauses that say so.
    #[serde(default)]
    pub src: Src,
}

impl Controller {
    /// Whoever else can be turned to, each with the key that names them.
    pub fn others(&self) -> impl Iterator<Item = (String, &Responsible)> {
        let one = |key: &str, who| (format!("controller.{key}"), who);
        let single = [
            self.dpo.as_ref().map(|who| one("dpo", who)),
            self.representative.as_ref().map(|who| one("representative", who)),
        ];
        let joint = self.joint.iter().enumerate().map(|(i, who)| (format!("controller.joint.{i}"), who));
        joint.chain(single.into_iter().flatten())
    }
}

/// Somebody besides the controller who can be turned to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Responsible {
    /// The person or organisation.
    pub name: String,
    /// Where to reach them; at least one way that works.
    #[serde(default)]
    pub contact: Contact,
}

/// The role of the one who answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ControllerRole {
    /// Decides alone what data is used for.
    #[default]
    DataController,
    /// Decides together with others.
    JointDataControllers,
    /// Acts on the instructions of its tenants, who decide.
    DataProcessor,
}

/// Ways to reach somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Contact {
    /// A postal address, or words that lead there.
    pub address: Option<String>,
    /// An e-mail address.
    pub email: Option<String>,
    /// A telephone number.
    pub phone: Option<String>,
    /// A page.
    pub url: Option<String>,
}

impl Contact {
    /// The ways that are filled in.
    pub fn ways(&self) -> impl Iterator<Item = &str> {
        let all = [&self.address, &self.email, &self.phone, &self.url];
        all.into_iter().flatten().map(|way| way.trim()).filter(|way| !way.is_empty())
    }

    /// Whether somebody could be reached: an address or a number, an e-mail address with its `@`, a page with its
    /// scheme.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        let url = self.url.as_deref().is_some_and(|text| text.starts_with("https://") || text.starts_with("http://"));
        self.has_address() || self.has_phone() || self.has_email() || url
    }

    /// Whether a letter would arrive.
    #[must_use]
    pub fn has_address(&self) -> bool {
        is_filled(self.address.as_deref())
    }

    /// Whether there is a number to call.
    #[must_use]
    pub fn has_phone(&self) -> bool {
        is_filled(self.phone.as_deref())
    }

    /// Whether an e-mail could be sent: somebody at a host.
    #[must_use]
    pub fn has_email(&self) -> bool {
        let parts = self.email.as_deref().and_then(|text| text.split_once('@'));
        parts.is_some_and(|(name, host)| !name.trim().is_empty() && host.contains('.'))
    }
}

fn is_filled(way: Option<&str>) -> bool {
    way.is_some_and(|text| !text.trim().is_empty())
}
