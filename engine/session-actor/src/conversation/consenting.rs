//! What goes to the consent register, and what comes back. Each write runs in a task; what changed is told by the
//! register to all who follow it, this session among them.

use std::sync::Arc;

use bytes::BytesMut;
use ractor::ActorRef;
use sayso_consent::notices::{Notice, NoticeKind, Notices};
use sayso_consent::{Answer, Asking, Error, Means as RegisterMeans, Question, Remembered};
use sayso_policy::{ConsentState, ConsentStatus, PurposeConsent};
use sayso_session::{Asked, ConsentView, Decision, Event, GuestMode, Means, Standing, Taken, ToTell};
use sayso_types::dialogue::Fact;
use sayso_types::{Category, Name, NoticeId, Purpose, TurnId};
use sayso_wire::{ConsentStatus as Told, ToDevice, ToNode};
use sha2::{Digest, Sha256};

use super::Conversation;
use crate::actor::{Message, to_tell};
use crate::kept;
use crate::stage::post;

/// A consent question that was put.
pub(super) struct Put {
    question: Question,
    /// Of what was read out.
    notice_sha256: [u8; 32],
}

fn standing(state: &ConsentState) -> Standing {
    match state.status(Purpose::VOICE_INTERACTION) {
        ConsentStatus::Given | ConsentStatus::Renewed => Standing::Given,
        ConsentStatus::Refused => Standing::Refused,
        ConsentStatus::Withdrawing => Standing::Withdrawing,
        ConsentStatus::Withdrawn | ConsentStatus::Revoked => Standing::Withdrawn,
        ConsentStatus::Unknown
        | ConsentStatus::Requested
        | ConsentStatus::Deferred
        | ConsentStatus::Expired
        | ConsentStatus::Invalidated => Standing::Undecided,
    }
}

/// SHA-256 over a message of the device, as it goes over the wire.
pub(super) fn fingerprint(message: &ToNode) -> [u8; 32] {
    let mut bytes = BytesMut::new();
    sayso_wire::encode(message, &mut bytes).expect("what was decoded can be encoded");
    Sha256::digest(&bytes).into()
}

impl Conversation {
    /// What the session needs to know of how the person stands.
    pub(super) fn view(&self) -> ConsentView {
        let state = &self.consent;
        let (revisions, asks) = (self.services.register.revisions(), self.services.register.profile());
        // A conversation that began under an earlier revision has its words: who it is had with is asked in the next.
        let current = self.place().identity.language.revision == revisions.newest().rev();
        let again = revisions.asks(state).into_iter().filter(|purpose| current && asks.asks().spoken.contains(purpose));
        ConsentView {
            cv: state.cv,
            standing: standing(state),
            memory: self.services.register.remembers(state),
            pictures: self.may(Purpose::VISION, Category::IMAGE),
            history: self.may(Purpose::HISTORY, Category::CHAT_HISTORY),
            asks_again: again.collect(),
        }
    }

    /// Tells the device, purpose by purpose, and the session what has changed.
    pub(super) fn consent_changed(&mut self, state: ConsentState) {
        // What was read earlier may arrive later.
        if state.cv < self.consent.cv {
            return;
        }
        let before = core::mem::replace(&mut self.consent, state);
        if !self.consent.status(Purpose::MEMORY).is_valid() || !self.services.register.may_keep_facts(&self.consent) {
            self.remembered.clear();
        }
        if !self.records() {
            self.hearing.stop_recording();
        }
        for message in changes(&before, &self.consent) {
            self.place().tell(message);
        }
        let view = self.view();
        let is_asked = only_asks(&before, &self.consent);
        self.run(if is_asked { Event::ConsentAsked(view) } else { Event::ConsentChanged(view) });
        let (turn, lineage) = &self.lineage;
        if lineage.is_taken_back(&self.consent) {
            self.run(Event::OriginTakenBack(*turn));
        }
    }

