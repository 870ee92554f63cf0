//! `list` and `count`.

use comfy_table::{Cell, CellAlignment};
use steps::{engine::Filter, store::ExecutionInfo};
use steps_web::{encoded, form::Execution};

use crate::{
    args::{Found, List},
    context::Context,
    error::Error,
    text::{first_line, time},
};

/// How much of a message is shown.
const MESSAGE: usize = 200;

pub(crate) async fn list(context: &Context<'_>, args: List) -> Result<(), Error> {
    let mut texts = args.found.filter;
    let sort = args.sort.join(" ");
    texts.extend((!sort.is_empty()).then(|| format!("sort={{{sort}}}")));
    texts.extend(args.limit.map(|limit| format!("limit={limit}")));
    let mut filter = Filter::parse(&texts.join(","))?;
    if let Some(after) = args.after {
        let cursor = after.parse::<steps::store::Cursor>();
        let cursor = cursor.map_err(|error| Error::usage(format!("--after {after}: {error}")))?;
        filter = filter.after(cursor);
    }
    if args.limit == Some(0) {
        return Ok(());
    }
    let mut first = true;
    loop {
        let mut page = context.engine.list(filter.clone()).await?;
        for info in &mut page {
            encoded::of_info(info);
        }
        let Some(last) = page.last() else {
            if first && !context.out.json {
                context.out.note("no executions");
            }
            return Ok(());
        };
        first = false;
        filter = filter.after(last);
        write(context, &page)?;
        if !args.all {
            if !context.out.json && !context.engine.list(filter.limit(1)).await?.is_empty() {
                let cursor = last.cursor();
                context
                    .out
                    .note(format!("there are more: --after '{cursor}'"));
            }
            return Ok(());
        }
    }
}

fn write(context: &Context<'_>, page: &[ExecutionInfo]) -> Result<(), Error> {
    let out = context.out;
    if out.json {
        return page
            .iter()
            .try_for_each(|info| out.value(&Execution::from(info)));
    }
    let mut table = out.table(&[
        "ID", "FLOW", "STATUS", "STEPS", "STARTED", "UPDATED", "MESSAGE",
    ]);
    for info in page {
        table.add_row([
            Cell::new(&info.id),
            Cell::new(&info.flow),
            out.status(info.status),
            Cell::new(info.steps.to_string()),
            Cell::new(time(info.started_at)),
            Cell::new(time(Some(info.updated_at))),
            Cell::new(message(info)).set_alignment(CellAlignment::Left),
        ]);
    }
    table.lines().try_for_each(|line| out.line(line.trim_end()))
}

/// How it is going: in the service's words, or why it does not go on.
fn message(info: &ExecutionInfo) -> String {
    let refused = info.refused.as_ref().map(|refused| &*refused.why);
    let incompatible = refused.map(|why| format!("incompatible: {why}"));
    let text = incompatible
        .or_else(|| info.unreadable.clone())
        .or_else(|| info.status_message.clone())
        .or_else(|| info.error.clone());
    first_line(&text.unwrap_or_default(), MESSAGE)
}

pub(crate) async fn count(context: &Context<'_>, found: Found) -> Result<(), Error> {
    let filter = Filter::parse(&found.filter.join(","))?;
    let count = context.engine.count(filter).await?;
    if context.out.json {
        return context.out.value(&serde_json::json!({ "count": count }));
    }
    context.out.line(count.to_string())
}
