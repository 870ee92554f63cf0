//! `sweep`: deletes by a rule of retention.
//!
//! An engine that serves no flow sweeps when it is asked to, so no service is needed. The rule is one of the
//! command line only: when a service sweeps next, by its own rules, stays as it was.

use serde_json::json;
use steps::engine::{Filter, Retention};

use crate::{
    args::Sweep,
    confirm::confirm,
    context::Context,
    error::{Code, Error},
    text::executions,
};

pub(crate) async fn sweep(context: &Context<'_>, args: Sweep) -> Result<(), Error> {
    let (dry_run, yes) = (args.dry_run, args.yes);
    let rule = rule(args)?;
    if dry_run {
        let count = context.engine.would_sweep(&rule).await?;
        return tell(context, &rule, true, count);
    }
    if !yes {
        let count = context.engine.would_sweep(&rule).await?;
        if count == 0 {
            return tell(context, &rule, false, 0);
        }
        let question = format!(
            "Delete {} in {}, and keep of {rule}? Nothing is left of what is recorded.",
            executions(count),
            context.store
        );
        confirm(&question, yes)?;
    }
    let swept = context.engine.sweep_by([rule.clone()]).await?;
    let deleted = swept.deleted();
    let failed = |why: &str| {
        let text = format!("{} deleted, and then {why}", executions(deleted));
        Err(Error::new(Code::Failed, text))
    };
    if let Some(error) = swept.rules.into_iter().find_map(|rule| rule.error) {
        return failed(&error.to_string());
    }
    if !swept.finished {
        return failed("another process took the place of this one: sweep again");
    }
    tell(context, &rule, false, deleted)
}

fn rule(args: Sweep) -> Result<Retention, Error> {
    let mut filter = Filter::parse(&args.found.filter.join(","))?;
    for flow in args.flow {
        filter = filter.flow_name(flow);
    }
    for (name, value) in args.label {
        filter = filter.label(name, value);
    }
    for status in args.status {
        filter = filter.status(status);
    }
    let mut rule = Retention::of(filter);
    if let Some(newest) = args.newest {
        rule = rule.newest(newest);
    }
    if let Some(label) = args.per {
        rule = rule.per(label);
    }
    if let Some(time) = args.for_time {
        rule = rule.for_time(time);
    }
    Ok(rule)
}

/// Tells how many were deleted, or would be.
fn tell(context: &Context<'_>, rule: &Retention, is_dry: bool, count: u64) -> Result<(), Error> {
    let (key, how) = if is_dry {
        ("would_delete", "would be deleted")
    } else {
        ("deleted", "deleted")
    };
    if context.out.json {
        let rule = rule.to_string();
        let value = json!({"act": "sweep", "ok": true, "rule": rule, key: count});
        return context.out.value(&value);
    }
    let count = executions(count);
    context.out.line(format!("{count} {how}; kept of {rule}"))
}
