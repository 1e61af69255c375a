//! What the leader says of the members, and why it does not change who belongs to them.

use sayso_proto::peer::v1 as wire;
use sayso_proto::peer::v1::ChangeRefusal;
use sayso_store::cluster::{Member, Refusal, Role};

use super::{Malformed, required};
use crate::NodeId;

pub(crate) fn member_state_into(member: Member) -> wire::MemberState {
    let Member { node, address, role, behind, is_there } = member;
    let member = Some(wire::Member { node, address });
    wire::MemberState { member, voter: role != Role::Learner, behind, there: is_there }
}

/// What `leader` said.
pub(crate) fn member_state_from(state: wire::MemberState, leader: NodeId) -> Result<Member, Malformed> {
    let wire::MemberState { member, voter, behind, there } = state;
    let wire::Member { node, address } = required(member, "a member has no number")?;
    let role = match voter {
        _ if node == leader.0 => Role::Leader,
        true => Role::Voter,
        false => Role::Learner,
    };
    Ok(Member { node, address, role, behind, is_there: there })
}

pub(crate) const fn refusal_into(refusal: Refusal) -> ChangeRefusal {
    match refusal {
        Refusal::Unknown => ChangeRefusal::Unknown,
        Refusal::NoVoter => ChangeRefusal::NoVoter,
        Refusal::LastVoter => ChangeRefusal::LastVoter,
        Refusal::NoMajority => ChangeRefusal::NoMajority,
        Refusal::NotThere => ChangeRefusal::NotThere,
        Refusal::Removed => ChangeRefusal::Removed,
        Refusal::Taken => ChangeRefusal::Taken,
        Refusal::Other => ChangeRefusal::Unspecified,
    }
}

pub(crate) const fn refusal_from(refusal: ChangeRefusal) -> Refusal {
    match refusal {
        ChangeRefusal::Unknown => Refusal::Unknown,
        ChangeRefusal::NoVoter => Refusal::NoVoter,
        ChangeRefusal::LastVoter => Refusal::LastVoter,
        ChangeRefusal::NoMajority => Refusal::NoMajority,
        ChangeRefusal::NotThere => Refusal::NotThere,
        ChangeRefusal::Removed => Refusal::Removed,
        ChangeRefusal::Taken => Refusal::Taken,
        ChangeRefusal::Unspecified => Refusal::Other,
    }
}
