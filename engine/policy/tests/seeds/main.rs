//! The written policies as profiles in `deploy/profiles`: each raises exactly what is wrong with it and nothing else, its
//! lawful variant raises nothing, every clause is there, and decisions are those that the policy promises.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod aiwellflow;
mod chat_ai;
mod seed;
mod xiaosuan;
mod xiaozhi;
mod zego;
