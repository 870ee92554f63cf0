//! What an operator does with executions: with those that are named, or with all that a filter finds.

use std::{
    env,
    io::{self, Read},
    time::Duration,
};

use steps::{
    Json, Status,
    engine::{EngineError, Filter, Handle, Operator},
};
use steps_web::form::Acted;

use crate::{
    args::{AtStep, By, Command, Delete, Many, Signal, Targets},
    confirm::confirm,
    context::Context,
    error::{Code, Error},
    text::executions,
};

/// How many executions are looked for at once.
const PAGE: usize = 200;

/// What is done with an execution.
enum Act {
    Stop {
        wait: Option<Duration>,
    },
    ForceStop {
        reason: Option<String>,
    },
    Undo,
    Recover,
    TryNow,
    RetryFrom {
        step: String,
    },
    RetryUndo,
    SkipUndo {
        step: String,
    },
    MarkUndone {
        step: String,
    },
    Signal {
        step: String,
        value: Json,
        replace: bool,
    },
    Delete,
    ForceDelete,
}

/// What has come of it.
#[derive(Default)]
struct Done {
    text: String,
    status: Option<Status>,
    count: Option<usize>,
}

impl Act {
    fn name(&self) -> &'static str {
        match self {
            Self::Stop { .. } | Self::ForceStop { .. } => "stop",
            Self::Undo => "undo",
            Self::Recover => "recover",
            Self::TryNow => "try-now",
            Self::RetryFrom { .. } => "retry-from",
            Self::RetryUndo => "retry-undo",
            Self::SkipUndo { .. } => "skip-undo",
            Self::MarkUndone { .. } => "mark-undone",
            Self::Signal { .. } => "signal",
            Self::Delete | Self::ForceDelete => "delete",
        }
    }

    /// What it would do with these, and what follows, if that can't be taken back.
    fn danger(&self, which: &str) -> Option<String> {
        Some(match self {
            Self::ForceStop { .. } => format!(
                "Stop {which} by force? The effect of a step that runs may happen and not be recorded."
            ),
            Self::Undo => format!("Undo {which}? What was done is taken back."),
            Self::RetryFrom { step } => format!(
                "Begin {which} again with `{step}`? What came after it is forgotten, and runs again."
            ),
            Self::SkipUndo { step } => {
                format!("Let {which} go on without the undo of `{step}`? Its effect stays.")
            }
            Self::MarkUndone { step } => {
                format!("Mark `{step}` of {which} as undone by hand? Nothing undoes it then.")
            }
            Self::Delete => format!("Delete {which}? Nothing is left of what is recorded."),
            Self::ForceDelete => format!(
                "Delete {which} by force, whatever it does? Nothing is left of what is recorded, and \
                 the effects stay."
            ),
            _ => return None,
        })
    }

    async fn make(&self, handle: &Handle) -> Result<Done, EngineError> {
        let says = |text: &str| Done {
            text: text.to_owned(),
            ..Done::default()
        };
        let counted = |count: usize, text: &str| Done {
            text: format!("{text} ({count})"),
            count: Some(count),
            ..Done::default()
        };
        let rests = |status: Status| Done {
            text: format!("is {status}"),
            status: Some(status),
            ..Done::default()
        };
        Ok(match self {
            Self::Stop { wait: None } => {
                handle.stop().await?;
                says("is asked to stop: it does when its step ends, or when a program takes it up")
            }
            Self::Stop { wait: Some(wait) } => rests(handle.stop_and_wait(*wait).await?),
            Self::ForceStop { reason: None } => rests(handle.force_stop().await?),
            Self::ForceStop { reason: Some(why) } => rests(handle.abandon(why).await?),
            Self::Undo => {
                handle.undo().await?;
                says("is asked to be undone, by a program that serves its flow")
            }
            Self::Recover => counted(handle.recover().await?, "goes on; nodes that were cleared"),
            Self::TryNow => counted(handle.try_now().await?, "goes on; pauses that ended"),
            Self::RetryFrom { step } => counted(
                handle.retry_from_path(step).await?,
                "begins again; nodes that were forgotten",
            ),
            Self::RetryUndo => counted(
                handle.retry_undo().await?,
                "goes on with its rollback; undos that are tried again",
            ),
            Self::SkipUndo { step } => {
                handle.skip_undo_path(step).await?;
                says("goes on with its rollback, without that undo")
            }
            Self::MarkUndone { step } => {
                handle.mark_undone_path(step).await?;
                says("goes on with its rollback")
            }
            Self::Signal {
                step,
                value,
                replace: false,
            } => {
                handle.signal_path(step, value).await?;
                says("has the signal")
            }
            Self::Signal {
                step,
                value,
                replace: true,
            } => {
                handle.replace_signal_path(step, value).await?;
                says("has the signal, in place of those before")
            }
            Self::Delete => {
                handle.delete().await?;
                says("is deleted")
            }
            Self::ForceDelete => {
                handle.force_delete().await?;
                says("is deleted")
            }
        })
    }
}

