//! What a session remembers of the conversation, within limits. What is dropped is wiped.

use std::collections::VecDeque;

use sayso_types::TurnId;
use sayso_types::dialogue::{Exchange, Fact};
use zeroize::Zeroize;

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

    /// How many exchanges there are.
    #[must_use]
    pub fn exchanges(&self) -> usize {
        self.exchanges.len()
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
            if let Some((_, mut oldest)) = self.exchanges.pop_front() {
                wipe_exchange(&mut oldest);
            }
        }
    }

    /// Sets what the person heard of the answer in `turn`.
    pub fn heard(&mut self, turn: TurnId, text: String) {
        if let Some((_, exchange)) = self.exchanges.iter_mut().rev().find(|(t, _)| *t == turn) {
            exchange.heard = text;
        }
    }

    /// Replaces what is remembered, within the limits of [`remember`](Self::remember).
    pub fn set_facts(&mut self, facts: Vec<Fact>, limit: usize, chars: usize) {
        self.forget(None);
        for fact in facts {
            self.remember(fact, limit, chars);
        }
    }

    /// Remembers `fact`, replacing an earlier one of the same key. At the limit the oldest makes room. A fact
    /// longer than `chars` is not remembered; the answer is `false`.
    pub fn remember(&mut self, fact: Fact, limit: usize, chars: usize) -> bool {
        if fact.key.chars().count() + fact.value.chars().count() > chars {
            return false;
        }
        self.forget(Some(&fact.key));
        self.facts.push(fact);
        if self.facts.len() > limit {
            wipe_fact(&mut self.facts.remove(0));
        }
        true
    }

    /// Forgets the fact of this key, or all facts.
    pub fn forget(&mut self, key: Option<&str>) {
        self.facts.retain_mut(|fact| {
            let keep = key.is_some_and(|key| fact.key != key);
            if !keep {
                wipe_fact(fact);
            }
            keep
        });
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        self.exchanges.iter_mut().for_each(|(_, exchange)| wipe_exchange(exchange));
        self.facts.iter_mut().for_each(wipe_fact);
    }
}

fn wipe_exchange(exchange: &mut Exchange) {
    exchange.said.zeroize();
    exchange.heard.zeroize();
}

fn wipe_fact(fact: &mut Fact) {
    fact.key.zeroize();
    fact.value.zeroize();
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
