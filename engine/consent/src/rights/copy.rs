//! [`struct@Copy`]: everything that is held of a person, in a form that machines read.
//!
//! Speech and what is said are in no store unless somebody has them kept, and then they are in it. What processors received is told from the audit log:
//! every segment under the person's tag, added up.

use std::collections::{BTreeMap, BTreeSet};

use sayso_audit::{DeskEvent, Event, Leaf, LeafError, Reference, SubjectTag};
use sayso_policy::export::kantara::Receipt;
use sayso_policy::profile::{ErasureGround, RightKind};
use sayso_policy::{AgeBand, ConsentStatus, ConsentType};
use sayso_proto::consent::v1::WithdrawalState;
use sayso_types::{
    Category, Cell, Name, Part, ProcessorId, ProcessorKind, Purpose, RegionClass, SubjectId, TenantId, WallTime,
};
use serde::Serialize;
use serde_json::Value;

use super::besides::Besides;
use super::items::{self, Item};
use super::record;
use super::request::{Identity, Request, Standing};
use crate::erasure::{Approval, Certificate};
use crate::guardian::Guardian;
use crate::notices::book::of as scan_notices;
use crate::notices::{NoticeKind, Text};
use crate::record::part;
use crate::segments::{Ended, Segments};
use crate::{Error, Register, receipt};

/// What the layout is called; a later one has another number.
pub const FORMAT: &str = "sayso/copy/v1";

/// Leaves that are looked at in one go.
const LEAVES_AT_ONCE: usize = 1_000;

/// Everything that is held of a person. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Copy {
    /// [`FORMAT`].
    pub format: &'static str,
    /// When it was put together.
    pub made_at: WallTime,
    /// The person's pseudonym.
    pub subject: SubjectId,
    /// Whose devices they talk to.
    pub tenant: TenantId,
    /// The policy in force.
    pub policy: Policy,
    /// How consent to each purpose stands.
    pub consents: Vec<Consent>,
    /// Everything that was asked and answered of it, with what the person was told (ISO/IEC TS 27560).
    pub records: Vec<Value>,
    /// What was taken away in the settings of their device: what needs it is not open, whoever agrees.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub permissions_off: BTreeSet<Name>,
    /// What the person took back of what they agree to, and has not given again.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub taken_back: BTreeSet<Part>,
    /// How far the person lets their data travel.
    pub farthest: RegionClass,
    /// What is kept of them and used for nothing, because they asked for that.
    pub restricted: Vec<Category>,
    /// How old they are, as far as known.
    pub age: AgeBand,
    /// When they will have grown out of that band, where that is known.
    pub age_ends: Option<WallTime>,
    /// Who answers for them, if somebody was ever asked for.
    pub guardian: Option<Guardian>,
    /// A receipt for everything that was ever agreed to (Kantara 1.1).
    pub receipts: Vec<Receipt>,
    /// What was taken back.
    pub withdrawals: Vec<Withdrawn>,
    /// What the person asked to have remembered: key and value.
    pub remembered: Vec<(String, String)>,
    /// What is kept of the person, or shows them, with the contents that are short.
    pub kept: Vec<Item>,
    /// What the person asked of whoever has their data.
    pub requests: Vec<Asked>,
    /// The certificates of what was erased.
    pub certificates: Vec<Certificate>,
    /// Who answers for what they say to remain.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approved>,
    /// What the person was told about their data, or is to be told.
    pub notices: Vec<Noticed>,
    /// Who received what.
    pub received: Vec<Received>,
    /// What the operator's people read of what is kept, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<Read>,
    /// What else is on record of them.
    #[serde(flatten)]
    pub besides: Besides,
}

/// A policy in its revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// Which.
    pub id: String,
    /// Which revision.
    pub rev: u32,
    /// SHA-256 of its canonical form, in hexadecimal.
    pub sha256: String,
    /// Who answers for the processing.
    pub controller: String,
}

/// How consent to a purpose stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Consent {
    /// For what.
    pub purpose: Purpose,
    /// Given, refused, withdrawn, ...
    pub status: ConsentStatus,
    /// How clearly it was said.
    pub consent_type: ConsentType,
    /// Under which revision of the policy.
    pub profile_rev: u32,
    /// When it ends by itself.
    pub expires_at: Option<WallTime>,
}

/// A withdrawal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Withdrawn {
    /// Of which purposes; of everything, when there are none and it is of no part.
    pub purposes: Vec<String>,
    /// Of which part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// When it was asked for.
    pub requested_at: WallTime,
    /// Since when nothing has moved; [`None`] while a holder has yet to let go.
    pub effective_at: Option<WallTime>,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// For what.
    pub kind: RightKind,
    /// When it came in.
    pub received_at: WallTime,
    /// How far it has come.
    pub standing: Standing,
    /// By when it is answered.
    pub due_at: Option<WallTime>,
    /// On which ground erasure was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ground: Option<ErasureGround>,
    /// By what the person proved who they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
}

