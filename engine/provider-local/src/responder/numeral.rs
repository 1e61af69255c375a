//! Numbers as they are spoken: "twelve", "one hundred and five", "three point five", "2.5".

use super::ratio::Ratio;

const ONES: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const SCALES: [(&str, i128); 4] =
    [("thousand", 1_000), ("million", 1_000_000), ("billion", 1_000_000_000), ("trillion", 1_000_000_000_000)];

/// Reads the number that `words` start with: its value and the words after it.
pub(super) fn parse<'a, 'w>(words: &'a [&'w str]) -> Option<(Ratio, &'a [&'w str])> {
    if let ["minus" | "negative", rest @ ..] = words {
        let (number, rest) = parse(rest)?;
        return Some((Ratio::ZERO.minus(number)?, rest));
    }
    let [first, rest @ ..] = words else { return None };
    if let Some(number) = Ratio::parse(first) {
        // "5 million"
        return match rest {
            [scale, rest @ ..] if scale_of(scale).is_some() => {
                Some((number.times(Ratio::whole(scale_of(scale)?))?, rest))
            }
            _ => Some((number, rest)),
        };
    }
    let (whole, rest) = spoken_whole(words)?;
    let number = Ratio::whole(whole);
    match rest {
        ["point", digits @ ..] => {
            let spoken = digits.iter().map_while(|word| digit(word)).collect::<String>();
            if spoken.is_empty() {
                return None;
            }
            let fraction = Ratio::parse(&format!("0.{spoken}"))?;
            Some((number.plus(fraction)?, &digits[spoken.len()..]))
        }
        _ => Some((number, rest)),
    }
}

/// Reads a whole number said in words, group by group: "two thousand | three hundred | forty five".
fn spoken_whole<'a, 'w>(words: &'a [&'w str]) -> Option<(i128, &'a [&'w str])> {
    // the complete thousands, and the group below that is still being said
    let (mut total, mut group) = (0i128, 0i128);
    let mut rest = words;
    while let [word, after @ ..] = rest {
        let begun = rest.len() < words.len();
        if let Some(small) = small(word) {
            if !fits(group, small, begun) {
                break;
            }
            group += small;
        } else if *word == "hundred" && group < 100 {
            group = group.max(1) * 100;
        } else if let Some(scale) = scale_of(word).filter(|_| begun) {
            total = total.checked_add(group.max(1).checked_mul(scale)?)?;
            group = 0;
        } else {
            // "a hundred", "one hundred and five"
            let joins = match *word {
                "a" => !begun && after.first().is_some_and(|next| *next == "hundred" || scale_of(next).is_some()),
                "and" => {
                    begun && group % 100 == 0 && after.first().is_some_and(|next| small_follows(total, group, next))
                }
                _ => false,
            };
            if !joins {
                break;
            }
        }
        rest = after;
    }
    (rest.len() < words.len()).then_some((total + group, rest))
}

/// Whether `small` continues a number whose last group is `group`: "twenty five" is one number, "five five" are two.
fn fits(group: i128, small: i128, begun: bool) -> bool {
    match group % 100 {
        _ if !begun => true,
        0 => small > 0,
        tens => tens >= 20 && tens % 10 == 0 && (1..10).contains(&small),
    }
}

/// Whether "and" before `next` stands inside of a number that has its hundreds or thousands already.
fn small_follows(total: i128, group: i128, next: &str) -> bool {
    (total > 0 || group > 0) && small(next).is_some_and(|small| small > 0)
}

/// A word below one hundred.
fn small(word: &str) -> Option<i128> {
    let ones = ONES.iter().position(|one| *one == word);
    ones.or_else(|| TENS.iter().position(|ten| *ten == word).map(|ten| (ten + 2) * 10)).map(|value| value as i128)
}

fn scale_of(word: &str) -> Option<i128> {
    SCALES.into_iter().find(|(name, _)| *name == word).map(|(_, scale)| scale)
}

fn digit(word: &str) -> Option<char> {
    match ONES[..10].iter().position(|one| *one == word) {
        Some(value) => char::from_digit(value as u32, 10),
        None if word == "oh" => Some('0'),
        None => word.parse().ok().filter(char::is_ascii_digit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_far_as_they_go() {
        for (text, value, rest) in [
            ("twelve times", "12", "times"),
            ("twenty one", "21", ""),
            ("one hundred and five", "105", ""),
            ("a hundred", "100", ""),
            ("hundred", "100", ""),
            ("two thousand three hundred forty five", "2345", ""),
            ("one million and one", "1000001", ""),
            ("three point one four", "3.14", ""),
            ("minus five", "-5", ""),
            ("2.5 plus", "2.5", "plus"),
            ("5 million", "5000000", ""),
            ("five and six", "5", "and six"),
            ("five five", "5", "five"),
            ("zero", "0", ""),
        ] {
            let words: Vec<&str> = text.split(' ').collect();
            let (number, after) = parse(&words).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((number.to_string().as_str(), after.join(" ").as_str()), (value, rest), "{text}");
        }
        for text in ["", "times", "point five", "a", "three point", "and five"] {
            assert!(parse(&text.split(' ').collect::<Vec<_>>()).is_none(), "{text}");
        }
    }
}
