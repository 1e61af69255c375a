//! [`Notice`]: what people are told, whom, by when, and through what.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use sayso_audit::Hash;
use sayso_policy::profile::{NoticeOccasion, SPOKEN_MAX, speaking_time};
use sayso_policy::{Diff, Introduction, IntroductionHash, Period, Profile};
use sayso_types::{Name, NoticeId, ProcessorId, SubjectId, TenantId, WallTime};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// People that one notice may name: their ids fit into one batch of the store. More of them are a tenant's, or everybody.
pub const PEOPLE_MAX: usize = 100_000;

/// Characters of a written text: four pages, and in every language of a policy together no more than a record holds.
pub const WRITTEN_CHARS_MAX: usize = 8_000;

/// By when people are told of a service that they wait for, where the policy does not say: their device says it the next time
/// that they speak to it, and their tenant has the other half of the day.
const INTRODUCED_WITHIN_MS: u64 = 24 * 60 * 60 * 1_000;

/// Bytes of all texts of a notice: a record of the store holds a hundred thousand.
const TEXTS_BYTES_MAX: usize = 64_000;

/// Why people are told something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// The policy is revised.
    Revision,
    /// Somebody else becomes the controller.
    ControllerChange,
    /// Data got where it should not.
    Incident,
    /// The service ends.
    Shutdown,
    /// An authority was given their data by law.
    Disclosure,
    /// Whose devices they speak to is served no more.
    TenantEnd,
    /// Something of theirs is about to go to a service that has a policy of its own.
    Introduction,
}

impl NoticeKind {
    /// Why people are told of `next`, which takes the place of the policy `before`.
    pub(crate) fn of_revision(before: &Profile, next: &Profile) -> Self {
        if before.controller().id == next.controller().id { Self::Revision } else { Self::ControllerChange }
    }

    /// Whether the policy that is in force `before` promises to tell people of `next` and its `changes`, in whatever words.
    pub(crate) fn is_promised(before: &Profile, next: &Profile, changes: &Diff) -> bool {
        let document = before.document();
        let told = |occasion| document.notify.contains_key(&occasion);
        let of_all = told(NoticeOccasion::Revision) || document.profile.notice_lead.is_some();
        let of_material = told(NoticeOccasion::MaterialChange) && changes.is_material();
        let is_other = Self::of_revision(before, next) == Self::ControllerChange;
        of_all || of_material || (told(NoticeOccasion::ControllerChange) && is_other)
    }

    /// How long the policy says that people are told before, the longest where it says several; for an incident, within.
    #[must_use]
    pub fn within(self, profile: &Profile) -> Option<Period> {
        let document = profile.document();
        let duty = |occasion| document.notify.get(&occasion)?.within.as_ref()?.period();
        let told = [duty(NoticeOccasion::MaterialChange), duty(NoticeOccasion::Revision), document.profile.notice_lead];
        match self {
            Self::Revision => told.into_iter().flatten().max_by_key(|period| period.longest()),
            Self::ControllerChange => {
                let own = duty(NoticeOccasion::ControllerChange);
                told.into_iter().chain([own]).flatten().max_by_key(|period| period.longest())
            }
            // to people of a tenant that is served no more, the service ends
            Self::Shutdown | Self::TenantEnd => duty(NoticeOccasion::Shutdown),
            Self::Incident => document.incident.subjects.as_ref()?.within.period(),
            Self::Disclosure => None,
            Self::Introduction => duty(NoticeOccasion::IndependentController),
        }
    }
}

/// A way to reach a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Their device says it, at the beginning of their next conversation.
    Device,
    /// Their tenant tells them by its own means (a text message, an e-mail, a letter) and reports what became of it.
    Tenant,
    /// Everybody can read it on the node's public page: the last resort, for whom nothing else reaches in time. It counts as
    /// delivered there, and the ways before it stay open.
    Page,
}

impl Channel {
    /// What the log calls it.
    #[must_use]
    pub const fn name(self) -> Name {
        match self {
            Self::Device => Name::constant("device"),
            Self::Tenant => Name::constant("tenant"),
            Self::Page => Name::constant("page"),
        }
    }
}

/// What is said, in one language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// Read out by devices; at most [`SPOKEN_MAX`].
    pub spoken: String,
    /// For whoever reads it, with everything that the spoken text has no room for; the spoken text, when it is empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub written: String,
}

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Everybody who was ever here.
    Everybody,
    /// Everybody who speaks to a device of this tenant.
    Tenant(TenantId),
    /// Those that were named when it was sent.
    People {
        /// How many.
        count: u64,
    },
    /// Each person of whom something is about to go to a service for the first time.
    Introduced {
        /// Which service.
        processor: ProcessorId,
        /// What is told of it.
        introduction: IntroductionHash,
    },
}

