//! Where things are in the store.

mod flows;
mod kept;
mod node;
mod notices;
mod visits;

use sayso_audit::Reference;
use sayso_store::{Schema, key};
use sayso_types::{Category, DeviceId, Name, SubjectId, TenantId};

pub(crate) use self::flows::*;
pub(crate) use self::kept::*;
pub(crate) use self::node::*;
pub(crate) use self::notices::*;
pub(crate) use self::visits::*;

key! {
    /// Which subject a device speaks for.
    pub(crate) struct DeviceKey in "device" {
        /// The integrator.
        pub(crate) tenant: String,
        /// The device.
        pub(crate) device: String,
    }
}

impl DeviceKey {
    pub(crate) fn of(tenant: &TenantId, device: &DeviceId) -> Self {
        Self { tenant: tenant.to_string(), device: device.to_string() }
    }
}

key! {
    /// A subject's consent state and audit key.
    pub(crate) struct RegisterKey in "register" {
        /// Whose.
        pub(crate) subject: SubjectId,
    }
}

key! {
    /// A consent record of a subject.
    pub(crate) struct RecordKey in "consent" {
        /// Whose.
        pub(crate) subject: SubjectId,
        /// The consent version at which it was made.
        pub(crate) cv: u64,
        /// The purpose that it is about.
        pub(crate) purpose: String,
    }
}

key! {
    /// A withdrawal of a subject.
    pub(crate) struct WithdrawalKey in "withdrawal" {
        /// Whose.
        pub(crate) subject: SubjectId,
        /// The consent version at which it was requested.
        pub(crate) cv: u64,
        /// The purpose that is withdrawn, or the part, as it is spelled; empty is everything.
        pub(crate) purpose: String,
    }
}

key! {
    /// What a subject asked to have remembered.
    pub(crate) struct FactsKey in "facts" {
        /// Whose.
        pub(crate) subject: SubjectId,
    }
}

key! {
    /// A request of a subject.
    pub(crate) struct RequestKey in "request" {
        /// Whose.
        pub(crate) subject: SubjectId,
        /// Its id.
        pub(crate) request: Vec<u8>,
    }
}

key! {
    /// An erasure of a subject that is on its way.
    pub(crate) struct ErasureKey in "erasure" {
        /// Whose.
        pub(crate) subject: SubjectId,
        /// Its id.
        pub(crate) erasure: Vec<u8>,
    }
}

key! {
    /// The certificate of an erasure.
    pub(crate) struct CertificateKey in "certificate" {
        /// Whose.
        pub(crate) subject: SubjectId,
        /// The erasure's id.
        pub(crate) erasure: Vec<u8>,
    }
}

key! {
    /// What is left to be done for an accepted request.
    pub(crate) struct LeftKey in "request_left" {
        /// Whose.
        pub(crate) subject: SubjectId,
        /// Its id.
        pub(crate) request: Vec<u8>,
    }
}

key! {
    /// An open request, by when it is answered.
    pub(crate) struct DueKey in "request_due" {
        /// Milliseconds since the Unix epoch.
        pub(crate) at: u64,
        /// Whose.
        pub(crate) subject: SubjectId,
        /// Its id.
        pub(crate) request: Vec<u8>,
    }
}

key! {
    /// What somebody proposed to do without consent.
    pub(crate) struct ExemptionKey in "exemption" {
        /// Its name.
        pub(crate) id: String,
    }
}

key! {
    /// That something of a subject was handed over on a grant.
    pub(crate) struct ExemptionUseKey in "exemption_use" {
        /// The grant's name.
        pub(crate) id: String,
        /// Whose.
        pub(crate) subject: SubjectId,
    }
}

key! {
    /// That something of a subject is looked at, because its time is over then.
    pub(crate) struct RetentionKey in "retention_due" {
        /// Milliseconds since the Unix epoch.
        pub(crate) at: u64,
        /// Whose.
        pub(crate) subject: SubjectId,
        /// The table that it is in.
        pub(crate) table: String,
    }
}