    /// The same, where somebody changed it just now.
    pub(super) fn consent_changes(&mut self, state: ConsentState) {
        let had_agreed = standing(&self.consent) == Standing::Given;
        self.consent_changed(state);
        if !had_agreed && standing(&self.consent) == Standing::Given {
            self.introduce();
        }
    }

    /// Has the register write, in order. What the device said keeps its room until that is done: who says things faster than
    /// they are written is told so.
    fn write(&mut self, name: &'static str, write: impl Future<Output = ()> + Send + 'static) {
        let room = self.room.clone();
        self.writes.start(&self.services.tasks, name, async move {
            write.await;
            drop(room);
        });
    }

    /// Puts on record that the question is being put.
    pub(super) fn note_question(&mut self, asked: &Asked) {
        let identity = &self.awake.place().identity;
        let (register, subject, language) = (self.services.register.clone(), identity.subject, &identity.language);
        let notice_sha256 = if asked.again { language.again_sha256 } else { language.notice_sha256 };
        let question = Question::of(&asked.purposes);
        let language = language.name.to_string();
        let asking = Asking { subject, question: question.clone(), notice_sha256, language, spoken: true };
        self.question = Some(Put { question, notice_sha256 });
        self.write("note question", async move {
            if let Err(error) = register.asked(&asking).await {
                tracing::warn!(%error, "a notice could not be put on record");
            }
        });
    }

    /// The record of the answer says that one further layer of the notice was read out.
    pub(super) fn note_more(&mut self) {
        if let Some(put) = &mut self.question {
            put.question.tell_more();
        }
    }

    /// Puts on record what the person decided. Nothing is allowed until the register says that it is durable.
    pub(super) fn record(&mut self, turn: TurnId, decision: Decision, means: Means) {
        // Only what was asked can be answered.
        let Some(Put { question, notice_sha256 }) = self.question.take() else { return };
        let identity = &self.awake.place().identity;
        let file = match means {
            Means::Voice => self.hearing.take_answer(turn),
            Means::Button => None,
        };
        let answer = Answer {
            tenant: identity.tenant.clone(),
            subject: identity.subject,
            status: match decision {
                Decision::Agree => ConsentStatus::Given,
                Decision::Refuse => ConsentStatus::Refused,
                Decision::Defer => ConsentStatus::Deferred,
            },
            question,
            means: register_means(means),
            notice_sha256,
            language: identity.language.name.to_string(),
            spoken: true,
            evidence_sha256: match &file {
                Some(file) => Sha256::digest(file).into(),
                None => self.evidence(turn, means),
            },
        };
        let (register, actor) = (self.services.register.clone(), self.actor.clone());
        self.write("record consent", async move {
            match register.record(&answer).await {
                // what is evidence of nothing is not kept
                Ok(_) => kept::keep_answer(&register, answer.subject, file).await,
                Err(error) => unrecorded(&actor, &error, Event::AnswerUnrecorded),
            }
        });
    }

    pub(super) fn withdraw(&mut self, taken: Taken, means: Means) {
        let (register, actor) = (self.services.register.clone(), self.actor.clone());
        let subject = self.place().identity.subject;
        self.write("withdraw consent", async move {
            let withdrawn = async {
                let mut purposes = taken.purposes().to_vec();
                let state = register.state(subject).await?;
                let listens = state.status(Purpose::VOICE_INTERACTION);
                let is_some_of_it = matches!(taken, Taken::WhatIsKept | Taken::Voice);
                if is_some_of_it {
                    // a person who says it does not name what they were asked
                    purposes.retain(|purpose| state.consents.contains_key(purpose));
                }
                if !(is_some_of_it && purposes.is_empty()) {
                    register.withdraw(subject, &purposes, register_means(means)).await?;
                }
                // where the conversation itself ends, that is told when it holds
                let is_told = listens.is_valid() || listens == ConsentStatus::Withdrawing;
                if is_some_of_it || taken == Taken::Everything && !is_told {
                    post(&actor, Event::TakenBack(taken));
                }
                Ok::<_, Error>(())
            };
            if let Err(error) = withdrawn.await {
                unrecorded(&actor, &error, Event::WithdrawalUnrecorded);
            }
        });
    }

