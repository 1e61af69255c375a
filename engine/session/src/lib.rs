//! One conversation, pure: state, event, effect, turn.
