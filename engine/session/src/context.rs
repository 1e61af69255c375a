//! What a session remembers of the conversation, within limits.

use std::collections::VecDeque;

use sayso_types::dialogue::{Exchange, Fact};
use sayso_types::TurnId;

/// The conversation so far and the facts that the person asked to have remembered.
#[derive(Debug, Default)]
pub struct Context {
    exchanges: VecDeque<(TurnId, Exchange)>,
    facts: Vec<Fact>,
}

impl Context {
    /// What was said and heard, oldest first.
    #[must_use]
    pub fn history(&self) -> Vec<Exchange> {
        self.exchanges.iter().map(|(_, exchange)| exchange.clone()).collect()
    }

    /// What is remembered.
    #[must_use]
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// Adds what the person said in `turn`, dropping the oldest exchange beyond `limit`.
    pub fn said(&mut self, turn: TurnId, text: String, limit: usize) {
        self.exchanges.push_back((turn, Exchange { said: text, heard: String::new() }));
        while self.exchanges.len() > limit {
            self.exchanges.pop_front();
        }
    }

    /// Sets what the person heard of the answer in `turn`.
    pub fn heard(&mut self, turn: TurnId, text: String) {
        if let Some((_, exchange)) = self.exchanges.iter_mut().rev().find(|(t, _)| *t == turn) {
            exchange.heard = text;
        }
    }

    /// Replaces what is remembered.
    pub fn set_facts(&mut self, facts: Vec<Fact>) {
        self.facts = facts;
    }

    /// Remembers `fact`, replacing an earlier one of the same key. At the limit the oldest makes room. A fact
    /// longer than `chars` is not remembered; the answer is `false`.
    pub fn remember(&mut self, fact: Fact, limit: usize, chars: usize) -> bool {
        if fact.key.chars().count() + fact.value.chars().count() > chars {
            return false;
        }
        self.facts.retain(|f| f.key != fact.key);
        self.facts.push(fact);
        if self.facts.len() > limit {
            self.facts.remove(0);
        }
        true
    }

    /// Forgets the fact of this key, or all facts.
    pub fn forget(&mut self, key: Option<&str>) {
        self.facts.retain(|f| key.is_some_and(|k| f.key != k));
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.exchanges.clear();
        self.facts.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(key: &str, value: &str) -> Fact {
        Fact { key: key.into(), value: value.into() }
    }

    #[test]
    fn keeps_the_latest_within_limits() {
        let mut context = Context::default();
        for i in 1..=5 {
            context.said(TurnId(i), format!("q{i}"), 3);
        }
        context.heard(TurnId(5), "a5".into());
        context.heard(TurnId(1), "too late".into());
        let said: Vec<_> = context.history().into_iter().map(|e| (e.said, e.heard)).collect();
        assert_eq!(said, [("q3".into(), String::new()), ("q4".into(), String::new()), ("q5".into(), "a5".into())]);
    }

    #[test]
    fn facts_replace_forget_and_stay_bounded() {
        let mut context = Context::default();
        assert!(context.remember(fact("name", "Anna"), 2, 100));
        assert!(context.remember(fact("name", "Hanna"), 2, 100));
        assert!(context.remember(fact("city", "Bern"), 2, 100));
        assert!(context.remember(fact("pet", "cat"), 2, 100));
        assert!(!context.remember(fact("essay", &"x".repeat(100)), 2, 100));
        assert_eq!(context.facts().iter().map(|f| f.value.as_str()).collect::<Vec<_>>(), ["Bern", "cat"]);
        context.forget(Some("city"));
        assert_eq!(context.facts().len(), 1);
        context.forget(None);
        assert!(context.facts().is_empty());
    }
}
