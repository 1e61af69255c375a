//! Taking consent back, or ending it otherwise, and waiting until that holds.

use core::time::Duration;
use std::sync::Arc;

use sayso_consent::{Ending, Means, Register, Withdrawal};
use sayso_proto::consent::v1::HolderState;
use sayso_types::{Clock, Part, Purpose, SubjectId};

use crate::refusal::Refusal;

/// Between two rounds of waiting, so that others get at the subject's lock.
const PAUSE: Duration = Duration::from_millis(50);

/// What is taken back, or ended otherwise.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Taken<'a> {
    /// The consent to these purposes, or to everything.
    Purposes(&'a [Purpose]),
    /// These parts of what the person agreed to.
    Parts(&'a [Part]),
    /// The consent to these purposes, or to everything, as it is said.
    Ended(&'a [Purpose], Ending),
}

/// Takes back what is `taken`. The gates close in the first round; the register waits for a
/// time of its own in each, and further rounds follow until every holder has let go or `wait` is over. What was begun
/// goes on when this is dropped.
pub(crate) async fn withdraw(
    register: &Arc<Register>,
    clock: &dyn Clock,
    subject: SubjectId,
    taken: Taken<'_>,
    wait: Duration,
) -> Result<Withdrawal, Refusal> {
    let until = clock.now().after(wait);
    let round = async || match taken {
        Taken::Purposes(purposes) => register.withdraw(subject, purposes, Means::Integrator).await,
        Taken::Parts(parts) => register.withdraw_parts(subject, parts, Means::Integrator).await,
        Taken::Ended(purposes, ending) => register.end_consent(subject, purposes, ending).await,
    };
    let mut withdrawal = round().await?;
    if withdrawal.ok {
        return Ok(withdrawal);
    }
    while !withdrawal.ok && clock.now() < until {
        tokio::time::sleep(PAUSE).await;
        withdrawal = continued(withdrawal, round().await?);
    }
    if withdrawal.ok {
        // how each holder ended that later rounds no longer know
        let written = register.withdrawals(subject).await?;
        for holder in &mut withdrawal.holders {
            let mut outcomes = written.iter().flat_map(|withdrawal| &withdrawal.holders);
            if let Some(outcome) = outcomes.find(|outcome| outcome.permit_id == holder.permit_id) {
                holder.clone_from(outcome);
            }
        }
    }
    Ok(withdrawal)
}

/// A later round in terms of an `earlier` one: holders that have let go since then, which later rounds no longer know,
/// had passed what they had passed.
fn continued(earlier: Withdrawal, later: Withdrawal) -> Withdrawal {
    let gone = earlier.holders.into_iter().filter(|e| later.holders.iter().all(|l| l.permit_id != e.permit_id));
    let mut holders: Vec<_> = gone.collect();
    holders.iter_mut().for_each(|holder| holder.set_state(HolderState::Acknowledged));
    holders.extend(later.holders);
    Withdrawal { ok: later.ok, state: later.state, holders, id: earlier.id }
}

#[cfg(test)]
mod tests {
    use sayso_policy::ConsentState;
    use sayso_proto::consent::v1::HolderOutcome;

    use super::*;

    fn holder(permit: u8, state: HolderState, bytes: u64) -> HolderOutcome {
        HolderOutcome { permit_id: vec![permit], state: state.into(), bytes, ..HolderOutcome::default() }
    }

    fn outcome(id: u8, ok: bool, holders: Vec<HolderOutcome>) -> Withdrawal {
        Withdrawal { ok, state: ConsentState::new(), holders, id: [id; 16] }
    }

    #[test]
    fn what_a_holder_passed_is_not_forgotten_when_it_lets_go() {
        let first = vec![holder(1, HolderState::Outstanding, 10), holder(2, HolderState::Outstanding, 20)];
        let second = vec![holder(2, HolderState::Outstanding, 20)];
        let then = continued(outcome(1, false, first), outcome(2, false, second));
        assert_eq!((then.ok, then.id, then.bytes()), (false, [1; 16], 30));
        let done = continued(then, outcome(3, true, Vec::new()));
        assert_eq!((done.ok, done.id, done.bytes()), (true, [1; 16], 30));
        assert!(done.holders.iter().all(|h| h.state() == HolderState::Acknowledged));
    }
}
