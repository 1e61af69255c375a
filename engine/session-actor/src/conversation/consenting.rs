//! The effects that go to the consent register. Each runs in a task and posts the register's answer back.

use sayso_consent::{Answer, Error, Means as RegisterMeans, Question};
use sayso_policy::{ConsentState, ConsentStatus};
use sayso_provider::Fact;
use sayso_runtime::TaskKind;
use sayso_session::{ConsentView, Decision, Event, Means, Standing};
use sayso_types::{Purpose, TurnId};
use sha2::{Digest, Sha256};

use super::Conversation;
use crate::transcription::post;

/// What a session needs to know of `state`.
pub(super) fn view(state: &ConsentState) -> ConsentView {
    let standing = match state.status(Purpose::VOICE_INTERACTION) {
        ConsentStatus::Given | ConsentStatus::Renewed => Standing::Given,
        ConsentStatus::Refused => Standing::Refused,
        ConsentStatus::Withdrawing | ConsentStatus::Withdrawn | ConsentStatus::Revoked => Standing::Withdrawn,
        ConsentStatus::Unknown
        | ConsentStatus::Requested
        | ConsentStatus::Deferred
        | ConsentStatus::Expired
        | ConsentStatus::Invalidated => Standing::Undecided,
    };
    ConsentView { cv: state.cv, standing, memory: state.status(Purpose::MEMORY).is_valid() }
}

impl Conversation {
    /// Puts on record what the person decided. Nothing is allowed until the register says that it is durable.
    pub(super) fn record(&mut self, turn: TurnId, decision: Decision, means: Means) {
        let asked: Vec<Purpose> = self.services.register.profile().asks().spoken.iter().copied().collect();
        let answer = Answer {
            tenant: self.place.identity.tenant.clone(),
            subject: self.place.identity.subject,
            status: match decision {
                Decision::Agree => ConsentStatus::Given,
                Decision::Refuse => ConsentStatus::Refused,
                Decision::Defer => ConsentStatus::Deferred,
            },
            question: self.question.take().unwrap_or_else(|| Question::of(&asked)),
            means: register_means(means),
            notice_sha256: self.notice_sha256,
            language: self.language.to_string(),
            spoken: true,
            evidence_sha256: self.evidence(turn, means),
        };
        let (register, actor) = (self.services.register.clone(), self.actor.clone());
        let recorded = async move {
            let result = register.record(&answer).await;
            post(&actor, match result {
                Ok(state) => Event::ConsentRecorded(view(&state)),
                Err(error) => failed(&error),
            });
        };
        // Detached: once the person has answered, the record is written even if the device goes away.
        self.services.tasks.spawn(TaskKind::Call, "record consent", recorded).detach();
    }

    /// The fingerprint of what the person did: the sound of the answer, or the press that the device reported.
    fn evidence(&self, turn: TurnId, means: Means) -> [u8; 32] {
        match (means, self.heard) {
            (Means::Voice, Some(heard)) if heard.turn == turn => heard.sha256,
            _ => Sha256::digest(self.place.identity.session.0).into(),
        }
    }

    pub(super) fn withdraw(&mut self, purpose: Option<Purpose>, means: Means) {
        let (register, actor) = (self.services.register.clone(), self.actor.clone());
        let subject = self.place.identity.subject;
        let withdrawn = async move {
            let purposes: Vec<Purpose> = purpose.into_iter().collect();
            if let Err(error) = register.withdraw(subject, &purposes, register_means(means)).await {
                post(&actor, failed(&error));
            }
        };
        self.services.tasks.spawn(TaskKind::Call, "withdraw consent", withdrawn).detach();
    }

    pub(super) fn save(&self, facts: Vec<Fact>) {
        let (register, subject) = (self.services.register.clone(), self.place.identity.subject);
        let saved = async move {
            let facts: Vec<_> = facts.into_iter().map(|fact| (fact.key, fact.value)).collect();
            if let Err(error) = register.save_facts(subject, &facts).await {
                tracing::warn!(%error, "facts could not be saved");
            }
        };
        self.services.tasks.spawn(TaskKind::Call, "save facts", saved).detach();
    }

    /// The question is about to be read out: that it was goes on record.
    pub(super) fn asked(&mut self) {
        let asked: Vec<Purpose> = self.services.register.profile().asks().spoken.iter().copied().collect();
        let question = Question::of(&asked);
        self.question = Some(question.clone());
        let (register, subject) = (self.services.register.clone(), self.place.identity.subject);
        let notice = self.notice_sha256;
        let noted = async move {
            if let Err(error) = register.asked(subject, notice, &question).await {
                tracing::warn!(%error, "a notice could not be put on record");
            }
        };
        self.services.tasks.spawn(TaskKind::Call, "note question", noted).detach();
    }
}

fn failed(error: &Error) -> Event {
    tracing::warn!(%error, "the consent register refused");
    Event::ConsentFailed(error.code())
}

const fn register_means(means: Means) -> RegisterMeans {
    match means {
        Means::Voice => RegisterMeans::Voice,
        Means::Button => RegisterMeans::Button,
    }
}
