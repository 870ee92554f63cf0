//! The printed table.

use crate::Result;

/// What a figure has to be.
#[derive(Clone, Copy)]
pub(crate) enum Aim {
    AtLeast(f64),
    AtMost(f64),
}

/// One figure with what it is held against.
#[derive(Default)]
pub(crate) struct Row {
    what: String,
    value: String,
    beside: String,
    ratio: Option<f64>,
    aim: Option<(f64, Aim, String)>,
}

impl Row {
    /// A figure, with its unit.
    pub(crate) fn new(what: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            value: value.into(),
            ..Self::default()
        }
    }

    /// What was measured beside it, in turns.
    pub(crate) fn beside(mut self, beside: impl Into<String>, ratio: f64) -> Self {
        self.beside = beside.into();
        self.ratio = Some(ratio);
        self
    }

    /// What the ratio has to be.
    pub(crate) fn ratio_aim(mut self, aim: Aim) -> Self {
        let ratio = self.ratio.unwrap_or(f64::NAN);
        self.aim = Some((ratio, aim, String::new()));
        self
    }

    /// What the figure itself has to be, in its unit.
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

    /// Whether the rows of this topic were asked for.
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

    /// A figure that can't be had here.
    pub(crate) fn absent(&mut self, what: &str, why: &str) {
        println!("| {what} | not measured | {why} | | | |");
        self.absent.push(format!("{what}: {why}"));
    }

    /// What was not measured is an error; a target that is missed is not.
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

/// As it is printed: to two digits behind the point.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
