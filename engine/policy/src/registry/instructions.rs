//! [`Instructions`]: what a tenant wants data of its people to be used for.

use std::collections::BTreeSet;

use sayso_types::{Category, Purpose, WallTime};

/// What a tenant instructs. It is part of what the profile gives, never more: what is named here and not there is closed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instructions {
    /// What data may be used for.
    pub purposes: BTreeSet<Purpose>,
    /// Which data.
    pub categories: BTreeSet<Category>,
    /// The first moment at which they no longer count; nothing is instructed from then on.
    pub until: Option<WallTime>,
    /// Whether the tenant attested where data of its people comes from, and that it may pass it on.
    pub attested: bool,
}

impl Instructions {
    /// Whether data of `category` may be used for `purpose` at `now`.
    #[must_use]
    pub fn cover(&self, purpose: Purpose, category: Category, now: WallTime) -> bool {
        self.purposes.contains(&purpose)
            && self.categories.contains(&category)
            && self.until.is_none_or(|until| now < until)
    }

    /// What these and `others` both cover.
    #[must_use]
    pub fn with(&self, others: &Self) -> Self {
        Self {
            purposes: &self.purposes & &others.purposes,
            categories: &self.categories & &others.categories,
            until: self.until.into_iter().chain(others.until).min(),
            attested: self.attested && others.attested,
        }
    }
}
