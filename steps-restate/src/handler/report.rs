//! Reports on external tasks, as whoever runs these sends them.

use std::collections::BTreeMap;

use restate_sdk::{
    endpoint::ContextInternal,
    errors::{HandlerResult, TerminalError},
};
use steps_core::{
    Flow, Gone, Json, ReportError, Reported, RunLimits, Signals, State, TaskId, TaskReport,
};

use super::{
    names,
    query::{self, codes, error},
    supervise::To,
    tasks::Noted,
};
use crate::text::Text;

/// What an answer says, and reads as.
const ANSWERS: [(Reported, &str, Option<&str>); 5] = [
    (Reported::Taken, "taken", None),
    (Reported::Stale, "stale", None),
    (Reported::Gone(Gone::Unknown), "gone", Some("unknown")),
    (Reported::Gone(Gone::Ended), "gone", Some("ended")),
    (Reported::Gone(Gone::Over), "gone", Some("over")),
];

fn answer(reported: Reported) -> Text {
    let found = ANSWERS.iter().find(|(it, _, _)| *it == reported);
    let (_, result, why) = found.copied().unwrap_or(ANSWERS[2]);
    Text(match why {
        None => format!(r#"{{"result":"{result}"}}"#),
        Some(why) => format!(r#"{{"result":"{result}","why":"{why}"}}"#),
    })
}

/// Reads an answer.
pub(crate) fn reported(answer: &str) -> Option<Reported> {
    let fields: BTreeMap<String, String> = serde_json::from_str(answer).ok()?;
    let is_it = |(_, result, why): &&(Reported, &str, Option<&str>)| {
        fields.get("result").map(String::as_str) == Some(*result)
            && fields.get("why").map(String::as_str) == *why
    };
    ANSWERS.iter().find(is_it).map(|(reported, _, _)| *reported)
}

/// Takes a report: `{"task": "…", "report": {"revision": 1, "status": "done", "output": 3}}`.
pub(super) async fn report<F: Flow>(
    ctx: &ContextInternal,
    key: &str,
    input: &str,
) -> HandlerResult<Text> {
    let (task, report) = read(key, input)?;
    Ok(answer(report_on::<F>(ctx, key, &task, &report).await?))
}

fn read(key: &str, input: &str) -> Result<(TaskId, TaskReport), TerminalError> {
    let bad = |why: String| error(codes::BAD, why);
    let fields: Result<BTreeMap<String, Json>, _> = serde_json::from_str(input);
    let fields = fields.map_err(|why| bad(why.to_string()))?;
    let (Some(task), Some(report)) = (fields.get("task"), fields.get("report")) else {
        let why = r#"it is an object with the fields "task", an id, and "report""#;
        return Err(bad(why.to_owned()));
    };
    let task: TaskId = task.decode().map_err(|why| bad(why.to_string()))?;
    if task.execution() != key {
        let why = format!("the task `{task}` is of another execution");
        return Err(bad(why));
    }
    let report = TaskReport::from_json(report.get()).map_err(|why| bad(why.to_string()))?;
    Ok((task, report))
}

async fn report_on<F: Flow>(
    ctx: &ContextInternal,
    key: &str,
    task: &TaskId,
    report: &TaskReport,
) -> Result<Reported, TerminalError> {
    if ctx.get::<Text>(names::ENDED).await?.is_some() {
        return Ok(Reported::Gone(Gone::Ended));
    }
    let (path, taken, mut noted) = match find(ctx, key, task).await {
        Ok(Some(found)) => found,
        Ok(None) => return shut(ctx, key, task, report).await,
        Err(why) if why.code() == codes::UNKNOWN => return Ok(Reported::Gone(Gone::Unknown)),
        Err(why) => return Err(why),
    };
    let bad = |why: ReportError| error(codes::BAD, why.to_string());
    let most = RunLimits::DEFAULT.signals;
    for number in taken.. {
        let promise = names::reported(task.as_str(), number);
        if let Some(Text(other)) = ctx.peek_promise::<Text>(&promise).await? {
            // What can't be read is passed over, as by the step.
            if let Ok(other) = TaskReport::from_json(&other) {
                noted.report(&other);
            }
            continue;
        }
        if !noted.clone().report(report) {
            break;
        }
        if noted.status.is_final() {
            return Ok(Reported::Gone(Gone::Over));
        }
        if number - taken >= most {
            return Err(bad(ReportError::Full { path, most }));
        }
        Signals::check_report::<F>(&path, report).map_err(bad)?;
        let text = report.to_json();
        ctx.resolve_promise(&promise, Text(text.clone()));
        // Another one may have come to this place first.
        let here = ctx.peek_promise::<Text>(&promise).await?;
        match here.map(|Text(other)| (other == text, TaskReport::from_json(&other))) {
            Some((true, _)) => return Ok(Reported::Taken),
            Some((false, Ok(other))) => _ = noted.report(&other),
            Some((false, Err(_))) => {}
            None => return Err(error(500, "the report was not kept")),
        }
    }
    Ok(Reported::Stale)
}

/// Returns what is noted of a task on which can be reported, by the part of the execution that goes on now.
async fn find(
    ctx: &ContextInternal,
    key: &str,
    task: &TaskId,
) -> Result<Option<Noted>, TerminalError> {
    let text = noted(ctx, key, task.as_str()).await?;
    if text == "null" {
        return Ok(None);
    }
    let noted = serde_json::from_str(&text);
    noted.map(Some).map_err(|why| {
        error(
            500,
            format!("what is noted of `{task}` can't be read: {why}"),
        )
    })
}

/// Returns what is noted of a task, as JSON; `null` if there is nothing. Of a part, that is what the last one has that has
/// begun.
pub(super) async fn noted(
    ctx: &ContextInternal,
    key: &str,
    task: &str,
) -> Result<String, TerminalError> {
    let asked = format!("{}{task}", query::TASK);
    if let Some(Text(then)) = ctx.get::<Text>(names::THEN).await? {
        match To::own(ctx, &then, names::STATE).call(ctx, &asked).await {
            Err(why) if why.code() == codes::UNKNOWN => {}
            answer => return answer,
        }
    }
    let mut number = query::part(ctx).await?;
    while number > 1 {
        let part = names::part(key, number);
        match To::own(ctx, &part, names::STATE).call(ctx, &asked).await {
            Err(why) if why.code() == codes::UNKNOWN => number -= 1,
            answer => return answer,
        }
    }
    if ctx.get::<Text>(names::INVOCATION).await?.is_none() {
        return Err(query::unknown());
    }
    let noted = ctx.get::<Text>(&names::task(task)).await?;
    Ok(noted.map_or_else(|| "null".to_owned(), |Text(noted)| noted))
}

/// Returns the answer to a report on a task on which can't be reported any more.
async fn shut(
    ctx: &ContextInternal,
    key: &str,
    task: &TaskId,
    report: &TaskReport,
) -> Result<Reported, TerminalError> {
    let gone = Ok(Reported::Gone(Gone::Unknown));
    let Ok(text) = query::shown(ctx, key).await else {
        return gone;
    };
    let Ok(state) = State::from_json(&text) else {
        return gone;
    };
    let mut nodes = state.walk().filter_map(|(_, node)| node.task.as_deref());
    match nodes.find(|own| own.id == *task) {
        None => gone,
        Some(own) if !own.clone().report(report) => Ok(Reported::Stale),
        Some(_) => Ok(Reported::Gone(Gone::Over)),
    }
}
