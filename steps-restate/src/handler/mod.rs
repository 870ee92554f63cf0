//! The handlers of a flow's workflow: `run` records what the interpreter does, the others are those that callers ask.
//!
//! | file | job |
//! |---|---|
//! | `run`, `live`, `next` | the recorder; the interpreter beside it; going on in another invocation, and the end |
//! | `waits`, `requests` | what comes from outside: timers, signals, reports, ends of children; why it was cancelled |
//! | `tasks`, `family` | what the recorder keeps of external tasks, and of children |
//! | `part`, `supervise` | what a part begins with and gives to the next; the first one looks after the others |
//! | `shown`, `query`, `report`, `child` | what callers ask; reports on external tasks; what parents ask of a child |

mod child;
mod family;
mod live;
mod next;
mod part;
pub(crate) mod query;
mod report;
mod requests;
mod run;
mod shown;
mod supervise;
mod tasks;
mod waits;

use std::sync::Arc;

use restate_sdk::{
    endpoint::{ContextInternal, Error},
    errors::HandlerResult,
};
use steps_core::{Control, Flow};

pub(crate) use report::reported;

use crate::{service::Served, text::Text};

/// The names of handlers, promises and values that Restate keeps for an execution.
pub(crate) mod names {
    /// The workflow itself.
    pub(crate) const RUN: &str = "run";
    /// Sends a signal.
    pub(crate) const SIGNAL: &str = "signal";
    /// Reports on an external task.
    pub(crate) const REPORT: &str = "report";
    /// Asks for an undo, which is a promise of that name, too.
    pub(crate) const UNDO: &str = "undo";
    /// Asks for a stop, which is a promise of that name, too.
    pub(crate) const STOP: &str = "stop";
    /// Shows the tree.
    pub(crate) const STATE: &str = "state";
    /// Waits for a signal or a report, on behalf of a later part.
    pub(crate) const SIGNALLED: &str = "signalled";
    /// Waits for the execution's end, on behalf of the one that has started it.
    pub(crate) const JOINED: &str = "joined";
    /// Takes the execution back, on behalf of the one that has started it.
    pub(crate) const TAKE_BACK: &str = "take_back";

    /// The value with the invocation of `run`.
    pub(crate) const INVOCATION: &str = "invocation";
    /// The value with the execution's later part that goes on now.
    pub(crate) const PART: &str = "part";
    /// Of a later part: the value with the key of the one that follows it.
    pub(crate) const THEN: &str = "then";
    /// The value that says how the execution has ended.
    pub(crate) const ENDED: &str = "ended";
    /// The value with the id of the execution that has started this one.
    pub(crate) const PARENT: &str = "parent";
    /// The value with the children of an execution that has ended.
    pub(crate) const CHILDREN: &str = "children";
    /// The promise with the number of the part that takes back what was done.
    pub(crate) const BACK: &str = "back";

    /// What the promise of a report begins with; no path of a step does.
    const REPORT_ON: &str = "report/";

    /// The promise of a signal.
    pub(crate) fn promise(path: &str) -> String {
        format!("signal/{path}")
    }

    /// The promise of a report on a task, which has this number among them.
    pub(crate) fn reported(task: &str, number: usize) -> String {
        format!("{REPORT_ON}{task}/{number}")
    }

    /// The promise that the first part waits for, as a later one has asked for it: by a signal's path, or by the name of
    /// a report's promise.
    pub(crate) fn waited(text: &str) -> String {
        if text.starts_with(REPORT_ON) {
            text.to_owned()
        } else {
            promise(text)
        }
    }

    /// The value with an external task on which can be reported.
    pub(crate) fn task(id: &str) -> String {
        format!("task/{id}")
    }

    /// The value with what was recorded up to the end of a pass.
    pub(crate) fn rows(number: usize) -> String {
        format!("rows/{number}")
    }

    /// The key of an execution's later part.
    pub(crate) fn part(id: &str, number: u64) -> String {
        format!("{id}~{number}")
    }
}

/// What is asked for by cancelling the invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Undo,
    Stop,
}

impl Ask {
    const fn name(self) -> &'static str {
        match self {
            Self::Undo => names::UNDO,
            Self::Stop => names::STOP,
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Undo, Self::Stop]
            .into_iter()
            .find(|ask| ask.name() == name)
    }

    fn of(self, control: &Control) {
        match self {
            Self::Undo => control.undo(),
            Self::Stop => control.stop(),
        }
    }
}

/// Calls the handler that a request is for.
pub(crate) async fn handle<F: Flow>(
    served: Arc<Served<F>>,
    ctx: ContextInternal,
) -> Result<(), Error>
where
    F::Owned: Send + Sync,
{
    let (Text(input), meta) = ctx.input::<Text>().await;
    let result: HandlerResult<Text> = match ctx.handler_name() {
        names::RUN => run::run(&served, &ctx, Text(input), meta).await,
        names::SIGNAL => query::signal::<F>(&ctx, &input).await,
        names::REPORT => report::report::<F>(&ctx, &meta.key, &input).await,
        names::UNDO => query::ask(&ctx, Ask::Undo, input).await,
        names::STOP => query::ask(&ctx, Ask::Stop, input).await,
        names::STATE => query::state(&ctx, &meta.key, &input).await,
        names::SIGNALLED => query::signalled(&ctx, &input).await,
        names::JOINED => child::joined(&ctx, &meta.key, &input).await,
        names::TAKE_BACK => child::take_back(&ctx, &meta.key, &input).await,
        other => return Err(Error::unknown_handler(ctx.service_name(), other)),
    };
    ctx.handle_handler_result(result);
    ctx.end();
    Ok(())
}
