//! How things look for people: times, lengths of time, marks.

use std::time::Duration;

use jiff::Timestamp;
use steps::{State, Status};

/// A time to the second, in UTC; nothing if there is none.
pub(crate) fn time(time: Option<Timestamp>) -> String {
    time.map(|time| time.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
        .unwrap_or_default()
}

/// A length of time in two or three digits and a unit, or in the largest two units.
pub(crate) fn took(length: Duration) -> String {
    let seconds = length.as_secs();
    let nanos = length.as_nanos();
    let tenths = |unit: u128, name: &str| match (nanos / unit, nanos % unit * 10 / unit) {
        (whole @ 0..10, tenth @ 1..) => format!("{whole}.{tenth} {name}"),
        (whole, _) => format!("{whole} {name}"),
    };
    match nanos {
        0..1_000 => format!("{nanos} ns"),
        1_000..1_000_000 => tenths(1_000, "µs"),
        1_000_000..1_000_000_000 => tenths(1_000_000, "ms"),
        _ if seconds < 60 => tenths(1_000_000_000, "s"),
        _ if seconds < 3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ if seconds < 86_400 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// The time from one moment to another; none if that is before.
pub(crate) fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
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
pub(crate) fn counted(count: u64, one: &str, more: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{count} {more}"),
    }
}

/// The mark of a status, beside its name.
pub(crate) fn mark(status: Status) -> &'static str {
    match status {
        Status::Pending => "·",
        Status::Running => "▸",
        Status::Waiting => "◷",
        Status::Done => "✓",
        Status::Failed => "✗",
        Status::Undoing => "↶",
        Status::Undone => "↺",
        Status::UndoFailed | Status::Stuck => "!",
        Status::Stopped => "■",
        _ => "-",
    }
}

/// The name of a status for people.
pub(crate) fn status_name(status: Status) -> &'static str {
    match status {
        Status::UndoFailed => "undo failed",
        status => status.as_str(),
    }
}

/// Whether a step is an undo's business: it pauses before its undo is tried again, or that has failed.
pub(crate) fn undo_is_open(node: &State) -> bool {
    node.status == Status::UndoFailed
        || (node.status == Status::Undoing
            && node.undo.as_ref().is_some_and(|undo| undo.until.is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_short() {
        for (nanos, text) in [
            (0, "0 ns"),
            (1_250, "1.2 µs"),
            (12_345_678, "12 ms"),
            (1_300_000_000, "1.3 s"),
            (61_000_000_000, "1 min 1 s"),
            (7_384_000_000_000, "2 h 3 min"),
            (266_400_000_000_000, "3 d 2 h"),
        ] {
            assert_eq!(took(Duration::from_nanos(nanos)), text);
        }
    }
}
