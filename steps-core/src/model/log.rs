//! What a step has logged: a line as it is kept, and how much of it all is.

use std::fmt::{self, Write};

use jiff::Timestamp;

/// How much a line matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// Of no interest, mostly.
    Trace,
    /// Of interest while a fault is looked for.
    Debug,
    /// Tells how it is going. The default.
    #[default]
    Info,
    /// Something is not as it should be.
    Warn,
    /// Something has gone wrong.
    Error,
}

impl LogLevel {
    /// All of them, the least first.
    pub const ALL: [Self; 5] = [
        Self::Trace,
        Self::Debug,
        Self::Info,
        Self::Warn,
        Self::Error,
    ];

    /// Returns its name: `trace`, `debug`, `info`, `warn` or `error`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    /// Returns the level of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == name)
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A line of an execution's log: see [`Handle::log`](crate::engine::Handle::log).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogLine {
    /// Its place in the execution's log: larger than those of all lines before it. A reader goes on
    /// [after](crate::engine::ReadLog::after) it.
    pub number: i64,
    /// Which line of its step it is, from 1. Where some are missing between two lines of a step, they were
    /// left out: see [`LogLimits`]. It begins anew when no line of the step is kept any more.
    pub of_step: i64,
    /// When it was logged, by the clock of the machine that ran the step.
    pub at: Timestamp,
    /// How much it matters.
    pub level: LogLevel,
    /// The step's path.
    pub path: String,
    /// Which attempt it was, from 1: of the undo, if it was one.
    pub attempt: u32,
    /// Whether the step was being undone.
    pub is_undo: bool,
    /// The text.
    pub message: String,
}

impl LogLine {
    /// A line, for a store.
    #[expect(clippy::too_many_arguments, reason = "each of its columns")]
    pub fn new(
        number: i64,
        of_step: i64,
        at: Timestamp,
        level: LogLevel,
        path: impl Into<String>,
        attempt: u32,
        is_undo: bool,
        message: impl Into<String>,
    ) -> Self {
        Self {
            number,
            of_step,
            at,
            level,
            path: path.into(),
            attempt,
            is_undo,
            message: message.into(),
        }
    }
}

/// How much of what steps log is kept: [`Builder::log_limits`](crate::engine::Builder::log_limits). Each is
/// at least 1.
///
/// ```
/// use steps::log::LogLimits;
/// let limits = LogLimits::DEFAULT.per_step(100).line(512);
/// assert_eq!(limits.per_execution, LogLimits::DEFAULT.per_execution);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogLimits {
    /// How many lines of one step are kept, the newest; those of its undo are of the same step. By default
    /// 1,000.
    pub per_step: usize,
    /// How many lines of one execution are kept, the newest. By default 10,000.
    pub per_execution: usize,
    /// The longest text of a line, in bytes. A longer one is cut, and ends with `…`. By default 4 KiB.
    pub line: usize,
    /// How many bytes may wait in the process to be written. More are left out, those of the steps that log
    /// then. By default 4 MiB.
    pub waiting: usize,
}

impl LogLimits {
    /// The default limits.
    pub const DEFAULT: Self = Self {
        per_step: 1_000,
        per_execution: 10_000,
        line: 4 * 1024,
        waiting: 4 << 20,
    };

    /// Sets how many lines of one step are kept.
    #[must_use]
    pub const fn per_step(mut self, lines: usize) -> Self {
        self.per_step = if lines == 0 { 1 } else { lines };
        self
    }

    /// Sets how many lines of one execution are kept.
    #[must_use]
    pub const fn per_execution(mut self, lines: usize) -> Self {
        self.per_execution = if lines == 0 { 1 } else { lines };
        self
    }

    /// Sets the longest text of a line, in bytes.
    #[must_use]
    pub const fn line(mut self, bytes: usize) -> Self {
        self.line = if bytes == 0 { 1 } else { bytes };
        self
    }

    /// Sets how many bytes may wait to be written.
    #[must_use]
    pub const fn waiting(mut self, bytes: usize) -> Self {
        self.waiting = if bytes == 0 { 1 } else { bytes };
        self
    }
}

impl Default for LogLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What stands for the rest of a text that was cut.
const CUT: char = '…';

/// Returns a text as it is kept: no longer than this, and without a NUL, which not every database keeps. Of
/// a longer one, no more than its beginning is ever made.
pub(crate) fn text(message: &dyn fmt::Display, most: usize) -> String {
    struct Bounded {
        text: String,
        most: usize,
    }
    impl Write for Bounded {
        fn write_str(&mut self, part: &str) -> fmt::Result {
            let fits = self.text.len() + part.len() <= self.most;
            let left = self.most - self.text.len();
            self.text.push_str(&part[..part.floor_char_boundary(left)]);
            if fits { Ok(()) } else { Err(fmt::Error) }
        }
    }
    let mut bounded = Bounded {
        text: String::new(),
        most,
    };
    let is_whole = write!(bounded, "{message}").is_ok();
    let mut text = bounded.text;
    if !is_whole {
        let end = most.saturating_sub(CUT.len_utf8()).min(text.len());
        text.truncate(text.floor_char_boundary(end));
        text.push(CUT);
    }
    if text.contains('\0') {
        // As long in bytes as before, or it could not be bounded.
        return text.replace('\0', "?");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_as_far_as_it_can_be() {
        assert_eq!(text(&"", 8), "");
        assert_eq!(text(&"12345678", 8), "12345678");
        assert_eq!(text(&"123456789", 8), "12345…");
        assert_eq!(text(&format_args!("{}-{}", 1234, 5678), 8), "1234-…");
        assert_eq!(text(&"äääääää", 8), "ää…");
        assert_eq!(text(&"a\0b", 8), "a?b");
        for most in 1..12 {
            let text = text(&"é".repeat(20), most);
            assert!(text.len() <= most.max(CUT.len_utf8()), "{most}: {text}");
        }
    }

    #[test]
    fn levels_have_names_and_an_order() {
        for level in LogLevel::ALL {
            assert_eq!(LogLevel::from_name(level.as_str()), Some(level));
        }
        assert_eq!(LogLevel::from_name("Info"), None);
        assert!(LogLevel::ALL.is_sorted());
    }

    #[test]
    fn a_limit_is_at_least_one() {
        let limits = LogLimits::DEFAULT
            .per_step(0)
            .per_execution(0)
            .line(0)
            .waiting(0);
        let all = [
            limits.per_step,
            limits.per_execution,
            limits.line,
            limits.waiting,
        ];
        assert_eq!(all, [1; 4]);
    }
}
