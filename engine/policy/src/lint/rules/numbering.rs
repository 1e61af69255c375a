//! Whether the sections of the written policy are numbered so that people can find and cite them.

use std::collections::{BTreeMap, BTreeSet};

use crate::lint::Rule;
use crate::lint::case::Case;
use crate::lint::rule::Found;

pub(in crate::lint) static CLAUSE_NUMBERING: Rule = Rule {
    id: "CLAUSE_NUMBERING",
    breach: "sections of the written policy are left out, doubled, out of order, or announced and not there",
    source: "defects D1 (XZ-6), D3 (AW-1.5), D4 (CA-1.1, CA-9), D6 (ZG); cn-pipl:17",
    waivable: true,
    look: numbering,
};

fn numbering(case: &Case<'_>) -> Found {
    let mut found = Found::new();
    for source in &case.document.source {
        let there: BTreeSet<&String> = source.numbering.iter().collect();
        let announced = source.contents.iter().filter(|number| !there.contains(number));
        let missing = announced.map(|number| format!("the contents announce section {number}, which is not there"));
        for problem in breaks(&source.numbering).into_iter().chain(missing) {
            let message = format!("{problem}; renumber the text and its copy here");
            found.push((format!("source.{}.numbering", source.lang), message));
        }
    }
    found
}

/// What is wrong with the order of `numbers`, at most one thing for each.
fn breaks(numbers: &[String]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    // the last number below each section, in each style
    let mut last: BTreeMap<(Vec<Step>, Style), u32> = BTreeMap::new();
    for number in numbers {
        let Some(path) = read(number) else {
            problems.push(format!("`{number}` is not a section number such as 4, 4.6, 6(4), IV.2 or 四"));
            continue;
        };
        let doubled = !seen.insert(path.clone());
        let mut problem = doubled.then(|| format!("there are two sections {number}"));
        for (depth, step) in path.iter().enumerate() {
            let above = &path[..depth];
            let before = last.get(&(above.to_vec(), step.style)).copied().unwrap_or(0);
            let inside = depth + 1 < path.len();
            if step.count == before && inside {
                continue;
            }
            if step.count > before + 1 {
                let first = text(above, Step { count: before + 1, ..*step });
                problem = problem.or_else(|| Some(format!("section {number} comes without {first} before it")));
            } else if step.count <= before && !doubled {
                let other = text(above, Step { count: before, ..*step });
                problem = problem.or_else(|| Some(format!("section {number} comes after {other}")));
            }
            last.retain(|(path, _), _| !path.starts_with(&path_of(above, *step)));
            last.insert((above.to_vec(), step.style), step.count);
        }
        problems.extend(problem);
    }
    problems
}

/// One step of a section number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Step {
    style: Style,
    count: u32,
}

/// How a step is written. Lists in different styles are counted apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Style {
    /// `4`
    Arabic,
    /// `(4)`
    Bracketed,
    /// `IV`
    Roman,
    /// `d`
    Letter,
    /// `四`
    Han,
}

fn path_of(above: &[Step], step: Step) -> Vec<Step> {
    above.iter().copied().chain([step]).collect()
}

/// Reads `4.6(1)`, `IV.2`, `1.2a` or `四`.
fn read(number: &str) -> Option<Vec<Step>> {
    let mut path = Vec::new();
    let mut rest = number;
    while !rest.is_empty() {
        if !path.is_empty() {
            rest = rest.strip_prefix('.').unwrap_or(rest);
        }
        if let Some((inside, after)) = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
            path.push(Step { style: Style::Bracketed, count: inside.parse().ok()? });
            rest = after;
            continue;
        }
        let style = style(rest.chars().next()?)?;
        let length = rest.find(|c| self::style(c) != Some(style)).unwrap_or(rest.len());
        path.push(Step { style, count: count(style, &rest[..length])? });
        rest = &rest[length..];
    }
    (!path.is_empty()).then_some(path)
}