/// A notice to the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Noticed {
    /// Why.
    pub kind: NoticeKind,
    /// What is said, in every language of the policy.
    pub texts: BTreeMap<Name, Text>,
    /// Since when the person is sent it.
    pub sent_at: Option<WallTime>,
    /// When it reached them; [`None`] while it has not.
    pub reached_at: Option<WallTime>,
}

/// A reading of what is kept, by one of the operator's people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Read {
    /// When.
    pub at: WallTime,
    /// What.
    pub category: Category,
    /// How many records.
    pub rows: u64,
    /// SHA-256 of the ticket for which somebody else had approved it, in hexadecimal; [`None`] for what is no content.
    pub ticket_sha256: Option<String>,
}

/// That somebody answers for something that an erasure does not reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Approved {
    /// The erasure, as its certificate calls it.
    #[serde(with = "hex")]
    pub erasure: [u8; 16],
    /// What remains, as its certificate calls it.
    pub residual: Name,
    /// Why that is so, such as `receiver_dissolved`.
    pub reason: Name,
    /// In which role they answer for it: who they are, the person is not told.
    pub by: &'static str,
    /// Since when.
    pub at: WallTime,
}

/// The role of those who answer for what remains, as a copy calls it.
const OPERATOR: &str = "operator";

/// What a processor received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Received {
    /// Who.
    pub processor: ProcessorId,
    /// Of which sort.
    pub kind: ProcessorKind,
    /// How far away.
    pub region: RegionClass,
    /// For what.
    pub purpose: Purpose,
    /// What.
    pub category: Category,
    /// In how many segments.
    pub segments: u64,
    /// How many bytes, as far as somebody counted them.
    pub bytes: u64,
    /// In how many of the segments nobody has counted them, or not yet.
    #[serde(skip_serializing_if = "is_none")]
    pub uncounted: u64,
    /// When the first of them was over, or the copy was made.
    pub first_at: WallTime,
    /// When the last of them was over, or the copy was made.
    pub last_at: WallTime,
}

impl Copy {
    /// What `register` holds of `subject`, who made these `requests`. Reads the audit log from its first leaf.
    pub(super) async fn of(register: &Register, subject: SubjectId, requests: Vec<Request>) -> Result<Self, Error> {
        let (state, profile) = (register.read(subject).await?, register.profile());
        let records = register.scan_records(subject).await?;
        let consents = state.consent.consents.iter().map(|(purpose, consent)| Consent {
            purpose: *purpose,
            status: consent.status,
            consent_type: consent.consent_type,
            profile_rev: consent.profile_rev,
            expires_at: consent.expires_at,
        });
        let certificates = register.certificates(subject).await?.into_iter().map(|json| Certificate::parse(&json));
        let certificates: Vec<_> = certificates.collect::<Result<_, _>>()?;
        let notices = scan_notices(register, subject).await?.into_iter().map(|(notice, delivery)| Noticed {
            kind: notice.kind,
            texts: notice.texts,
            sent_at: delivery.begun.first().copied(),
            reached_at: delivery.reached.map(|(_, at)| at),
        });
        let (received, read) = told(register, state.audit_key().subject(subject)).await?;
        Ok(Self {
            format: FORMAT,
            made_at: register.clock.wall(),
            subject,
            tenant: state.tenant.clone(),
            policy: Policy {
                id: profile.header().id.to_string(),
                rev: profile.rev(),
                sha256: profile.hash().to_string(),
                controller: profile.controller().name.clone(),
            },
            consents: consents.collect(),
            records: records.iter().map(|(_, record)| record::shown(record)).collect(),
            permissions_off: state.permissions_off.clone(),
            taken_back: state.consent.taken_back().collect(),
            farthest: state.consent.farthest,
            restricted: state.consent.restricted.iter().copied().collect(),
            age: state.consent.age,
            age_ends: state.ward.age.as_ref().and_then(|age| age.ends),
            guardian: state.ward.guardian.clone(),
            receipts: records.iter().filter_map(|(_, record)| receipt::of(record)).collect(),
            withdrawals: withdrawn(register, subject).await?,
            remembered: register.shown_facts(subject).await?,
            kept: items::of(register, subject).await?,
            requests: asked(requests).collect(),
            approvals: approved(register, subject, &certificates).await?,
            certificates,
            notices: notices.collect(),
            received,
            read,
            besides: Besides::of(register, subject, &state.tenant).await?,
        })
    }

