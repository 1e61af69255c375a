//! [`ActorSessions`]: the sessions of this node.

use core::time::Duration;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use ractor::Actor;
use sayso_consent::Register;
use sayso_egress::Egress;
use sayso_runtime::{TaskKind, Tasks};
use sayso_session::{Attach, Attached, DeviceOutlet, Refusal, Sessions};
use sayso_types::{Clock, SessionId};
use tokio::sync::broadcast;

use crate::directory::Directory;
use crate::language::CurrentLanguages;
use crate::observed::{Change, Snapshot};
use crate::options::CHANGES_WAITING_MAX;
use crate::services::Services;
use crate::supervisor::Supervisor;
use crate::{Error, Options, consents};

/// The sessions of this node. Clones share them.
#[derive(Clone)]
pub struct ActorSessions(Arc<Directory>);

impl core::fmt::Debug for ActorSessions {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "ActorSessions({})", self.0.len())
    }
}

impl ActorSessions {
    /// Starts the supervisor and whatever keeps sessions informed of changes of consent.
    ///
    /// # Errors
    /// [`Error`] when a setting is out of its range or the supervisor's actor does not start.
    pub async fn start(
        register: Arc<Register>,
        egress: Arc<Egress>,
        tasks: Tasks,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Result<Self, Error> {
        options.endpoint.check()?;
        let (changes, consent) = (broadcast::Sender::new(CHANGES_WAITING_MAX), register.changes());
        let (ended, speakers) = (register.ended(), register.speakers());
        let languages = CurrentLanguages::new(&register.profile(), &options);
        let services = Services { register, egress, tasks: tasks.clone(), clock, options, languages, changes };
        let (supervisor, _) = Actor::spawn(None, Supervisor, ()).await?;
        let directory = Arc::new(Directory::new(services, supervisor.get_cell()));
        let follow = consents::follow(Arc::downgrade(&directory), consent);
        tasks.spawn(TaskKind::Upkeep, "consent changes", follow).detach();
        let follow = consents::follow_speakers(Arc::downgrade(&directory), speakers);
        tasks.spawn(TaskKind::Upkeep, "changes of who speaks", follow).detach();
        let end = consents::end_with_service(Arc::downgrade(&directory), ended);
        tasks.spawn(TaskKind::Upkeep, "end of the service", end).detach();
        Ok(Self(directory))
    }

    /// Every session as it stands, by id.
    #[must_use]
    pub fn list(&self) -> Vec<Snapshot> {
        let mut all: Vec<_> = self.0.all().iter().map(|place| place.snapshot()).collect();
        all.sort_by_key(|snapshot| snapshot.session);
        all
    }

    /// One session as it stands.
    #[must_use]
    pub fn get(&self, session: SessionId) -> Option<Snapshot> {
        self.0.find(session).map(|place| place.snapshot())
    }

    /// What happens to sessions from here on. Whoever lags has to list anew.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<(SessionId, Change)> {
        self.0.changes()
    }

    /// Tells every device to come again after `reconnect_in` and ends every session. From here on no device gets one.
    pub fn drain(&self, reconnect_in: Duration) {
        self.0.drain(reconnect_in);
    }
}

impl Sessions for ActorSessions {
    fn attach(&self, device: Attach, outlet: Arc<dyn DeviceOutlet>) -> BoxFuture<'_, Result<Attached, Refusal>> {
        self.0.attach(device, outlet).boxed()
    }
}
