//! Numbers as English words, the American way: no "and" between the hundreds and the rest.

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
const TENS: [&str; 10] = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const SCALES: [&str; 7] = ["", "thousand", "million", "billion", "trillion", "quadrillion", "quintillion"];

/// `n` as in counting: "one thousand two hundred thirty-four".
pub(super) fn cardinal(n: u64) -> String {
    if n == 0 {
        return ONES[0].to_owned();
    }
    let mut words = Vec::new();
    for (power, scale) in SCALES.iter().enumerate().rev() {
        // 1000^6 is the largest power that a u64 holds, and there is no larger scale
        let group = n / 1000u64.pow(power as u32) % 1000;
        if group == 0 {
            continue;
        }
        if group >= 100 {
            words.push(format!("{} hundred", ONES[(group / 100) as usize]));
        }
        let rest = (group % 100) as usize;
        match rest {
            0 => {}
            1..20 => words.push(ONES[rest].to_owned()),
            _ if rest.is_multiple_of(10) => words.push(TENS[rest / 10].to_owned()),
            _ => words.push(format!("{}-{}", TENS[rest / 10], ONES[rest % 10])),
        }
        if power > 0 {
            words.push((*scale).to_owned());
        }
    }
    words.join(" ")
}

/// `n` as in ranking: "twenty-third".
pub(super) fn ordinal(n: u64) -> String {
    let words = cardinal(n);
    let (head, last) = words.split_at(words.rfind([' ', '-']).map_or(0, |at| at + 1));
    let last = match last {
        "one" => "first".to_owned(),
        "two" => "second".to_owned(),
        "three" => "third".to_owned(),
        "five" => "fifth".to_owned(),
        "eight" => "eighth".to_owned(),
        "nine" => "ninth".to_owned(),
        "twelve" => "twelfth".to_owned(),
        _ => last.strip_suffix('y').map_or_else(|| format!("{last}th"), |stem| format!("{stem}ieth")),
    };
    format!("{head}{last}")
}

/// `n` as a year: "nineteen oh five", "two thousand five", "twenty ten".
pub(super) fn year(n: u64) -> String {
    let (century, rest) = (n / 100, n % 100);
    match rest {
        _ if century == 0 || century >= 100 || (century.is_multiple_of(10) && rest < 10) => cardinal(n),
        0 => format!("{} hundred", cardinal(century)),
        1..10 => format!("{} oh {}", cardinal(century), cardinal(rest)),
        _ => format!("{} {}", cardinal(century), cardinal(rest)),
    }
}

/// The digits in `text` one by one: "four oh"s are "four zero".
pub(super) fn digits(text: &str) -> String {
    let words: Vec<&str> = text.chars().filter_map(|c| c.to_digit(10)).map(|d| ONES[d as usize]).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        for (n, words) in [
            (0, "zero"),
            (7, "seven"),
            (13, "thirteen"),
            (20, "twenty"),
            (42, "forty-two"),
            (100, "one hundred"),
            (105, "one hundred five"),
            (1_000, "one thousand"),
            (1_234, "one thousand two hundred thirty-four"),
            (1_000_001, "one million one"),
            (
                u64::MAX,
                "eighteen quintillion four hundred forty-six quadrillion seven hundred forty-four trillion \
                        seventy-three billion seven hundred nine million five hundred fifty-one thousand six hundred \
                        fifteen",
            ),
        ] {
            assert_eq!(cardinal(n), words);
        }
    }

    #[test]
    fn ranks() {
        for (n, words) in [
            (1, "first"),
            (2, "second"),
            (12, "twelfth"),
            (20, "twentieth"),
            (23, "twenty-third"),
            (100, "one hundredth"),
            (108, "one hundred eighth"),
        ] {
            assert_eq!(ordinal(n), words);
        }
    }

    #[test]
    fn dates() {
        for (n, words) in [
            (1066, "ten sixty-six"),
            (1900, "nineteen hundred"),
            (1905, "nineteen oh five"),
            (2000, "two thousand"),
            (2005, "two thousand five"),
            (2010, "twenty ten"),
            (2026, "twenty twenty-six"),
            (99, "ninety-nine"),
        ] {
            assert_eq!(year(n), words);
        }
        assert_eq!(digits("40-2"), "four zero two");
    }
}