pub(crate) async fn run(context: &Context<'_>, command: Command) -> Result<(), Error> {
    let one = |id| Targets {
        ids: vec![id],
        filter: None,
    };
    let at = |at: AtStep, act: fn(String) -> Act| (act(at.step), one(at.id), at.by);
    let many = |many: Many, act| (act, many.targets, many.by);
    let (act, targets, by) = match command {
        Command::Stop(stop) => {
            let act = if stop.force {
                let reason = stop.by.reason.clone();
                Act::ForceStop { reason }
            } else {
                Act::Stop { wait: stop.wait }
            };
            (act, stop.targets, stop.by)
        }
        Command::Undo(args) => many(args, Act::Undo),
        Command::Recover(args) => many(args, Act::Recover),
        Command::TryNow(args) => many(args, Act::TryNow),
        Command::RetryUndo(args) => many(args, Act::RetryUndo),
        Command::RetryFrom(args) => at(args, |step| Act::RetryFrom { step }),
        Command::SkipUndo(args) => at(args, |step| Act::SkipUndo { step }),
        Command::MarkUndone(args) => at(args, |step| Act::MarkUndone { step }),
        Command::Signal(args) => {
            let act = Act::Signal {
                value: value(&args)?,
                step: args.step,
                replace: args.replace,
            };
            (act, one(args.id), args.by)
        }
        Command::Delete(Delete { targets, force, by }) => {
            if let (Some(filter), false) = (&targets.filter, force) {
                return delete_where(context, filter, &by).await;
            }
            let act = if force { Act::ForceDelete } else { Act::Delete };
            (act, targets, by)
        }
        _ => return Ok(()),
    };
    match &targets.filter {
        None => named(context, &act, &targets.ids, &by).await,
        Some(filter) => found(context, &act, filter, &by).await,
    }
}

/// Reads the value of a signal.
fn value(args: &Signal) -> Result<Json, Error> {
    let mut text = args.value.clone();
    if text == "-" {
        text.clear();
        let read = io::stdin().lock().read_to_string(&mut text);
        read.map_err(|error| Error::new(Code::Failed, format!("standard input: {error}")))?;
    }
    Json::parse(text.trim()).map_err(|error| {
        Error::usage(format!(
            "the value is no JSON: {error}. A text stands in quotes, which the shell must not take: \
             '\"yes\"'"
        ))
    })
}

/// Does it with the executions of these ids. What is not possible with one does not keep it from the
/// others.
async fn named(context: &Context<'_>, act: &Act, ids: &[String], by: &By) -> Result<(), Error> {
    let names: Vec<String> = ids.iter().map(|id| format!("`{id}`")).collect();
    if let Some(question) = act.danger(&format!("execution {}", names.join(", "))) {
        confirm(&question, by.yes)?;
    }
    let mut first = None;
    for id in ids {
        if let Err(error) = with_one(context, act, id, by).await {
            tell(context, act, id, &error)?;
            first.get_or_insert(error.code);
        }
    }
    first.map_or(Ok(()), |code| Err(Error::told(code)))
}

