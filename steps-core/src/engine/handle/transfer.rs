//! Taking an execution out of one store and into another: all that is kept of it, but for who works on it.

use std::collections::HashMap;

use super::execution::Handle;
use crate::{
    base::{id, json::Json},
    engine::{Engine, error::EngineError, handle::notes::check_notes, start::check_priority},
    model::{log::LogLine, state::State},
    store::{
        Due, ExecutionInfo, LeaseAfter, LogQuery, Message, NewExecution, NewLine, NewLines, Queue,
        SendMessage, Target, Write, Written, root,
    },
};

/// All that is kept of an execution, to be [imported](Engine::import) into another store.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Exported {
    /// What is known of it.
    pub info: ExecutionInfo,
    /// The flow's input.
    pub input: Json,
    /// Its tree without the input; `None` if it has not begun.
    pub tree: Option<State>,
    /// The messages in its inbox, the oldest first.
    pub messages: Vec<Message>,
    /// What its steps have [logged](crate::Cx::log), the oldest line first.
    pub log: Vec<LogLine>,
}

impl Exported {
    /// One that has not begun, without messages, and whose steps have logged nothing.
    pub fn new(info: ExecutionInfo, input: Json) -> Self {
        Self {
            info,
            input,
            tree: None,
            messages: Vec::new(),
            log: Vec::new(),
        }
    }
}

impl Handle {
    /// Returns all that is kept of it, as it is at this moment. It goes on as before.
    pub async fn export(&self) -> Result<Exported, EngineError> {
        let saved = self.saved().await?;
        let log = LogQuery {
            id: saved.info.id.clone(),
            ..LogQuery::default()
        };
        let log = self.engine.core.store.logged(log).await?;
        // It may have been deleted since, and its id been used again.
        let log = log.filter(|log| log.key == saved.info.key);
        let messages = saved.messages.iter().map(|(_, message)| message.clone());
        let mut exported = Exported {
            messages: messages.collect(),
            log: log.map(|log| log.lines).unwrap_or_default(),
            ..Exported::new(saved.info.clone(), saved.input.clone())
        };
        if saved.has_begun() {
            let mut tree = self.tree_of(saved)?;
            tree.input = None;
            exported.tree = Some(tree);
        }
        Ok(exported)
    }
}

impl Engine {
    /// Makes an execution of what was [exported](Handle::export), in one write: with its id, its tree, its
    /// times, its inbox and what is noted of it. One that a process held is due at once, as after the end
    /// of its lease. Which form of its flow has begun it is not known there: a program that it fits takes
    /// it. Returns whether it was made: not if there is one of its id, which is left as it is. What its steps have
    /// logged is written right after it, all of it, and is missing if the process is ended between the two.
    ///
    /// A service that serves its flow goes on with it, as the one of the other store does: so import what
    /// is taken out of use there, or what has ended.
    ///
    /// # Errors
    ///
    /// [`EngineError::Taken`] if it has not ended and another one has its key. [`EngineError::Id`],
    /// [`EngineError::Priority`] or [`EngineError::InvalidValue`] where that of the
    /// execution is none.
    pub async fn import(&self, exported: Exported) -> Result<bool, EngineError> {
        let core = &self.core;
        let Exported {
            info,
            input,
            tree,
            messages,
            log,
        } = exported;
        let id = info.id.clone();
        if let Err(why) = id::check(&id) {
            return Err(EngineError::Id { id, why });
        }
        check_priority(&id, info.priority)?;
        let notes = info.notes();
        if let Err(why) = check_notes(&notes, &core.limits) {
            return Err(EngineError::InvalidValue { id, why });
        }
        let due = match (&info.worker, info.due) {
            (None, Some(due)) => Due::At(due),
            (None, None) => Due::Never,
            (Some(_), _) => Due::Now,
        };
        let new = NewExecution {
            id: id.clone(),
            flow: info.flow,
            input,
            labels: info.labels,
            notes,
            priority: info.priority,
            form: None,
            parent: info.parent,
            singleton: info.singleton,
            trace: info.trace,
            created_at: Some(info.created_at),
            held: None,
        };
        let tells = messages.into_iter().map(|message| SendMessage {
            id: id.clone(),
            message,
            if_status: Vec::new(),
            if_taken: None,
            queue: Queue::Behind(usize::MAX),
        });
        let then = LeaseAfter::Release {
            due,
            last_message: 0,
        };
        let write = Write {
            nodes: tree.map(root::rows_of).unwrap_or_default(),
            tells: tells.collect(),
            ..Write::new(Target::New(Box::new(new)), then)
        };
        match core.store.write(write).await? {
            Written::Exists(_) => return Ok(false),
            Written::Taken { by, new } => {
                let (flow, key) = (new.flow, new.singleton.unwrap_or_default());
                return Err(EngineError::Taken { id, flow, key, by });
            }
            _ => core.due_now(),
        }
        // It may have been deleted at once.
        if !log.is_empty()
            && let Some(info) = core.find(&id, true).await?
        {
            core.store.log(lines_of(info.key, log)).await?;
        }
        Ok(true)
    }
}

/// Returns the lines of a log as new ones of this execution: none of them is too many.
fn lines_of(key: i64, log: Vec<LogLine>) -> NewLines {
    let most = log.len();
    let mut last_of_step = HashMap::new();
    let lines = log.into_iter().map(|line| {
        let last = last_of_step.insert(line.path.clone(), line.of_step);
        let left_out = line.of_step - last.unwrap_or_default() - 1;
        NewLine {
            key,
            left_out: u64::try_from(left_out).unwrap_or_default(),
            at: line.at,
            level: line.level,
            path: line.path,
            attempt: line.attempt,
            is_undo: line.is_undo,
            message: line.message,
        }
    });
    NewLines {
        lines: lines.collect(),
        per_step: most,
        per_execution: most,
    }
}
