//! `TABLES`: every table of the store, and what ends what is in it.

use std::sync::LazyLock;

use sayso_policy::Deadline;
use sayso_policy::profile::{Retention, RetentionAction};
use sayso_store::TypedKey as _;
use sayso_types::{Category, Name};

#[cfg(test)]
use super::Filed;
use crate::tables::{CertificateKey, FACTS_CATEGORY, FactsKey, KeptKey, RecordKey, RequestKey, WithdrawalKey};

/// What is stored of people and ends by a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stored {
    /// What they asked to have remembered.
    Facts,
    /// Their consent records.
    Consents,
    /// Their withdrawals.
    Withdrawals,
    /// What they asked of whoever has their data.
    Requests,
    /// Certificates of erasures.
    Certificates,
    /// What integrators have kept of them.
    Kept,
}

impl Stored {
    pub(crate) const ALL: [Self; 6] =
        [Self::Facts, Self::Consents, Self::Withdrawals, Self::Requests, Self::Certificates, Self::Kept];

    /// Its table.
    pub(crate) const fn table(self) -> &'static str {
        match self {
            Self::Facts => FactsKey::TABLE,
            Self::Consents => RecordKey::TABLE,
            Self::Withdrawals => WithdrawalKey::TABLE,
            Self::Requests => RequestKey::TABLE,
            Self::Certificates => CertificateKey::TABLE,
            Self::Kept => KeptKey::TABLE,
        }
    }

    /// What is in `table`, if a rule ends it.
    pub(crate) fn of(table: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stored| stored.table() == table)
    }

    /// What is stored in `category`, if something is.
    pub(crate) fn in_category(category: Category) -> Option<Self> {
        Self::ALL.into_iter().find(|stored| *stored != Self::Kept && stored.category() == category)
    }

    /// Under which category a profile may say when it ends.
    pub(crate) const fn category(self) -> Category {
        match self {
            Self::Facts => FACTS_CATEGORY,
            Self::Consents => Category(Name::constant("consent_record")),
            Self::Withdrawals => Category(Name::constant("withdrawal_record")),
            Self::Requests => Category(Name::constant("rights_request")),
            Self::Certificates => Category(Name::constant("erasure_certificate")),
            // each item is of a category of its own
            Self::Kept => Category(Name::constant("kept")),
        }
    }

    /// What ends it under a profile that does not declare its category. Facts and items are the profile's business alone.
    pub(crate) fn unsaid(self) -> Option<&'static Retention> {
        (!matches!(self, Self::Facts | Self::Kept)).then(evidence)
    }
}

/// What ends evidence under a profile that does not declare its category: it is kept for three years from when it no longer
/// counts, which is how long PIPL 56 has records of processing kept.
pub(crate) fn evidence() -> &'static Retention {
    static EVIDENCE: LazyLock<Retention> = LazyLock::new(|| Retention {
        trigger: "purpose.ended".parse().expect("a trigger"),
        after: Deadline::Within("P3Y".parse().expect("a period")),
        action: RetentionAction::Erase,
        by: None,
        k: None,
        min: None,
        min_basis: None,
        max: None,
        tolerance: None,
        on_withdraw: None,
        cascade: [].into(),
        processors_must_confirm: false,
    });
    &EVIDENCE
}