key! {
    /// A legal hold.
    pub(crate) struct HoldKey in "legal_hold" {
        /// Its id.
        pub(crate) hold: Vec<u8>,
    }
}

impl HoldKey {
    pub(crate) fn of(hold: Reference) -> Self {
        Self { hold: hold.0.to_vec() }
    }
}

key! {
    /// Which vault sealed what is sealed here.
    pub(crate) struct SealedByKey in "sealed_by" {
        /// Which shard.
        pub(crate) shard: u32,
    }
}

key! {
    /// A revision of the policy, as it was put in force.
    pub(crate) struct ProfileKey in "profile" {
        /// Its number.
        pub(crate) rev: u32,
    }
}

key! {
    /// A switch.
    pub(crate) struct SwitchKey in "switch" {
        /// Of which sort: `processor`, `category` or `tenant`.
        pub(crate) sort: String,
        /// What it turns off.
        pub(crate) name: String,
    }
}

key! {
    /// An incident.
    pub(crate) struct IncidentKey in "incident" {
        /// Its id.
        pub(crate) incident: Vec<u8>,
    }
}

key! {
    /// A leaf of the audit log.
    pub(crate) struct LeafKey in "audit_leaf" {
        /// Which log.
        pub(crate) shard: u32,
        /// Its index, from 0.
        pub(crate) index: u64,
    }
}

key! {
    /// Where a log ends: size and frontier.
    pub(crate) struct HeadKey in "audit_head" {
        /// Which log.
        pub(crate) shard: u32,
    }
}

key! {
    /// The newest checkpoint of a log that its witnesses have cosigned.
    pub(crate) struct WitnessedKey in "audit_witnessed" {
        /// Which log.
        pub(crate) shard: u32,
    }
}

key! {
    /// With which key the checkpoints of a log are signed.
    pub(crate) struct SigningKeyKey in "audit_key" {
        /// Which log.
        pub(crate) shard: u32,
    }
}

key! {
    /// At which leaf of a log something is that people are given receipts for.
    pub(crate) struct ReceiptKey in "audit_receipt" {
        /// Which log.
        pub(crate) shard: u32,
        /// What the leaf is about: the id of a consent record, of a withdrawal or of an erasure.
        pub(crate) reference: Vec<u8>,
    }
}

key! {
    /// Which kinds of records a shard may have, and of which versions.
    pub(crate) struct FormatKey in "format" {
        /// Which shard.
        pub(crate) shard: u32,
    }
}

key! {
    /// Which process owns the register of a shard.
    pub(crate) struct TenureKey in "tenure" {
        /// Which shard.
        pub(crate) shard: u32,
    }
}

key! {
    /// When consent of a person is over.
    pub(crate) struct ConsentEndKey in "consent_end" {
        /// Milliseconds since the Unix epoch.
        pub(crate) at: u64,
        /// Whose.
        pub(crate) subject: SubjectId,
    }
}

key! {
    /// The end of the service.
    pub(crate) struct ShutdownKey in "shutdown" {
        /// Of which shard.
        pub(crate) shard: u32,
    }
}

key! {
    /// A revision of the policy that people are told of, and that does not hold yet.
    pub(crate) struct NextProfileKey in "profile_next" {
        /// From when it holds: milliseconds since the Unix epoch.
        pub(crate) at: u64,
    }
}

key! {
    /// When somebody has grown out of their age band.
    pub(crate) struct GrowingKey in "growing" {
        /// Milliseconds since the Unix epoch.
        pub(crate) at: u64,
        /// Who.
        pub(crate) subject: SubjectId,
    }
}

key! {
    /// A permit in use outside of the node.
    pub(crate) struct LoanKey in "loan" {
        /// Whose data it is for.
        pub(crate) subject: SubjectId,
        /// The permit, as in its leaves.
        pub(crate) permit: Vec<u8>,
    }
}

