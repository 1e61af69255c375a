//! The register on a real store: what it allows, what it records, and that withdraw means stop.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod anchoring;
mod announcing;
mod answering;
mod answering_killed;
mod attacks;
mod crash;
mod damage;
mod each_step;
mod erasing;
mod erasing_killed;
mod every_event;
mod exempting;
mod expiring;
mod faults;
mod guarding;
mod incidents;
mod journal;
mod lending;
mod linearizing;
mod noticing;
mod proving;
mod replaying;
mod requesting;
mod retaining;
mod revising;
mod sealing;
mod set_clock;
mod shutting_down;
mod stopped;
mod stories;
mod stress;
mod switching;
mod takeover;
mod withdrawing;
mod world;
