//! What the first part of an execution does once it goes on in others: it waits for the outcome, and passes on what it is
//! asked for.

use std::time::Duration;

use restate_sdk::{
    context::{RequestTarget, SendHandle, macro_support::SealedDurableFuture},
    endpoint::ContextInternal,
    errors::TerminalError,
};

use super::{
    Ask, names,
    part::Next,
    requests::{asked, is_cancelled},
};
use crate::text::Text;

/// A handler of an execution, or of a part of one.
#[derive(Clone, Copy, Debug)]
pub(super) struct To<'a> {
    pub(super) flow: &'a str,
    pub(super) key: &'a str,
    pub(super) handler: &'a str,
}

impl<'a> To<'a> {
    /// A handler of this flow's.
    pub(super) fn own(ctx: &'a ContextInternal, key: &'a str, handler: &'a str) -> Self {
        Self {
            flow: ctx.service_name(),
            key,
            handler,
        }
    }

    pub(super) fn target(self) -> RequestTarget {
        RequestTarget::Workflow {
            name: self.flow.to_owned(),
            key: self.key.to_owned(),
            handler: self.handler.to_owned(),
        }
    }

    /// Sends a request, which may have been sent before.
    pub(super) fn send(
        self,
        ctx: &ContextInternal,
        input: String,
        delay: Option<Duration>,
    ) -> SendHandle {
        ctx.send(
            self.target(),
            None,
            None,
            None,
            Vec::new(),
            Text(input),
            delay,
        )
    }

    /// Calls it, and returns what it answers.
    pub(super) async fn call(
        self,
        ctx: &ContextInternal,
        input: &str,
    ) -> Result<String, TerminalError> {
        let input = Text(input.to_owned());
        let answer = ctx.call::<_, Text>(self.target(), None, None, None, Vec::new(), input);
        answer.await.map(|Text(answer)| answer)
    }
}

/// Sends a request to a handler of the part with this key, which may have been sent before. Returns the invocation.
pub(super) async fn send(
    ctx: &ContextInternal,
    key: &str,
    handler: &str,
    input: &str,
) -> Result<String, TerminalError> {
    let sent = To::own(ctx, key, handler).send(ctx, input.to_owned(), None);
    Ok(sent.await?.invocation_id().to_owned())
}

/// Waits for the outcome of an execution whose part `next` goes on now. `cancelled` says how often this invocation was
/// cancelled, and `last` what for; what the part does not know of is passed on.
pub(super) async fn supervise(
    ctx: &ContextInternal,
    id: &str,
    mut next: Next,
    mut cancelled: u64,
    mut last: Option<Ask>,
) -> Result<Text, TerminalError> {
    loop {
        ctx.set(names::PART, Text(next.number.to_string()));
        let ask = |ask: Ask| {
            let key = names::part(id, next.number);
            // What it answers does not matter: the part may have ended.
            let to = To::own(ctx, &key, ask.name());
            let _ = to.send(ctx, next.invocation.clone(), None);
        };
        if cancelled > next.cancelled
            && let Some(last) = last
        {
            ask(last);
        }
        // Of the part that goes on now.
        cancelled = u64::from(cancelled > next.cancelled);
        let outcome = loop {
            let outcome = ctx.attach_invocation::<Text>(next.invocation.clone());
            let handle = outcome.handle();
            while ctx.select(vec![handle]).await.is_err() {
                let now = asked(ctx).await;
                ask(now);
                (cancelled, last) = (cancelled + 1, Some(now));
            }
            match outcome.await {
                // This invocation was, once more.
                Err(error) if is_cancelled(&error) => {
                    let now = asked(ctx).await;
                    ask(now);
                    (cancelled, last) = (cancelled + 1, Some(now));
                }
                outcome => break outcome,
            }
        };
        if let Ok(Text(output)) = &outcome
            && let Some(further) = Next::read(output)
        {
            next = further;
            continue;
        }
        ctx.set(names::ENDED, Text("over".to_owned()));
        return outcome;
    }
}