    /// Somebody took `capability` of the device away in its settings: from everybody who talks to it, the owner of whose device
    /// somebody else is a guest at included.
    pub(super) fn lose(&mut self, capability: Name) {
        let (register, actor) = (self.services.register.clone(), self.actor.clone());
        let identity = &self.awake.place().identity;
        let (subject, tenant, device) = (identity.subject, identity.tenant.clone(), identity.device.clone());
        self.write("withdraw consent", async move {
            let withdrawn = async {
                let owner = register.find_subject(&tenant, &device).await?.filter(|owner| *owner != subject);
                for person in [Some(subject), owner].into_iter().flatten() {
                    register.lose(person, capability).await?;
                }
                Ok::<_, Error>(())
            };
            if let Err(error) = withdrawn.await {
                unrecorded(&actor, &error, Event::WithdrawalUnrecorded);
            }
        });
    }

    /// Somebody gave `capability` of the device back in its settings. It opens nothing, and need not be told again where it is not
    /// taken note of: what needs it stays closed then.
    pub(super) fn regain(&mut self, capability: Name) {
        let register = self.services.register.clone();
        let identity = &self.awake.place().identity;
        let (subject, tenant, device) = (identity.subject, identity.tenant.clone(), identity.device.clone());
        self.write("note a permission", async move {
            let noted = async {
                let owner = register.find_subject(&tenant, &device).await?.filter(|owner| *owner != subject);
                for person in [Some(subject), owner].into_iter().flatten() {
                    register.regain(person, capability).await?;
                }
                Ok::<_, Error>(())
            };
            if let Err(error) = noted.await {
                tracing::warn!(%error, %capability, "a permission that was given back is not taken note of");
            }
        });
    }

    /// Has a guest speak from here on, or the owner. When that is durable this session gives way, as with any other change of
    /// who speaks.
    pub(super) fn guest_mode(&mut self, wanted: GuestMode) {
        let (register, actor) = (self.services.register.clone(), self.actor.clone());
        let identity = &self.awake.place().identity;
        let (tenant, device) = (identity.tenant.clone(), identity.device.clone());
        self.write("guest mode", async move {
            let changed = match wanted {
                GuestMode::On => register.begin_visit(&tenant, &device).await,
                GuestMode::Off => register.end_visit(&tenant, &device).await,
            };
            if let Err(error) = changed {
                tracing::warn!(%error, "guest mode stays as it is");
                post(&actor, Event::GuestModeRefused(error.code()));
            }
        });
    }

    /// What the person is to be told, in the language of this conversation.
    pub(super) fn to_tell(&self, notices: &[Notice]) -> Vec<ToTell> {
        told(notices, self.place().identity.language.name)
    }

    /// Has the person told of the services that they are about to use, now that they have agreed to it.
    fn introduce(&mut self) {
        let (services, actor) = (Arc::clone(&self.services), self.actor.clone());
        let (subject, cv, language) =
            (self.place().identity.subject, self.consent.cv, self.place().identity.language.name);
        self.keeping.start(&self.services.tasks, "introduce services", async move {
            match to_tell(&services, subject, cv).await {
                Ok(notices) if !notices.is_empty() => post(&actor, Event::Notices(told(&notices, language))),
                Ok(_) => {}
                // what goes to none of them fails, and begins to tell the person itself
                Err(error) => tracing::warn!(%error, "a person could not be told of services yet"),
            }
        });
    }

    /// Puts on record that the person was shown which policy holds.
    pub(super) fn shown_policy(&mut self) {
        let (register, identity) = (self.services.register.clone(), &self.place().identity);
        let (subject, text) = (identity.subject, identity.language.policy_sha256);
        self.write("shown policy", async move {
            if let Err(error) = register.shown(subject, text).await {
                tracing::warn!(%error, "that a person was shown the policy could not be put on record");
            }
        });
    }

