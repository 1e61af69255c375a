//! [`RuleResponder`]: answers by rules, the same way every time, without a model.
//!
//! ```text
//! request ─ utterance ▸ plain words ─ intent ▸ what the person wants ─ answer ▸ text and actions
//!                                        ├ memory      names, places, notes; recall and forget
//!                                        └ arithmetic  numeral, ratio
//! ```
//!
//! It speaks English, and understands stop and hello in Chinese as well. Texts come from a speech
//! recogniser: case, punctuation and the way numbers are written carry no meaning here.

mod answer;
mod arithmetic;
mod intent;
mod memory;
mod numeral;
mod ratio;
mod utterance;

use core::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::{StreamExt, stream};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use sayso_policy::Labelled;
use sayso_provider::{Call, Error, ReplyStream, Request, Responder};
use sayso_types::Clock;
use zeroize::Zeroize;

pub use self::answer::answer;

/// A responder of fixed rules: greeting, time and date, sums, memory, repetition, help, stop.
#[derive(Clone)]
pub struct RuleResponder {
    clock: Arc<dyn Clock>,
    zone: TimeZone,
}

impl RuleResponder {
    /// A responder that tells the time of `clock` as it is in `zone`.
    pub fn new(clock: Arc<dyn Clock>, zone: TimeZone) -> Self {
        Self { clock, zone }
    }

    fn now(&self) -> Zoned {
        let wall = i64::try_from(self.clock.wall().0).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        wall.unwrap_or(Timestamp::MAX).to_zoned(self.zone.clone())
    }
}

impl fmt::Debug for RuleResponder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuleResponder").field("zone", &self.zone).finish_non_exhaustive()
    }
}

#[async_trait]
impl Responder for RuleResponder {
    async fn respond(&self, call: Call, request: Labelled<Request>) -> Result<ReplyStream, Error> {
        let now = self.now();
        let replies = call.permit.pass(request, |mut request| {
            let replies = answer(&request, &now);
            wipe(&mut request);
            replies
        })?;
        Ok(stream::iter(replies.into_iter().map(Ok)).boxed())
    }
}

fn wipe(request: &mut Request) {
    request.text.zeroize();
    request.passages.iter_mut().for_each(Zeroize::zeroize);
    for exchange in request.earlier.iter_mut().chain(&mut request.history) {
        exchange.said.zeroize();
        exchange.heard.zeroize();
    }
    for fact in &mut request.facts {
        fact.key.zeroize();
        fact.value.zeroize();
    }
}