/// Does it with the executions that a filter finds, and passes over those with which it is not possible.
async fn found(context: &Context<'_>, act: &Act, filter: &str, by: &By) -> Result<(), Error> {
    let mut filter = Filter::parse(filter)?;
    let most = filter.most().unwrap_or(usize::MAX);
    let mut ids: Vec<String> = Vec::new();
    while ids.len() < most {
        let page = context
            .engine
            .list(filter.clone().limit(PAGE.min(most - ids.len())))
            .await?;
        let Some(last) = page.last() else { break };
        filter = filter.after(last);
        ids.extend(page.into_iter().map(|info| info.id));
    }
    let which = format!("{} in {}", executions(ids.len() as u64), context.store);
    let question = act
        .danger(&which)
        .unwrap_or_else(|| format!("{} {which}?", verb(act)));
    if !ids.is_empty() {
        confirm(&question, by.yes)?;
    }
    let (mut done, mut passed) = (0, 0);
    for id in &ids {
        match with_one(context, act, id, by).await {
            Ok(()) => done += 1,
            Err(error) if matches!(error.code, Code::Refused | Code::NotFound) => {
                tell(context, act, id, &error)?;
                passed += 1;
            }
            Err(error) => return Err(error),
        }
    }
    context
        .out
        .note(format!("{}: {done}, passed over: {passed}", act.name()));
    Ok(())
}

/// How a question about what is no danger begins.
fn verb(act: &Act) -> &'static str {
    match act {
        Act::Recover => "Recover",
        Act::TryNow => "End the pauses of",
        Act::RetryUndo => "Retry the undos of",
        _ => "Stop",
    }
}

async fn with_one(context: &Context<'_>, act: &Act, id: &str, by: &By) -> Result<(), Error> {
    let handle = context.engine.get(id).await?.acting_as(operator(by));
    let done = act.make(&handle).await?;
    if !context.out.json {
        return context.out.line(format!("{id} {}", done.text));
    }
    context.out.value(&Acted {
        id,
        act: act.name(),
        ok: true,
        status: done.status.map(Status::as_str),
        count: done.count,
        error: None,
        kind: None,
    })
}

/// Who does it, and why: by default the user of this process.
pub(super) fn operator(by: &By) -> Operator {
    let name = by.name.clone().unwrap_or_else(user);
    Operator::new(name).reason(by.reason.as_deref().unwrap_or_default())
}

/// The user of this process.
pub(super) fn user() -> String {
    let mut names = ["USER", "LOGNAME", "USERNAME"].into_iter();
    let name = names.find_map(|name| env::var(name).ok().filter(|name| !name.is_empty()));
    name.unwrap_or_else(|| "unknown".to_owned())
}

/// Tells why it was not done with one.
fn tell(context: &Context<'_>, act: &Act, id: &str, error: &Error) -> Result<(), Error> {
    if !context.out.json {
        context.out.error(error);
        return Ok(());
    }
    context.out.value(&Acted {
        id,
        act: act.name(),
        ok: false,
        status: None,
        count: None,
        error: Some(error.to_string()),
        kind: Some(error.code.name()),
    })
}

/// Deletes what a filter finds and has ended, by few calls however many there are.
async fn delete_where(context: &Context<'_>, filter: &str, by: &By) -> Result<(), Error> {
    let filter = Filter::parse(filter)?;
    let count = context.engine.count(filter.clone()).await?;
    let question = format!(
        "Delete those that have ended of {} in {}? Nothing is left of what is recorded.",
        executions(count),
        context.store
    );
    if count > 0 {
        confirm(&question, by.yes)?;
    }
    let deleted = context.engine.delete_where(filter).await?;
    if context.out.json {
        let value = serde_json::json!({"act": "delete", "ok": true, "deleted": deleted});
        return context.out.value(&value);
    }
    context.out.line(format!("{} deleted", executions(deleted)))
}
