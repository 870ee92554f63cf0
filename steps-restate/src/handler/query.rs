//! The handlers that callers ask while an execution goes on, and after it has ended.

use std::collections::BTreeMap;

use restate_sdk::{
    context::RequestTarget,
    endpoint::ContextInternal,
    errors::{HandlerResult, TerminalError},
};
use steps_core::{Flow, Json, Signals};

use super::{Ask, names, shown};
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

fn error(code: u16, why: impl Into<String>) -> TerminalError {
    TerminalError::new_with_code(code, why)
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

/// Waits for a signal of the execution's first part.
pub(super) async fn signalled(ctx: &ContextInternal, path: &str) -> HandlerResult<Text> {
    Ok(ctx.promise::<Text>(&names::promise(path)).await?)
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
        return Err(error(
            codes::UNKNOWN,
            "there is no such execution, or it has not begun",
        )
        .into());
    };
    ctx.resolve_promise(ask.name(), Text("true".to_owned()));
    ctx.cancel_invocation(&id);
    Ok(Text("null".to_owned()))
}

/// Returns the tree as JSON, as it was at the end of the last pass; `null` if that has not come yet.
pub(super) async fn state(ctx: &ContextInternal, key: &str) -> HandlerResult<Text> {
    if let Some(Text(number)) = ctx.get::<Text>(names::PART).await? {
        let number = number.parse().unwrap_or_default();
        let target = RequestTarget::Workflow {
            name: ctx.service_name().to_owned(),
            key: names::part(key, number),
            handler: names::STATE.to_owned(),
        };
        let empty = Text(String::new());
        let part = ctx.call::<_, Text>(target, None, None, None, Vec::new(), empty);
        match part.await {
            // It has shown nothing yet.
            Ok(Text(state)) if state == "null" => {}
            Err(why) if why.code() == codes::UNKNOWN => {}
            shown => return Ok(shown?),
        }
    }
    let recorded = shown::read(ctx).await?;
    let state = recorded.map(|recorded| recorded.state()).transpose();
    match state.map_err(|why| error(500, why.to_string()))?.flatten() {
        Some(state) => Ok(Text(state.to_json())),
        None if ctx.get::<Text>(names::INVOCATION).await?.is_some() => Ok(Text("null".to_owned())),
        None => Err(error(
            codes::UNKNOWN,
            "there is no such execution, or it has not begun",
        )
        .into()),
    }
}
