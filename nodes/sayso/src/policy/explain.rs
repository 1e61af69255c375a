//! `sayso policy explain`: may this go there, and why.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use sayso_policy::error::Nearest;
use sayso_policy::{Gate, InForce, Profile, Question, explain};
use sayso_runtime::SystemClock;
use sayso_types::{Clock, Label, ProcessorId, Purpose, SubjectId, TurnId};

use super::file::ProfileFile;
use super::state;
use crate::cli::ExplainArgs;
use crate::output;

/// Refuses what the person is said to have agreed to, or been told of, and the profile does not have: somebody mistyped it, and the
/// answer would be about a person who did neither.
fn are_declared(args: &ExplainArgs, profile: &Profile) -> Result<()> {
    let purposes = || profile.purposes().map(|rule| rule.id);
    if let Some(given) = args.given.iter().find(|given| purposes().all(|known| known != **given)) {
        let nearest = Nearest::to(given.as_str(), purposes().collect::<Vec<_>>().iter().map(Purpose::as_str));
        bail!("--given {given}: the profile has no such purpose{nearest}");
    }
    match args.told.iter().find(|told| profile.processor(**told).is_none()) {
        Some(told) => bail!("--told {told}: {}", no_processor(*told, profile)),
        None => Ok(()),
    }
}

fn no_processor(id: ProcessorId, profile: &Profile) -> String {
    let known: Vec<_> = profile.processors().map(|known| known.id).collect();
    let nearest = Nearest::to(id.as_str(), known.iter().map(ProcessorId::as_str));
    let instead = match nearest.as_deref() {
        Some(_) => nearest.to_string(),
        None => format!("; it has {}", known.iter().map(ProcessorId::as_str).collect::<Vec<_>>().join(", ")),
    };
    format!("the profile has no processor {id}{instead}")
}

/// Whether it may.
pub(super) fn run(args: &ExplainArgs, json: bool) -> Result<bool> {
    let profile = ProfileFile::open(&args.file)?.profile()?;
    are_declared(args, &profile)?;
    let (state, registry) = state::of(args, &profile)?;
    // fresh data of somebody: the question is about the profile and the state, not about one utterance
    let label = Label {
        subject: SubjectId([0; 16]),
        category: args.category,
        purpose: args.purpose,
        turn: TurnId(0),
        cv: state.cv,
    };
    let receiver = profile.processor(args.processor).with_context(|| no_processor(args.processor, &profile))?;
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
