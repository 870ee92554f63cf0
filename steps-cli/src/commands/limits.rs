//! `pause`, `resume` and `limits`: what holds for a flow in all processes.

use comfy_table::Cell;
use steps::engine::{FlowHandle, FlowInfo, FlowLimits};
use steps_web::form::{FlowActed, Limited};

use crate::{
    args::{By, Limits, Pause},
    commands::act::operator,
    context::Context,
    error::Error,
    text::time,
};

pub(crate) async fn pause(context: &Context<'_>, args: Pause) -> Result<(), Error> {
    let flow = flow(context, &args.flow, &args.by);
    let changed = flow.pause().await?;
    let says = "is paused: what is at work goes on until it ends or waits";
    tell(context, &flow, "pause", changed, says).await
}

pub(crate) async fn resume(context: &Context<'_>, args: Pause) -> Result<(), Error> {
    let flow = flow(context, &args.flow, &args.by);
    let changed = flow.resume().await?;
    tell(context, &flow, "resume", changed, "goes on").await
}

pub(crate) async fn limits(context: &Context<'_>, args: Limits) -> Result<(), Error> {
    let Some(name) = &args.flow else {
        let all = context.engine.flows().await?;
        return list(context, &all);
    };
    let flow = flow(context, name, &args.by);
    if args.none {
        let changed = flow.unlimit().await?;
        return tell(context, &flow, "unlimit", changed, "has no limits").await;
    }
    let mut limits = FlowLimits::new();
    if let Some(most) = args.at_once {
        limits = limits.at_once(most);
    }
    if let Some((label, most)) = args.per {
        limits = limits.per(label, most);
    }
    if let Some((starts, period)) = args.rate {
        limits = limits.rate_with_burst(starts, period, args.burst.unwrap_or(1));
    }
    if limits.is_none() {
        return list(context, &[flow.info().await?]);
    }
    let says = format!("is limited to {limits}");
    let changed = flow.limit(limits).await?;
    tell(context, &flow, "limit", changed, &says).await
}

fn flow(context: &Context<'_>, name: &str, by: &By) -> FlowHandle {
    context.engine.flow(name).acting_as(operator(by))
}

async fn tell(
    context: &Context<'_>,
    flow: &FlowHandle,
    act: &str,
    changed: bool,
    says: &str,
) -> Result<(), Error> {
    if context.out.json {
        let info = flow.info().await?;
        return context.out.value(&FlowActed {
            flow: Limited::from(&info),
            act,
            changed,
        });
    }
    let already = if changed { "" } else { ", as it was already" };
    context.out.line(format!("{} {says}{already}", flow.name()))
}

fn list(context: &Context<'_>, all: &[FlowInfo]) -> Result<(), Error> {
    let out = context.out;
    if out.json {
        return all.iter().try_for_each(|it| out.value(&Limited::from(it)));
    }
    if all.is_empty() {
        out.note("no flow is paused or limited");
        return Ok(());
    }
    let mut table = out.table(&["FLOW", "PAUSED", "LIMITS", "SET BY", "LAST ACT"]);
    for it in all {
        let paused = match (&it.paused, it.is_paused) {
            (_, false) => String::new(),
            (None, true) => "paused".to_owned(),
            (Some(act), true) => {
                let reason = act.reason.as_ref();
                let why = reason.map_or(String::new(), |why| format!(": {why}"));
                format!("{} by {}{why}", time(Some(act.at)), act.by)
            }
        };
        let set_by = match (it.limits.is_none(), it.at_run_time) {
            (_, true) => "an operator",
            (false, false) => "its service",
            (true, false) => "",
        };
        let last = it.acts.last();
        let last = last.map(|act| format!("{} {} by {}", time(Some(act.at)), act.act, act.by));
        table.add_row([
            Cell::new(&it.flow),
            Cell::new(paused),
            Cell::new(&it.limits),
            Cell::new(set_by),
            Cell::new(last.unwrap_or_default()),
        ]);
    }
    table.lines().try_for_each(|line| out.line(line.trim_end()))
}
