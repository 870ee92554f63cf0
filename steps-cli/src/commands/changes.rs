//! `changes`: lists who is told of changes of statuses and what waits, tells what fails, and forgets one.

use comfy_table::Cell;
use serde_json::{Value, json};
use steps::{
    Status,
    engine::Subscribed,
    store::{Change, Subscription},
};
use steps_web::encoded;

use crate::{
    args::{ChangeAct, Changes},
    confirm::confirm,
    context::Context,
    error::{Code, Error},
    text::time,
};

pub(crate) async fn changes(context: &Context<'_>, args: Changes) -> Result<(), Error> {
    match args.act {
        None => list(context).await,
        Some(ChangeAct::Failing { name }) => failing(context, &name).await,
        Some(ChangeAct::Forget { name, yes }) => forget(context, name, yes).await,
    }
}

/// Returns the one of this name.
async fn get(context: &Context<'_>, name: &str) -> Result<Subscribed, Error> {
    let all = context.engine.subscriptions().await?;
    let found = all.into_iter().find(|it| it.info.subscription.name == name);
    let mut found = found.ok_or_else(|| {
        let why = format!("nobody is told of changes by the name `{name}`");
        Error::new(Code::NotFound, why)
    })?;
    for change in &mut found.failing {
        change.failure.as_mut().map(encoded::of_str);
    }
    Ok(found)
}

async fn list(context: &Context<'_>) -> Result<(), Error> {
    let out = context.out;
    let all = context.engine.subscriptions().await?;
    if out.json {
        return all.iter().try_for_each(|it| out.value(&value(it)));
    }
    if all.is_empty() {
        out.note("nobody is told of changes");
        return Ok(());
    }
    let head = ["NAME", "OF", "WAIT", "FAIL", "OLDEST", "TOLD BY"];
    let mut table = out.table(&head);
    for it in all {
        let told_by = match &it.info.ended {
            Some(why) => format!("ended: {why}"),
            None => it.teller.unwrap_or_default(),
        };
        table.add_row([
            Cell::new(&it.info.subscription.name),
            Cell::new(of(&it.info.subscription)),
            Cell::new(it.info.waiting),
            Cell::new(it.info.failed),
            Cell::new(time(it.info.oldest)),
            Cell::new(told_by),
        ]);
    }
    table.lines().try_for_each(|line| out.line(line.trim_end()))
}

/// Tells the changes that were told in vain.
async fn failing(context: &Context<'_>, name: &str) -> Result<(), Error> {
    let out = context.out;
    let it = get(context, name).await?;
    if out.json {
        return it.failing.iter().try_for_each(|it| out.value(&change(it)));
    }
    if it.failing.is_empty() {
        out.note(format!("{name} fails with none"));
        return Ok(());
    }
    let mut table = out.table(&["EXECUTION", "STEP", "TO", "TRIED", "AGAIN", "WHY"]);
    for it in it.failing {
        let step = it.step.map(|step| step.path).unwrap_or_default();
        table.add_row([
            Cell::new(it.execution),
            Cell::new(step),
            Cell::new(it.to),
            Cell::new(it.attempts),
            Cell::new(time(it.due)),
            Cell::new(it.failure.unwrap_or_default()),
        ]);
    }
    table.lines().try_for_each(|line| out.line(line.trim_end()))
}

async fn forget(context: &Context<'_>, name: String, yes: bool) -> Result<(), Error> {
    let it = get(context, &name).await?;
    let waiting = it.info.waiting;
    let question = format!(
        "Forget the {waiting} changes that `{name}` was not told, and keep no more for it? A service \
         that has the function goes on with it when it starts."
    );
    confirm(&question, yes)?;
    let changed = context.engine.forget_changes(&name).await?;
    if context.out.json {
        let value = json!({"name": name, "act": "forget", "ok": true, "changed": changed});
        return context.out.value(&value);
    }
    context.out.line(format!("{name} is forgotten"))
}

/// What it is told of, in words.
fn of(subscription: &Subscription) -> String {
    let mut text = format!("{}s", subscription.kind.as_str());
    if !subscription.flows.is_empty() {
        text = format!("{text} of {}", subscription.flows.join(", "));
    }
    if !subscription.statuses.is_empty() {
        let statuses = subscription.statuses.iter().map(|it| it.as_str());
        text = format!("{text}: {}", statuses.collect::<Vec<_>>().join(", "));
    }
    text
}

fn value(it: &Subscribed) -> Value {
    let statuses = it.info.subscription.statuses.iter();
    json!({
        "name": it.info.subscription.name,
        "kind": it.info.subscription.kind.as_str(),
        "flows": it.info.subscription.flows,
        "statuses": statuses.map(|it| it.as_str()).collect::<Vec<_>>(),
        "since": it.info.since,
        "ended": it.info.ended,
        "waiting": it.info.waiting,
        "failed": it.info.failed,
        "oldest": it.info.oldest,
        "told_by": it.teller,
    })
}

fn change(it: &Change) -> Value {
    json!({
        "key": it.key(),
        "execution": it.execution,
        "flow": it.flow,
        "step": it.step.as_ref().map(|step| &step.path),
        "from": it.from.map(Status::as_str),
        "to": it.to.as_str(),
        "at": it.at,
        "attempts": it.attempts,
        "again": it.due,
        "why": it.failure,
    })
}