key! {
    /// How many people there are in a class of what is anonymised, in a month that is not over.
    pub(crate) struct AnonymisedCountKey in "anonymised_count" {
        /// The month.
        pub(crate) month: String,
        /// The integrator.
        pub(crate) tenant: String,
        /// What ended.
        pub(crate) category: String,
        /// What it had been used for.
        pub(crate) purpose: String,
        /// The transformation.
        pub(crate) by: String,
        /// How much of it there was.
        pub(crate) entries: String,
    }
}

key! {
    /// What was released of what was anonymised in a month.
    pub(crate) struct AnonymisedKey in "anonymised" {
        /// The month.
        pub(crate) month: String,
        /// The integrator.
        pub(crate) tenant: String,
        /// What ended.
        pub(crate) category: String,
        /// What it had been used for.
        pub(crate) purpose: String,
        /// The transformation.
        pub(crate) by: String,
    }
}

key! {
    /// Something that was given to an authority.
    pub(crate) struct DisclosureKey in "disclosure" {
        /// Its id.
        pub(crate) disclosure: Vec<u8>,
    }
}

key! {
    /// A disclosure that its people are yet to be told of, by when that is.
    pub(crate) struct DisclosureTellKey in "disclosure_tell" {
        /// Milliseconds since the Unix epoch.
        pub(crate) at: u64,
        /// Its id.
        pub(crate) disclosure: Vec<u8>,
    }
}

key! {
    /// A complaint.
    pub(crate) struct ComplaintKey in "complaint" {
        /// The integrator whose people's or own it is.
        pub(crate) tenant: String,
        /// Its id.
        pub(crate) complaint: Vec<u8>,
    }
}

key! {
    /// An open complaint, by when it is answered.
    pub(crate) struct ComplaintDueKey in "complaint_due" {
        /// Milliseconds since the Unix epoch.
        pub(crate) at: u64,
        /// The integrator.
        pub(crate) tenant: String,
        /// Its id.
        pub(crate) complaint: Vec<u8>,
    }
}

key! {
    /// A request that waits for a tenant.
    pub(crate) struct ReferralKey in "referral" {
        /// The integrator.
        pub(crate) tenant: String,
        /// Whose.
        pub(crate) subject: SubjectId,
        /// Its id.
        pub(crate) request: Vec<u8>,
    }
}

key! {
    /// A request that waits for a tenant, until when it does.
    pub(crate) struct ReferralDueKey in "referral_due" {
        /// Milliseconds since the Unix epoch.
        pub(crate) at: u64,
        /// Whose.
        pub(crate) subject: SubjectId,
        /// Its id.
        pub(crate) request: Vec<u8>,
    }
}

key! {
    /// That it is on record that a hold keeps what is due.
    pub(crate) struct HeldKey in "held" {
        /// Whose.
        pub(crate) subject: SubjectId,
        /// In which table it is.
        pub(crate) table: String,
    }
}

key! {
    /// Whose a document is, in which somebody agreed to something.
    pub(crate) struct DocumentKey in "document" {
        /// Its SHA-256.
        pub(crate) sha256: Vec<u8>,
    }
}

key! {
    /// What a tenant has instructed.
    pub(crate) struct TenantKey in "tenant" {
        /// Who.
        pub(crate) tenant: String,
    }
}

/// Under which of the subject's keys the key is sealed that makes their tags. It is destroyed last, with all others.
pub(crate) const TAGS_CATEGORY: Category = Category(Name::constant("sayso.audit_tag"));

/// What facts are, and so under which of the subject's keys they are sealed.
pub(crate) const FACTS_CATEGORY: Category = Category::MEMORY_SUMMARY;

