//! What the first part of an execution does once it goes on in others: it waits for the outcome, and passes on what it is
//! asked for.

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

/// Sends a request to a handler of the part with this key, which may have been sent before. Returns the invocation.
pub(super) async fn send(
    ctx: &ContextInternal,
    key: &str,
    handler: &str,
    input: &str,
) -> Result<String, TerminalError> {
    Ok(sent(ctx, key, handler, input)
        .await?
        .invocation_id()
        .to_owned())
}

fn sent(ctx: &ContextInternal, key: &str, handler: &str, input: &str) -> SendHandle {
    let target = RequestTarget::Workflow {
        name: ctx.service_name().to_owned(),
        key: key.to_owned(),
        handler: handler.to_owned(),
    };
    let input = Text(input.to_owned());
    ctx.send(target, None, None, None, Vec::new(), input, None)
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
            let _ = sent(ctx, &key, ask.name(), &next.invocation);
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
