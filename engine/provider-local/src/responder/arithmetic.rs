//! Sums: "what is twelve times seven", "15 + 4", "20 percent of 50", "divide ten by four".

use super::numeral;
use super::ratio::Ratio;
use super::utterance::{Utterance, strip};

/// What became of a sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sum {
    /// The sum as it was understood, and its value.
    Is(String, Ratio),
    /// Something was to be divided by zero.
    ByZero,
    /// A number became too large to reckon with.
    TooLarge,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Plus,
    Minus,
    Times,
    Over,
    PercentOf,
}

/// Phrases for each operator, longer ones before those that they start with.
const OPERATORS: [(&str, Operator); 11] = [
    ("percent of", Operator::PercentOf),
    ("per cent of", Operator::PercentOf),
    ("multiplied by", Operator::Times),
    ("divided by", Operator::Over),
    ("times", Operator::Times),
    ("x", Operator::Times),
    ("over", Operator::Over),
    ("plus", Operator::Plus),
    ("minus", Operator::Minus),
    ("less", Operator::Minus),
    ("take away", Operator::Minus),
];

/// Sums as commands, with the operator and whether the second number comes first ("subtract 2 from 9").
const COMMANDS: [(&str, &str, Operator, bool); 5] = [
    ("add", "and", Operator::Plus, false),
    ("add", "to", Operator::Plus, false),
    ("subtract", "from", Operator::Minus, true),
    ("multiply", "by", Operator::Times, false),
    ("divide", "by", Operator::Over, false),
];

/// What may stand before a sum and after it.
const LEADS: [&str; 15] = [
    "can you tell me",
    "tell me",
    "do you know",
    "what is",
    "what are",
    "what does",
    "how much is",
    "how much are",
    "how much",
    "calculate",
    "compute",
    "and what is",
    "so what is",
    "okay",
    "hey",
];
const TAILS: [&str; 5] = ["equals", "equal", "is", "make", "makes"];

/// The sum that `utterance` asks for, if it is one and nothing else.
pub(super) fn sum(utterance: &Utterance) -> Option<Sum> {
    let plain = utterance.plain();
    let mut words = plain.as_slice();
    while let Some(rest) = LEADS.iter().find_map(|lead| strip(words, lead)) {
        words = rest;
    }
    while let [rest @ .., last] = words
        && TAILS.contains(last)
    {
        words = rest;
    }
    command(words).or_else(|| expression(words))
}

fn command(words: &[&str]) -> Option<Sum> {
    COMMANDS.into_iter().find_map(|(verb, between, operator, swapped)| {
        let (first, rest) = numeral::parse(strip(words, verb)?)?;
        let (second, rest) = numeral::parse(strip(rest, between)?)?;
        let (first, second) = if swapped { (second, first) } else { (first, second) };
        rest.is_empty().then(|| evaluate(first, &[(operator, second)]))
    })
}

fn expression(words: &[&str]) -> Option<Sum> {
    let (first, mut rest) = numeral::parse(words)?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let (operator, after) = OPERATORS.iter().find_map(|(name, operator)| Some((*operator, strip(rest, name)?)))?;
        let (number, after) = numeral::parse(after)?;
        steps.push((operator, number));
        rest = after;
    }
    if steps.is_empty() { None } else { Some(evaluate(first, &steps)) }
}

/// Multiplies and divides before it adds and subtracts.
fn evaluate(first: Ratio, steps: &[(Operator, Ratio)]) -> Sum {
    let mut text = first.to_string();
    let mut total = Ratio::ZERO;
    let mut product = first;
    for &(operator, number) in steps {
        text = format!("{text} {} {number}", operator.words());
        if operator == Operator::Over && number.is_zero() {
            return Sum::ByZero;
        }
        let next = match operator {
            Operator::Times => product.times(number),
            Operator::Over => product.over(number),
            Operator::PercentOf => product.times(number).and_then(|product| product.over(Ratio::whole(100))),
            Operator::Plus | Operator::Minus => {
                let Some(sum) = total.plus(product) else { return Sum::TooLarge };
                total = sum;
                if operator == Operator::Plus { Some(number) } else { Ratio::ZERO.minus(number) }
            }
        };
        let Some(next) = next else { return Sum::TooLarge };
        product = next;
    }
    total.plus(product).map_or(Sum::TooLarge, |value| Sum::Is(text, value))
}

impl Operator {
    const fn words(self) -> &'static str {
        match self {
            Self::Plus => "plus",
            Self::Minus => "minus",
            Self::Times => "times",
            Self::Over => "divided by",
            Self::PercentOf => "percent of",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn solve(text: &str) -> Option<String> {
        Some(match sum(&Utterance::new(text))? {
            Sum::Is(_, value) => value.to_string(),
            other => format!("{other:?}"),
        })
    }

    #[test]
    fn sums_are_solved() {
        for (text, value) in [
            ("What is twelve times seven?", "84"),
            ("What's 12 x 7?", "84"),
            ("15 plus 4", "19"),
            ("15 + 4 =", "19"),
            ("How much is 10 divided by 4?", "2.5"),
            ("10 / 4", "2.5"),
            ("20% of 50", "10"),
            ("What is twenty percent of fifty?", "10"),
            ("two plus three times four", "14"),
            ("10 - 4 - 3", "3"),
            ("Minus five plus two", "-3"),
            ("add 5 and 7", "12"),
            ("subtract 2 from 9", "7"),
            ("divide ten by four", "2.5"),
            ("multiply 3 by 4", "12"),
            ("one point five times two", "3"),
            ("what is a hundred minus one", "99"),
            ("seven divided by zero", "ByZero"),
            ("1 over 0", "ByZero"),
            (&format!("{0} times {0}", "9".repeat(30)), "TooLarge"),
        ] {
            assert_eq!(solve(text).as_deref(), Some(value), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_sums() {
        for text in
            ["", "twelve", "5 and 6", "what is love", "12 times", "times 12", "one apple plus two", "remember 5 plus 5"]
        {
            assert_eq!(solve(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn whole_sums_agree_with_the_machine(a in -10_000i64..10_000, b in -10_000i64..10_000) {
            for (name, value) in [("plus", a + b), ("minus", a - b), ("times", a * b)] {
                let say = |n: i64| n.to_string().replace('-', "minus ");
                prop_assert_eq!(solve(&format!("{} {name} {}", say(a), say(b))), Some(value.to_string()));
            }
        }
    }
}
