//! Which values of an execution pass through a codec: all that a user's code has made. The names of steps
//! and the keys of a `for`, labels, ids, statuses, times and what the engine itself says are plain.

use super::{
    Payload,
    passage::{At, Fault, Passage},
};
use crate::{
    base::json::Json,
    model::{
        act::Act,
        notes::{NoteChange, Notes},
        state::NodeData,
    },
    store::{ExecutionInfo, Message, NodeRow},
};

/// The names of the values; those of a node as its JSON has them.
const INPUT: &str = "input";
const OUTPUT: &str = "output";
const ERROR: &str = "error";

fn at(payload: Payload, row: Option<u32>, field: &'static str) -> At<'static> {
    At {
        payload,
        row,
        field,
        path: "",
    }
}

impl Passage<'_> {
    pub(super) fn input(&self, input: &mut Json) -> Result<(), Fault> {
        self.json(at(Payload::Input, None, INPUT), input)
    }

    pub(super) fn nodes(&self, nodes: &mut [NodeRow]) -> Result<(), Fault> {
        nodes.iter_mut().try_for_each(|row| self.node(row))
    }

    fn node(&self, row: &mut NodeRow) -> Result<(), Fault> {
        let NodeData {
            info,
            input,
            output,
            before,
            after,
            errors,
            undo,
            task,
            after_err,
            on_done_err,
            on_failed_err,
            on_stopped_err,
            extra,
            ..
        } = &mut row.node;
        let id = Some(row.id);
        let values = [
            (Payload::Output, "info", info),
            (Payload::Input, INPUT, input),
            (Payload::Output, OUTPUT, output),
            (Payload::Output, "before", before),
            (Payload::Output, "after", after),
        ];
        for (payload, field, value) in values {
            if let Some(value) = value {
                self.json(at(payload, id, field), value)?;
            }
        }
        for error in errors {
            self.text(at(Payload::Error, id, ERROR), error)?;
        }
        if let Some(undo) = undo.as_mut().filter(|undo| !undo.err.is_empty()) {
            self.text(at(Payload::Error, id, "error of the undo"), &mut undo.err)?;
        }
        if let Some(task) = task {
            let values = [
                ("output of the task", &mut task.output),
                ("message of the task", &mut task.check_in),
            ];
            for (field, value) in values {
                if let Some(value) = value {
                    self.json(at(Payload::Output, id, field), value)?;
                }
            }
            let errors = [
                ("error of the task", &mut task.error),
                ("error of `#[stop]`", &mut task.stop_err),
            ];
            for (field, error) in errors {
                if let Some(error) = error {
                    self.text(at(Payload::Error, id, field), error)?;
                }
            }
        }
        let errors = [
            ("error of `#[observe]`", after_err),
            ("error of `#[on_done]`", on_done_err),
            ("error of `#[on_failed]`", on_failed_err),
            ("error of `#[on_stopped]`", on_stopped_err),
        ];
        for (field, error) in errors {
            if let Some(error) = error {
                self.text(at(Payload::Error, id, field), error)?;
            }
        }
        for (name, value) in extra {
            let at = At {
                path: name,
                ..at(Payload::Output, id, "field")
            };
            self.json(at, value)?;
        }
        Ok(())
    }

    /// What is known of an execution without its tree: the values of its root, and what is noted.
    pub(super) fn info(&self, info: &mut ExecutionInfo) -> Result<(), Fault> {
        if let Some(output) = &mut info.output {
            self.json(at(Payload::Output, Some(0), OUTPUT), output)?;
        }
        if let Some(error) = &mut info.error {
            self.text(at(Payload::Error, Some(0), ERROR), error)?;
        }
        if let Some(refused) = &mut info.refused {
            self.text(at(Payload::Error, None, "refusal"), &mut refused.why)?;
        }
        self.attrs(&mut info.attrs)?;
        self.status_message(&mut info.status_message)?;
        info.acts.iter_mut().try_for_each(|act| self.act(act))
    }

    pub(super) fn refusal(&self, why: &mut String) -> Result<(), Fault> {
        self.text(at(Payload::Error, None, "refusal"), why)
    }

    pub(super) fn notes(&self, notes: &mut Notes) -> Result<(), Fault> {
        self.attrs(&mut notes.attrs)?;
        self.status_message(&mut notes.status_message)?;
        notes.acts.iter_mut().try_for_each(|act| self.act(act))
    }

    pub(super) fn note_changes(&self, changes: &mut [NoteChange]) -> Result<(), Fault> {
        changes.iter_mut().try_for_each(|change| match change {
            NoteChange::Attrs(attrs) | NoteChange::Patch(attrs) => self.attrs(attrs),
            NoteChange::StatusMessage(text) => self.status_message(text),
            NoteChange::Act(act) => self.act(act),
        })
    }

    fn status_message(&self, text: &mut Option<String>) -> Result<(), Fault> {
        match text {
            Some(text) => self.text(at(Payload::Note, None, "status message"), text),
            None => Ok(()),
        }
    }

    fn act(&self, act: &mut Act) -> Result<(), Fault> {
        match &mut act.reason {
            Some(reason) => self.text(at(Payload::Note, None, "reason of an act"), reason),
            None => Ok(()),
        }
    }

    pub(super) fn message(&self, message: &mut Message) -> Result<(), Fault> {
        match message {
            Message::Signal { path, value } => {
                let at = At {
                    path,
                    ..at(Payload::Signal, None, "signal")
                };
                self.json(at, value)
            }
            Message::Report { task, report } => {
                let at = At {
                    path: task,
                    ..at(Payload::Signal, None, "report")
                };
                self.json(at, report)
            }
            Message::Stop | Message::Undo | Message::ChildEnded { .. } => Ok(()),
        }
    }

    /// Why a change, with this number, was told in vain.
    pub(super) fn failure(&self, number: i64, failure: &mut String) -> Result<(), Fault> {
        let number = number.to_string();
        let at = At {
            path: &number,
            ..at(Payload::Error, None, "failure")
        };
        self.text(at, failure)
    }

    /// What the step with this path has logged.
    pub(super) fn log_line(&self, path: &str, message: &mut String) -> Result<(), Fault> {
        let at = At {
            path,
            ..at(Payload::Log, None, "log line")
        };
        self.text(at, message)
    }

    pub(super) fn duty(&self, value: &mut Json) -> Result<(), Fault> {
        self.json(at(Payload::Duty, None, "value"), value)
    }
}
