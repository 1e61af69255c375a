//! [`Explained`]: why something may be done with what is of a person, and why not.

use sayso_audit::Reference;
use sayso_policy::explain::Told;
use sayso_policy::profile::RightKind;
use sayso_policy::{Gate, Question, Tongue};
use sayso_types::{Category, Label, ProcessorId, Purpose, SubjectId, TurnId};
use serde::Serialize;

use super::{Desk, Error, NotNow, Standing};

/// Whether a receiver may have something of the person for a purpose now, and the way to that answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// For what.
    pub purpose: Purpose,
    /// What.
    pub category: Category,
    /// Who.
    pub processor: ProcessorId,
    /// The answer, in somebody's language.
    pub told: Told,
}

impl Desk {
    /// Explains, for the accepted request `id`, each use of the person's data that the policy knows: by purpose.
    ///
    /// # Errors
    /// [`Error::Unknown`] for another request, [`NotNow::NotAccepted`] for one that is not accepted; or as the register says.
    pub async fn explain(&self, subject: SubjectId, id: Reference, tongue: Tongue) -> Result<Vec<Explained>, Error> {
        let (request, _) = self.get(subject, id).await?;
        if request.kind != RightKind::Explain {
            return Err(Error::Unknown);
        }
        if request.standing != Standing::Accepted {
            return Err(NotNow::NotAccepted.into());
        }
        let (state, revisions, now) =
            (self.register.state(subject).await?, self.register.revisions(), self.register.clock.wall());
        let profile = revisions.newest();
        let uses = profile.purposes().flat_map(|rule| {
            let used = profile.categories().filter(move |(_, category)| category.purposes.contains(&rule.id));
            used.flat_map(move |(category, _)| {
                let receivers = profile.processors();
                let meant =
                    receivers.filter(move |one| one.accepts.contains(&category) && one.purposes.contains(&rule.id));
                meant.map(move |one| (rule.id, category, one))
            })
        });
        let explained = uses.map(|(purpose, category, one)| {
            let label = Label { subject, category, purpose, turn: TurnId(0), cv: state.cv };
            let question = Question { label, gate: Gate::of(one.kind), processor: one.id, now };
            Explained { purpose, category, processor: one.id, told: revisions.explain(&question, &state).told(tongue) }
        });
        Ok(explained.collect())
    }
}