/// A notice that somebody wants to send.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Why.
    pub kind: NoticeKind,
    /// What is said, in every language of the policy.
    pub texts: BTreeMap<Name, Text>,
    /// By when people must have been told; [`None`] is as soon, or as late, as the policy says.
    pub by: Option<WallTime>,
    /// The ways to reach them, in the order in which they are tried.
    pub channels: Vec<Channel>,
}

/// A notice that was sent. The stored form, schema version 2, is JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Which.
    pub id: NoticeId,
    /// Why.
    pub kind: NoticeKind,
    /// What is said, in every language of the policy that was in force.
    pub texts: BTreeMap<Name, Text>,
    /// Who is told.
    pub audience: Audience,
    /// The ways to reach them, in the order in which they are tried.
    pub channels: Vec<Channel>,
    /// When it was sent.
    pub made_at: WallTime,
    /// By when people must have been told.
    pub by: WallTime,
}

/// Why a notice is not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A language of the policy has no text.
    #[error("texts: there is none in `{0}`, which the policy speaks; write it in every language of the policy")]
    Language(Name),
    /// A text in a language that the policy does not speak.
    #[error("texts: the policy does not speak `{0}`; leave that text out")]
    OtherLanguage(Name),
    /// A text that says nothing.
    #[error("texts.{0}: it says nothing")]
    Empty(Name),
    /// A text that takes too long to say.
    #[error(
        "texts.{language}: saying it takes {takes:?}, and people listen to a device for {SPOKEN_MAX:?}; say less, and write the rest"
    )]
    TooLong {
        /// In which language.
        language: Name,
        /// How long it takes to say.
        takes: Duration,
    },
    /// Texts that are too large.
    #[error(
        "texts: a written text may have {WRITTEN_CHARS_MAX} characters, and all of them together 64,000 bytes; write less"
    )]
    TooLarge,
    /// No way to reach anybody.
    #[error(
        "channels: there is none, one is there twice, or the page is not the last; name each way once, in the order in \
         which they are tried"
    )]
    Channels,
    /// Nobody could read it there.
    #[error("channels: this node has no public page; set `[pages]` in its configuration, or leave the page out")]
    NoPage,
    /// The policy does not say by when, and neither does the draft.
    #[error("by: the policy gives no time for such a notice; say by when people must have been told")]
    NoTime,
    /// Too early for what the policy promises.
    #[error(
        "by: the policy promises to tell people earlier; {earliest_ms} ms after 1970 is the earliest that it can hold"
    )]
    TooSoon {
        /// The earliest moment that the policy allows.
        earliest_ms: u64,
    },
    /// Later than the policy promises, or in the past.
    #[error("by: people must be told by {latest_ms} ms after 1970 at the latest, and not in the past")]
    TooLate {
        /// The latest moment that the policy allows.
        latest_ms: u64,
    },
    /// Nobody, or more people than one notice names.
    #[error("people: a notice names 1 to {PEOPLE_MAX} people; address a tenant or everybody instead")]
    People,
}

impl Draft {
    /// The notice to `audience` that is sent at `now` under `profile`.
    ///
    /// # Errors
    /// [`Refused`] names the first thing against it.
    pub fn check(self, audience: Audience, profile: &Profile, now: WallTime) -> Result<Notice, Refused> {
        let Self { kind, texts, by, channels } = self;
        let distinct: BTreeSet<_> = channels.iter().collect();
        let is_last =
            channels.iter().rposition(|channel| *channel == Channel::Page).is_none_or(|at| at + 1 == channels.len());
        if channels.is_empty() || distinct.len() != channels.len() || !is_last {
            return Err(Refused::Channels);
        }
        let spoken = &profile.header().languages;
        if let Some(missing) = spoken.iter().find(|language| !texts.contains_key(*language)) {
            return Err(Refused::Language(*missing));
        }
        for (language, text) in &texts {
            text.check(*language, spoken.contains(language))?;
        }
        if texts_json(&texts).len() > TEXTS_BYTES_MAX {
            return Err(Refused::TooLarge);
        }
        if matches!(audience, Audience::People { count } if count == 0 || count > PEOPLE_MAX as u64) {
            return Err(Refused::People);
        }
        let by = by_when(kind, by, profile, now)?;
        Ok(Notice { id: NoticeId::random(), kind, texts, audience, channels, made_at: now, by })
    }
}

