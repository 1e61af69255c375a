//! What a session remembers of the conversation, within limits. What is dropped is wiped.

use std::collections::VecDeque;

use sayso_types::TurnId;
use sayso_types::dialogue::{Exchange, Fact};
use zeroize::Zeroize;

/// The conversation so far and the facts that the person asked to have remembered.
#[derive(Debug, Default)]
pub struct Context {
    exchanges: VecDeque<Entry>,
    facts: Vec<Fact>,
}

#[derive(Debug)]
struct Entry {
    turn: TurnId,
    exchange: Exchange,
    origin: Origin,
}

/// Where an exchange is from: it goes with the consent to that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This conversation.
    Conversation,
    /// This conversation, about a picture.
    Picture,
    /// An earlier conversation, of which it was kept.
    Earlier,
}

impl Context {
    /// What was said and heard in this conversation, oldest first.
    #[must_use]
    pub fn history(&self) -> Vec<Exchange> {
        let of_now = self.exchanges.iter().filter(|entry| entry.origin != Origin::Earlier);
        of_now.map(|entry| entry.exchange.clone()).collect()
    }

    /// What was said and heard in earlier conversations, oldest first.
    #[must_use]
    pub fn earlier(&self) -> Vec<Exchange> {
        let of_then = self.exchanges.iter().filter(|entry| entry.origin == Origin::Earlier);
        of_then.map(|entry| entry.exchange.clone()).collect()
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
    pub fn said(&mut self, turn: TurnId, text: String, origin: Origin, limit: usize) {
        let exchange = Exchange { said: text, heard: String::new() };
        self.exchanges.push_back(Entry { turn, exchange, origin });
        self.keep_within(limit);
    }

    /// Puts the latest of what was said in earlier conversations in front, within `limit` exchanges in all.
    pub fn begin_with(&mut self, earlier: Vec<Exchange>, limit: usize) {
        self.forget_origin(Origin::Earlier);
        let room = limit.saturating_sub(self.exchanges.len());
        for (n, mut exchange) in earlier.into_iter().rev().enumerate() {
            if n < room {
                self.exchanges.push_front(Entry { turn: TurnId::default(), exchange, origin: Origin::Earlier });
            } else {
                wipe_exchange(&mut exchange);
            }
        }
    }

    fn keep_within(&mut self, limit: usize) {
        while self.exchanges.len() > limit {
            if let Some(mut oldest) = self.exchanges.pop_front() {
                wipe_exchange(&mut oldest.exchange);
            }
        }
    }

    /// Sets what the person heard of the answer in `turn`.
    pub fn heard(&mut self, turn: TurnId, text: String) {
        if let Some(exchange) = self.of(turn) {
            exchange.heard = text;
        }
    }

    /// What was said and heard in `turn` of this conversation.
    #[must_use]
    pub fn exchange(&self, turn: TurnId) -> Option<&Exchange> {
        let entry = self.exchanges.iter().rev().find(|e| e.turn == turn && e.origin != Origin::Earlier);
        entry.map(|entry| &entry.exchange)
    }

    fn of(&mut self, turn: TurnId) -> Option<&mut Exchange> {
        let entry = self.exchanges.iter_mut().rev().find(|e| e.turn == turn && e.origin != Origin::Earlier);
        entry.map(|entry| &mut entry.exchange)
    }

    /// Forgets what was said and heard in `turn` of this conversation.
    pub fn forget_turn(&mut self, turn: TurnId) {
        self.forget_if(|entry| entry.turn == turn && entry.origin != Origin::Earlier);
    }

    /// Forgets every exchange that is from there.
    pub fn forget_origin(&mut self, origin: Origin) {
        self.forget_if(|entry| entry.origin == origin);
    }

    fn forget_if(&mut self, is_over: impl Fn(&Entry) -> bool) {
        self.exchanges.retain_mut(|entry| {
            let over = is_over(entry);
            if over {
                wipe_exchange(&mut entry.exchange);
            }
            !over
        });
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
        self.exchanges.iter_mut().for_each(|entry| wipe_exchange(&mut entry.exchange));
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
            context.said(TurnId(i), format!("q{i}"), Origin::Conversation, 3);
        }
        context.heard(TurnId(5), "a5".into());
        context.heard(TurnId(1), "too late".into());
        let said: Vec<_> = context.history().into_iter().map(|e| (e.said, e.heard)).collect();
        assert_eq!(said, [("q3".into(), String::new()), ("q4".into(), String::new()), ("q5".into(), "a5".into())]);
    }

    #[test]
    fn what_is_from_elsewhere_goes_with_the_consent_to_that() {
        let mut context = Context::default();
        let earlier = |said: &str| Exchange { said: said.into(), heard: "yes".into() };
        context.said(TurnId(1), "what is this".into(), Origin::Picture, 4);
        context.said(TurnId(2), "and you".into(), Origin::Conversation, 4);
        context.begin_with(vec![earlier("a"), earlier("b"), earlier("c")], 4);
        let said = |context: &Context| {
            let all = context.earlier().into_iter().chain(context.history());
            all.map(|e| e.said).collect::<Vec<_>>()
        };
        assert_eq!(said(&context), ["b", "c", "what is this", "and you"], "the latest, before what is said now");
        context.heard(TurnId(0), "nothing of now".into());
        assert_eq!(context.earlier()[0].heard, "yes");
        context.said(TurnId(3), "go on".into(), Origin::Conversation, 4);
        assert_eq!(said(&context), ["c", "what is this", "and you", "go on"]);
        context.forget_origin(Origin::Earlier);
        context.forget_origin(Origin::Picture);
        assert_eq!(said(&context), ["and you", "go on"]);
        assert_eq!(context.exchange(TurnId(3)).map(|e| e.said.as_str()), Some("go on"));
        assert_eq!(context.exchange(TurnId(1)), None);
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