/// What ends the rows of a table.
#[cfg(test)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// A rule.
    Ruled(Stored),
    /// A rule for what is filed at a desk.
    Filed(Filed),
    /// The end of what it belongs to.
    With(&'static str),
    /// No rule, because of this.
    Not(&'static str),
}

/// Every table and what ends what is in it: a table that is not listed fails a test.
#[cfg(test)]
const TABLES: &[(&str, Ends)] = &[
    ("facts", Ends::Ruled(Stored::Facts)),
    ("consent", Ends::Ruled(Stored::Consents)),
    ("withdrawal", Ends::Ruled(Stored::Withdrawals)),
    ("request", Ends::Ruled(Stored::Requests)),
    ("certificate", Ends::Ruled(Stored::Certificates)),
    ("kept", Ends::Ruled(Stored::Kept)),
    ("kept_part", Ends::With("kept")),
    ("kept_of", Ends::With("kept")),
    ("kept_gone", Ends::Not("taken away when the parts that it names are deleted, which is at once")),
    ("request_due", Ends::With("request")),
    ("request_left", Ends::With("request")),
    ("erasure", Ends::With("certificate")),
    ("residual", Ends::With("certificate")),
    ("notice", Ends::Not("a text of the operator's, about nobody")),
    ("notice_spread", Ends::With("notice")),
    ("notice_page", Ends::Not("taken away when those whom it names were sent the notice")),
    ("notice_to", Ends::Not("that somebody was told is kept for as long as a device speaks for them")),
    ("notice_person", Ends::With("notice_to")),
    ("notice_due", Ends::Not("taken away when it is looked at")),
    ("notice_out", Ends::Not("taken away when the tenant has answered, or its time is over")),
    ("consent_end", Ends::Not("a mark is taken away when it is looked at")),
    ("announced", Ends::Not("about nobody")),
    ("shutdown", Ends::Not("about nobody")),
    ("growing", Ends::Not("taken away when the person has grown up, and no birthday")),
    ("profile_next", Ends::Not("about nobody")),
    ("config", Ends::Not("about nobody")),
    ("wrapping", Ends::Not("about nobody")),
    ("retention_due", Ends::Not("a mark is taken away when it is looked at")),
    ("held", Ends::Not("taken away when what the hold kept ends; says no more than the pseudonym")),
    ("legal_hold", Ends::Not("a hold ends when it is released or its time is over")),
    ("device", Ends::Not("taken away when the device is unbound, or the account is closed")),
    (
        "register",
        Ends::Not("taken away with the last of what shows what was agreed and done, once the account is closed"),
    ),
    ("profile", Ends::Not("about nobody")),
    ("switch", Ends::Not("about nobody")),
    ("incident", Ends::Not("names nobody: whom it concerns is computed from the log")),
    ("exemption", Ends::Filed(Filed::Exemptions)),
    ("exemption_use", Ends::With("exemption")),
    ("sealed_by", Ends::Not("about nobody")),
    ("loan", Ends::Not("taken away when nobody uses the permit any more")),
    ("format", Ends::Not("about nobody")),
    ("tenure", Ends::Not("about nobody")),
    ("audit_leaf", Ends::Not("names nobody: tags that lead to a person through their register entry only")),
    ("audit_head", Ends::Not("about nobody")),
    ("audit_witnessed", Ends::Not("about nobody")),
    ("audit_key", Ends::Not("about nobody")),
    ("audit_receipt", Ends::Not("a random id and the index of a leaf")),
    ("anonymised_count", Ends::Not("numbers of people; taken away when their month is over")),
    ("anonymised", Ends::Not("leads to nobody: what was released, and has passed its test")),
    ("disclosure", Ends::Filed(Filed::Disclosures)),
    ("complaint", Ends::Filed(Filed::Complaints)),
    ("complaint_due", Ends::With("complaint")),
    ("referral", Ends::With("request")),
    ("referral_due", Ends::With("request")),
    ("deletion", Ends::Not("taken away with the certificate, or when the receiver has answered or its time is over")),
    ("transfer", Ends::Not("taken away when its year is over")),
    ("transfer_count", Ends::Not("numbers of people")),
    ("volume", Ends::Not("numbers of bytes and calls, about nobody; one row each, written over")),
    ("tenant", Ends::Not("what a company instructs; about nobody")),
    ("document", Ends::With("consent")),
    ("visit", Ends::Not("taken away when the visit is over, with the erasure of the guest begun")),
    ("disclosure_tell", Ends::Not("taken away when the people are told")),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_table_has_a_rule_or_a_reason_why_it_has_none() {
        let files = [
            include_str!("../tables.rs"),
            include_str!("../tables/flows.rs"),
            include_str!("../tables/kept.rs"),
            include_str!("../tables/node.rs"),
            include_str!("../tables/notices.rs"),
            include_str!("../tables/visits.rs"),
        ];
        let declared = files.into_iter().flat_map(|file| file.split(" in \"").skip(1));
        let declared: BTreeSet<_> = declared.filter_map(|rest| Some(rest.split_once("\" {")?.0)).collect();
        let listed: BTreeSet<_> = TABLES.iter().map(|(table, _)| *table).collect();
        assert_eq!(declared, listed, "say in TABLES what ends a new table");
        for (table, ends) in TABLES.iter().copied() {
            match ends {
                Ends::Ruled(stored) => assert_eq!(Stored::of(table), Some(stored)),
                Ends::Filed(filed) => assert_eq!(filed.table(), table),
                Ends::With(other) => assert!(listed.contains(other), "{table} ends with {other}"),
                Ends::Not(why) => assert!(!why.is_empty(), "{table}"),
            }
        }
    }
}
