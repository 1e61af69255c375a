//! [`Services`]: what every session of a node shares.

use std::sync::Arc;

use sayso_consent::Register;
use sayso_egress::Egress;
use sayso_runtime::Tasks;
use sayso_types::{Clock, SessionId};
use tokio::sync::broadcast;

use crate::language::CurrentLanguages;
use crate::{Change, Options};

pub(crate) struct Services {
    pub(crate) register: Arc<Register>,
    pub(crate) egress: Arc<Egress>,
    pub(crate) tasks: Tasks,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) options: Options,
    pub(crate) languages: CurrentLanguages,
    pub(crate) changes: broadcast::Sender<(SessionId, Change)>,
}

impl Services {
    /// Tells whoever watches sessions. Nobody watching is fine.
    pub(crate) fn tell(&self, session: SessionId, change: Change) {
        let _ = self.changes.send((session, change));
    }
}
