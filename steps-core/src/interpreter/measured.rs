//! How attempts have ended, and the metrics of them, by the flow and by the step's path without the numbers of
//! rounds and items. Without the feature `metrics` nothing is told.

use super::{
    Pass,
    records::{Id, ROOT, Records},
};
use crate::{
    base::telemetry::{self, Begun, COUNTS},
    language::scope::{Answer, OpResult},
    model::{
        state::{Kind, path},
        table::StepMeta,
    },
};

/// The outcome of an attempt that has failed.
pub(super) const FAILED: &str = "failed";

/// Returns how an attempt to do a step, or to undo it, has ended, as it is told: `done`, `failed`, or `waiting` if
/// it is asked again later.
pub(super) fn outcome(answer: &OpResult) -> &'static str {
    match answer {
        Ok(Answer::Done(_) | Answer::Undone) => "done",
        Err(error) if error.later.is_some() => "waiting",
        Ok(Answer::Unkept(_)) | Err(_) => FAILED,
        Ok(_) => "waiting",
    }
}

impl Pass<'_> {
    /// An attempt of a step has ended. Lines that call no function of the user's are not counted.
    #[inline]
    pub(super) fn measure(self, meta: &StepMeta, id: Id, begun: Begun, answer: &OpResult) {
        if COUNTS && !meta.is_let() && !meta.is_sleep() && !meta.is_signal() {
            let outcome = outcome(answer);
            self.with_names(id, |flow, step| {
                telemetry::attempt_ended(flow, step, outcome, begun);
            });
        }
    }

    /// A failed attempt is followed by another one.
    pub(super) fn count_retry(self, id: Id) {
        if COUNTS {
            self.with_names(id, telemetry::retried);
        }
    }

    /// An attempt to undo a step has ended.
    pub(super) fn measure_undo(self, id: Id, begun: Begun, answer: &OpResult) {
        if COUNTS {
            let outcome = outcome(answer);
            self.with_names(id, |flow, step| {
                telemetry::undo_ended(flow, step, outcome, begun);
            });
        }
    }

    fn with_names(self, id: Id, tell: impl FnOnce(&str, &str)) {
        let (flow, step) = {
            let records = self.run.records();
            (records.name(ROOT), line_path(&records, id))
        };
        tell(&flow, &step);
    }
}

/// Returns the path of a node, with a star for each round and item, as statistics have it.
fn line_path(records: &Records, id: Id) -> String {
    let around = records.around(id).filter(|at| *at != ROOT);
    let mut names: Vec<_> = around
        .map(|at| match records[at].kind {
            Kind::Round | Kind::Item => None,
            _ => Some(records.name(at)),
        })
        .collect();
    names.reverse();
    let mut text = String::new();
    for name in names {
        match name {
            Some(name) => path::push(&mut text, &name),
            None if text.is_empty() => text.push('*'),
            None => text.push_str(".*"),
        }
    }
    text
}
