//! [`DisclosureDesk`]: where what authorities demand is put together and handed out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sayso_audit::{Actor, DeskEvent, Event, Hash, Reference};
use sayso_policy::{Gate, GrantError, IsoPeriod};
use sayso_store::{Condition, Error as StoreError, Key, Op, TypedKey};
use sayso_types::{Category, Name, SubjectId, WallTime};
use sha2::{Digest, Sha256};

use super::document::Document;
use super::sealed;
use super::stored::Disclosure;
use crate::exemption::{Demand, Proposal};
use crate::journal::About;
use crate::notices::{self, Audience, Channel, Draft, NoticeKind, Notices, Text};
use crate::register::Look;
use crate::tables::{DISCLOSURE, DISCLOSURE_TELL, DisclosureKey, DisclosureTellKey};
use crate::{Entry, Error as RegisterError, Register};

/// Bytes of what is given away at once, before it is encrypted: in base64, and as a message, no more than a gRPC client that
/// was told so takes.
pub const BYTES_MAX: usize = 8 << 20;

/// Disclosures that are kept, for ever. Each was approved by people.
pub const KEPT_MAX: usize = 16_384;

/// By when people must have been told, from when their notice is sent: the month that GDPR 14(3) gives at most.
const TOLD_WITHIN: &str = "P1M";

/// Why nothing is given away. Each is on record as `operator.denied`, but for failures of the register.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The register did not do it.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// There is no such grant.
    #[error("there is no such grant; list the demands")]
    Unknown,
    /// A grant that opens gates.
    #[error("this exemption is no demand of an authority; propose a disclosure")]
    NoDemand,
    /// Too few have approved it, or it has ended.
    #[error("the grant is not in force: it waits for approval, has ended or was taken back")]
    NotLive,
    /// The policy does not let it be given any more.
    #[error(transparent)]
    Grant(GrantError),
    /// More is asked for than was approved.
    #[error("categories: `{0}` is not in the grant; ask for what was approved")]
    Outside(Category),
    /// More than a file holds.
    #[error("there is more than the {BYTES_MAX} bytes of one file; have fewer categories made at once")]
    TooLarge,
    /// Too many are kept.
    #[error("{KEPT_MAX} disclosures are kept, which is all that there is room for")]
    TooMany,
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Register(error.into())
    }
}

impl Error {
    /// What the log calls it; [`None`] for what nobody is to blame for.
    const fn reason(&self) -> Option<Name> {
        Some(Name::constant(match self {
            Self::Register(_) | Self::TooMany => return None,
            Self::Unknown => "no_grant",
            Self::NoDemand => "no_demand",
            Self::NotLive => "not_live",
            Self::Grant(_) => "policy",
            Self::Outside(_) => "outside",
            Self::TooLarge => "too_large",
        }))
    }
}

/// A disclosure, with the file that is handed out.
#[derive(Debug)]
pub struct Made {
    /// What is kept of it.
    pub disclosure: Disclosure,
    /// The encrypted file. It is kept nowhere.
    pub file: Vec<u8>,
}

/// Makes disclosures on live grants, and tells people of them.
#[derive(Clone, Debug)]
pub struct DisclosureDesk {
    register: Arc<Register>,
}

impl DisclosureDesk {
    /// The desk of `register`. It tells people of what was given away for as long as somebody else holds the register.
    #[must_use]
    pub fn open(register: Arc<Register>) -> Self {
        register.look(
            Look::EachMinute,
            "notices of disclosures",
            |register| async move { Self { register }.tell().await },
        );
        Self { register }
    }

    /// Makes what was demanded on the `grant`, or only these `categories` of it. By what right, how much, and the file's
    /// SHA-256 are on record when this returns.
    ///
    /// # Errors
    /// [`Error`] says what stands against it. Nothing was put together then, and the refusal is on record.
    pub async fn make(&self, grant: Name, categories: Option<&BTreeSet<Category>>, by: Actor) -> Result<Made, Error> {
        let outcome = self.try_make(grant, categories, by).await;
        if let Some(reason) = outcome.as_ref().err().and_then(Error::reason) {
            let ticket = Reference(SubjectId::random().0);
            let denied = DeskEvent::OperatorDenied { ticket, gate: Gate::Access.name(), reason };
            let events = vec![About::default().by(by, Event::Desk(denied))];
            self.register.journal().append(Entry { events, ..Entry::default() }).await?;
            metrics::counter!("sayso_disclosures_denied_total", "reason" => reason.to_string()).increment(1);
        }
        outcome
    }