impl Notice {
    /// What people are told of `processor` at `now`, before the first thing of theirs goes there. Whatever says the same has
    /// the same id, so that each of them is told once.
    #[must_use]
    pub fn introducing(
        processor: ProcessorId,
        introduction: Introduction<'_>,
        profile: &Profile,
        now: WallTime,
    ) -> Self {
        let hash = introduction.hash();
        let text = |language: &Name| {
            let (spoken, written) = (introduction.spoken(*language), introduction.written(*language));
            (*language, Text { spoken, written })
        };
        let within = NoticeKind::Introduction.within(profile);
        let day = WallTime(now.0.saturating_add(INTRODUCED_WITHIN_MS));
        let by = within.map_or(day, |within| profile.end_of(within, now, String::new()).at);
        Self {
            id: introduction_id(hash),
            kind: NoticeKind::Introduction,
            texts: profile.header().languages.iter().map(text).collect(),
            audience: Audience::Introduced { processor, introduction: hash },
            channels: vec![Channel::Device, Channel::Tenant],
            made_at: now,
            by,
        }
    }
}

/// The notice that tells what this is over.
pub(crate) fn introduction_id(introduction: IntroductionHash) -> NoticeId {
    let (id, _) = introduction.0.split_first_chunk().expect("32 bytes begin with 16");
    NoticeId(*id)
}

impl Text {
    fn check(&self, language: Name, is_spoken: bool) -> Result<(), Refused> {
        if !is_spoken {
            return Err(Refused::OtherLanguage(language));
        }
        if !self.spoken.contains(char::is_alphanumeric) {
            return Err(Refused::Empty(language));
        }
        let takes = speaking_time(&self.spoken);
        if takes > SPOKEN_MAX {
            return Err(Refused::TooLong { language, takes });
        }
        if self.written.chars().count() > WRITTEN_CHARS_MAX {
            return Err(Refused::TooLarge);
        }
        Ok(())
    }
}

/// By when people must have been told.
fn by_when(kind: NoticeKind, by: Option<WallTime>, profile: &Profile, now: WallTime) -> Result<WallTime, Refused> {
    let promised = kind.within(profile);
    let promised = promised.map(|period| profile.end_of(period, now, String::new()).at);
    let by = by.or(promised).ok_or(Refused::NoTime)?;
    match promised {
        Some(latest) if kind == NoticeKind::Incident && (latest < by || by <= now) => {
            Err(Refused::TooLate { latest_ms: latest.0 })
        }
        Some(earliest) if kind != NoticeKind::Incident && by < earliest => {
            Err(Refused::TooSoon { earliest_ms: earliest.0 })
        }
        None if by <= now => Err(Refused::TooSoon { earliest_ms: now.0.saturating_add(1) }),
        _ => Ok(by),
    }
}

fn texts_json(texts: &BTreeMap<Name, Text>) -> Vec<u8> {
    serde_json::to_vec(texts).expect("texts by their language are JSON")
}

impl Notice {
    /// What is said in `language`; in the first of the policy's, where it has none in that one.
    #[must_use]
    pub fn text(&self, language: Name) -> &Text {
        let usual = self.texts.values().next();
        self.texts.get(&language).or(usual).expect("a notice has a text in every language of the policy")
    }

    /// The texts as JSON, an object with a member for each language in the order of their names: what the log has the
    /// SHA-256 of.
    #[must_use]
    pub fn texts_json(&self) -> Vec<u8> {
        texts_json(&self.texts)
    }

    /// SHA-256 of [`texts_json`](Self::texts_json).
    #[must_use]
    pub fn sha256(&self) -> Hash {
        Hash(Sha256::digest(self.texts_json()).into())
    }

    /// When the time of the first `begun` channels has passed: each has the same share of the time up to `by`. Of a service
    /// each person is told when they come to need it: their time begins with `first`, when the first channel was.
    #[must_use]
    pub fn share_ends(&self, begun: usize, first: WallTime) -> WallTime {
        let time = u128::from(self.by.0.saturating_sub(self.made_at.0));
        let passed = time * begun as u128 / self.channels.len().max(1) as u128;
        let from = if self.kind == NoticeKind::Introduction { first } else { self.made_at };
        WallTime(from.0.saturating_add(u64::try_from(passed).unwrap_or(u64::MAX)))
    }
}

/// The pages in which the people that a notice names are stored.
pub(super) fn pages(people: &[SubjectId], page: usize) -> impl Iterator<Item = Vec<u8>> {
    people.chunks(page).map(|page| page.iter().flat_map(|subject| subject.0).collect())
}
