//! [`Number`]: a row of digits, and what it can be the number of.

use super::Redaction;
use super::digits::{Digit, TEN};

/// Digits of the longest number that is known: a payment card's.
const DIGITS_MAX: usize = 19;

/// A row of digits that ends with a group.
#[derive(Debug)]
pub(super) struct Number {
    digits: [u8; DIGITS_MAX],
    length: usize,
    end: usize,
    /// The sizes of the first and of the last group.
    first: usize,
    last: usize,
    /// Whether there are groups of one, of two, and of more, before the last.
    sizes: [bool; 3],
    /// Whether it is the first of its row.
    begins: bool,
    is_international: bool,
}

impl Number {
    /// A number of one digit so far, with or without a `+` before it.
    pub(super) fn new(first: Digit, is_international: bool) -> Self {
        let (mut digits, sizes) = ([0; DIGITS_MAX], [false; 3]);
        digits[0] = first.value;
        Self { digits, length: 1, end: first.end, first: 1, last: 1, sizes, begins: first.begins, is_international }
    }

    /// Adds a digit; whether there was room for it.
    pub(super) fn push(&mut self, digit: Digit) -> bool {
        let Some(place) = self.digits.get_mut(self.length) else { return false };
        *place = digit.value;
        if digit.opens {
            self.sizes[self.last.min(3) - 1] = true;
            self.last = 0;
        }
        self.length += 1;
        self.last += 1;
        if self.last == self.length {
            self.first = self.last;
        }
        self.end = digit.end;
        true
    }

    /// Where it ends in the text.
    pub(super) const fn end(&self) -> usize {
        self.end
    }

    fn digits(&self) -> &[u8] {
        &self.digits[..self.length]
    }

    /// Whether it can be a `what`. `is_last`: the row ends with it.
    pub(super) fn is(&self, what: Redaction, is_last: bool) -> bool {
        match what {
            Redaction::BankCard => self.is_card(),
            Redaction::CnId => is_resident(self.digits()),
            Redaction::Phone => self.is_phone(is_last),
        }
    }

    /// The sizes of groups that there are: of one, of two, of more.
    fn sizes(&self) -> [bool; 3] {
        let mut sizes = self.sizes;
        sizes[self.last.min(3) - 1] = true;
        sizes
    }

    fn is_card(&self) -> bool {
        // who counts to twelve writes ones and pairs
        let counts = matches!(self.sizes(), [true, true, _]);
        !counts && is_issued(self.digits()) && has_luhn_digit(self.digits())
    }

    fn is_phone(&self, is_last: bool) -> bool {
        let digits = self.digits();
        let is_said = self.sizes() == [true, false, false];
        if digits.contains(&TEN) || is_said && !(self.begins && is_last) {
            return false;
        }
        let mobile = |digits: &[u8]| matches!(digits, [1, 3..=9, rest @ ..] if rest.len() == 9);
        match digits {
            _ if self.is_international => (8..=15).contains(&digits.len()),
            [0, 0, 8, 6, rest @ ..] | [8, 6, rest @ ..] => mobile(rest),
            [0, 1..=9, ..] => {
                (10..=12).contains(&digits.len())
                    && (is_said || matches!(self.first, 3 | 4) || self.first == self.length)
            }
            _ => mobile(digits),
        }
    }
}

/// Whether issuers of payment cards give out numbers that begin so, of that length (ISO/IEC 7812-1; the ranges that the card
/// schemes publish).
fn is_issued(digits: &[u8]) -> bool {
    let [a, b, c, d, ..] = *digits else { return false };
    let prefix = [a, b, c, d].iter().fold(0_u16, |prefix, digit| prefix * 10 + u16::from(*digit));
    match prefix {
        4000..=4999 => matches!(digits.len(), 13 | 16 | 19),
        2200..=2204 => (16..=19).contains(&digits.len()),
        2221..=2720 | 5100..=5599 => digits.len() == 16,
        3400..=3499 | 3700..=3799 => digits.len() == 15,
        3000..=3059 | 3600..=3699 | 3800..=3999 => (14..=19).contains(&digits.len()),
        3528..=3589 | 8100..=8171 | 9558 => (16..=19).contains(&digits.len()),
        5000..=5099 | 5600..=6999 => (12..=19).contains(&digits.len()),
        _ => false,
    }
}

/// Whether the last digit is Luhn's check digit of the others (ISO/IEC 7812-1, annex B).
fn has_luhn_digit(digits: &[u8]) -> bool {
    let weighed = digits.iter().rev().zip([1_u32, 2].into_iter().cycle()).map(|(digit, weight)| {
        let product = u32::from(*digit) * weight;
        product / 10 + product % 10
    });
    !digits.contains(&TEN) && weighed.sum::<u32>() % 10 == 0
}

/// Whether they are an identity number: six digits for a place, a day of birth, three digits, and the check character.
fn is_resident(digits: &[u8]) -> bool {
    let Ok(digits) = <&[u8; 18]>::try_from(digits) else { return false };
    let number = |from: usize, to: usize| digits[from..to].iter().fold(0, |n, digit| n * 10 + u32::from(*digit));
    let is_born = (1850..=2099).contains(&number(6, 10)) && (1..=12).contains(&number(10, 12));
    let check = digits.iter().rev().zip(0_u32..).map(|(digit, power)| u32::from(*digit) * 2_u32.pow(power));
    !digits[..17].contains(&TEN) && is_born && (1..=31).contains(&number(12, 14)) && check.sum::<u32>() % 11 == 1
}
