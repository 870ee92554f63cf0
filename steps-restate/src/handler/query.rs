//! The handlers that callers ask while an execution goes on, and after it has ended.

use std::collections::BTreeMap;

use restate_sdk::{
    endpoint::ContextInternal,
    errors::{HandlerResult, TerminalError},
};
use steps_core::{Flow, Json, Signals};

use super::{Ask, names, report, shown, supervise::To};
use crate::text::Text;

/// The codes of answers. Clients read them.
pub(crate) mod codes {
    /// The request is none, or the flow has no such step.
    pub(crate) const BAD: u16 = 400;
    /// There is no such execution, or it has not begun.
    pub(crate) const UNKNOWN: u16 = 404;
    /// It has ended.
    pub(crate) const ENDED: u16 = 410;
    /// The step was given a signal before.
    pub(crate) const GIVEN: u16 = 412;
}

/// What `state` is asked for, besides the tree: how the execution has ended, if it has.
pub(super) const STATUS: &str = "status";
/// What is recorded of it, and what else the next part would begin with.
pub(super) const RECORDED: &str = "recorded";
/// What is noted of the external task whose id follows.
pub(super) const TASK: &str = "task ";

pub(super) fn error(code: u16, why: impl Into<String>) -> TerminalError {
    TerminalError::new_with_code(code, why)
}

pub(super) fn unknown() -> TerminalError {
    let why = "there is no such execution, or it has not begun";
    error(codes::UNKNOWN, why)
}

async fn check_not_ended(ctx: &ContextInternal) -> Result<(), TerminalError> {
    match ctx.get::<Text>(names::ENDED).await? {
        None => Ok(()),
        Some(_) => Err(error(codes::ENDED, "the execution has ended")),
    }
}

/// Sends a signal: `{"path": "approved", "value": true}`. It is kept until its step waits for it, even if the execution has
/// not begun.
pub(super) async fn signal<F: Flow>(ctx: &ContextInternal, input: &str) -> HandlerResult<Text> {
    let fields: Result<BTreeMap<String, Json>, _> = serde_json::from_str(input);
    let mut fields = fields.map_err(|why| error(codes::BAD, why.to_string()))?;
    let path = fields.get("path").and_then(|path| path.decode().ok());
    let value = fields.remove("value");
    let (Some(path), Some(value)) = (path, value) else {
        let why = r#"a signal is an object with the fields "path", a text, and "value""#;
        return Err(error(codes::BAD, why).into());
    };
    let path: String = path;
    let path = Signals::check::<F>(&path, &value);
    let path = path.map_err(|why| error(codes::BAD, why.to_string()))?;
    if path.split('.').any(|name| name == "*") {
        let why = format!("`{path}` is no single step: on Restate, a signal is for one step");
        return Err(error(codes::BAD, why).into());
    }
    check_not_ended(ctx).await?;
    let promise = names::promise(&path);
    match ctx.peek_promise::<Text>(&promise).await? {
        None => ctx.resolve_promise(&promise, Text(value.get().to_owned())),
        // Sent once more, because its sender did not hear that it had come.
        Some(Text(given)) if given == value.get() => {}
        Some(_) => {
            let why = format!("the signal to `{path}` was not sent: it has been given one");
            return Err(error(codes::GIVEN, why).into());
        }
    }
    Ok(Text("null".to_owned()))
}

/// Waits for a signal or a report of the execution's first part.
pub(super) async fn signalled(ctx: &ContextInternal, what: &str) -> HandlerResult<Text> {
    Ok(ctx.promise::<Text>(&names::waited(what)).await?)
}

/// Asks for an undo or a stop. The request may say which invocation is that of `run`; otherwise it is looked up.
pub(super) async fn ask(
    ctx: &ContextInternal,
    ask: Ask,
    invocation: String,
) -> HandlerResult<Text> {
    check_not_ended(ctx).await?;
    let known = Some(Text(invocation)).filter(|Text(id)| id.starts_with("inv_"));
    let found = match known {
        Some(id) => Some(id),
        None => ctx.get::<Text>(names::INVOCATION).await?,
    };
    let Some(Text(id)) = found else {
        return Err(unknown().into());
    };
    ctx.resolve_promise(ask.name(), Text("true".to_owned()));
    ctx.cancel_invocation(&id);
    Ok(Text("null".to_owned()))
}

/// Returns the tree as JSON, as it was at the end of the last pass; `null` if that has not come yet. Or something else that
/// parts and parents ask for.
pub(super) async fn state(ctx: &ContextInternal, key: &str, input: &str) -> HandlerResult<Text> {
    Ok(Text(match input {
        STATUS => status(ctx, key).await?,
        RECORDED => recorded(ctx, key).await?,
        _ => match input.strip_prefix(TASK) {
            Some(task) => report::noted(ctx, key, task).await?,
            None => shown(ctx, key).await?,
        },
    }))
}

/// Returns the number of the part of the execution that goes on now.
pub(super) async fn part(ctx: &ContextInternal) -> Result<u64, TerminalError> {
    let number = ctx.get::<Text>(names::PART).await?;
    Ok(number.map_or(1, |Text(number)| number.parse().unwrap_or(1)))
}

/// Returns the tree as JSON.
pub(super) async fn shown(ctx: &ContextInternal, key: &str) -> Result<String, TerminalError> {
    // What takes it back goes on after all others.
    let back = ctx.peek_promise::<Text>(names::BACK).await?;
    let back = back.and_then(|Text(number)| number.parse().ok());
    let part = part(ctx).await?;
    for number in back.into_iter().chain((part > 1).then_some(part)) {
        let key = names::part(key, number);
        match To::own(ctx, &key, names::STATE).call(ctx, "").await {
            // It has shown nothing yet.
            Ok(state) if state == "null" => {}
            Err(why) if why.code() == codes::UNKNOWN => {}
            shown => return shown,
        }
    }
    let recorded = shown::read(ctx).await?;
    let state = recorded.map(|recorded| recorded.state()).transpose();
    match state.map_err(|why| error(500, why.to_string()))?.flatten() {
        Some(state) => Ok(state.to_json()),
        None if ctx.get::<Text>(names::INVOCATION).await?.is_some() => Ok("null".to_owned()),
        None => Err(unknown()),
    }
}

/// Returns the status in which the execution has ended; empty if it has not.
pub(super) async fn status(ctx: &ContextInternal, key: &str) -> Result<String, TerminalError> {
    match part(ctx).await? {
        1 => {
            let ended = ctx.get::<Text>(names::ENDED).await?;
            Ok(ended.map_or_else(String::new, |Text(ended)| ended))
        }
        number => {
            let key = names::part(key, number);
            To::own(ctx, &key, names::STATE).call(ctx, STATUS).await
        }
    }
}

/// Returns all that is recorded of an execution that has ended, and what else the next part would begin with: two values,
/// one on each line.
pub(super) async fn recorded(ctx: &ContextInternal, key: &str) -> Result<String, TerminalError> {
    match part(ctx).await? {
        1 => {
            let recorded = shown::read(ctx).await?.ok_or_else(unknown)?;
            let more = ctx.get::<Text>(names::CHILDREN).await?;
            let more = more.map_or_else(|| "[{},[],[]]".to_owned(), |Text(more)| more);
            Ok(format!("{}\n{more}", recorded.to_entry().to_json()))
        }
        number => {
            let key = names::part(key, number);
            To::own(ctx, &key, names::STATE).call(ctx, RECORDED).await
        }
    }
}
