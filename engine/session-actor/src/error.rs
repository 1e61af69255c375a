//! Why sessions cannot run at all.

/// Why [`ActorSessions`](crate::ActorSessions) did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Utterances could not be found with these settings.
    #[error("the endpoint settings of the agent are wrong: {0}")]
    Endpoint(#[from] sayso_audio::Error),
    /// The parent of all sessions did not start.
    #[error("the supervisor of sessions did not start: {0}")]
    Supervisor(#[from] ractor::SpawnErr),
}
