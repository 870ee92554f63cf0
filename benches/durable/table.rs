//! The printed table.

use crate::Result;

/// The target of a figure.
#[derive(Clone, Copy)]
pub(crate) enum Aim {
    AtLeast(f64),
    AtMost(f64),
}

/// One figure and its comparison.
#[derive(Default)]
pub(crate) struct Row {
    what: String,
    value: String,
    beside: String,
    ratio: Option<f64>,
    aim: Option<(f64, Aim, String)>,
}

impl Row {
    /// Creates a row with a figure and its unit.
    pub(crate) fn new(what: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            value: value.into(),
            ..Self::default()
        }
    }

    /// Sets the comparison, measured in alternating turns.
    pub(crate) fn beside(mut self, beside: impl Into<String>, ratio: f64) -> Self {
        self.beside = beside.into();
        self.ratio = Some(ratio);
        self
    }

    /// Sets the target of the ratio.
    pub(crate) fn ratio_aim(mut self, aim: Aim) -> Self {
        let ratio = self.ratio.unwrap_or(f64::NAN);
        self.aim = Some((ratio, aim, String::new()));
        self
    }

    /// Sets the target of the figure itself, in its unit.
    pub(crate) fn aim(mut self, value: f64, aim: Aim, unit: &str) -> Self {
        self.aim = Some((value, aim, unit.to_owned()));
        self
    }
}

pub(crate) struct Table {
    words: Vec<String>,
    missed: Vec<String>,
    absent: Vec<String>,
}

impl Table {
    pub(crate) fn new(words: Vec<String>) -> Self {
        Self {
            words,
            missed: Vec::new(),
            absent: Vec::new(),
        }
    }

    pub(crate) fn head() {
        println!("| what | measured | beside | ratio | target | |");
        println!("|---|--:|---|--:|---|---|");
    }

    /// Returns whether the rows of this topic were requested.
    pub(crate) fn wants(&self, topic: &str) -> bool {
        self.words.is_empty() || self.words.iter().any(|word| topic.contains(word.as_str()))
    }

    pub(crate) fn row(&mut self, row: Row) {
        let (target, verdict) = match &row.aim {
            None => (String::new(), ""),
            Some((value, aim, unit)) => {
                let (sign, limit, holds) = match aim {
                    Aim::AtLeast(limit) => ("≥", limit, rounded(*value) >= *limit),
                    Aim::AtMost(limit) => ("≤", limit, rounded(*value) <= *limit),
                };
                let verdict = if holds { "ok" } else { "MISSED" };
                (format!("{sign} {limit}{unit}"), verdict)
            }
        };
        if verdict == "MISSED" {
            self.missed.push(row.what.clone());
        }
        let ratio = row
            .ratio
            .map_or(String::new(), |ratio| format!("{ratio:.2}"));
        println!(
            "| {} | {} | {} | {ratio} | {target} | {verdict} |",
            row.what, row.value, row.beside,
        );
    }

    /// Adds a figure that can't be measured here.
    pub(crate) fn absent(&mut self, what: &str, why: &str) {
        println!("| {what} | not measured | {why} | | | |");
        self.absent.push(format!("{what}: {why}"));
    }

    /// Returns an error if a figure was not measured; a missed target is not an error.
    pub(crate) fn finish(self) -> Result {
        if !self.missed.is_empty() {
            println!("\nmissed: {}", self.missed.join("; "));
        }
        if self.absent.is_empty() {
            return Ok(());
        }
        Err(format!("not measured: {}", self.absent.join("; ")).into())
    }
}

/// Rounds to two decimal places, as printed.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
