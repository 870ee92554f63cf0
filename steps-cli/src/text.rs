//! How things look for people: times and how long something took.

use std::time::Duration;

use jiff::Timestamp;

/// A time to the second, in UTC; nothing if there is none.
pub(crate) fn time(time: Option<Timestamp>) -> String {
    time.map(|time| time.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
        .unwrap_or_default()
}

/// The time between two moments, in the largest two units.
pub(crate) fn took(from: Timestamp, to: Timestamp) -> String {
    let took = Duration::try_from(to.duration_since(from)).unwrap_or_default();
    let seconds = took.as_secs();
    match seconds {
        0 => format!("{} ms", took.as_millis()),
        1..60 => format!("{}.{} s", seconds, took.subsec_millis() / 100),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// The first line of a text, up to so many characters.
pub(crate) fn first_line(text: &str, most: usize) -> String {
    let line = text.lines().next().unwrap_or_default();
    let mut letters = line.chars();
    let mut short: String = letters.by_ref().take(most).collect();
    if letters.next().is_some() || line.len() < text.trim_end().len() {
        short.push('…');
    }
    short
}

/// `1 execution`, `3 executions`.
pub(crate) fn executions(count: u64) -> String {
    match count {
        1 => "1 execution".to_owned(),
        count => format!("{count} executions"),
    }
}
