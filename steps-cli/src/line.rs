//! The JSON form of an execution in a file of `steps export`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steps::{
    Attrs, Json, State,
    engine::Exported,
    log::{LogLevel, LogLine},
    state::Labels,
    store::{Act, ExecutionInfo, Message},
    telemetry::TraceContextError,
};

/// An execution with all that is kept of it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Line {
    id: String,
    flow: String,
    /// Only for people who read the file: the tree has it.
    status: String,
    created: Timestamp,
    priority: i32,
    trigger: String,
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    labels: Labels,
    #[serde(default, skip_serializing_if = "Attrs::is_empty")]
    attrs: Attrs,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status_message: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    acts: Vec<Act>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    singleton: Option<String>,
    /// The trace that it continues: a `traceparent`, and behind a space a `tracestate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    /// When somebody should look at it; if a process held it, at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    inbox: Vec<Sent>,
    input: Json,
    /// Missing if it has not begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tree: Option<Json>,
    /// What its steps have logged, the oldest line first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    log: Vec<Logged>,
}

/// A line of a log.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Logged {
    at: Timestamp,
    level: String,
    step: String,
    attempt: u32,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    undo: bool,
    /// Which line of its step it is: where some are missing, they were left out.
    of_step: i64,
    message: String,
}

impl From<LogLine> for Logged {
    fn from(line: LogLine) -> Self {
        Self {
            at: line.at,
            level: line.level.to_string(),
            step: line.path,
            attempt: line.attempt,
            undo: line.is_undo,
            of_step: line.of_step,
            message: line.message,
        }
    }
}

impl Logged {
    /// Returns the line with this number, or what is wrong with it.
    fn into_line(self, number: i64) -> Result<LogLine, String> {
        let level = LogLevel::from_name(&self.level)
            .ok_or_else(|| format!("its log: there is no level `{}`", self.level))?;
        Ok(LogLine::new(
            number,
            self.of_step,
            self.at,
            level,
            self.step,
            self.attempt,
            self.undo,
            self.message,
        ))
    }
}

/// A message in the inbox.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Sent {
    Signal {
        step: String,
        value: Json,
    },
    Report {
        task: String,
        report: Json,
    },
    Stop,
    Undo,
    ChildEnded {
        child: String,
    },
    /// One that this version does not know.
    Other,
}

impl From<Exported> for Line {
    fn from(exported: Exported) -> Self {
        let info = exported.info;
        let held = info.worker.is_some();
        let sent = |message| match message {
            Message::Signal { path, value } => Sent::Signal { step: path, value },
            Message::Report { task, report } => Sent::Report { task, report },
            Message::Stop => Sent::Stop,
            Message::Undo => Sent::Undo,
            Message::ChildEnded { child } => Sent::ChildEnded { child },
            _ => Sent::Other,
        };
        Self {
            status: info.status.to_string(),
            created: info.created_at,
            priority: info.priority,
            trigger: info.trigger.to_string(),
            due: if held {
                Some(Timestamp::UNIX_EPOCH)
            } else {
                info.due
            },
            id: info.id,
            flow: info.flow,
            labels: info.labels,
            attrs: info.attrs,
            status_message: info.status_message,
            acts: info.acts,
            parent: info.parent,
            singleton: info.singleton,
            trace: info.trace.map(|trace| trace.to_string()),
            inbox: exported.messages.into_iter().map(sent).collect(),
            input: exported.input,
            // What the library writes, it reads.
            tree: exported
                .tree
                .and_then(|tree| Json::parse(tree.to_json()).ok()),
            log: exported.log.into_iter().map(Logged::from).collect(),
        }
    }
}

impl Line {
    /// Returns the execution, or what is wrong with it.
    pub(crate) fn into_exported(self) -> Result<Exported, String> {
        let mut info = ExecutionInfo::new(self.id, self.flow, self.created);
        info.priority = self.priority;
        info.trigger = self.trigger.as_str().into();
        info.labels = self.labels;
        info.attrs = self.attrs;
        info.status_message = self.status_message;
        info.acts = self.acts;
        info.parent = self.parent;
        info.singleton = self.singleton;
        let trace = self.trace.map(|trace| trace.parse()).transpose();
        info.trace = trace.map_err(|error: TraceContextError| error.to_string())?;
        info.due = self.due;
        let mut exported = Exported::new(info, self.input);
        for sent in self.inbox {
            exported.messages.push(match sent {
                Sent::Signal { step, value } => Message::Signal { path: step, value },
                Sent::Report { task, report } => Message::Report { task, report },
                Sent::Stop => Message::Stop,
                Sent::Undo => Message::Undo,
                Sent::ChildEnded { child } => Message::ChildEnded { child },
                Sent::Other => {
                    return Err("it has a message that this version does not know".into());
                }
            });
        }
        if let Some(tree) = self.tree {
            let tree =
                State::from_json(tree.get()).map_err(|error| format!("its tree: {error}"))?;
            exported.tree = Some(tree);
        }
        let log = (1..).zip(self.log);
        let log = log.map(|(number, line)| line.into_line(number));
        exported.log = log.collect::<Result<_, _>>()?;
        Ok(exported)
    }
}
