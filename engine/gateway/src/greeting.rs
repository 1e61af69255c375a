//! The first words of a connection: hello, who are you, welcome.

use std::sync::Arc;
use std::time::Duration;

use quinn::Connection;
use sayso_session::{Attach, Attached, DeviceInlet};
use sayso_types::SessionId;
use sayso_wire::{Hello, ToDevice, ToNode};
use tokio::time::{Instant, timeout, timeout_at};

use crate::control::{Arrival, Incoming, Outgoing};
use crate::farewell::Farewell;
use crate::gateway::Shared;
use crate::outlet::{Outbox, Outlet};
use crate::{identity, metrics};

/// A device that has been welcomed.
pub(crate) struct Greeted {
    pub(crate) incoming: Incoming,
    pub(crate) outgoing: Outgoing,
    pub(crate) session: SessionId,
    pub(crate) inlet: Box<dyn DeviceInlet>,
    pub(crate) outbox: Outbox,
}

/// A device that has not.
pub(crate) struct Denied {
    /// What to tell it, unless it is gone.
    pub(crate) farewell: Option<Farewell>,
    /// The way to tell it, if it has opened one.
    pub(crate) outgoing: Option<Outgoing>,
}

/// Hears a device out and attaches it to its conversation.
pub(crate) async fn greet(shared: &Shared, connection: &Connection) -> Result<Greeted, Denied> {
    let deadline = Instant::now() + Duration::from_millis(shared.limits.hello_ms);
    let (send, receive) = match timeout_at(deadline, connection.accept_bi()).await {
        Ok(Ok(opened)) => opened,
        Ok(Err(_)) => return Err(Denied { farewell: None, outgoing: None }),
        Err(_) => return Err(Denied { farewell: Some(Farewell::hello_timeout()), outgoing: None }),
    };
    let (mut incoming, mut outgoing) = (Incoming::new(receive), Outgoing::new(send));
    let heard = timeout_at(deadline, hear_hello(&mut incoming)).await;
    let attached = match heard.unwrap_or_else(|_| Err(Some(Farewell::hello_timeout()))) {
        Ok(hello) => attach(shared, connection, hello).await.map_err(Some),
        Err(farewell) => Err(farewell),
    };
    match attached {
        Ok((Attached { welcome, inlet }, outbox)) => {
            let session = welcome.session_id;
            outgoing.push(&ToDevice::Welcome(welcome));
            Ok(Greeted { incoming, outgoing, session, inlet, outbox })
        }
        Err(farewell) => Err(Denied { farewell, outgoing: Some(outgoing) }),
    }
}

/// Waits for the hello; an error without a farewell means that the device is gone.
async fn hear_hello(incoming: &mut Incoming) -> Result<Hello, Option<Farewell>> {
    match incoming.next().await {
        Ok(Arrival::Message(ToNode::Hello(hello))) => {
            sayso_wire::negotiate(&hello.versions).map_err(|error| Some(Farewell::protocol(&error)))?;
            Ok(hello)
        }
        Ok(Arrival::Message(_)) => Err(Some(Farewell::hello_expected())),
        Ok(Arrival::Bad(error)) => Err(Some(Farewell::protocol(&error))),
        Ok(Arrival::Finished) | Err(_) => Err(None),
    }
}

async fn attach(shared: &Shared, connection: &Connection, hello: Hello) -> Result<(Attached, Outbox), Farewell> {
    let identity = identity::prove(connection, &hello, shared.tokens.as_ref(), shared.clock.wall())
        .map_err(|why| Farewell::unauthenticated(&why))?;
    let (outlet, outbox) = Outlet::new(
        connection.clone(),
        hello.capabilities.datagram,
        shared.limits.control_queue,
        shared.limits.audio_queue,
        shared.counters.clone(),
    );
    let device = Attach { tenant: identity.tenant, device: identity.device, hello };
    let began = shared.clock.now();
    let attaching = shared.sessions.attach(device, Arc::new(outlet));
    let attached = timeout(Duration::from_millis(shared.limits.attach_ms), attaching).await;
    metrics::attach_took(shared.clock.now().since(began));
    match attached {
        Ok(Ok(attached)) => Ok((attached, outbox)),
        Ok(Err(refusal)) => Err(Farewell::refused(&refusal)),
        Err(_) => Err(Farewell::internal("the conversation could not be found in time")),
    }
}
