//! Computes figures from samples.

use std::{fmt, time::Duration};

/// Returns the median.
pub(crate) fn median(samples: impl IntoIterator<Item = f64>) -> f64 {
    let mut samples: Vec<f64> = samples.into_iter().collect();
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Two figures of each turn, measured one after the other: the medians of both, and of their ratio.
pub(crate) struct Pairs(Vec<(f64, f64)>);

impl Pairs {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn add(&mut self, ours: f64, beside: f64) {
        self.0.push((ours, beside));
    }

    pub(crate) fn ours(&self) -> f64 {
        median(self.0.iter().map(|pair| pair.0))
    }

    pub(crate) fn beside(&self) -> f64 {
        median(self.0.iter().map(|pair| pair.1))
    }

    pub(crate) fn ratio(&self) -> f64 {
        median(self.0.iter().map(|pair| pair.0 / pair.1))
    }
}

/// Many measurements of one duration.
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn new(mut times: Vec<Duration>) -> Self {
        times.sort();
        Self(times)
    }

    /// Returns the duration that this share of the measurements did not exceed.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index"
    )]
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        let last = self.0.len().saturating_sub(1);
        let index = (last as f64 * share).ceil() as usize;
        self.0.get(index).copied().unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// The median and the 99 % and 99.9 % quantiles; the last one only if there are enough
/// measurements.
impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", ms(self.quantile(0.5)))?;
        write!(f, " / {}", ms(self.quantile(0.99)))?;
        if self.len() >= 1000 {
            write!(f, " / {}", ms(self.quantile(0.999)))?;
        }
        write!(f, " ms")
    }
}

fn ms(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    if ms < 10.0 {
        format!("{ms:.2}")
    } else {
        format!("{ms:.0}")
    }
}

/// Formats a large number with commas.
pub(crate) fn commas(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a number per second.
pub(crate) fn rate(number: f64) -> String {
    format!("{} /s", commas(number))
}