    async fn try_make(&self, id: Name, only: Option<&BTreeSet<Category>>, by: Actor) -> Result<Made, Error> {
        // no grant ends, and no policy changes, while something is given away on it
        let _turn = self.register.rules_turn().await;
        let (proposal, _) = self.register.find_proposal(id).await?.ok_or(Error::Unknown)?;
        let demand = proposal.terms.demand.as_ref().ok_or(Error::NoDemand)?;
        let now = self.register.clock.wall();
        let grant = proposal.live().filter(|grant| grant.not_before <= now && now < grant.not_after);
        let grant = grant.ok_or(Error::NotLive)?;
        grant.check_disclosure(&self.register.profile()).map_err(Error::Grant)?;
        let categories = only.unwrap_or(&grant.categories);
        if let Some(outside) = categories.iter().find(|category| !grant.categories.contains(*category)) {
            return Err(Error::Outside(*outside));
        }
        if self.all().await?.len() >= KEPT_MAX {
            return Err(Error::TooMany);
        }
        let disclosure = Reference(SubjectId::random().0);
        let evidence = proposal.terms.evidence_sha256;
        let mut document = Document::new(&self.register, disclosure.0, (id, demand, evidence), now);
        let mut rows = BTreeMap::new();
        for subject in &demand.people {
            let added = document.add(&self.register, *subject, categories, demand).await?;
            rows.insert(*subject, added.ok_or(Error::TooLarge)?);
        }
        let content = document.encode();
        if content.len() > BYTES_MAX {
            return Err(Error::TooLarge);
        }
        let damaged = || RegisterError::Damaged { what: "exemption", found: "a key that encrypts nothing".to_owned() };
        let file = sealed::seal(&demand.recipient, disclosure.0, &content).ok_or_else(damaged)?;
        let disclosure = Disclosure {
            id: disclosure,
            grant: id,
            made_at: now,
            by: by.tag,
            people: demand.people.clone(),
            categories: categories.clone(),
            rows: rows.values().sum(),
            bytes: file.len() as u64,
            file: Hash(Sha256::digest(&file).into()),
            tell_at: grant.notify_subject_after.map(|at| at.max(now)),
            told_at: None,
        };
        let entry = self.entry(&disclosure, &rows, by).await?;
        self.register.journal().append(entry).await?;
        self.register.filed_anew();
        metrics::counter!("sayso_disclosures_total").increment(1);
        tracing::info!(grant = %id, rows = disclosure.rows, "something was disclosed");
        Ok(Made { disclosure, file })
    }

    /// What puts `disclosure` on record, with how many `rows` it has of whom.
    async fn entry(&self, disclosure: &Disclosure, rows: &BTreeMap<SubjectId, u64>, by: Actor) -> Result<Entry, Error> {
        let Disclosure { id, grant, bytes, file, .. } = *disclosure;
        let mut entry = Entry { ops: vec![put(disclosure)], ..Entry::default() };
        if let Some(at) = disclosure.tell_at {
            entry.ops.push(Op::Put(tell_key(id, at), DISCLOSURE_TELL.encode(&[])));
        }
        for (subject, rows) in rows {
            let about = self.register.read(*subject).await?.about(*subject);
            self.register.first_use(*subject, grant, about, &mut entry).await?;
            let gate = Gate::Access.name();
            for category in disclosure.categories.iter().copied() {
                let permitted = DeskEvent::DisclosurePermitted { disclosure: id, gate, category, grant };
                entry.events.push(about.by(by, Event::Desk(permitted)));
            }
            let created = DeskEvent::DisclosureCreated { disclosure: id, rows: *rows, bytes, file };
            entry.events.push(about.by(by, Event::Desk(created)));
        }
        Ok(entry)
    }

    /// Every disclosure, oldest first.
    ///
    /// # Errors
    /// As the store says.
    pub async fn all(&self) -> Result<Vec<Disclosure>, Error> {
        Ok(all(&self.register).await?)
    }

    /// What was demanded, whatever became of it, oldest first.
    ///
    /// # Errors
    /// As the store says.
    pub async fn demands(&self) -> Result<Vec<Proposal>, Error> {
        let mut proposals = self.register.exemptions().await?;
        proposals.retain(|proposal| proposal.terms.demand.is_some());
        Ok(proposals)
    }

