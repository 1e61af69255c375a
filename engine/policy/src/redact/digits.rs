//! [`Digits`]: the digits of a text, however they are written.

/// A check character of identity numbers that stands for ten.
pub(super) const TEN: u8 = 10;

/// What an area code stands in.
pub(super) const BRACKETS: [char; 4] = ['(', ')', '（', '）'];

/// Characters between two groups of one number, at most.
const GAP_MAX: usize = 3;

/// A digit of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Digit {
    /// 0 to 9, or [`TEN`].
    pub(super) value: u8,
    /// Where it starts in the text, in bytes; with the word that says that it is said more than once.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
    /// Whether it is the first of a group: the digit before is not right beside it.
    pub(super) opens: bool,
    /// Whether it is the first of a row: between it and the digit before is what does not stand within a number.
    pub(super) begins: bool,
}

/// Goes through the digits of a text.
#[derive(Clone, Debug)]
pub(super) struct Digits<'a> {
    text: &'a str,
    at: usize,
    /// Where the last digit ended, and whether it was a character.
    last: Option<(usize, bool)>,
    /// How many digits its group has so far.
    group: usize,
    /// Whether its row begins as a telephone number may: with a `+`, with a zero.
    is_dialled: (bool, bool),
    /// A digit that is said more than once, and how often it still is.
    again: Option<(Digit, u8)>,
}

/// What a piece of text is.
enum Piece {
    /// A digit; whether it is a single character, as a figure is.
    Digit(u8, bool),
    /// That the next digit is said so often.
    Times(u8),
    Other,
}

impl<'a> Digits<'a> {
    pub(super) const fn of(text: &'a str) -> Self {
        Self { text, at: 0, last: None, group: 0, is_dialled: (false, false), again: None }
    }

    /// The next piece of the text and where it starts.
    fn piece(&mut self) -> Option<(Piece, usize)> {
        let (start, rest) = (self.at, &self.text[self.at..]);
        let first = rest.chars().next()?;
        if first.is_ascii_alphabetic() {
            let length = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
            self.at += length;
            return Some((word(&rest[..length]), start));
        }
        self.at += first.len_utf8();
        Some((figure(first).map_or(Piece::Other, |value| Piece::Digit(value, true)), start))
    }

    fn digit(&mut self, value: u8, is_figure: bool, start: usize) -> Digit {
        let before = self.last.replace((self.at, is_figure));
        let gap = before.map(|(end, _)| &self.text[end..start]);
        let begins = !gap.is_some_and(|gap| joins(gap) || self.is_within(gap, start));
        let is_beside = gap == Some("") && is_figure && before.is_some_and(|(_, is_figure)| is_figure);
        self.group = if is_beside { self.group + 1 } else { 1 };
        if begins {
            let before = self.text[..start].trim_end_matches(BRACKETS);
            self.is_dialled = (before.ends_with('+'), value == 0);
        }
        Digit { value, start, end: self.at, opens: !is_beside, begins }
    }

    /// Whether `gap`, which stands within some numbers only, does so here, before the digit at `start`: a slash in telephone
    /// numbers, a point in those with a `+` and between groups of three or four. Dates and decimals have others.
    fn is_within(&self, gap: &str, start: usize) -> bool {
        let (has_plus, has_zero) = self.is_dialled;
        let group = || self.text[start..].bytes().take_while(u8::is_ascii_digit).count();
        match gap.trim() {
            "/" | "／" => has_plus || has_zero,
            "." => gap == "." && (has_plus || matches!((self.group, group()), (3 | 4, 3 | 4))),
            _ => false,
        }
    }

    /// The digit that is said `times`, from `start`, if there is one.
    fn repeated(&mut self, times: u8, start: usize) -> Option<Digit> {
        let mut ahead = self.clone();
        ahead.at += self.text[self.at..].len() - self.text[self.at..].trim_start().len();
        let Some((Piece::Digit(value, _), _)) = ahead.piece() else { return None };
        *self = ahead;
        let digit = self.digit(value, false, start);
        self.again = Some((Digit { begins: false, ..digit }, times - 1));
        Some(digit)
    }
}

impl Iterator for Digits<'_> {
    type Item = Digit;

    fn next(&mut self) -> Option<Digit> {
        if let Some((digit, left)) = self.again.take() {
            self.again = (left > 1).then_some((digit, left - 1));
            return Some(digit);
        }
        loop {
            match self.piece()? {
                (Piece::Digit(value, is_figure), start) => return Some(self.digit(value, is_figure, start)),
                (Piece::Times(times), start) => {
                    if let Some(digit) = self.repeated(times, start) {
                        return Some(digit);
                    }
                }
                (Piece::Other, _) => {}
            }
        }
    }
}

/// The value of a figure or numeral.
fn figure(c: char) -> Option<u8> {
    let numerals = ["零〇０", "一幺１", "二２", "三３", "四４", "五５", "六６", "七７", "八８", "九９", "叉Ｘｘ"];
    let is_near = matches!(c, '\u{3007}'..='\u{9fff}' | '\u{ff10}'..='\u{ff58}');
    let value = || (0..=TEN).zip(numerals).find_map(|(value, of)| of.contains(c).then_some(value));
    // a figure is a single decimal digit
    c.to_digit(10).map(|value| value as u8).or_else(|| if is_near { value() } else { None })
}

fn word(word: &str) -> Piece {
    const DIGITS: [&[&str]; 10] = [
        &["zero", "oh", "o"],
        &["one"],
        &["two"],
        &["three"],
        &["four"],
        &["five"],
        &["six"],
        &["seven"],
        &["eight"],
        &["nine"],
    ];
    let is = |other: &&str| word.eq_ignore_ascii_case(other);
    match (0..).zip(DIGITS).find(|(_, words)| words.iter().any(is)) {
        Some((value, _)) => Piece::Digit(value, false),
        None if is(&"x") => Piece::Digit(TEN, true),
        None if is(&"double") => Piece::Times(2),
        None if is(&"triple") => Piece::Times(3),
        None => Piece::Other,
    }
}

/// Whether `gap` may stand between two digits of a number. A comma with nothing after it divides thousands.
fn joins(gap: &str) -> bool {
    let may = |c: char| {
        c.is_whitespace() || BRACKETS.contains(&c) || matches!(c, '-' | '\u{2010}'..='\u{2014}' | ',' | '，' | '、')
    };
    gap != "," && gap.chars().all(may) && gap.chars().count() <= GAP_MAX
}
