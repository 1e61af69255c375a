//! [`Told`]: an explanation in somebody's language.

use core::fmt;

use sayso_types::Label;
use serde::Serialize;

use super::{Explanation, Step, wording};
use crate::profile::Src;
use crate::words::words;
use crate::{BasisRef, Question, Reason, Tongue};

/// An explanation in one language, to be shown or sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// What was asked.
    pub question: String,
    /// Whether it may.
    pub permit: bool,
    /// Why not, as audit leaves spell it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// By what right, as profiles spell it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basis: Option<&'static str>,
    /// Where that is written: `consent:VERSION`, `profile:REVISION` or `exemption:GRANT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basis_ref: Option<String>,
    /// The answer as a sentence.
    pub verdict: String,
    /// What the receiver must keep to.
    pub duties: Vec<String>,
    /// The way to the answer.
    pub steps: Vec<ToldStep>,
}

/// One question on the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ToldStep {
    /// The reason that a no would give.
    pub check: &'static str,
    /// What is asked.
    pub asks: String,
    /// Whether the answer is yes.
    pub passed: bool,
    /// What was found.
    pub found: Vec<ToldFact>,
    /// The clauses that it rests on.
    pub clauses: Src,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ToldFact {
    /// The key of the profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Whether it speaks for a yes.
    pub holds: bool,
    /// What was found there.
    pub says: String,
}

impl Explanation {
    /// The explanation in `tongue`.
    #[must_use]
    pub fn told(&self, tongue: Tongue) -> Told {
        let Question { label: Label { category, purpose, .. }, processor, gate, .. } = self.question;
        let question = match tongue {
            Tongue::English => format!("May {category} go to {processor} for {purpose}, at the gate {gate}?"),
            Tongue::Chinese => format!("{category} 可以为 {purpose} 经关卡 {gate} 交给 {processor} 吗？"),
        };
        let grounds = self.decision.answer.ok();
        Told {
            question,
            permit: grounds.is_some(),
            reason: self.decision.answer.err().map(Reason::as_str),
            basis: grounds.map(|g| g.basis.as_str()),
            basis_ref: grounds.map(|g| match g.basis_ref {
                BasisRef::Consent(cv) => format!("consent:{}", cv.0),
                BasisRef::Profile(rev) => format!("profile:{rev}"),
                BasisRef::Exemption(grant) => format!("exemption:{grant}"),
            }),
            verdict: wording::verdict(&self.decision, tongue),
            duties: grounds.map(|g| wording::duties(g.obligations, tongue)).unwrap_or_default(),
            steps: self.steps.iter().map(|step| step.told(tongue)).collect(),
        }
    }
}

impl Step {
    fn told(&self, tongue: Tongue) -> ToldStep {
        let found =
            self.facts.iter().map(|fact| ToldFact { key: fact.key(), holds: fact.holds(), says: fact.says(tongue) });
        ToldStep {
            check: self.reason.as_str(),
            asks: words(&self.reason, tongue).to_owned(),
            passed: self.passed(),
            found: found.collect(),
            clauses: self.clauses.clone(),
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.question, self.verdict)?;
        self.duties.iter().try_for_each(|duty| write!(f, "\n  - {duty}"))?;
        for (index, step) in self.steps.iter().enumerate() {
            let mark = if step.passed { "ok" } else { "NO" };
            write!(f, "\n{:>3}. {mark}  {}", index + 1, step.asks)?;
            for fact in &step.found {
                let mark = if fact.holds { " " } else { "!" };
                write!(f, "\n     {mark} {}", fact.says)?;
                fact.key.iter().try_for_each(|key| write!(f, "  [{key}]"))?;
            }
            if !step.clauses.is_empty() {
                let clauses: Vec<_> = step.clauses.iter().map(ToString::to_string).collect();
                write!(f, "\n       {}", clauses.join(", "))?;
            }
        }
        Ok(())
    }
}
