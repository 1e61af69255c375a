//! From text to words: the answer that is being found.

use std::sync::Arc;

use futures::StreamExt;
use ractor::ActorRef;
use sayso_egress::{Context, Error};
use sayso_provider::{Reply, Request};
use sayso_runtime::TaskHandle;
use sayso_session::Event;
use sayso_types::Redacted;

use crate::actor::Message;
use crate::kept;
use crate::services::Services;
use crate::stage::{self, post};

/// Parts of one answer: more than the longest answer has words. What a responder says beyond would only pile up in front
/// of the session, which cuts the answer anyway.
const PARTS_MAX: usize = 8_192;

/// Gets the answer to `request`, to which what the person's documents say of it is added where they may be `searched`; posts
/// its parts and [`Event::ReplyEnd`].
pub(crate) fn start(
    services: &Arc<Services>,
    actor: &ActorRef<Message>,
    context: Context,
    mut request: Request,
    searched: bool,
) -> TaskHandle {
    let (egress, parts_to, turn) = (Arc::clone(&services.egress), actor.clone(), context.turn);
    let register = Arc::clone(&services.register);
    let work = async move {
        if searched {
            request.passages = kept::passages(&register, context.subject, &request.text).await;
        }
        let mut parts = Box::pin(egress.respond(&context, request).await?.take(PARTS_MAX));
        while let Some(part) = parts.next().await {
            let event = match part? {
                Reply::Text(text) => Event::ReplyText(turn, Redacted::new(text)),
                Reply::Act(action) => Event::ReplyAct(turn, action),
            };
            post(&parts_to, event);
        }
        Ok(())
    };
    let work = async { work.await.map_err(|error: Error| error.code()) };
    stage::start(&services.tasks, actor, "reply", work, move |result| Event::ReplyEnd(turn, result))
}