fn style(first: char) -> Option<Style> {
    match first {
        '0'..='9' => Some(Style::Arabic),
        'I' | 'V' | 'X' | 'L' => Some(Style::Roman),
        'a'..='z' => Some(Style::Letter),
        c if HAN.contains(c) => Some(Style::Han),
        _ => None,
    }
}

const HAN: &str = "一二三四五六七八九十";

fn count(style: Style, text: &str) -> Option<u32> {
    match style {
        Style::Arabic | Style::Bracketed => text.parse().ok(),
        Style::Roman => (1..=50).find(|count| roman(*count) == text),
        Style::Han => (1..=99).find(|count| han(*count) == text),
        Style::Letter => match text.as_bytes() {
            [letter] => Some(u32::from(letter - b'a') + 1),
            _ => None,
        },
    }
}

fn roman(count: u32) -> String {
    const UNITS: [&str; 10] = ["", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"];
    const TENS: [&str; 6] = ["", "X", "XX", "XXX", "XL", "L"];
    format!("{}{}", TENS[count as usize / 10 % 6], UNITS[count as usize % 10])
}

fn han(count: u32) -> String {
    let digit = |count: u32| HAN.chars().nth((count as usize).wrapping_sub(1)).map(String::from).unwrap_or_default();
    match (count / 10, count % 10) {
        (0, ones) => digit(ones),
        (1, ones) => format!("十{}", digit(ones)),
        (tens, ones) => format!("{}十{}", digit(tens), digit(ones)),
    }
}

fn text(above: &[Step], step: Step) -> String {
    let mut text = String::new();
    for (i, Step { style, count }) in above.iter().copied().chain([step]).enumerate() {
        let dot = if i > 0 && !matches!(style, Style::Bracketed | Style::Letter) { "." } else { "" };
        let count = match style {
            Style::Arabic => count.to_string(),
            Style::Bracketed => format!("({count})"),
            Style::Roman => roman(count),
            Style::Letter => char::from_digit(count + 9, 36).map(String::from).unwrap_or_default(),
            Style::Han => han(count),
        };
        text = format!("{text}{dot}{count}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(numbers: &str) -> Vec<String> {
        breaks(&numbers.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn numbers_that_go_up_one_by_one_are_right() {
        for right in [
            "",
            "1 1.1 1.2 2 2.1 3",
            "1.1 1.2 2(1) 2(2) 3.1 3.1(1) 3.1(2) 3.2",
            "I. I.1 I.2 II III IV V VI VII VIII IX X XI",
            "一 二 三 四 五 六 七 八 九 十 十一 十二",
            "1.2a 1.2b",
        ] {
            let right = right.replace("I. ", "I ").replace("1.2a", "1.1 1.2 1.2a");
            assert_eq!(found(&right), Vec::<String>::new(), "{right}");
        }
    }

    #[test]
    fn what_the_five_policies_get_wrong_is_found() {
        for (numbers, wrong) in [
            (
                "6.1 6.2 6.3 6(4)",
                vec!["section 6.1 comes without 1 before it", "section 6(4) comes without 6(1) before it"],
            ),
            ("1 1.1 1.1.1 1.1.2 1.1.4", vec!["section 1.1.4 comes without 1.1.3 before it"]),
            (
                "1.4 1.5 4.1 4.2 3.1 4.1",
                vec![
                    "section 1.4 comes without 1.1 before it",
                    "section 4.1 comes without 2 before it",
                    "section 3.1 comes after 4",
                    "there are two sections 4.1",
                ],
            ),
            ("一 三", vec!["section 三 comes without 二 before it"]),
            ("1 1", vec!["there are two sections 1"]),
            ("1 ?", vec!["`?` is not a section number such as 4, 4.6, 6(4), IV.2 or 四"]),
        ] {
            assert_eq!(found(numbers), wrong, "{numbers}");
        }
    }
}
