//! `report` and `stats`: what the library tells of an execution and of a flow, in the form that is asked for.

use std::io::Write;

use jiff::Timestamp;

use super::show::Look;
use crate::{
    args::{Form, Format, Report, Stats},
    context::Context,
    error::Error,
    out::{Out, new_file},
};

pub(crate) async fn report(context: &Context<'_>, args: Report) -> Result<(), Error> {
    let format = format(context.out, &args.form)?;
    let look = Look::at(&context.engine.get(&args.id).await?).await?;
    let report = look.tree.report_at(Timestamp::now());
    let report = report.created(look.info.created_at);
    let text = match format {
        Format::Text if args.form.output.is_none() => context.out.tree(&report.text().to_string()),
        Format::Text => report.text().to_string(),
        Format::Json => report.json().to_string(),
        Format::Markdown => report.markdown().to_string(),
        Format::Html => report.html().to_string(),
    };
    write(context, &args.form, &text)
}

pub(crate) async fn stats(context: &Context<'_>, args: Stats) -> Result<(), Error> {
    let format = format(context.out, &args.form)?;
    let mut asked = context.engine.statistics(&args.flow).last(args.last);
    if let Some(since) = args.since {
        asked = asked.since(since);
    }
    if let Some(until) = args.until {
        asked = asked.until(until);
    }
    if let Some(sample) = args.sample {
        asked = asked.sample(sample);
    }
    if let Some(slowest) = args.slowest {
        asked = asked.slowest(slowest);
    }
    let statistics = asked.await?;
    if statistics.current.executions == 0 && format != Format::Json {
        let note = format!("no executions of `{}` were created in that time", args.flow);
        context.out.note(note);
    }
    let text = match format {
        Format::Text => statistics.text().to_string(),
        Format::Json => statistics.json().to_string(),
        Format::Markdown => statistics.markdown().to_string(),
        Format::Html => statistics.html().to_string(),
    };
    write(context, &args.form, &text)
}

/// Returns the form that is asked for in two ways.
fn format(out: &Out, form: &Form) -> Result<Format, Error> {
    match form.format {
        None | Some(Format::Json) if out.json => Ok(Format::Json),
        Some(_) if out.json => Err(Error::usage(
            "--json and --format say two forms: which of them?",
        )),
        format => Ok(format.unwrap_or_default()),
    }
}

fn write(context: &Context<'_>, form: &Form, text: &str) -> Result<(), Error> {
    let text = text.trim_end();
    let Some(path) = &form.output else {
        return context.out.line(text);
    };
    let written = writeln!(new_file(path)?, "{text}");
    written.map_err(|error| Error::of_file(path, &error))?;
    context.out.note(format!("it is in {path}"));
    Ok(())
}