    /// Sends notices to the people whose time to be told has come; of how many disclosures.
    ///
    /// # Errors
    /// As the register says; what was not reached is found next time.
    pub async fn tell(&self) -> Result<u64, notices::Error> {
        let now = self.register.clock.wall();
        let tell = |waiting: DisclosureTellKey| async move {
            self.tell_of(&waiting.disclosure, waiting.key(), now).await.map(u64::from)
        };
        self.register.due(now).each(tell).await
    }

    async fn tell_of(&self, id: &[u8], waiting: Key, now: WallTime) -> Result<bool, notices::Error> {
        // two entries of one batch do not see each other, so nobody else sends this one meanwhile
        let _turn = self.register.rules_turn().await;
        let key = DisclosureKey { disclosure: id.to_vec() }.key();
        let lost = || RegisterError::Damaged { what: "disclosure", found: "one to be told of is missing".to_owned() };
        let stored = self.register.store.read(core::slice::from_ref(&key)).await?.pop().flatten().ok_or_else(lost)?;
        let (_, body) = DISCLOSURE.decode(&stored.value).map_err(StoreError::from)?;
        let disclosure = Disclosure::decode(id, body)?;
        if disclosure.told_at.is_some() {
            return Ok(false);
        }
        let proposal = self.register.find_proposal(disclosure.grant).await?.map(|(proposal, _)| proposal);
        let demand = proposal.and_then(|proposal| proposal.terms.demand);
        let text = |language: &Name| (*language, said(demand.as_ref(), &disclosure, *language));
        let within: IsoPeriod = TOLD_WITHIN.parse().expect("a period");
        let draft = Draft {
            kind: NoticeKind::Disclosure,
            texts: self.register.profile().header().languages.iter().map(text).collect(),
            by: Some(within.after(now)),
            channels: vec![Channel::Device, Channel::Tenant],
        };
        let next = Disclosure { told_at: Some(now), ..disclosure };
        // in the batch that sends the notice, so that nobody is told twice
        let with = Entry {
            require: vec![(key, Condition::Version(stored.version))],
            ops: vec![put(&next), Op::Delete(waiting)],
            ..Entry::default()
        };
        let people: Vec<_> = next.people.iter().copied().collect();
        let audience = Audience::People { count: people.len() as u64 };
        Notices::new(Arc::clone(&self.register)).take(draft, audience, &people, with).await?;
        self.register.filed_anew();
        Ok(true)
    }
}

fn put(disclosure: &Disclosure) -> Op {
    let key = DisclosureKey { disclosure: disclosure.id.0.to_vec() }.key();
    Op::Put(key, DISCLOSURE.encode(&disclosure.encode()))
}

fn tell_key(id: Reference, at: WallTime) -> Key {
    DisclosureTellKey { at: at.0, disclosure: id.0.to_vec() }.key()
}

/// What people are told of `disclosure`.
fn said(demand: Option<&Demand>, disclosure: &Disclosure, language: Name) -> Text {
    let categories = disclosure.categories.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let (authority, law) = demand.map_or(("-", "-"), |demand| (&demand.authority, &demand.law));
    let is_chinese = language.as_str().split('-').next() == Some("zh");
    let (spoken, written) = if is_chinese {
        let spoken = "有关机关依法要求提供你的部分数据，我们已经提供。".to_owned();
        (
            spoken.clone(),
            format!("{spoken}\n机关：{authority}\n依据：{law}\n数据类别：{categories}\n编号：{}", disclosure.id),
        )
    } else {
        let spoken = "By law, an authority demanded some of your data and was given it.".to_owned();
        let rest =
            format!("Who: {authority}\nBy which law: {law}\nWhich data: {categories}\nReference: {}", disclosure.id);
        (spoken.clone(), format!("{spoken}\n{rest}"))
    };
    Text { spoken, written }
}

/// Every disclosure, oldest first.
pub(crate) async fn all(register: &Register) -> Result<Vec<Disclosure>, RegisterError> {
    let rows = register.scan(DisclosureKey::table(), DISCLOSURE, |body| Ok(body.to_vec())).await?;
    let read = |(key, body): (Key, Vec<u8>)| {
        let DisclosureKey { disclosure } = DisclosureKey::parse(&key).map_err(StoreError::from)?;
        Disclosure::decode(&disclosure, &body)
    };
    let mut all: Vec<_> = rows.into_iter().map(read).collect::<Result<_, RegisterError>>()?;
    all.sort_by_key(|one| (one.made_at, one.id.0));
    Ok(all)
}
