//! What a step does.

use super::{LASTS, Mutant, Protocol};
use crate::message::Message;
use crate::state::{Consent, Lease, Process, Recorded, State, Withdrawal};
use crate::step::Step;

impl Protocol {
    /// Takes `step`; [`None`] where it has no effect.
    pub(super) fn take(&self, state: &mut State, step: Step) -> Option<()> {
        match step {
            Step::Tick(behind) => {
                state.now += 1;
                if let Some(id) = behind {
                    state.processes[id].lag += 1;
                }
            }
            Step::Deliver(message) => Self::deliver(state, message)?,
            Step::Look(id) => state.processes[id].seen = Some((state.store.record, state.clock(id))),
            Step::Take(id) => {
                let keep = Message::Keep { by: state.life(id), read: state.store.record, sent: state.clock(id) };
                state.network.insert(keep);
            }
            Step::Renew(id) => {
                let read = state.processes[id].record;
                state.network.insert(Message::Keep { by: state.life(id), read, sent: state.clock(id) });
            }
            Step::GiveBack(id) => {
                let (by, process) = (state.life(id), &mut state.processes[id]);
                process.tenure = Some(0);
                state.network.insert(Message::Leave { by, read: process.record });
            }
            Step::Open(id) => {
                state.network.insert(Message::Open { by: state.life(id), read: state.store.log });
            }
            Step::Kill(id) => {
                let Process { life, lag, buffered, .. } = state.processes[id];
                let buffered = buffered.filter(|_| !self.resets_when_killed);
                state.processes[id] = Process { is_dead: true, life, lag, buffered, ..Process::default() };
            }
            Step::Restart(id) => {
                state.processes[id].is_dead = false;
                state.processes[id].life += 1;
            }
            Step::Withdraw(_) | Step::Close(_) | Step::Pending(_) | Step::Effect(_) | Step::Ok(_) | Step::Agree(_) => {
                self.withdraw(state, step)?;
            }
            _ => self.move_data(state, step)?,
        }
        Some(())
    }

    fn deliver(state: &mut State, message: Message) -> Option<()> {
        let State { store, processes, network, .. } = state;
        match message {
            Message::Keep { by, read, sent } => {
                (store.record, store.owner) = (read + 1, Some(by.0));
                network.insert(Message::Kept { by, read, sent });
            }
            Message::Leave { read, .. } => (store.record, store.owner) = (read + 1, None),
            Message::Open { by, read } => {
                store.log = read + 1;
                network.insert(Message::Opened { by, read });
            }
            Message::Change { by, to, .. } => {
                store.consent = to;
                network.insert(Message::Changed { by, to });
            }
            Message::Kept { by, read, sent } => {
                let process = &mut processes[by.0];
                (process.record, process.seen) = (read + 1, None);
                process.tenure = Some(sent + LASTS);
            }
            Message::Opened { by, read } => processes[by.0].log = Some(read + 1),
            Message::Changed { by, to } => {
                let withdrawal = processes[by.0].withdrawal.as_mut()?;
                withdrawal.recorded = match to {
                    Consent::Given(_) => return None,
                    Consent::Withdrawing(_) => Recorded::Requested,
                    Consent::Withdrawn(_) => Recorded::Effective,
                };
            }
        }
        Some(())
    }

    fn move_data(&self, state: &mut State, step: Step) -> Option<()> {
        let mut handed_over = None;
        match step {
            Step::Speak(id) => {
                let Consent::Given(cv) = state.store.consent else { return None };
                state.processes[id].front = Some(cv);
            }
            Step::Ask(id) => {
                let front = state.processes[id].front?;
                state.processes[id].lease = Lease::Asked(front);
            }
            Step::Issue(id) => {
                let process = &mut state.processes[id];
                let (Lease::Asked(cv), Some(until)) = (process.lease, process.tenure) else { return None };
                process.lease = Lease::Held { cv, until, is_revoked: false, is_dropped: false };
            }
            Step::RenewPermit(id) => {
                let tenure = state.processes[id].tenure?;
                if let Lease::Held { until, .. } = &mut state.processes[id].lease {
                    *until = tenure;
                }
            }
            Step::Pass(id) => {
                let process = &mut state.processes[id];
                let piece = process.front.take()?;
                if self.is(Mutant::CheckApartFromWrite) {
                    process.checked = Some(piece);
                } else {
                    (process.buffered, handed_over) = (Some(piece), Some(piece));
                }
            }
            Step::HandOver(id) => {
                let process = &mut state.processes[id];
                let piece = process.checked.take()?;
                (process.buffered, handed_over) = (Some(piece), Some(piece));
            }
            Step::Send(id) => {
                let piece = state.processes[id].buffered.take()?;
                if self.bounds.resends && !state.processes[id].is_dead {
                    state.processes[id].unacknowledged = Some(piece);
                }
                state.leaves(piece);
            }
            Step::Acknowledge(id) => state.processes[id].unacknowledged = None,
            Step::Break(id) => {
                let piece = state.processes[id].unacknowledged.take()?;
                if self.is(Mutant::ReplayBehindGate) {
                    state.leaves(piece);
                } else {
                    state.processes[id].front = Some(piece);
                }
            }
            Step::Drop(id) => {
                let process = &mut state.processes[id];
                (process.front, process.buffered) = (None, None);
                if !self.is(Mutant::ReplayBehindGate) {
                    process.unacknowledged = None;
                }
                if let Lease::Held { is_dropped, .. } = &mut process.lease {
                    *is_dropped = true;
                }
            }
            Step::Release(id) => state.processes[id].lease = Lease::None,
            _ => return None,
        }
        // to hand a byte to a socket after OK is to break the promise
        if let Some(piece) = handed_over {
            state.leaves(piece);
        }
        Some(())
    }

    fn withdraw(&self, state: &mut State, step: Step) -> Option<()> {
        let consent = state.store.consent;
        match step {
            Step::Withdraw(id) => {
                let (by, process) = (state.life(id), &mut state.processes[id]);
                let (cv, recorded) = match consent {
                    Consent::Given(cv) => (cv + 1, Recorded::Nothing),
                    Consent::Withdrawing(cv) => (cv, Recorded::Requested),
                    Consent::Withdrawn(cv) => (cv, Recorded::Effective),
                };
                process.withdrawal = Some(Withdrawal { cv, recorded, is_closed: false });
                if recorded == Recorded::Nothing {
                    state.network.insert(Message::Change { by, log: process.log?, to: Consent::Withdrawing(cv) });
                }
            }
            Step::Close(id) => {
                let is_taken_back = !self.is(Mutant::NothingTakenBack);
                let process = &mut state.processes[id];
                process.withdrawal.as_mut()?.is_closed = true;
                if let Lease::Held { is_revoked, .. } = &mut process.lease {
                    *is_revoked |= is_taken_back;
                }
            }
            Step::Pending(id) => state.processes[id].withdrawal = None,
            Step::Effect(id) => {
                let (by, process) = (state.life(id), &state.processes[id]);
                let to = Consent::Withdrawn(process.withdrawal?.cv);
                state.network.insert(Message::Change { by, log: process.log?, to });
            }
            Step::Ok(id) => {
                let withdrawal = state.processes[id].withdrawal.take()?;
                state.okayed = state.okayed.max(withdrawal.cv);
            }
            Step::Agree(id) => {
                let (by, process) = (state.life(id), &state.processes[id]);
                let to = Consent::Given(consent.fence() + 1);
                state.network.insert(Message::Change { by, log: process.log?, to });
            }
            _ => return None,
        }
        Some(())
    }
}
