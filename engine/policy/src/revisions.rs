//! [`Revisions`]: which revision of the policy governs what a person agreed to.
//!
//! A person agreed to a purpose under one revision. As long as nothing that came since touches that purpose materially,
//! the newest revision governs it. Otherwise, until the person agrees anew, only what both allow is allowed: a person is
//! never held to a text they did not agree to, and never goes without a protection that everybody else has. Of a receiver that
//! has become another meanwhile no older text says what is so: it gets nothing of theirs until they agree.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use sayso_types::{Category, ProcessorId, Purpose, RegionClass, WallTime};
use sha2::{Digest, Sha256};

use crate::profile::Processor;
use crate::{
    ConsentState, Deadline, Decision, Diff, ExemptionGrant, Explanation, InForce, Profile, ProfileHash, Question,
    Redactor, Registry, Tables, decide_anonymised, diff, explain,
};

/// Older revisions that are kept. Whoever agreed to one that came before is asked again: eight revisions are more than a
/// year of a policy that changes often.
pub const OLDER_MAX: usize = 8;

/// Why a profile is not taken as the next revision.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RevisionError {
    /// It is another policy.
    #[error("profile.id is `{found}`, but the policy in force is `{expected}`; a node keeps to one policy")]
    OtherProfile {
        /// The policy in force.
        expected: String,
        /// The one that was given.
        found: String,
    },
    /// It is older than the one in force.
    #[error(
        "profile.rev is {found}, but revision {newest} is in force; a revision is never rolled back, publish a new one"
    )]
    RolledBack {
        /// The revision in force.
        newest: u32,
        /// The one that was given.
        found: u32,
    },
    /// Its number is taken.
    #[error("revision {0} is in force and says something else; raise profile.rev")]
    SameRevision(u32),
    /// It does not hold yet.
    #[error("revision {rev} holds from {from_ms} ms after 1970 on; until then the one in force stays")]
    NotYet {
        /// The revision.
        rev: u32,
        /// From when it holds, in Unix milliseconds.
        from_ms: u64,
    },
    /// People were promised to be told before it holds.
    #[error(
        "revision {0} changes what people were promised to be told of before it holds; give it a later effective_at, and \
         people are told when it is read"
    )]
    NotAnnounced(u32),
}

/// The newest revision of a policy, and the older ones that somebody may still be governed by. Clones share what was
/// compiled.
#[derive(Clone, Debug)]
pub struct Revisions {
    newest: Arc<Tables>,
    /// By their number.
    older: BTreeMap<u32, Older>,
    /// What may be done without consent, as far as each revision lets it.
    grants: Arc<[ExemptionGrant]>,
}

#[derive(Clone, Debug)]
struct Older {
    tables: Arc<Tables>,
    /// What has changed from it to the newest.
    changes: Diff,
}

impl Older {
    /// `state` of somebody who was told of all services as this revision would, of which `newest` has something to tell
    /// itself: what there is to tell of one is what the newest has, which is asked first. Of what the newest tells nobody,
    /// because it says that the service does not decide itself or the data is about nobody, this one's telling counts.
    fn told<'a>(&self, state: &'a ConsentState, newest: &Profile, category: Category) -> Cow<'a, ConsentState> {
        let is_personal = newest.category(category).is_some_and(|rule| rule.is_personal());
        let is_asked = |id| is_personal && newest.processor(id).is_some_and(|to| to.introduction().is_some());
        let here = self.tables.in_force().profile().processors().filter(|to| is_asked(to.id));
        let own: Vec<_> = here.filter_map(|to| Some(to.introduction()?.hash())).collect();
        if own.iter().all(|one| state.told.contains(one)) {
            return Cow::Borrowed(state);
        }
        let mut told = state.clone();
        told.told.extend(own);
        Cow::Owned(told)
    }

    /// Whether the receiver has become somebody else, or does more, by what `newest` says of it: what this revision says is no
    /// longer so, and nobody has agreed to what is.
    fn has_overtaken(&self, receiver: ProcessorId, newest: &Profile) -> bool {
        let was = self.tables.in_force().profile().processor(receiver);
        was.zip(newest.processor(receiver)).is_some_and(|(was, is)| is_another(was, is))
    }
}

