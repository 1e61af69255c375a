//! [`Script`]: answers prepared in advance.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Answers in order; the last one is given again and again.
#[derive(Debug)]
pub(super) struct Script<T>(Mutex<VecDeque<T>>);

impl<T: Clone> Script<T> {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(VecDeque::new()))
    }

    pub(super) fn push(&self, answer: T) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(answer);
    }

    /// The next answer; `None` when none was ever prepared.
    pub(super) fn next(&self) -> Option<T> {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }
    }
}
