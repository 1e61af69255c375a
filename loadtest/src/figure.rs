//! [`Figure`]: something measured, with what it is compared to.

use serde::Serialize;

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Aim {
    /// At most so many times the floor.
    Ratio(f64),
    /// At most this.
    Value(f64),
}

/// Something measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Figure {
    /// What it is.
    pub(crate) name: String,
    /// What it is counted in.
    pub(crate) unit: &'static str,
    /// What was measured.
    pub(crate) value: f64,
    /// What the bare parts take, in the same run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) floor: Option<f64>,
    /// How many times the floor it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ratio: Option<f64>,
    /// What it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) aim: Option<Aim>,
    /// Whether it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) met: Option<bool>,
}

impl Figure {
    /// A figure that stands for itself.
    pub(crate) fn new(name: impl Into<String>, unit: &'static str, value: f64) -> Self {
        Self { name: name.into(), unit, value, floor: None, ratio: None, aim: None, met: None }
    }

    /// Compares it with `floor`.
    pub(crate) fn above(self, floor: f64) -> Self {
        let ratio = self.value / floor;
        self.above_by(floor, ratio)
    }

    /// Compares it with `floor`, where pairs of measurements say better than the two how many times as much it is.
    pub(crate) fn above_by(self, floor: f64, ratio: f64) -> Self {
        Self { floor: Some(floor), ratio: Some(ratio), ..self }
    }

    /// Says what it should be. An aim for a ratio needs a floor first.
    pub(crate) fn aiming(self, aim: Aim) -> Self {
        let met = match aim {
            Aim::Ratio(most) => self.ratio.map(|ratio| ratio <= most),
            Aim::Value(most) => Some(self.value <= most),
        };
        Self { aim: Some(aim), met, ..self }
    }
}

/// The median of at least one value.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 { values[half] } else { f64::midpoint(values[half - 1], values[half]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aim_is_met_at_its_limit_and_not_beyond() {
        let figure = || Figure::new("frame", "ns", 150.0);
        assert_eq!(figure().above(100.0).aiming(Aim::Ratio(1.5)).met, Some(true));
        assert_eq!(figure().above(99.0).aiming(Aim::Ratio(1.5)).met, Some(false));
        assert_eq!(figure().above_by(100.0, 1.6).aiming(Aim::Ratio(1.5)).met, Some(false));
        assert_eq!(figure().aiming(Aim::Value(150.0)).met, Some(true));
        assert_eq!(figure().aiming(Aim::Value(149.0)).met, Some(false));
        assert_eq!(figure().met, None);
    }
}
