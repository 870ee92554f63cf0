//! The handlers of a flow's workflow: `run` records what the interpreter does, the others are those that callers ask.

mod live;
mod part;
pub(crate) mod query;
mod requests;
mod run;
mod shown;
mod supervise;
mod waits;

use std::sync::Arc;

use restate_sdk::{
    endpoint::{ContextInternal, Error},
    errors::HandlerResult,
};
use steps_core::{Control, Flow};

use crate::{service::Served, text::Text};

/// The names of handlers, promises and values that Restate keeps for an execution.
pub(crate) mod names {
    /// The workflow itself.
    pub(crate) const RUN: &str = "run";
    /// Sends a signal.
    pub(crate) const SIGNAL: &str = "signal";
    /// Asks for an undo, which is a promise of that name, too.
    pub(crate) const UNDO: &str = "undo";
    /// Asks for a stop, which is a promise of that name, too.
    pub(crate) const STOP: &str = "stop";
    /// Shows the tree.
    pub(crate) const STATE: &str = "state";
    /// Waits for a signal, on behalf of a later part.
    pub(crate) const SIGNALLED: &str = "signalled";

    /// The value with the invocation of `run`.
    pub(crate) const INVOCATION: &str = "invocation";
    /// The value with the execution's later part that goes on now.
    pub(crate) const PART: &str = "part";
    /// The value that says how the execution has ended.
    pub(crate) const ENDED: &str = "ended";

    /// The promise of a signal.
    pub(crate) fn promise(path: &str) -> String {
        format!("signal/{path}")
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
        names::UNDO => query::ask(&ctx, Ask::Undo, input).await,
        names::STOP => query::ask(&ctx, Ask::Stop, input).await,
        names::STATE => query::state(&ctx, &meta.key).await,
        names::SIGNALLED => query::signalled(&ctx, &input).await,
        other => return Err(Error::unknown_handler(ctx.service_name(), other)),
    };
    ctx.handle_handler_result(result);
    ctx.end();
    Ok(())
}
