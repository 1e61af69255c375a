//! [`Redactor`]: takes numbers out of text that must go no further, such as those of payment cards.
//!
//! What is known: numbers of payment cards (ISO/IEC 7812: the ranges of their issuers, 12 to 19 digits, Luhn's check digit),
//! identity numbers of residents of China (GB 11643: date of birth, check character of ISO 7064 MOD 11-2) and telephone
//! numbers. They are found as people type them and as recognisers write them: in figures of either width, in Chinese
//! numerals, in English words digit by digit, in groups or without: apart, with hyphens or commas between them, the area code in
//! brackets, in telephone numbers with slashes, with points where the groups are of three or four or a `+` comes first. What has no form of its own, such as a password, cannot
//! be found; nor is a number found that is said in several turns. Of a row of figures that happens to pass the checks nobody
//! can tell that it is an order number: it is taken out.

mod digits;
mod number;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use sayso_types::Category;

use self::digits::{BRACKETS, Digit, Digits};
use self::number::Number;
use crate::profile::Document;

/// What can be taken out, as `category.NAME.redact` spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Redaction {
    /// Numbers of payment cards.
    BankCard,
    /// Identity numbers of residents of China.
    CnId,
    /// Telephone numbers: mobile ones of China, those with an area code of China, and those that begin with a `+`.
    Phone,
}

impl Redaction {
    /// Everything that can be taken out.
    pub const ALL: [Self; 3] = [Self::BankCard, Self::CnId, Self::Phone];

    /// How a profile spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BankCard => "bank_card",
            Self::CnId => "cn_id",
            Self::Phone => "phone",
        }
    }

    /// What a profile spells as `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|redaction| redaction.name() == name)
    }

    /// What stands in the text instead.
    const fn stand_in(self) -> &'static str {
        match self {
            Self::BankCard => "[bank_card]",
            Self::CnId => "[cn_id]",
            Self::Phone => "[phone]",
        }
    }
}

impl Document {
    /// What is taken out of data of `category`: what it says itself, and what the categories say that it is made from.
    #[must_use]
    pub fn redactions(&self, category: Category) -> BTreeSet<Redaction> {
        let (mut found, mut seen, mut next) = (BTreeSet::new(), BTreeSet::new(), vec![category]);
        while let Some(category) = next.pop() {
            let Some(rule) = self.category.get(&category).filter(|_| seen.insert(category)) else { continue };
            found.extend(rule.redact.iter().filter_map(|name| Redaction::named(name)));
            next.extend(&rule.derived_from);
        }
        found
    }
}

/// Takes some of the [`Redaction`]s out of texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redactor(BTreeSet<Redaction>);

/// A text without what was taken out.
#[derive(Clone, PartialEq, Eq)]
pub struct Redacted {
    /// What is left, with a word such as `[bank_card]` in the place of each number.
    pub text: String,
    /// What was taken out, in its order.
    pub taken: Vec<Redaction>,
}

/// Shows none of the text.
impl core::fmt::Debug for Redacted {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Redacted").field("taken", &self.taken).finish_non_exhaustive()
    }
}

impl FromIterator<Redaction> for Redactor {
    fn from_iter<I: IntoIterator<Item = Redaction>>(redactions: I) -> Self {
        Self(redactions.into_iter().collect())
    }
}

impl Redactor {
    /// `text` without what is to be taken out of it; [`None`] when there is nothing of that in it, and then nothing was
    /// allocated. Takes time in proportion to the length of the text.
    #[must_use]
    pub fn redact(&self, text: &str) -> Option<Redacted> {
        if self.0.is_empty() {
            return None;
        }
        let (mut found, mut copied) = (None, 0);
        let mut digits = Digits::of(text);
        while let Some(first) = digits.next() {
            if !first.opens || first.start < copied {
                continue;
            }
            let Some((what, end)) = self.longest(text, first, digits.clone()) else { continue };
            let Redacted { text: left, taken } =
                found.get_or_insert_with(|| Redacted { text: String::with_capacity(text.len()), taken: Vec::new() });
            // the bracket that closes within the number has opened before it
            let (before, number) = (&text[copied..first.start], &text[first.start..end]);
            let has_closed = number.find([')', '）']).is_some_and(|at| !number[..at].contains(['(', '（']));
            left.push_str(if has_closed { before.strip_suffix(['(', '（']).unwrap_or(before) } else { before });
            left.push_str(what.stand_in());
            taken.push(what);
            copied = end;
        }
        if let Some(found) = &mut found {
            found.text.push_str(&text[copied..]);
        }
        found
    }

    /// The longest number that begins with `first`, and where it ends.
    fn longest(&self, text: &str, first: Digit, rest: Digits<'_>) -> Option<(Redaction, usize)> {
        let mut number = Number::new(first, text[..first.start].trim_end_matches(BRACKETS).ends_with('+'));
        let (mut rest, mut found) = (rest.peekable(), None);
        loop {
            let next = rest.peek();
            if next.is_none_or(|next| next.opens) {
                let is_last = next.is_none_or(|next| next.begins);
                let what = self.0.iter().copied().find(|what| number.is(*what, is_last));
                found = what.map(|what| (what, number.end())).or(found);
            }
            let Some(next) = rest.next_if(|next| !next.begins) else { return found };
            if !number.push(next) {
                return found;
            }
        }
    }
}
