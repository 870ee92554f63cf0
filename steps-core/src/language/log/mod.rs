//! What a step logs, with its [`Cx`], and with `tracing` inside of its span. Where the lines go is the
//! business of the run: an engine keeps them.

#[cfg(feature = "tracing-layer")]
pub mod layer;
pub(crate) mod span;

use std::fmt;

use super::cx::Cx;
use crate::model::log::LogLevel;

/// A line, as a step has logged it.
pub(crate) struct StepLine<'a> {
    pub(crate) level: LogLevel,
    pub(crate) attempt: u32,
    pub(crate) is_undo: bool,
    pub(crate) message: &'a dyn fmt::Display,
}

impl Cx {
    /// Logs a line, with the level [`Info`](LogLevel::Info). An engine keeps it in the step's
    /// [log](crate::engine::Handle::log), behind the step's back: it is written within a quarter of a
    /// second, or with the next end of what the execution does here, so this call never waits, and nothing of
    /// it can fail the step. What a process has not written when it is killed is lost. How much is kept:
    /// [`LogLimits`](crate::log::LogLimits).
    ///
    /// In a run without an engine, it is an event of `tracing`, with the target `steps::log`.
    ///
    /// ```
    /// use steps::prelude::*;
    ///
    /// #[step]
    /// async fn copy(cx: &Cx, pages: u32) -> Result<u32, String> {
    ///     cx.log(format_args!("{pages} pages to copy"));
    ///     Ok(pages)
    /// }
    ///
    /// #[flow]
    /// async fn archive(pages: u32) -> Result<u32, String> {
    ///     steps! { copied = copy(cx, pages); }
    ///     Ok(copied)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = Engine::open("memory:").await?.serve(archive::with()).start().await?;
    /// let run = engine.start(archive::input(12)).await?;
    /// run.outcome().await?;
    /// let lines = run.log().step("copied").await?;
    /// assert_eq!((&*lines[0].message, lines[0].attempt), ("12 pages to copy", 1));
    /// # Ok(())
    /// # }
    /// ```
    pub fn log(&self, message: impl fmt::Display) {
        self.log_at(LogLevel::Info, message);
    }

    /// Logs a line with a level: see [`log`](Self::log).
    ///
    /// ```
    /// use steps::{log::LogLevel, testing::Context};
    ///
    /// let context = Context::new();
    /// context.cx().log_at(LogLevel::Warn, "the disk is nearly full");
    /// assert_eq!(context.logged(), [(LogLevel::Warn, "the disk is nearly full".to_owned())]);
    /// ```
    pub fn log_at(&self, level: LogLevel, message: impl fmt::Display) {
        let line = StepLine {
            level,
            attempt: self.attempt,
            is_undo: self.is_undoing(),
            message: &message,
        };
        if self.host.log(self.path(), &line) {
            return;
        }
        macro_rules! event {
            ($level:ident) => {
                tracing::event!(target: "steps::log", tracing::Level::$level, "{message}")
            };
        }
        match level {
            LogLevel::Trace => event!(TRACE),
            LogLevel::Debug => event!(DEBUG),
            LogLevel::Info => event!(INFO),
            LogLevel::Warn => event!(WARN),
            LogLevel::Error => event!(ERROR),
        }
    }
}
