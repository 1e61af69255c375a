//! `sayso policy explain`: may this go there, and why.

use std::sync::Arc;

use anyhow::{Result, bail};
use sayso_policy::error::Nearest;
use sayso_policy::{Gate, InForce, Question, explain};
use sayso_runtime::SystemClock;
use sayso_types::{Clock, Label, SubjectId, TurnId};

use super::file::ProfileFile;
use super::state;
use crate::cli::ExplainArgs;
use crate::output;

/// Whether it may.
pub(super) fn run(args: &ExplainArgs, json: bool) -> Result<bool> {
    let profile = ProfileFile::open(&args.file)?.profile()?;
    let (state, registry) = state::of(args, &profile)?;
    // fresh data of somebody: the question is about the profile and the state, not about one utterance
    let label = Label {
        subject: SubjectId([0; 16]),
        category: args.category,
        purpose: args.purpose,
        turn: TurnId(0),
        cv: state.cv,
    };
    let Some(receiver) = profile.processor(args.processor) else {
        let nearest = Nearest::to(args.processor.as_str(), profile.processors().map(|known| known.id.as_str()));
        bail!("the profile has no processor {}{nearest}", args.processor);
    };
    let (gate, now) = (args.gate.unwrap_or_else(|| Gate::of(receiver.kind)), SystemClock::new().wall());
    let question = Question { label, gate, processor: args.processor, now };
    let explanation = explain(&question, &state, &InForce::new(Arc::new(profile)).with_registry(registry));
    let told = explanation.told(args.lang);
    if json {
        output::json(&told)?;
    } else {
        output::line(&told)?;
    }
    Ok(told.permit)
}