/// Whether whoever agreed to `was` has not agreed to `is`.
fn is_another(was: &Processor, is: &Processor) -> bool {
    let kept = |one: &Processor| one.declared_retention.as_ref().and_then(Deadline::period);
    let is_elsewhere = is.region_class != RegionClass::Local && was.region != is.region;
    let is_kept_longer = match (kept(was), kept(is)) {
        (Some(before), Some(now)) => before != now && now.may_exceed(before),
        (before, now) => before.is_some() && now.is_none(),
    };
    (was.kind, &was.party, was.region_class) != (is.kind, &is.party, is.region_class)
        || (was.role, was.partner_type) != (is.role, is.partner_type)
        || is_elsewhere
        || is.trains_on_data != was.trains_on_data && is.trains_on_data != Some(false)
        || is.independent_controller && !was.independent_controller
        || !is.sub_processors.is_subset(&was.sub_processors)
        || was.zero_retention && !is.zero_retention
        || is_kept_longer
}

impl Revisions {
    /// A policy of which there is one revision.
    #[must_use]
    pub fn new(newest: InForce) -> Self {
        let grants = newest.exemptions().into();
        Self { newest: Arc::new(Tables::new(Arc::new(newest))), older: BTreeMap::new(), grants }
    }

    /// The same with these grants in place of those that there were.
    #[must_use]
    pub fn with_exemptions(&self, grants: Arc<[ExemptionGrant]>) -> Self {
        let under = self.under(|in_force| in_force.with_exemptions(grants.iter().cloned()));
        Self { grants, ..under }
    }

    /// What may be done without consent, whether or not a revision lets it.
    #[must_use]
    pub fn exemptions(&self) -> &[ExemptionGrant] {
        &self.grants
    }

    /// The revision in force for everybody new.
    #[must_use]
    pub fn newest(&self) -> &Arc<Profile> {
        self.newest.in_force().profile()
    }