    /// How many records of which category it has of what people keep.
    pub(crate) fn content(&self) -> BTreeMap<Category, u64> {
        let remembered = self.remembered.iter().map(|_| Category::MEMORY_SUMMARY);
        let mut rows = BTreeMap::new();
        for category in remembered.chain(self.kept.iter().map(|item| item.category)) {
            *rows.entry(category).or_default() += 1;
        }
        rows
    }

    /// How many records it holds.
    #[must_use]
    pub fn rows(&self) -> u64 {
        let lists = [self.consents.len(), self.receipts.len(), self.withdrawals.len()];
        let others = [self.remembered.len(), self.requests.len(), self.notices.len(), self.received.len()];
        let records = lists[0] + lists[1] + lists[2] + others[0] + others[1] + others[2] + others[3] + self.read.len();
        let besides = self.records.len() + self.besides.rows();
        (records + besides + self.certificates.len() + self.approvals.len() + self.kept.len()) as u64
    }
}

/// What `subject` took back.
pub(crate) async fn withdrawn(register: &Register, subject: SubjectId) -> Result<Vec<Withdrawn>, Error> {
    let withdrawals = register.scan_withdrawals(subject).await?.into_iter().map(|(_, withdrawal)| Withdrawn {
        effective_at: (withdrawal.state() == WithdrawalState::Ok).then_some(WallTime(withdrawal.effective_unix_ms)),
        requested_at: WallTime(withdrawal.requested_unix_ms),
        part: withdrawal.part.as_ref().and_then(|part| part::read(part).ok()),
        purposes: withdrawal.purposes,
    });
    Ok(withdrawals.collect())
}

/// Who answers for what these certificates of the subject say to remain.
async fn approved(
    register: &Register,
    subject: SubjectId,
    certificates: &[Certificate],
) -> Result<Vec<Approved>, Error> {
    let mut approved = Vec::new();
    for erasure in certificates.iter().map(|certificate| certificate.erasure) {
        let approvals = register.approvals(subject, Reference(erasure)).await?.into_iter();
        approved.extend(approvals.map(|Approval { residual, reason, at, .. }| Approved {
            erasure,
            residual,
            reason,
            by: OPERATOR,
            at,
        }));
    }
    Ok(approved)
}

/// These `requests`, as their person is shown them.
pub(crate) fn asked(requests: Vec<Request>) -> impl Iterator<Item = Asked> {
    requests.into_iter().map(|request| Asked {
        kind: request.kind,
        received_at: request.clocks.received,
        standing: request.standing,
        due_at: request.due.map(|due| due.at),
        ground: request.ground,
        identity: request.identity,
    })
}

/// Whether there is none of that.
const fn is_none(count: &u64) -> bool {
    *count == 0
}

/// What the log says that processors received under `tag`, and that the operator's people read.
async fn told(register: &Register, tag: SubjectTag) -> Result<(Vec<Received>, Vec<Read>), Error> {
    let damaged = |e: LeafError| Error::Log(e.to_string());
    let (mut segments, mut by_cell, mut read) = (Segments::default(), BTreeMap::new(), Vec::new());
    let mut index = 0;
    loop {
        let leaves = register.journal().read(index, LEAVES_AT_ONCE).await?;
        if leaves.is_empty() {
            break;
        }
        index += leaves.len() as u64;
        for leaf in leaves {
            let leaf = Leaf::decode(&leaf).map_err(damaged)?;
            let at = leaf.place.wall;
            let ended = segments.leaf(&leaf, |of, cell, processor| (of == tag).then_some((cell, processor)));
            ended.iter().for_each(|ended| receive(&mut by_cell, ended, at));
            if leaf.fact.subject == Some(tag)
                && let Event::Desk(DeskEvent::ContentRead { category, rows, ticket, .. }) = leaf.fact.event
            {
                read.push(Read { at, category, rows, ticket_sha256: ticket.map(|ticket| hex::encode(ticket.0)) });
            }
        }
    }
    let now = register.clock.wall();
    segments.finish().for_each(|open| receive(&mut by_cell, &open, now));
    Ok((by_cell.into_values().collect(), read))
}

/// Adds a segment that was over `at` that time to what its processor received.
fn receive(
    by_cell: &mut BTreeMap<(ProcessorId, Purpose, Category), Received>,
    ended: &Ended<(Cell, ProcessorId)>,
    at: WallTime,
) {
    if !ended.may_have_passed() {
        return;
    }
    let (cell, processor) = ended.of;
    let entry = by_cell.entry((processor, cell.purpose, cell.category)).or_insert(Received {
        processor,
        kind: cell.kind,
        region: cell.region,
        purpose: cell.purpose,
        category: cell.category,
        segments: 0,
        bytes: 0,
        uncounted: 0,
        first_at: at,
        last_at: at,
    });
    entry.segments += 1;
    match ended.bytes {
        Some(bytes) => entry.bytes += bytes,
        None => entry.uncounted += 1,
    }
    entry.last_at = at;
}
