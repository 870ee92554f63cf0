//! What the recorder keeps of external tasks: on which can be reported, and which reports have come.
//!
//! Each report on a task is a promise of the execution's first part, with a number. The value `task/…` tells whoever
//! reports where the task is, how many reports are in its record already, and what that says; so it need not look at
//! those. It is there for as long as the record has the task as one on which can be reported.

use std::collections::BTreeMap;

use restate_sdk::endpoint::ContextInternal;
use steps_core::{Task, TaskId, TaskReport, journal::Recorded};

use super::{
    names,
    part::{Part, json},
    waits::What,
};
use crate::text::Text;

/// The tasks that callers are told of, each with how many reports are in its record.
#[derive(Debug, Default)]
pub(super) struct Tasks(BTreeMap<String, usize>);

/// The path of the step, the number of reports that are in the record, and the task.
pub(super) type Noted = (String, usize, Task);

impl Tasks {
    /// Tells callers on which tasks can be reported.
    pub(super) fn note(&mut self, ctx: &ContextInternal, part: &mut Part) {
        if self.0.is_empty() && part.recorded.tasks().next().is_none() {
            return;
        }
        let Part {
            recorded,
            received,
            reports,
            ..
        } = part;
        let mut open = BTreeMap::new();
        for task in recorded.tasks() {
            open.insert(task.task.id.to_string(), (task.row, task.task.clone()));
        }
        self.0.retain(|id, _| {
            let is_open = open.contains_key(id);
            if !is_open {
                ctx.clear(&names::task(id));
            }
            is_open
        });
        received.retain(|id, _| open.contains_key(id));
        // A report that changes nothing any more is in the record.
        reports.retain(|(id, report)| {
            let task = open.get(id).map(|(_, task)| task.clone());
            task.is_some_and(|mut task| task.report(report))
        });
        for (id, (row, mut task)) in open {
            for (_, report) in reports.iter().filter(|(of, _)| *of == id) {
                task.report(report);
            }
            let number = received.get(&id).copied().unwrap_or(0);
            if self.0.get(&id) != Some(&number) {
                let noted: Noted = (recorded.path(row), number, task);
                ctx.set(&names::task(&id), Text(json(&noted)));
                self.0.insert(id, number);
            }
        }
    }
}

/// Returns what is waited for of the tasks on which can be reported.
pub(super) fn awaited<'a>(
    recorded: &'a Recorded,
    received: &'a BTreeMap<String, usize>,
) -> impl Iterator<Item = What> + 'a {
    recorded.tasks().map(|open| {
        let id = open.task.id.to_string();
        let number = received.get(&id).copied().unwrap_or(0);
        What::Report(id, number)
    })
}

/// Reads a report that has come. `None` if it is none that this program can read: then it is passed over.
pub(super) fn read(execution: &str, task: &str, text: &str) -> Option<(TaskId, TaskReport)> {
    match (task.parse(), TaskReport::from_json(text)) {
        (Ok(id), Ok(report)) => Some((id, report)),
        (Err(why), _) => {
            tracing::warn!(execution, task, "a report is passed over: {why}");
            None
        }
        (_, Err(why)) => {
            tracing::warn!(execution, task, "a report is passed over: {why}");
            None
        }
    }
}