    /// Every revision, the newest last.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Profile>> {
        self.older.values().map(|older| &older.tables).chain([&self.newest]).map(|tables| tables.in_force().profile())
    }

    /// These revisions with `next` as the newest, and what it changes. The same profile again changes nothing.
    ///
    /// # Errors
    /// [`RevisionError`] says why `next` is not the next revision; these stay as they are.
    pub fn publish(&self, next: Arc<Profile>, now: WallTime) -> Result<(Self, Diff), RevisionError> {
        let (newest, header) = (self.newest().header(), next.header());
        if newest.id != header.id {
            let (expected, found) = (newest.id.to_string(), header.id.to_string());
            return Err(RevisionError::OtherProfile { expected, found });
        }
        if next.hash() == self.newest().hash() {
            return Ok((self.clone(), Diff::default()));
        }
        if header.rev == newest.rev {
            return Err(RevisionError::SameRevision(header.rev));
        }
        if header.rev < newest.rev {
            return Err(RevisionError::RolledBack { newest: newest.rev, found: header.rev });
        }
        // an accepted profile has a moment; without one it would hold from never
        let from = header.effective_at.moment().unwrap_or(WallTime(u64::MAX));
        if now < from {
            return Err(RevisionError::NotYet { rev: header.rev, from_ms: from.0 });
        }
        let tables = self.older.values().map(|older| &older.tables).chain([&self.newest]);
        let mut older: BTreeMap<_, _> = tables
            .map(|tables| {
                let profile = tables.in_force().profile();
                (
                    profile.rev(),
                    Older { tables: Arc::clone(tables), changes: diff(profile.document(), next.document()) },
                )
            })
            .collect();
        while older.len() > OLDER_MAX {
            older.pop_first();
        }
        let changes = diff(self.newest().document(), next.document());
        let in_force = InForce::new(next).with_registry(Arc::clone(self.registry()));
        let newest = Self::new(in_force.with_exemptions(self.grants.iter().cloned())).newest;
        Ok((Self { newest, older, grants: Arc::clone(&self.grants) }, changes))
    }

    /// What has become of processors, and what is switched off: the same whichever revision governs.
    #[must_use]
    pub fn registry(&self) -> &Arc<Registry> {
        self.newest.in_force().registry()
    }

    /// These revisions under `registry`.
    #[must_use]
    pub fn with_registry(&self, registry: Registry) -> Self {
        let registry = Arc::new(registry);
        self.under(|in_force| in_force.with_registry(Arc::clone(&registry)))
    }

    /// These revisions, what each decision rests on besides the person being what `change` makes of it.
    fn under(&self, change: impl Fn(InForce) -> InForce) -> Self {
        let under = |tables: &Tables| Arc::new(Tables::new(Arc::new(change(InForce::clone(tables.in_force())))));
        let older = |(rev, older): (&u32, &Older)| {
            (*rev, Older { tables: under(&older.tables), changes: older.changes.clone() })
        };
        Self {
            newest: under(&self.newest),
            older: self.older.iter().map(older).collect(),
            grants: Arc::clone(&self.grants),
        }
    }

    /// Decides where `question` says for a person whose register is `state`.
    #[must_use]
    pub fn decide(&self, question: &Question, state: &ConsentState) -> Decision {
        let ask = |tables: &Tables, state: &ConsentState| tables.compiled(state).decide(question);
        self.governed(question, state, ask, |decision| *decision)
    }

    /// As [`decide`](Self::decide), about what a registered transformation makes of the data.
    #[must_use]
    pub fn decide_anonymised(&self, question: &Question, state: &ConsentState) -> Decision {
        let ask = |tables: &Tables, state: &ConsentState| decide_anonymised(question, state, tables.in_force());
        self.governed(question, state, ask, |decision| *decision)
    }

    /// Explains what [`decide`](Self::decide) says to the same arguments.
    #[must_use]
    pub fn explain(&self, question: &Question, state: &ConsentState) -> Explanation {
        let ask = |tables: &Tables, state: &ConsentState| explain(question, state, tables.in_force());
        self.governed(question, state, ask, |explanation| explanation.decision)
    }

    /// What the revision says that governs what `question` is about with a person: the newest, or, where that permits, the older one
    /// that they agreed to. What `ask` makes of a revision has a decision in it.
    fn governed<T>(
        &self,
        question: &Question,
        state: &ConsentState,
        ask: impl Fn(&Tables, &ConsentState) -> T,
        decision: impl Fn(&T) -> Decision,
    ) -> T {
        let newest = ask(&self.newest, &self.carried(state, self.newest().rev()));
        let Some(older) = self.agreed_to(question.label.purpose, state).filter(|_| decision(&newest).is_permit())
        else {
            return newest;
        };
        let rev = older.tables.in_force().profile().rev();
        let carried = self.carried(state, rev);
        let mut told = older.told(&carried, self.newest(), question.label.category);
        if older.has_overtaken(question.processor, self.newest()) {
            told.to_mut().consents.remove(&question.label.purpose);
        }
        let agreed = ask(&older.tables, &told);
        // a use without consent is told as one, whichever revision it rests on
        let (by_newest, by_agreed) = (decision(&newest), decision(&agreed));
        let tells = by_agreed.is_permit() && !rests_on_grant(&by_agreed) && rests_on_grant(&by_newest);
        if tells { newest } else { agreed }
    }

    /// What everybody's consent would be if the changes between the revision that it was given under and `to` had not
    /// mattered: also where it was given later, because what a purpose requires was agreed to anew.
    fn carried<'a>(&self, state: &'a ConsentState, to: u32) -> Cow<'a, ConsentState> {
        let is_other = |rev: u32| rev != to && (rev == self.newest().rev() || self.older.contains_key(&rev));
        if !state.consents.values().any(|given| is_other(given.profile_rev)) {
            return Cow::Borrowed(state);
        }
        let mut carried = state.clone();
        for given in carried.consents.values_mut().filter(|given| is_other(given.profile_rev)) {
            given.profile_rev = to;
        }
        Cow::Owned(carried)
    }

    /// The older revision that the person agreed to for `purpose`, if what came since touches it.
    fn agreed_to(&self, purpose: Purpose, state: &ConsentState) -> Option<&Older> {
        let agreed = state.consents.get(&purpose).filter(|given| given.status.is_valid())?;
        self.older.get(&agreed.profile_rev).filter(|older| older.changes.touches(purpose))
    }

    /// The revision that governs using `purpose` with a person.
    #[must_use]
    pub fn governing(&self, purpose: Purpose, state: &ConsentState) -> &Arc<Profile> {
        self.agreed_to(purpose, state).map_or_else(|| self.newest(), |older| older.tables.in_force().profile())
    }

    /// The revisions whose rights the person has: the newest, and after it each older one that governs something that they agreed
    /// to, until they answer. A right that only one of them gives is theirs, and the earliest day of them all.
    pub fn rights_of<'a>(&'a self, state: &ConsentState) -> impl Iterator<Item = &'a Arc<Profile>> + use<'a> {
        let agreed = state.consents.keys().filter_map(|purpose| self.agreed_to(*purpose, state));
        let older: BTreeMap<u32, _> =
            agreed.map(|older| older.tables.in_force().profile()).map(|profile| (profile.rev(), profile)).collect();
        core::iter::once(self.newest()).chain(older.into_values().rev())
    }

    /// What takes out of data of `category` what any revision says that somebody may still be governed by: a revision that
    /// takes out less leaves nobody without what they were promised.
    #[must_use]
    pub fn redactor(&self, category: Category) -> Redactor {
        self.all().flat_map(|profile| profile.document().redactions(category)).collect()
    }

    /// The purposes that the person has to be asked again, because what they agreed to has changed or is forgotten. Not
    /// those of which they said no to the newest revision: that answer stands until there is another.
    #[must_use]
    pub fn asks(&self, state: &ConsentState) -> Vec<Purpose> {
        let changed = |purpose: Purpose, rev: u32| match self.older.get(&rev) {
            Some(older) => older.changes.touches(purpose),
            None => rev != self.newest().rev(),
        };
        let agreed = state.consents.iter().filter(|(_, given)| given.status.is_valid());
        let changed = agreed.filter(|(purpose, given)| changed(**purpose, given.profile_rev));
        let undecided = |purpose: &Purpose| state.declined.get(purpose) != Some(&self.newest().rev());
        changed.map(|(purpose, _)| *purpose).filter(undecided).collect()
    }

    /// The newest revision with a spoken question, put for the first time or again, or a screen text of this SHA-256: the
    /// one that a person heard or read.
    #[must_use]
    pub fn read_out(&self, sha256: &[u8; 32]) -> Option<&Arc<Profile>> {
        let is = |text: &str| Sha256::digest(text.as_bytes()).as_slice() == sha256;
        let has = |profile: &Profile| {
            let mut notices = profile.document().notice.iter();
            notices.any(|(language, n)| is(&n.spoken) || is(&n.screen) || is(&n.spoken_again(*language)))
        };
        self.all().filter(|profile| has(profile)).last()
    }

    /// The revision of this hash, if it is kept.
    #[must_use]
    pub fn find(&self, hash: ProfileHash) -> Option<&Arc<Profile>> {
        self.all().find(|profile| profile.hash() == hash)
    }
}

fn rests_on_grant(decision: &Decision) -> bool {
    decision.answer.is_ok_and(|grounds| grounds.exemption().is_some())
}
