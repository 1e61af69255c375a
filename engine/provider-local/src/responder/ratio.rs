//! [`Ratio`]: exact fractions, so that 0.1 + 0.2 is 0.3.

use core::fmt;

/// Most digits after the point that are worth saying.
const DECIMALS_MAX: u32 = 4;

/// A fraction in lowest terms, with a positive denominator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ratio {
    above: i128,
    below: i128,
}

impl Ratio {
    pub(super) const ZERO: Self = Self::whole(0);

    pub(super) const fn whole(value: i128) -> Self {
        Self { above: value, below: 1 }
    }

    /// Reads digits with at most one point between them.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        if whole.is_empty() || !text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            return None;
        }
        let below = 10i128.checked_pow(u32::try_from(decimals.len()).ok()?)?;
        Self::reduced(format!("{whole}{decimals}").parse().ok()?, below)
    }

    /// The sum; `None` when it is too large, as with the others.
    pub(super) fn plus(self, other: Self) -> Option<Self> {
        let above = self.above.checked_mul(other.below)?.checked_add(other.above.checked_mul(self.below)?)?;
        Self::reduced(above, self.below.checked_mul(other.below)?)
    }

    pub(super) fn minus(self, other: Self) -> Option<Self> {
        self.plus(Self { above: other.above.checked_neg()?, ..other })
    }

    pub(super) fn times(self, other: Self) -> Option<Self> {
        Self::reduced(self.above.checked_mul(other.above)?, self.below.checked_mul(other.below)?)
    }

    /// The quotient; `None` too when `other` is zero.
    pub(super) fn over(self, other: Self) -> Option<Self> {
        Self::reduced(self.above.checked_mul(other.below)?, self.below.checked_mul(other.above)?)
    }

    pub(super) const fn is_zero(self) -> bool {
        self.above == 0
    }

    /// Whether its text is its value, not a rounded one.
    pub(super) fn is_spoken_exactly(self) -> bool {
        10i128.pow(DECIMALS_MAX) % self.below == 0
    }

    fn reduced(above: i128, below: i128) -> Option<Self> {
        if below == 0 {
            return None;
        }
        let divisor = gcd(above.checked_abs()?, below.checked_abs()?) * below.signum();
        Some(Self { above: above / divisor, below: below / divisor })
    }
}

/// As a decimal number, rounded half away from zero to [`DECIMALS_MAX`] digits.
impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = 10u128.pow(DECIMALS_MAX);
        let (above, below) = (self.above.unsigned_abs(), self.below.unsigned_abs());
        // the remainder may be as large as the denominator: it is halved, not doubled
        let mut whole = above / below;
        let mut decimals = 0;
        let mut rest = above % below;
        for _ in 0..DECIMALS_MAX {
            let (digit, next) = next_digit(rest, below);
            decimals = decimals * 10 + digit;
            rest = next;
        }
        if rest >= below.div_ceil(2) {
            decimals += 1;
        }
        if decimals == unit {
            (whole, decimals) = (whole + 1, 0);
        }
        let sign = if self.above < 0 && (whole, decimals) != (0, 0) { "-" } else { "" };
        let decimals = format!("{decimals:0width$}", width = DECIMALS_MAX as usize);
        match decimals.trim_end_matches('0') {
            "" => write!(f, "{sign}{whole}"),
            decimals => write!(f, "{sign}{whole}.{decimals}"),
        }
    }
}

/// The next digit of `rest / below` in long division, and what is left. Adds instead of multiplying by ten, which
/// could overflow.
fn next_digit(rest: u128, below: u128) -> (u128, u128) {
    let (mut digit, mut sum) = (0, 0u128);
    for _ in 0..10 {
        // both are less than `below`, which is less than half of the range
        sum += rest;
        if sum >= below {
            sum -= below;
            digit += 1;
        }
    }
    (digit, sum)
}

fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ratio(text: &str) -> Ratio {
        Ratio::parse(text).unwrap()
    }

    #[test]
    fn decimals_are_exact() {
        assert_eq!(ratio("0.1").plus(ratio("0.2")), Some(ratio("0.3")));
        assert_eq!(ratio("10").over(ratio("4")).unwrap().to_string(), "2.5");
        assert_eq!(ratio("1").over(ratio("0")), None);
        assert_eq!(Ratio::whole(i128::MAX).times(ratio("2")), None);
        assert_eq!(Ratio::whole(i128::MIN).over(ratio("3")), None);
    }

    #[test]
    fn long_decimals_are_rounded() {
        for (above, below, text, exact) in [
            ("10", "3", "3.3333", false),
            ("2", "3", "0.6667", false),
            ("1", "8", "0.125", true),
            ("99999", "100000", "1", false),
            ("6", "3", "2", true),
        ] {
            let quotient = ratio(above).over(ratio(below)).unwrap();
            assert_eq!((quotient.to_string().as_str(), quotient.is_spoken_exactly()), (text, exact));
        }
        assert_eq!(ratio("2").minus(ratio("4.5")).unwrap().to_string(), "-2.5");
    }

    #[test]
    fn only_numbers_are_parsed() {
        for text in ["", ".", ".5", "1.2.3", "a", "-1", "1e5", &"9".repeat(60)] {
            assert_eq!(Ratio::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn dividing_undoes_multiplying(a in -1_000_000i128..1_000_000, b in 1i128..1_000_000) {
            let (a, b) = (Ratio::whole(a), Ratio::whole(b));
            prop_assert_eq!(a.times(b).and_then(|p| p.over(b)), Some(a));
            prop_assert_eq!(a.plus(b).and_then(|s| s.minus(b)), Some(a));
        }

        #[test]
        fn every_fraction_has_a_text(above in any::<i128>(), below in any::<i128>()) {
            if let Some(ratio) = Ratio::reduced(above, below) {
                prop_assert!(ratio.to_string().parse::<f64>().is_ok());
            }
        }
    }
}
