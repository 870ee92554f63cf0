//! External steps: a function that submits a task, which somebody else runs and reports on.
//!
//! The function is called once for a task. From then on the line waits, and what was reported ends it: an
//! attempt with a report needs no call.

use std::fmt;

use serde::de::DeserializeOwned;

use super::{
    cx::Cx,
    keep::Keep,
    returns::{Fails, check_before, failed},
    scope::{Answer, OpResult},
};
use crate::{
    base::{
        error::{StepError, caught},
        future::BoxFuture,
        json::Json,
    },
    model::{
        state::Until,
        table::Check,
        task::{Task, TaskFailed, TaskId, TaskStatus},
    },
};

/// What a `#[step(external)]` returns: that it has submitted its task, whose output will be a `T`.
///
/// The line waits then, without a place among those that run, until somebody has
/// [reported](crate::Engine::report) an end of the task. Its value is the `T` that was reported. See the
/// [guide](https://docs.rs/steps/latest/steps/guide/external_tasks/index.html).
#[must_use = "a `#[step(external)]` returns it"]
pub struct External<T>(Submitted<T>);

enum Submitted<T> {
    Yes,
    Done(T),
}

impl<T> External<T> {
    /// The task was submitted: the line waits for reports on it.
    pub fn submitted() -> Self {
        Self(Submitted::Yes)
    }

    /// The task is done already, as the other side had the output at hand: the line is done with it.
    pub fn done(output: T) -> Self {
        Self(Submitted::Done(output))
    }
}

impl<T> fmt::Debug for External<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Submitted::Yes => "External::submitted()",
            Submitted::Done(_) => "External::done(_)",
        })
    }
}

impl Cx {
    /// Returns the id of the external task of this step, for whoever is to run it and to
    /// [report](crate::Engine::report) on it. It is recorded before the step is called, and is the same if
    /// the step is called again because its process died: so the other side can tell that it was given the
    /// task before. After a failure that was reported, the next attempt has another.
    ///
    /// # Panics
    ///
    /// In a step that is not `#[step(external)]`, as nobody can report on it.
    ///
    /// ```
    /// use steps::{External, TaskReport, prelude::*};
    ///
    /// #[step(external)]
    /// async fn scan(image: &str, cx: &Cx) -> Result<External<u32>, String> {
    ///     println!("POST /scans {image}, report to /tasks/{}", cx.task_id());
    ///     Ok(External::submitted())
    /// }
    ///
    /// #[flow]
    /// async fn publish(image: String) -> Result<u32, String> {
    ///     steps! { flaws = scan(&image, cx); }
    ///     Ok(flaws)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut state = publish("nginx".into()).advance().await?.state;
    /// let id = state.flaws.task().expect("it was submitted").id.clone();
    /// state.report_task(&id, &TaskReport::done(1, &3)?)?;
    /// assert_eq!(publish("nginx".into()).resume(state).await?, 3);
    /// # Ok(())
    /// # }
    /// ```
    pub fn task_id(&self) -> TaskId {
        match self.task() {
            Some(task) => task.id,
            None => panic!(
                "`cx.task_id()` in the step `{}`, which has no external task: mark its function \
                 `#[step(external)]`",
                self.path()
            ),
        }
    }
}

/// The return type of an external step.
#[diagnostic::on_unimplemented(
    message = "an external step returns a `Result` of an `External`, not `{Self}`",
    label = "not a `Result<External<_>, _>`",
    note = "the function submits the task, and its output comes by a report: write `Result<External<Output>, Error>`, and end with `Ok(External::submitted())`"
)]
pub trait ExternalReturn: Sized {
    /// The type of the step's output.
    type Output;
    /// The step's error type.
    type Error;
    /// Converts the value.
    fn submitted(
        self,
        when: Option<fn(&Self::Error) -> bool>,
    ) -> Result<External<Self::Output>, StepError>
    where
        Self::Error: Fails;
}

impl<T, E> ExternalReturn for Result<External<T>, E> {
    type Output = T;
    type Error = E;
    fn submitted(self, when: Option<fn(&E) -> bool>) -> Result<External<T>, StepError>
    where
        E: Fails,
    {
        self.map_err(|error| failed(error, when))
    }
}

/// Ends the attempt of an external step by what was reported, or else submits the task, unless a report
/// says that it was.
pub fn externals<'a, R: ExternalReturn + 'a>(
    call: impl Future<Output = R> + Send + 'a,
    cx: &'a Cx,
    when: Option<fn(&R::Error) -> bool>,
    keep: Keep<'a, R::Output>,
) -> BoxFuture<'a, OpResult>
where
    R::Error: Fails,
    R::Output: Send + Sync + 'static,
{
    Box::pin(async move {
        if let Some(task) = cx.task().filter(|task| task.revision > 0) {
            return reported(task, &keep);
        }
        Ok(match call.await.submitted(when)?.0 {
            Submitted::Yes => Answer::Wait(Until::Report),
            Submitted::Done(output) => keep.keep(output),
        })
    })
}

/// Returns what the reports on a task make of its step.
fn reported<T: Send + Sync + 'static>(task: Task, keep: &Keep<'_, T>) -> OpResult {
    match task.status {
        TaskStatus::Pending | TaskStatus::Scheduled | TaskStatus::Running => {
            Ok(Answer::Wait(Until::Report))
        }
        TaskStatus::Done => {
            let text = task.output.as_ref().map_or("null", Json::get);
            let output = caught(|| (keep.codec.decode)(text)).map_err(|error| {
                StepError::fatal(format!(
                    "the output that was reported can't be read: {error}"
                ))
            })?;
            Ok(keep.keep(output))
        }
        TaskStatus::Failed | TaskStatus::Stopped => {
            let is_failure = task.status == TaskStatus::Failed;
            let failed = TaskFailed {
                task: task.id,
                error: task.error,
            };
            Err(StepError::user(failed).retry_if(is_failure))
        }
    }
}

/// How the messages for an `#[on_check_in]` are read.
#[derive(Debug)]
pub struct Told<T> {
    /// Checks that one can be.
    pub check: Check,
    /// Reads one.
    pub read: fn(&Json) -> Result<T, StepError>,
}

/// Returns how messages of this type are read.
pub const fn told<T: DeserializeOwned>() -> Told<T> {
    Told {
        check: check_before::<T>,
        read: message::<T>,
    }
}

fn message<T: DeserializeOwned>(saved: &Json) -> Result<T, StepError> {
    let read = caught(|| saved.decode());
    read.map_err(|error| StepError::fatal(format!("the check-in can't be read: {error}")))
}
