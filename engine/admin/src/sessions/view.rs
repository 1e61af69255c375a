//! Sessions as callers see them.

use sayso_proto::admin::v1 as proto;
use sayso_session_actor::Snapshot;
use sayso_wire::{ListenMode, SessionState};

/// The message for `snapshot`.
pub(super) fn session(snapshot: &Snapshot) -> proto::Session {
    let conversation = &snapshot.conversation;
    proto::Session {
        session_id: snapshot.session.to_string(),
        tenant_id: snapshot.tenant.to_string(),
        device_id: snapshot.device.to_string(),
        subject_id: snapshot.subject.to_string(),
        state: state(conversation.state).into(),
        mode: conversation.mode.map_or(proto::ListenMode::Unspecified, mode).into(),
        turn: conversation.turn.0,
        consent_version: conversation.consent.cv.0,
        connected: snapshot.connected,
        firmware: snapshot.firmware.clone(),
        opened_unix_ms: snapshot.opened.0,
        active_unix_ms: snapshot.active.0,
        turns_answered: snapshot.turns.answered,
        turns_interrupted: snapshot.turns.interrupted,
        turns_failed: snapshot.turns.failed,
        packets_received: snapshot.packets.received,
        packets_lost: snapshot.packets.lost,
        packets_dropped: snapshot.packets.dropped,
        awake: snapshot.awake,
    }
}

const fn state(state: SessionState) -> proto::SessionState {
    match state {
        SessionState::Idle => proto::SessionState::Idle,
        SessionState::Listening => proto::SessionState::Listening,
        SessionState::Thinking => proto::SessionState::Thinking,
        SessionState::Speaking => proto::SessionState::Speaking,
    }
}

const fn mode(mode: ListenMode) -> proto::ListenMode {
    match mode {
        ListenMode::Auto => proto::ListenMode::Auto,
        ListenMode::Manual => proto::ListenMode::Manual,
        ListenMode::Realtime => proto::ListenMode::Realtime,
    }
}
