//! `check`: whether the store is sound, and what in it waits for somebody.

use steps::{
    Status,
    engine::{EngineError, Filter},
    state::Until,
};

use crate::{
    context::Context,
    error::{Code, Error},
    text::executions,
};

/// What was found.
#[derive(Default)]
struct Report {
    executions: u64,
    damaged: Vec<(Option<String>, String)>,
    /// How much more is damaged.
    more: u64,
    stuck: u64,
    incompatible: u64,
    /// What nobody will ever take up, and why.
    dangling: Vec<(String, String)>,
}

pub(crate) async fn check(context: &Context<'_>) -> Result<(), Error> {
    let engine = &context.engine;
    let found = engine.check().await?;
    let mut report = Report {
        executions: found.executions,
        more: found.more,
        stuck: engine.count(Filter::new().status(Status::Stuck)).await?,
        incompatible: engine.count(Filter::new().incompatible()).await?,
        ..Report::default()
    };
    for damage in found.damages {
        report.damaged.push((damage.execution, damage.why));
    }
    if report.damaged.is_empty() {
        dangling(context, &mut report).await?;
    }
    tell(context, &report)?;
    if report.damaged.is_empty() && report.dangling.is_empty() {
        return Ok(());
    }
    Err(Error::told(Code::Unwell))
}

/// Finds what nobody will ever take up: what has not ended, is not due at any time, and waits for nothing
/// that can come.
async fn dangling(context: &Context<'_>, report: &mut Report) -> Result<(), Error> {
    let mut filter = Filter::new().unfinished().limit(200);
    loop {
        let page = context.engine.list(filter.clone()).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        filter = filter.after(last);
        for info in page.into_iter().filter(|info| info.due.is_none()) {
            if let Some(why) = why_never(context, &info.id).await? {
                report.dangling.push((info.id, why));
            }
        }
    }
}

/// Returns why an execution that is not due will not be, if that is so.
async fn why_never(context: &Context<'_>, id: &str) -> Result<Option<String>, Error> {
    let handle = match context.engine.get(id).await {
        Ok(handle) => handle,
        Err(EngineError::Unknown { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let tree = handle.tree().await?;
    let mut gone = None;
    for (path, node) in tree.walk() {
        match node.until {
            Some(Until::Signal | Until::Report) => return Ok(None),
            Some(Until::Child) => {
                let child = node
                    .input
                    .as_ref()
                    .and_then(|id| id.decode::<String>().ok());
                let child = child.unwrap_or_default();
                match context.engine.get(child.as_str()).await {
                    Ok(_) => return Ok(None),
                    Err(EngineError::Unknown { .. } | EngineError::Id { .. }) => {
                        gone = Some(format!("`{path}` waits for `{child}`, which is not there"));
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            _ => {}
        }
    }
    // It may have gone on in between.
    let info = handle.info().await?;
    if info.status.is_final() || info.due.is_some() {
        return Ok(None);
    }
    let why = format!("it is {}, and due at no time", info.status);
    Ok(Some(gone.unwrap_or(why)))
}

fn tell(context: &Context<'_>, report: &Report) -> Result<(), Error> {
    let out = context.out;
    if out.json {
        let damaged = report.damaged.iter();
        let damaged: Vec<_> = damaged
            .map(|(id, why)| serde_json::json!({"execution": id, "why": why}))
            .collect();
        let dangling = report.dangling.iter();
        let dangling: Vec<_> = dangling
            .map(|(id, why)| serde_json::json!({"execution": id, "why": why}))
            .collect();
        return out.value(&serde_json::json!({
            "executions": report.executions,
            "damaged": damaged,
            "damaged_more": report.more,
            "dangling": dangling,
            "stuck": report.stuck,
            "incompatible": report.incompatible,
        }));
    }
    out.line(format!("{} were read", executions(report.executions)))?;
    for (id, why) in &report.damaged {
        match id {
            Some(id) => out.line(format!("damaged: execution `{id}`: {why}"))?,
            None => out.line(format!("damaged: {why}"))?,
        }
    }
    if report.more > 0 {
        out.line(format!("damaged: {} more", report.more))?;
    }
    for (id, why) in &report.dangling {
        out.line(format!("dangling: execution `{id}`: {why}"))?;
    }
    let waits = [
        (
            report.stuck,
            "a rollback that is stuck: steps list status=stuck",
        ),
        (
            report.incompatible,
            "no program that they fit: steps list incompatible=true",
        ),
    ];
    for (count, what) in waits {
        if count > 0 {
            out.line(format!("{} with {what}", executions(count)))?;
        }
    }
    if report.damaged.is_empty() && report.dangling.is_empty() {
        out.line("nothing is damaged")?;
    }
    Ok(())
}
