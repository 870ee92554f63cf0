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
        return would(context, &rule, count);
    }
    if !yes {
        let count = context.engine.would_sweep(&rule).await?;
        if count == 0 {
            return done(context, &rule, 0);
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
    done(context, &rule, deleted)
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
    if let Some(time) = args.for_time {
        rule = rule.for_time(time);
    }
    Ok(rule)
}

fn would(context: &Context<'_>, rule: &Retention, count: u64) -> Result<(), Error> {
    if context.out.json {
        let rule = rule.to_string();
        let value = json!({"act": "sweep", "ok": true, "rule": rule, "would_delete": count});
        return context.out.value(&value);
    }
    let count = executions(count);
    context
        .out
        .line(format!("{count} would be deleted; kept of {rule}"))
}

fn done(context: &Context<'_>, rule: &Retention, deleted: u64) -> Result<(), Error> {
    if context.out.json {
        let rule = rule.to_string();
        let value = json!({"act": "sweep", "ok": true, "rule": rule, "deleted": deleted});
        return context.out.value(&value);
    }
    let deleted = executions(deleted);
    context
        .out
        .line(format!("{deleted} deleted; kept of {rule}"))
}