    /// Puts on record that the person has heard a notice to its end.
    pub(super) fn heard_notice(&mut self, notice: NoticeId) {
        let (notices, subject) = (Notices::new(self.services.register.clone()), self.place().identity.subject);
        self.write("heard notice", async move {
            if let Err(error) = notices.heard(subject, notice).await {
                tracing::warn!(%error, "that a notice was heard could not be put on record; it is told again");
            }
        });
    }

    pub(super) fn save(&mut self, facts: Vec<Fact>) {
        let (register, subject, cv) = (self.services.register.clone(), self.place().identity.subject, self.consent.cv);
        let now = self.services.clock.wall();
        // what was known before was said when it was: a conversation that goes on makes nothing younger
        let remembered = facts.into_iter().map(|Fact { key, value }| {
            let known = self.remembered.iter().find(|known| known.key == key && known.value == value);
            known.cloned().unwrap_or_else(|| Remembered::new(key, value, now))
        });
        let remembered: Vec<_> = remembered.collect();
        self.remembered.clone_from(&remembered);
        self.write("save facts", async move {
            if let Err(error) = register.remember(subject, cv, remembered).await {
                tracing::warn!(%error, "facts could not be saved");
            }
        });
    }

    /// The fingerprint of what the person did, where nothing of it is kept: the sound of the answer, or what the device reported. Where nothing was
    /// said, it is that of nothing.
    fn evidence(&self, turn: TurnId, means: Means) -> [u8; 32] {
        let evidence = match means {
            Means::Voice => self.hearing.heard.filter(|(heard, _)| *heard == turn).map(|(_, sha256)| sha256),
            Means::Button => self.reported,
        };
        evidence.unwrap_or_else(|| Sha256::digest([]).into())
    }
}

/// What is told of `notices` in `language`.
fn told(notices: &[Notice], language: Name) -> Vec<ToTell> {
    let told = |notice: &Notice| {
        let text = notice.text(language);
        // other notices have texts of pages, which no device has room for
        let is_shown = notice.kind == NoticeKind::Introduction;
        let shown = if is_shown { text.written.clone() } else { String::new() };
        ToTell { notice: notice.id, text: text.spoken.clone(), shown }
    };
    notices.iter().map(told).collect()
}

/// What a device is told when `before` has become `after`. Of a withdrawal it is told at once,
/// and again when it holds; that it asks it knows itself.
fn changes(before: &ConsentState, after: &ConsentState) -> Vec<ToDevice> {
    let mark = |consent: &PurposeConsent| (consent.status, consent.given_at);
    let is_new = |(purpose, consent): &(&Purpose, &PurposeConsent)| {
        before.consents.get(purpose).map(mark) != Some(mark(consent))
    };
    let told = |(purpose, consent): (&Purpose, &PurposeConsent)| {
        let status = match consent.status {
            ConsentStatus::Unknown | ConsentStatus::Requested => return None,
            ConsentStatus::Given | ConsentStatus::Renewed => Told::Given,
            ConsentStatus::Refused => Told::Refused,
            ConsentStatus::Withdrawn | ConsentStatus::Revoked => Told::Withdrawn,
            ConsentStatus::Withdrawing => Told::Withdrawing,
            ConsentStatus::Deferred | ConsentStatus::Expired | ConsentStatus::Invalidated => Told::Deferred,
        };
        Some(ToDevice::ConsentChanged { purpose: *purpose, status, consent_version: after.cv })
    };
    after.consents.iter().filter(is_new).filter_map(told).collect()
}

/// Whether nothing has become of `before` in `after` but that the person is being asked.
fn only_asks(before: &ConsentState, after: &ConsentState) -> bool {
    let otherwise = ConsentState { cv: before.cv, consents: before.consents.clone(), ..after.clone() };
    let is_asked = |(purpose, consent): (&Purpose, &PurposeConsent)| {
        consent.status == ConsentStatus::Requested || before.consents.get(purpose) == Some(consent)
    };
    otherwise == *before && before.consents != after.consents && after.consents.iter().all(is_asked)
}

