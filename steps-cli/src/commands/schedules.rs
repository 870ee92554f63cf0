//! `schedules`: lists them, tells the next ticks of one, and pauses, resumes or removes it.

use comfy_table::Cell;
use jiff::Timestamp;
use serde_json::json;
use steps_web::form::Schedule;

use crate::{
    args::{ScheduleAct, Schedules},
    confirm::confirm,
    context::Context,
    error::Error,
    text::time,
};

pub(crate) async fn schedules(context: &Context<'_>, args: Schedules) -> Result<(), Error> {
    let get = async |name: &str| context.engine.get_schedule(name).await;
    let (name, act, changed) = match args.act {
        None => return list(context).await,
        Some(ScheduleAct::Next { name, count }) => return next(context, &name, count).await,
        Some(ScheduleAct::Pause { name }) => {
            let changed = get(&name).await?.pause().await?;
            (name, "pause", changed)
        }
        Some(ScheduleAct::Resume { name }) => {
            let changed = get(&name).await?.resume().await?;
            (name, "resume", changed)
        }
        Some(ScheduleAct::Remove { name, yes }) => {
            let schedule = get(&name).await?;
            let question = format!("Remove the schedule `{name}`? It starts nothing any more.");
            confirm(&question, yes)?;
            let changed = schedule.remove().await?;
            (name, "remove", changed)
        }
    };
    if context.out.json {
        let value = json!({"schedule": name, "act": act, "ok": true, "changed": changed});
        return context.out.value(&value);
    }
    let already = if changed { "" } else { ": that it was already" };
    context.out.line(format!("{name} {act}{already}"))
}

/// Tells the next ticks.
async fn next(context: &Context<'_>, name: &str, count: u16) -> Result<(), Error> {
    let out = context.out;
    let schedule = context.engine.get_schedule(name).await?;
    let is_paused = schedule.info().await?.is_paused;
    let ticks = schedule.next(count.into()).await?;
    if out.json {
        return out.value(&json!({"schedule": name, "paused": is_paused, "next": ticks}));
    }
    if ticks.is_empty() {
        let why = if is_paused {
            "is paused"
        } else {
            "has no tick left"
        };
        out.note(format!("{name} {why}"));
    }
    let now = Timestamp::now();
    ticks.into_iter().try_for_each(|tick| {
        let overdue = if tick < now { " overdue" } else { "" };
        out.line(time(Some(tick)) + overdue)
    })
}

async fn list(context: &Context<'_>) -> Result<(), Error> {
    let out = context.out;
    let all = context.engine.schedules().await?;
    if out.json {
        return all.iter().try_for_each(|it| out.value(&Schedule::from(it)));
    }
    if all.is_empty() {
        out.note("no schedules");
        return Ok(());
    }
    let mut table = out.table(&["NAME", "FLOW", "WHEN", "NEXT", "LAST", "LAST EXECUTION"]);
    for it in all {
        let next = if it.is_paused {
            "paused".to_owned()
        } else {
            time(it.next)
        };
        table.add_row([
            Cell::new(it.name),
            Cell::new(it.flow),
            Cell::new(it.unreadable.unwrap_or(it.timing)),
            Cell::new(next),
            Cell::new(time(it.last)),
            Cell::new(it.last_execution.unwrap_or_default()),
        ]);
    }
    table.lines().try_for_each(|line| out.line(line.trim_end()))
}