pub(crate) const DEVICE: Schema = Schema::new("device", 1, 1);
/// From version 2 on it says whether the person is a child and who answers for them, from version 3 on what they were told of
/// services, from version 4 on the key of their tags is sealed, from version 5 on what they took
/// away in the settings of their device, from version 6 on which parts of their consent they took back: a program that does not
/// know that would lose it.
pub(crate) const REGISTER: Schema = Schema::new("register", 1, 6);
/// From version 2 on its events say why consent ended, and what implied it: a program that does not know that would lose it.
/// From version 3 on it may be of a question that is yet to be answered: to one that does not know that it is one.
/// From version 4 on its events say what was taken back of it.
pub(crate) const RECORD: Schema = Schema::new("consent", 1, 4);
/// From version 2 on it says what the consent becomes: a program that does not know that would take it for withdrawn. From
/// version 3 on it says whether somebody counted what had passed: to one that does not know that it is nothing.
/// From version 4 on it may be of a part: to one that does not know that it is of everything.
pub(crate) const WITHDRAWAL: Schema = Schema::new("withdrawal", 1, 4);
/// Of version 1 facts are in clear, from version 2 on they are sealed, from version 3 on each with its moment.
pub(crate) const FACTS: Schema = Schema::new("facts", 1, 3);
pub(crate) const ERASURE: Schema = Schema::new("erasure", 1, 2);
pub(crate) const CERTIFICATE: Schema = Schema::new("certificate", 1, 2);
pub(crate) const SEALED_BY: Schema = Schema::new("sealed_by", 1, 1);
pub(crate) const REQUEST: Schema = Schema::new("request", 1, 2);
pub(crate) const LEFT: Schema = Schema::new("request_left", 1, 1);
pub(crate) const DUE: Schema = Schema::new("request_due", 1, 1);
pub(crate) const EXEMPTION: Schema = Schema::new("exemption", 1, 2);
pub(crate) const EXEMPTION_USE: Schema = Schema::new("exemption_use", 1, 1);
pub(crate) const RETENTION: Schema = Schema::new("retention_due", 1, 1);
pub(crate) const HELD: Schema = Schema::new("held", 1, 1);
pub(crate) const HOLD: Schema = Schema::new("legal_hold", 1, 1);
pub(crate) const PROFILE: Schema = Schema::new("profile", 1, 1);
pub(crate) const SWITCH: Schema = Schema::new("switch", 1, 1);
/// From version 2 on its scope may name consents: a program that does not know that would take it for wider.
pub(crate) const INCIDENT: Schema = Schema::new("incident", 1, 2);
pub(crate) const LEAF: Schema = Schema::new("audit_leaf", 1, 1);
pub(crate) const HEAD: Schema = Schema::new("audit_head", 1, 1);
pub(crate) const WITNESSED: Schema = Schema::new("audit_witnessed", 1, 1);
pub(crate) const SIGNING_KEY: Schema = Schema::new("audit_key", 1, 1);
pub(crate) const RECEIPT: Schema = Schema::new("audit_receipt", 1, 1);
pub(crate) const FORMAT: Schema = Schema::new("format", 1, 1);
pub(crate) const TENURE: Schema = Schema::new("tenure", 1, 1);
pub(crate) const CONSENT_END: Schema = Schema::new("consent_end", 1, 1);
pub(crate) const SHUTDOWN: Schema = Schema::new("shutdown", 1, 1);
pub(crate) const NEXT_PROFILE: Schema = Schema::new("profile_next", 1, 1);
pub(crate) const GROWING: Schema = Schema::new("growing", 1, 1);
/// From version 2 on it says whether it ends by itself: a program that does not know that would end what somebody may be using.
pub(crate) const LOAN: Schema = Schema::new("loan", 1, 2);
pub(crate) const ANONYMISED_COUNT: Schema = Schema::new("anonymised_count", 1, 1);
pub(crate) const ANONYMISED: Schema = Schema::new("anonymised", 1, 1);
pub(crate) const DISCLOSURE: Schema = Schema::new("disclosure", 1, 1);
pub(crate) const DISCLOSURE_TELL: Schema = Schema::new("disclosure_tell", 1, 1);
pub(crate) const COMPLAINT: Schema = Schema::new("complaint", 1, 1);
pub(crate) const COMPLAINT_DUE: Schema = Schema::new("complaint_due", 1, 1);
pub(crate) const TENANT: Schema = Schema::new("tenant", 1, 3);
pub(crate) const DOCUMENT: Schema = Schema::new("document", 1, 1);
/// Both keys under which a referral is found; their rows are empty.
pub(crate) const REFERRAL: Schema = Schema::new("referral", 1, 1);
