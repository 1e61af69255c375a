//! Limits of the sessions on a node.

use core::time::Duration;

use sayso_audio::EndpointConfig;
use sayso_session::Options as SessionOptions;
use sayso_types::Name;

/// How the sessions of a node behave.
#[derive(Clone, Debug)]
pub struct Options {
    /// Sessions on this node, awake or asleep. What an operator has sized the machine for.
    pub sessions_max: usize,
    /// How long a session is kept after its device has gone, so that it can be resumed.
    pub resume_within: Duration,
    /// How utterances are found. Checked when sessions start.
    pub endpoint: EndpointConfig,
    /// How a conversation behaves; its prompts come from the profile.
    pub session: SessionOptions,
    /// Language of devices that name none, or none that the profile has.
    pub language: Name,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            sessions_max: 10_000,
            resume_within: Duration::from_secs(120),
            endpoint: EndpointConfig::default(),
            session: SessionOptions::default(),
            language: Name::constant("en"),
        }
    }
}

/// Control messages of one device that may wait for its session, or for the consent register to write what comes of them. A
/// device sends a few a second; one that sends faster than they are handled is told so.
pub(crate) const CONTROL_WAITING_MAX: usize = 64;

/// Packets of sound of one device that may wait for its session: 1.3 s of 20 ms packets. More would be heard too late
/// to be of use.
pub(crate) const PACKETS_WAITING_MAX: usize = 64;

/// Sentences that may wait to be spoken in one turn: more than the longest answer has.
pub(crate) const SENTENCES_WAITING_MAX: usize = 512;

/// Changes of sessions that a watcher may lag behind before it has to list anew.
pub(crate) const CHANGES_WAITING_MAX: usize = 1_024;

/// How long a device should wait before it comes again after its session failed.
pub(crate) const AFTER_FAILURE: Duration = Duration::from_secs(1);
