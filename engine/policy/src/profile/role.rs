//! [`ProcessorRole`]: what a receiver is to whoever answers for the data, besides the service that it renders.

use serde::{Deserialize, Serialize};

/// What a receiver is to whoever answers for the data. One that is merely hired has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessorRole {
    /// A company of the same group.
    Affiliate,
    /// Somebody that works together with it: [`PartnerType`] says in which way.
    Partner,
    /// A supplier, contractor or agent that does part of its work.
    Contractor,
    /// Where people have an account that they log in with.
    SignInProvider,
    /// Whoever made a library that the app contains.
    ThirdPartySdk,
}

impl ProcessorRole {
    /// Whether it gets what is necessary for a service of the controller's, by the instructions for that. Where somebody logs
    /// in, or whose library is used, may be the person's own choice.
    #[must_use]
    pub const fn is_instructed(self) -> bool {
        matches!(self, Self::Affiliate | Self::Partner | Self::Contractor)
    }
}

/// In which way somebody is a partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartnerType {
    /// Runs a service or platform that the person chooses.
    ServicePlatform,
    /// Makes software, hardware or a system that works together with it.
    SystemProvider,
}
