//! [`Report`]: figures for people and for machines.

use std::fmt;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::figure::{Aim, Figure};

/// What came of a measurement.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    pub(crate) figures: Vec<Figure>,
    /// What figures are of, and what was not measured and how it could be.
    pub(crate) notes: Vec<String>,
}

impl From<Vec<Figure>> for Measured {
    fn from(figures: Vec<Figure>) -> Self {
        Self { figures, notes: Vec::new() }
    }
}

/// The figures of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// What all randomness followed from.
    seed: u64,
    /// Cores that the run could use; other programs may have used them too.
    cores: usize,
    /// Whether the build is one whose figures count.
    optimised: bool,
    figures: Vec<Figure>,
    /// What figures are of, and what was not measured and how it could be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

impl Report {
    pub(crate) fn new(seed: u64, Measured { figures, notes }: Measured) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { seed, cores, optimised: !cfg!(debug_assertions), figures, notes }
    }

    /// Prints it, and writes it to `out` as JSON.
    pub(crate) fn deliver(&self, json: bool, out: Option<&Path>) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        if let Some(out) = out {
            std::fs::write(out, &text).with_context(|| format!("cannot write {}", out.display()))?;
        }
        let mut stdout = std::io::stdout();
        if json { writeln!(stdout, "{text}") } else { write!(stdout, "{self}") }.context("cannot print")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.figures.iter().map(|figure| figure.name.chars().count()).max().unwrap_or_default();
        writeln!(f, "{:name$}  {:>12}  {:>12}  {:>6}  {:>10}  met", "figure", "measured", "floor", "ratio", "aim")?;
        for figure in &self.figures {
            let amount = |value: f64| format!("{} {}", rounded(value), figure.unit);
            let floor = figure.floor.map_or_else(String::new, amount);
            let ratio = figure.ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
            let aim = match figure.aim {
                None => String::new(),
                Some(Aim::Ratio(most)) => format!("x {most:.2}"),
                Some(Aim::Value(most)) => amount(most),
            };
            let met = figure.met.map_or("", |met| if met { "yes" } else { "no" });
            let measured = amount(figure.value);
            let line = format!("{:name$}  {measured:>12}  {floor:>12}  {ratio:>6}  {aim:>10}  {met}", figure.name);
            writeln!(f, "{}", line.trim_end())?;
        }
        for note in &self.notes {
            writeln!(f, "\n{note}")?;
        }
        if !self.optimised {
            writeln!(f, "\nThis build is not optimised: its figures say nothing. Use cargo run --release.")?;
        }
        Ok(())
    }
}

/// Three digits say all that such measurements can.
fn rounded(value: f64) -> String {
    match value.abs() {
        v if v == 0.0 || v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_line_a_figure_and_says_what_was_missed() {
        let missed = Figure::new("frame", "ns", 160.4).above(100.0).aiming(Aim::Ratio(1.5));
        let plain = Figure::new("a longer name", "ms", 2.345);
        let table =
            Report::new(1, Measured { figures: vec![missed, plain], notes: vec!["no etcd".to_owned()] }).to_string();
        let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[1], ["frame", "160", "ns", "100", "ns", "1.60", "x", "1.50", "no"]);
        assert_eq!(lines[2], ["a", "longer", "name", "2.35", "ms"]);
        assert_eq!(lines[4], ["no", "etcd"]);
    }

    #[test]
    fn json_holds_what_was_measured_and_nothing_that_was_not() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("figures.json");
        Report::new(7, vec![Figure::new("frame", "ns", 1.5)].into()).deliver(true, Some(&out)).unwrap();
        let read: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
        assert_eq!(read["seed"], 7);
        assert_eq!(read["figures"], serde_json::json!([{"name": "frame", "unit": "ns", "value": 1.5}]));
    }
}
