//! The end of an invocation of `run`: the execution goes on in another part, or it has ended.

use restate_sdk::{
    context::RunFuture,
    errors::{HandlerResult, TerminalError},
};
use steps_core::{Failure, Flow, Status};

use super::{
    names,
    part::{Next, json},
    requests::is_cancelled,
    run::Recorder,
    supervise::{send, supervise},
};
use crate::text::Text;

/// The code of an execution that has ended and is not done.
const NOT_DONE: u16 = 500;

impl<F: Flow> Recorder<'_, F>
where
    F::Owned: Send + Sync,
{
    /// Lets another part go on, if one can take over what is recorded, and returns the outcome: of the first part that of the
    /// execution, of another where it goes on.
    pub(super) async fn next_part(&mut self) -> HandlerResult<Option<Text>> {
        self.suspended = false;
        let limits = self.limits.unwrap_or_default();
        let mut cancelled;
        let input = loop {
            cancelled = self.cancelled;
            let next = self.part.next();
            // It may be too large for a message; and it is recorded, because it must be the same on a replay.
            let input = if next.len() > limits.message {
                String::new()
            } else {
                next
            };
            let recorded = self.ctx.run(|| async move { Ok(Text(input)) });
            let recorded = recorded.name("next part");
            match recorded.await {
                Ok(Text(input)) => break input,
                Err(error) if is_cancelled(&error) => self.is_cancelled().await,
                Err(error) => return Err(error.into()),
            }
        };
        if input.is_empty() {
            tracing::warn!(
                execution = self.part.id,
                "it is too large to go on in another invocation: its journal will grow"
            );
            self.stays = true;
            return Ok(None);
        }
        self.waits.end(self.ctx);
        let number = self.part.number + 1;
        let key = names::part(&self.part.id, number);
        // Said before it can begin: whoever asks this part asks that one first.
        if self.part.number > 1 {
            self.ctx.set(names::THEN, Text(key.clone()));
        } else {
            self.ctx.set(names::PART, Text(number.to_string()));
        }
        let invocation = loop {
            match send(self.ctx, &key, names::RUN, &input).await {
                Ok(invocation) => break invocation,
                Err(error) if is_cancelled(&error) => self.is_cancelled().await,
                Err(error) => return Err(error.into()),
            }
        };
        let next = Next {
            invocation,
            number,
            cancelled,
        };
        if self.part.number > 1 {
            return Ok(Some(next.write()));
        }
        let asked = self.part.asked.last().copied();
        let outcome = supervise(self.ctx, &self.part.id, next, self.cancelled, asked).await;
        Ok(Some(outcome?))
    }

    /// Returns the outcome of an execution that has ended.
    pub(super) fn end(&mut self) -> HandlerResult<Text> {
        let Some(root) = self.part.recorded.root() else {
            return Err(self.misfit("it has ended, and has no root"));
        };
        self.waits.end(self.ctx);
        if !self.part.children.is_empty() {
            // They may have to be taken back.
            let more = json(&self.part.more());
            self.ctx.set(names::CHILDREN, Text(more));
        }
        self.ctx.set(names::ENDED, Text(root.status.to_string()));
        if root.status == Status::Done {
            let output = root.output.as_ref().map_or("null", steps_core::Json::get);
            return Ok(Text(output.to_owned()));
        }
        let state = self.part.recorded.state();
        let state = state.map_err(|error| self.misfit(&error.to_string()))?;
        let failure = Failure::of_ended::<F>(state.unwrap_or_default());
        Err(TerminalError::new_with_code(NOT_DONE, failure.to_string()).into())
    }
}
