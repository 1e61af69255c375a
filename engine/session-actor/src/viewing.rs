//! From a picture to words: what somebody sees in it.

use std::sync::Arc;

use ractor::ActorRef;
use sayso_egress::{Context, Exposure};
use sayso_runtime::TaskHandle;
use sayso_session::Event;
use sayso_wire::{PictureOffer, ToDevice};

use crate::actor::Message;
use crate::place::Place;
use crate::services::Services;
use crate::stage;

/// Has the picture of `offer` taken in and looked at; posts [`Event::Viewed`]. The device is told to send it once its permit
/// is issued, and not before.
pub(crate) fn start(
    services: &Arc<Services>,
    actor: &ActorRef<Message>,
    place: &Arc<Place>,
    context: Context,
    offer: PictureOffer,
) -> TaskHandle {
    let (egress, place, turn) = (Arc::clone(&services.egress), Arc::clone(place), context.turn);
    let work = async move {
        let (format, bytes) = (offer.format, offer.bytes);
        let question = offer.question.reveal().clone();
        let take_in = || {
            let parts = Box::pin(place.intake.open(&offer));
            place.tell(ToDevice::PictureWanted { turn: offer.turn });
            Exposure { format, bytes, parts }
        };
        egress.view(&context, question, take_in).await.map_err(|error| error.code())
    };
    stage::start(&services.tasks, actor, "viewing", work, move |result| Event::Viewed(turn, result))
}
