//! From text to words: the answer that is being found.

use std::sync::Arc;

use futures::StreamExt;
use ractor::ActorRef;
use sayso_egress::Context;
use sayso_provider::{Reply, Request};
use sayso_runtime::{TaskHandle, TaskKind};
use sayso_session::Event;
use sayso_types::Redacted;

use crate::actor::Message;
use crate::services::Services;
use crate::transcription::post;

/// Gets the answer to `request`; posts its parts and [`Event::ReplyEnd`].
pub(crate) fn start(
    services: &Arc<Services>,
    actor: &ActorRef<Message>,
    context: Context,
    request: Request,
) -> TaskHandle {
    let (services, actor) = (Arc::clone(services), actor.clone());
    let tasks = services.tasks.clone();
    tasks.spawn(TaskKind::Call, "reply", async move {
        let turn = context.turn;
        let result = async {
            let mut parts = Box::pin(services.egress.respond(&context, request).await?);
            while let Some(part) = parts.next().await {
                post(&actor, match part? {
                    Reply::Text(text) => Event::ReplyText(turn, Redacted::new(text)),
                    Reply::Act(action) => Event::ReplyAct(turn, action),
                });
            }
            Ok::<_, sayso_egress::Error>(())
        };
        let result = result.await;
        if let Err(error) = &result {
            tracing::debug!(turn = turn.0, %error, "reply failed");
        }
        post(&actor, Event::ReplyEnd(turn, result.map_err(|error| error.code())));
    })
}
