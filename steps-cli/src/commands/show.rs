//! `show`: what is known of one execution, and its tree.

use steps::{Json, State, engine::Handle, store::ExecutionInfo};
use steps_web::{
    encoded,
    form::{Execution, Shown},
};

use super::watch;
use crate::{
    args,
    context::Context,
    error::{Code, Error},
    out::Out,
    text::{first_line, time, took},
};

/// How much of an input or output is shown.
const VALUE: usize = 2000;

/// An execution at one moment.
pub(crate) struct Look {
    pub(crate) info: ExecutionInfo,
    pub(crate) tree: State,
}

impl Look {
    pub(crate) async fn at(handle: &Handle) -> Result<Self, Error> {
        let mut tries = 0..5;
        loop {
            let mut tree = handle.tree().await?;
            let mut info = handle.info().await?;
            // Read after the tree: if it went on in between, both are read again.
            if info.status == tree.status || tries.next().is_none() {
                encoded::of_info(&mut info);
                encoded::of_tree(&mut tree);
                return Ok(Self { info, tree });
            }
        }
    }

    /// Writes it as one value.
    pub(crate) fn write_json(&self, out: &Out) -> Result<(), Error> {
        out.value(&Shown {
            execution: Execution::from(&self.info),
            acts: &self.info.acts,
            tree: Json::parse(self.tree.to_json())?,
        })
    }

    /// Writes it for people.
    pub(crate) fn write_text(&self, out: &Out) -> Result<(), Error> {
        let info = &self.info;
        let mut head = vec![
            ("execution", info.id.clone()),
            ("flow", info.flow.clone()),
            ("status", out.status_text(info.status)),
        ];
        let mut add = |name, value: Option<String>| {
            head.extend(
                value
                    .filter(|text| !text.is_empty())
                    .map(|text| (name, text)),
            );
        };
        add("message", info.status_message.clone());
        add("error", info.error.clone());
        add(
            "incompatible",
            info.refused.as_ref().map(|it| it.why.clone()),
        );
        let labels = info
            .labels
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        add("labels", Some(labels.collect::<Vec<_>>().join(" ")));
        add("attrs", info.attrs.to_json().map(ToString::to_string));
        add("trigger", Some(info.trigger.to_string()));
        add("parent", info.parent.clone());
        add("key", info.singleton.clone());
        add(
            "trace",
            info.trace.as_ref().map(|trace| trace.trace_id().to_owned()),
        );
        add("created", Some(time(Some(info.created_at))));
        add("started", Some(time(info.started_at)));
        let ended = info.done_at.map(|done| match info.started_at {
            Some(started) => format!("{}, after {}", time(Some(done)), took(started, done)),
            None => time(Some(done)),
        });
        add("ended", ended);
        match (&info.worker, info.due) {
            (Some(worker), Some(due)) => {
                add(
                    "held",
                    Some(format!("by {worker} until {}", time(Some(due)))),
                );
            }
            (None, due) => add("due", Some(time(due))),
            _ => {}
        }
        add("steps", Some(info.steps.to_string()));
        let value = |json: &Json| first_line(json.get(), VALUE);
        add("input", self.tree.input.as_ref().map(value));
        add("output", info.output.as_ref().map(value));
        let acts = info.acts.iter().map(|act| {
            let step = act.step.as_ref().map(|step| format!(" {step}"));
            let step = step.unwrap_or_default();
            let why = act.reason.as_ref().map(|why| format!(": {why}"));
            let why = why.unwrap_or_default();
            let at = time(Some(act.at));
            format!(
                "{at} {}{step} by {}{why}",
                act.act.replace('_', "-"),
                act.by
            )
        });
        let acts = acts.collect::<Vec<_>>().join("\n");
        head.extend((!acts.is_empty()).then_some(("acts", acts)));
        for (name, text) in head {
            let mut lines = text.lines();
            out.line(format!("{name:<13}{}", lines.next().unwrap_or_default()))?;
            lines.try_for_each(|line| out.line(format!("{:13}{line}", "")))?;
        }
        out.line("")?;
        out.line(out.tree(&self.tree.tree().to_string()))
    }
}

pub(crate) async fn show(context: &Context<'_>, args: args::Show) -> Result<(), Error> {
    let handle = context.engine.get(args.id).await?;
    if args.watch {
        let last = watch::watch(context, &handle, args.every).await?;
        return match last.info.status {
            steps::Status::Done => Ok(()),
            _ => Err(Error::told(Code::Unwell)),
        };
    }
    let look = Look::at(&handle).await?;
    if context.out.json {
        look.write_json(context.out)
    } else {
        look.write_text(context.out)
    }
}
