//! The printed table.

/// One figure and its comparison.
#[derive(Default)]
pub(crate) struct Row {
    pub(crate) what: String,
    /// Nanoseconds.
    pub(crate) ours: f64,
    /// Nanoseconds, measured in the same run.
    pub(crate) floor: Option<f64>,
    /// The largest allowed `ours / floor`.
    pub(crate) most_ratio: Option<f64>,
    /// The largest allowed time in nanoseconds.
    pub(crate) most: Option<f64>,
    /// The time of the Go library, measured on a machine like the one in the README.
    pub(crate) go: Option<f64>,
}

impl Row {
    fn holds(&self) -> Option<bool> {
        let ratio = self.floor.map(|floor| self.ours / floor);
        let by_ratio = self
            .most_ratio
            .zip(ratio)
            .map(|(most, ratio)| ratio <= most);
        let absolute = self.most.map(|most| self.ours <= most);
        by_ratio.or(absolute)
    }
}

pub(crate) struct Table {
    words: Vec<String>,
    missed: Vec<String>,
}

impl Table {
    pub(crate) fn new(words: Vec<String>) -> Self {
        println!("| what | ns | floor | ratio | target | | Go, ns |");
        println!("|---|--:|--:|--:|---|---|--:|");
        Self {
            words,
            missed: Vec::new(),
        }
    }

    /// Returns whether the rows of this topic were requested.
    pub(crate) fn wants(&self, topic: &str) -> bool {
        self.words.is_empty() || self.words.iter().any(|word| topic.contains(word.as_str()))
    }

    pub(crate) fn row(&mut self, row: Row) {
        let number = |value: Option<f64>| {
            value.map_or(String::new(), |value| match value {
                value if value < 100.0 => format!("{value:.1}"),
                value => format!("{value:.0}"),
            })
        };
        let ratio = row.floor.map(|floor| format!("{:.2}", row.ours / floor));
        let target = match (row.most_ratio, row.most) {
            (Some(most), _) => format!("≤ {most} × floor"),
            (None, Some(most)) => format!("≤ {most} ns"),
            (None, None) => String::new(),
        };
        let verdict = match row.holds() {
            Some(true) => "ok",
            Some(false) => "MISSED",
            None => "",
        };
        println!(
            "| {} | {} | {} | {} | {target} | {verdict} | {} |",
            row.what,
            number(Some(row.ours)),
            number(row.floor),
            ratio.unwrap_or_default(),
            number(row.go),
        );
        if row.holds() == Some(false) {
            self.missed.push(row.what);
        }
    }

    pub(crate) fn finish(self) {
        if !self.missed.is_empty() {
            println!("\nmissed: {}", self.missed.join("; "));
        }
    }
}
