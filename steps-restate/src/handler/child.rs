//! What the execution that has started another one asks of it: how it has ended, and that it is taken back.
//!
//! Both are handlers of their own, so that they wait on the child's side: for as long as it takes, with nothing in memory.

use std::collections::BTreeMap;

use restate_sdk::{
    endpoint::ContextInternal,
    errors::{HandlerResult, TerminalError},
};
use steps_core::{Json, Status};

use super::{
    Ask, names,
    part::{self, Next, json},
    query::{self, codes, error},
    supervise::{To, send},
};
use crate::text::Text;

/// The fields of answers: the output of a child that is done, and why one is not; that it is taken back, and why not.
const DONE: &str = "done";
const FAILED: &str = "failed";
const BACK: &str = "back";
const STUCK: &str = "stuck";

fn says<T: serde::Serialize>(field: &str, value: &T) -> Text {
    Text(format!(r#"{{"{field}":{}}}"#, json(value)))
}

/// Reads what `joined` has answered: the output, or why there is none.
pub(super) fn end(answer: &Json) -> Result<Option<Json>, String> {
    let fields: BTreeMap<String, Json> = answer.decode().unwrap_or_default();
    if let Some(output) = fields.get(DONE) {
        return Ok(Some(output.clone()));
    }
    let why = fields.get(FAILED).and_then(|why| why.decode().ok());
    Err(why.unwrap_or_else(|| format!("how it ended can't be read: {answer}")))
}

/// Returns that as `joined` would, of a child whose end can't be told.
pub(super) fn lost(why: &str) -> String {
    format!(r#"{{"{FAILED}":{}}}"#, json(&why))
}

/// Reads what `take_back` has answered.
pub(super) fn taken_back(answer: &str) -> Result<(), String> {
    let fields: BTreeMap<String, Json> = serde_json::from_str(answer).unwrap_or_default();
    match fields.get(STUCK) {
        None if fields.contains_key(BACK) => Ok(()),
        why => {
            let why = why.and_then(|why| why.decode().ok());
            Err(why.unwrap_or_else(|| format!("what came of it can't be read: {answer}")))
        }
    }
}

/// Returns what either is asked with: the parent's id, and the invocation that it has started.
pub(super) fn asked(parent: &str, invocation: &str) -> String {
    json(&(parent, invocation))
}

fn read(input: &str) -> Result<(String, String), TerminalError> {
    let read = serde_json::from_str(input);
    read.map_err(|why| error(codes::BAD, why.to_string()))
}

/// Returns whether an execution that has begun was started by somebody else.
async fn is_of_others(ctx: &ContextInternal, parent: &str) -> Result<bool, TerminalError> {
    if ctx.get::<Text>(names::INVOCATION).await?.is_none() {
        return Ok(false);
    }
    let own = ctx.get::<Text>(names::PARENT).await?;
    Ok(own.is_none_or(|Text(own)| own != parent))
}

/// Waits for the end of this execution. The answer says how it has ended.
pub(super) async fn joined(ctx: &ContextInternal, key: &str, input: &str) -> HandlerResult<Text> {
    let (parent, invocation) = read(input)?;
    let of_others = || {
        let flow = ctx.service_name();
        let why = format!(
            "`{key}` is the id of an execution of `{flow}` that `{parent}` has not started. Give each child an id of \
             its own, or none"
        );
        says(FAILED, &why)
    };
    if is_of_others(ctx, &parent).await? {
        return Ok(of_others());
    }
    let outcome = ctx.attach_invocation::<Text>(invocation).await;
    if is_of_others(ctx, &parent).await? {
        return Ok(of_others());
    }
    match outcome {
        Ok(Text(output)) => Ok(Text(format!(r#"{{"{DONE}":{output}}}"#))),
        Err(why) if why.code() == codes::UNKNOWN => {
            let why = format!("the child `{key}` is gone: it was forgotten before it was joined");
            Ok(says(FAILED, &why))
        }
        Err(why) => Ok(says(FAILED, &why.message())),
    }
}

/// Has this execution taken back, whether it runs or has ended, and waits until it is.
pub(super) async fn take_back(
    ctx: &ContextInternal,
    key: &str,
    input: &str,
) -> HandlerResult<Text> {
    let (parent, invocation) = read(input)?;
    if is_of_others(ctx, &parent).await? {
        // Then the parent has started nothing.
        return Ok(says(BACK, &true));
    }
    let has_ended = ctx.get::<Text>(names::ENDED).await?.is_some();
    // Before it is cancelled: one that has not begun is forgotten with that.
    let outcome = ctx.attach_invocation::<Text>(invocation.clone());
    if !has_ended {
        ctx.resolve_promise(Ask::Undo.name(), Text("true".to_owned()));
        ctx.cancel_invocation(&invocation);
    }
    let outcome = outcome.await;
    let why = match &outcome {
        Ok(_) => String::new(),
        Err(why) if why.code() == codes::UNKNOWN => {
            let why = "it is gone: take back by hand what it did";
            return Ok(says(STUCK, &why));
        }
        Err(why) => why.message().to_owned(),
    };
    if ctx.get::<Text>(names::INVOCATION).await?.is_none() || is_of_others(ctx, &parent).await? {
        // It had not begun.
        return Ok(says(BACK, &true));
    }
    let status = query::status(ctx, key).await?;
    if is(Status::Undone, &status) {
        return Ok(says(BACK, &true));
    }
    if is(Status::Stuck, &status) {
        return Ok(says(STUCK, &why));
    }
    take_back_ended(ctx, key).await
}

fn is(status: Status, text: &str) -> bool {
    text == status.to_string()
}

/// Takes back what an execution has done that has ended: in another part.
async fn take_back_ended(ctx: &ContextInternal, key: &str) -> HandlerResult<Text> {
    let recorded = match query::recorded(ctx, key).await {
        Ok(recorded) => recorded,
        Err(why) => {
            let why = format!("what it did can't be read any more: {}", why.message());
            return Ok(says(STUCK, &why));
        }
    };
    let (rows, more) = recorded.split_once('\n').unwrap_or((&recorded, "[]"));
    let number = query::part(ctx).await? + 1;
    let mut part = names::part(key, number);
    let mut invocation = send(ctx, &part, names::RUN, &part::back(key, number, rows, more)).await?;
    ctx.resolve_promise(names::BACK, Text(number.to_string()));
    let why = loop {
        match ctx.attach_invocation::<Text>(invocation).await {
            Ok(Text(output)) => match Next::read(&output) {
                Some(next) => (part, invocation) = (names::part(key, next.number), next.invocation),
                // It is past its pivot, and stays.
                None => return Ok(says(BACK, &true)),
            },
            Err(why) => break why,
        }
    };
    let status = To::own(ctx, &part, names::STATE).call(ctx, query::STATUS);
    if is(Status::Undone, &status.await?) {
        return Ok(says(BACK, &true));
    }
    Ok(says(STUCK, &why.message()))
}