fn unrecorded(actor: &ActorRef<Message>, error: &Error, event: impl FnOnce(&'static str) -> Event) {
    tracing::warn!(%error, "the consent register refused");
    post(actor, event(error.code()));
}

const fn register_means(means: Means) -> RegisterMeans {
    match means {
        Means::Voice => RegisterMeans::Voice,
        Means::Button => RegisterMeans::Button,
    }
}

#[cfg(test)]
mod tests {
    use sayso_policy::ConsentType;
    use sayso_types::ConsentVersion;

    use super::*;

    fn state(cv: u64, statuses: &[(Purpose, ConsentStatus, u64)]) -> ConsentState {
        let consent = |&(purpose, status, given_at): &(Purpose, ConsentStatus, u64)| {
            let consent = PurposeConsent {
                status,
                consent_type: ConsentType::Expressed,
                separate: false,
                written: false,
                given_at: ConsentVersion(given_at),
                profile_rev: 1,
                expires_at: None,
            };
            (purpose, consent)
        };
        ConsentState { cv: ConsentVersion(cv), consents: statuses.iter().map(consent).collect(), ..ConsentState::new() }
    }

    #[test]
    fn that_somebody_is_asked_is_no_news_to_a_session_and_all_else_is() {
        use ConsentStatus::{Deferred, Given, Requested, Withdrawn};
        const MEMORY: Purpose = Purpose::MEMORY;
        let (nothing, withdrawn) = (state(0, &[]), state(4, &[(MEMORY, Withdrawn, 3)]));
        let asked = state(5, &[(MEMORY, Requested, 5)]);
        assert!(only_asks(&nothing, &asked) && only_asks(&withdrawn, &asked));
        for answer in [Given, Deferred] {
            assert!(!only_asks(&asked, &state(6, &[(MEMORY, answer, 6)])), "{answer:?}");
        }
        assert!(!only_asks(&withdrawn, &withdrawn));
        assert!(!only_asks(&nothing, &ConsentState { guardian_verified: true, ..asked }));
    }

    #[test]
    fn a_device_is_told_of_every_purpose_that_changed_and_of_a_withdrawal_at_once_and_when_it_holds() {
        use ConsentStatus::{Deferred, Given, Requested, Withdrawing, Withdrawn};
        const VOICE: Purpose = Purpose::VOICE_INTERACTION;
        const MEMORY: Purpose = Purpose::MEMORY;
        let states = [
            state(0, &[]),
            state(1, &[(VOICE, Requested, 1)]),
            state(1, &[(VOICE, Deferred, 1)]),
            state(2, &[(VOICE, Deferred, 2)]),
            state(3, &[(VOICE, Given, 3), (MEMORY, Given, 3)]),
            state(4, &[(VOICE, Given, 3), (MEMORY, Withdrawing, 3)]),
            state(4, &[(VOICE, Given, 3), (MEMORY, Withdrawn, 3)]),
            state(5, &[(VOICE, Withdrawing, 3), (MEMORY, Withdrawn, 3)]),
            state(5, &[(VOICE, Withdrawn, 3), (MEMORY, Withdrawn, 3)]),
        ];
        let told: Vec<Vec<_>> = states
            .windows(2)
            .map(|pair| {
                let told = |message| match message {
                    ToDevice::ConsentChanged { purpose, status, consent_version } => {
                        (purpose, status, consent_version.0)
                    }
                    other => panic!("{other:?}"),
                };
                changes(&pair[0], &pair[1]).into_iter().map(told).collect()
            })
            .collect();
        let expected: [&[_]; 8] = [
            &[],
            &[(VOICE, Told::Deferred, 1)],
            &[(VOICE, Told::Deferred, 2)],
            &[(MEMORY, Told::Given, 3), (VOICE, Told::Given, 3)],
            &[(MEMORY, Told::Withdrawing, 4)],
            &[(MEMORY, Told::Withdrawn, 4)],
            &[(VOICE, Told::Withdrawing, 5)],
            &[(VOICE, Told::Withdrawn, 5)],
        ];
        for ((told, expected), state) in told.iter().zip(expected).zip(&states[1..]) {
            assert_eq!(told, expected, "{state:?}");
        }
    }
}
