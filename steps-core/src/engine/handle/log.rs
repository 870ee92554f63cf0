//! Reading what the steps of an execution have logged.

use std::{future::IntoFuture, sync::Arc};

use super::execution::Handle;
use crate::{
    base::future::BoxFuture,
    engine::error::EngineError,
    model::log::LogLine,
    store::{LogQuery, Store},
};

impl Handle {
    /// Reads what its steps have [logged](crate::Cx::log), and what it kept of what they told `tracing`, if
    /// the program has the [layer](crate::log) for that: all that is kept, or a part. Awaiting it gives the
    /// lines, the oldest first, as far as they are written: a line may take a quarter of a second for that.
    /// It is there when the [outcome](crate::engine::Execution::outcome) is told. The log stays as long as the
    /// execution does, also when steps are done again, and is deleted with it.
    ///
    /// ```
    /// use steps::engine::{EngineError, Handle};
    ///
    /// # async fn show(run: &Handle) -> Result<(), EngineError> {
    /// for line in run.log().step("create.vm").tail(20).await? {
    ///     println!("{} {} {}", line.at, line.level, line.message);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`EngineError::Unknown`] where there is no such execution.
    pub fn log(&self) -> ReadLog {
        ReadLog {
            store: Arc::clone(&self.engine.core.store),
            query: LogQuery {
                id: self.id.to_string(),
                ..LogQuery::default()
            },
        }
    }
}

/// Which lines of an execution's log are read: [`Handle::log`]. It does nothing until it is awaited.
#[must_use = "nothing is read until it is awaited"]
#[derive(Clone)]
pub struct ReadLog {
    store: Arc<dyn Store>,
    query: LogQuery,
}

impl std::fmt::Debug for ReadLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ReadLog").field(&self.query).finish()
    }
}

impl ReadLog {
    /// Only lines of the step with this path, or of steps below it: those of a group, of all rounds of a loop.
    pub fn step(mut self, path: impl Into<String>) -> Self {
        self.query.step = Some(path.into());
        self
    }

    /// Only the newest lines, this many.
    pub const fn tail(mut self, lines: usize) -> Self {
        (self.query.limit, self.query.newest) = (Some(lines), true);
        self
    }

    /// Only the oldest lines, this many: with [`after`](Self::after), page by page.
    pub const fn limit(mut self, lines: usize) -> Self {
        (self.query.limit, self.query.newest) = (Some(lines), false);
        self
    }

    /// Only lines behind the one with this [number](LogLine::number), to go on with what came since.
    ///
    /// ```
    /// use steps::engine::{EngineError, Handle};
    ///
    /// # async fn follow(run: &Handle) -> Result<(), EngineError> {
    /// let mut last = 0;
    /// for line in run.log().after(last).await? {
    ///     println!("{}", line.message);
    ///     last = line.number;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub const fn after(mut self, number: i64) -> Self {
        self.query.after = Some(number);
        self
    }
}

impl IntoFuture for ReadLog {
    type Output = Result<Vec<LogLine>, EngineError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let id = self.query.id.clone();
            let log = self.store.logged(self.query).await?;
            log.map(|log| log.lines).ok_or(EngineError::Unknown { id })
        })
    }
}
