//! What an operator does with an execution: which acts are possible, what follows, and doing them.

use serde::Deserialize;
use steps::{
    Json, State, Status,
    engine::{EngineError, Handle},
    store::ExecutionInfo,
};

use crate::{app::App, error::Refused, text::undo_is_open, visit::Visit};

/// One of the acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Recover,
    RetryUndo,
    SkipUndo,
    MarkUndone,
    Signal,
    ReplaceSignal,
    TryNow,
    RetryFrom,
    Stop,
    Undo,
    ForceStop,
    Delete,
    ForceDelete,
}

impl Kind {
    pub(crate) const ALL: [Self; 13] = [
        Self::Recover,
        Self::RetryUndo,
        Self::SkipUndo,
        Self::MarkUndone,
        Self::Signal,
        Self::ReplaceSignal,
        Self::TryNow,
        Self::RetryFrom,
        Self::Stop,
        Self::Undo,
        Self::ForceStop,
        Self::Delete,
        Self::ForceDelete,
    ];

    /// Its name in forms and in the API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Recover => "recover",
            Self::RetryUndo => "retry-undo",
            Self::SkipUndo => "skip-undo",
            Self::MarkUndone => "mark-undone",
            Self::Signal => "signal",
            Self::ReplaceSignal => "replace-signal",
            Self::TryNow => "try-now",
            Self::RetryFrom => "retry-from",
            Self::Stop => "stop",
            Self::Undo => "undo",
            Self::ForceStop => "force-stop",
            Self::Delete => "delete",
            Self::ForceDelete => "force-delete",
        }
    }

    /// What stands on its button.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Recover => "Recover",
            Self::RetryUndo => "Retry the undos",
            Self::SkipUndo => "Skip an undo",
            Self::MarkUndone => "Mark as undone",
            Self::Signal => "Send a signal",
            Self::ReplaceSignal => "Replace signals",
            Self::TryNow => "Try now",
            Self::RetryFrom => "Retry from a step",
            Self::Stop => "Stop",
            Self::Undo => "Undo",
            Self::ForceStop => "Stop by force",
            Self::Delete => "Delete",
            Self::ForceDelete => "Delete by force",
        }
    }

    /// What follows from it.
    pub(crate) fn consequence(self) -> &'static str {
        match self {
            Self::Recover => {
                "What failed or was stopped goes on. What is done stays done, and does not run again."
            }
            Self::RetryUndo => {
                "Each undo that failed is tried again now, by a service of the flow."
            }
            Self::SkipUndo => {
                "The rollback goes on without the undo of this step. Its effect stays, and nothing \
                 undoes it later."
            }
            Self::MarkUndone => {
                "The rollback goes on as if the undo of this step had been made. Do so if you have \
                 undone it by hand: nothing undoes it then."
            }
            Self::Signal => {
                "The step that waits takes this value and goes on. It can't be taken back."
            }
            Self::ReplaceSignal => {
                "The step takes this value in place of those that were sent and not yet taken."
            }
            Self::TryNow => {
                "Its pauses end now: what sleeps, or waits for another attempt, goes on at once. What \
                 waits for a signal still does."
            }
            Self::RetryFrom => {
                "It begins again with this step. What is recorded of the step and of all after it is \
                 forgotten, and they run again. Their effects stay: nothing is undone."
            }
            Self::Stop => {
                "No new step begins, and one that runs may end. What was done stays, to be recovered \
                 or undone."
            }
            Self::Undo => {
                "What was done is taken back, the last step first, by a service of the flow. After \
                 that it can be recovered, which does everything again."
            }
            Self::ForceStop => {
                "It is stopped at once, whoever holds it. The effect of a step that runs may happen \
                 and not be recorded, and then happen again when it is recovered."
            }
            Self::Delete => {
                "The execution is deleted with all that is recorded of it, also who did what. What \
                 its steps did stays."
            }
            Self::ForceDelete => {
                "The execution is deleted whatever it does and whoever holds it. What its steps did \
                 stays, also of one that runs now, and nothing is left that says so."
            }
        }
    }

    /// Whether something is lost that does not come back.
    pub(crate) fn is_dangerous(self) -> bool {
        matches!(
            self,
            Self::SkipUndo
                | Self::MarkUndone
                | Self::RetryFrom
                | Self::Undo
                | Self::ForceStop
                | Self::Delete
                | Self::ForceDelete
        )
    }

    /// Whether it concerns one step.
    pub(crate) fn needs_step(self) -> bool {
        matches!(
            self,
            Self::SkipUndo
                | Self::MarkUndone
                | Self::RetryFrom
                | Self::Signal
                | Self::ReplaceSignal
        )
    }

    /// Whether it brings a value.
    pub(crate) fn needs_value(self) -> bool {
        matches!(self, Self::Signal | Self::ReplaceSignal)
    }

    /// Whether it is worth a button, as the execution is now. Whether it is possible is found out when it is
    /// done.
    pub(crate) fn fits(self, info: &ExecutionInfo, tree: &State) -> bool {
        let status = info.status;
        let is_over = status.is_final();
        match self {
            Self::Recover => matches!(status, Status::Failed | Status::Stopped | Status::Undone),
            Self::RetryUndo => status == Status::Stuck || self.has_steps(tree),
            Self::SkipUndo | Self::MarkUndone | Self::Signal => self.has_steps(tree),
            // The same form has it.
            Self::ReplaceSignal => false,
            Self::TryNow => {
                !is_over
                    && tree
                        .walk()
                        .any(|(_, node)| matches!(node.until, Some(steps::state::Until::Time(_))))
            }
            Self::RetryFrom => is_over && status != Status::Stuck && self.has_steps(tree),
            Self::Undo => !matches!(status, Status::Undone | Status::Stuck | Status::Undoing),
            Self::Stop | Self::ForceStop | Self::ForceDelete => !is_over,
            Self::Delete => is_over,
        }
    }

    fn has_steps(self, tree: &State) -> bool {
        let mut all = tree.walk();
        all.any(|(path, node)| !path.is_empty() && self.takes(node))
    }

    /// Whether it can concern this step.
    pub(crate) fn takes(self, node: &State) -> bool {
        match self {
            Self::RetryUndo | Self::SkipUndo | Self::MarkUndone => undo_is_open(node),
            Self::Signal | Self::ReplaceSignal => {
                node.until == Some(steps::state::Until::Signal) && node.status == Status::Waiting
            }
            Self::RetryFrom => node.started_at.is_some(),
            _ => false,
        }
    }
}

/// An act with what it needs.
pub(crate) struct Act {
    pub(crate) kind: Kind,
    step: String,
    value: Option<Json>,
    reason: String,
}

/// What has come of an act.
#[derive(Default)]
pub(crate) struct Done {
    /// How the execution is then, where that is known.
    pub(crate) status: Option<Status>,
    /// How many nodes, pauses or undos it concerned.
    pub(crate) count: Option<usize>,
}

impl Act {
    /// Checks that all is there.
    pub(crate) fn new(
        kind: Kind,
        step: Option<String>,
        value: Option<&str>,
        reason: Option<&str>,
    ) -> Result<Self, Refused> {
        let step = step.filter(|step| !step.is_empty() && kind.needs_step());
        if kind.needs_step() && step.is_none() {
            return Err(Refused::wrong(format!(
                "`{}` concerns one step: say which, by its path",
                kind.name()
            )));
        }
        let value = match value.map(str::trim).filter(|_| kind.needs_value()) {
            None if kind.needs_value() => {
                return Err(Refused::wrong(
                    "a signal has a value, as JSON, such as true",
                ));
            }
            None => None,
            Some(text) => Some(Json::parse(text).map_err(|error| {
                Refused::wrong(format!(
                    "the value is no JSON: {error}. A text stands in quotes: \"yes\""
                ))
            })?),
        };
        Ok(Self {
            kind,
            step: step.unwrap_or_default(),
            value,
            reason: reason.unwrap_or_default().trim().to_owned(),
        })
    }

    pub(crate) fn reason(&self) -> &str {
        &self.reason
    }

    /// Does it to an execution, and says so in the log: of what is deleted, nothing else is left.
    pub(crate) async fn make(&self, app: &App, visit: &Visit, id: &str) -> Result<Done, Refused> {
        let handle = app.engine.get(id).await?;
        let handle = handle.acting_as(visit.operator(self.reason()));
        let done = self.with(&handle).await?;
        tracing::info!(
            execution = id,
            act = self.kind.name(),
            by = visit.name,
            reason = self.reason(),
            "an operator acted"
        );
        Ok(done)
    }

    async fn with(&self, handle: &Handle) -> Result<Done, EngineError> {
        let step = &self.step;
        // It is there wherever it is needed.
        let value = &self.value;
        let mut done = Done::default();
        match self.kind {
            Kind::Recover => done.count = Some(handle.recover().await?),
            Kind::TryNow => done.count = Some(handle.try_now().await?),
            Kind::RetryFrom => done.count = Some(handle.retry_from_path(step).await?),
            Kind::RetryUndo => done.count = Some(handle.retry_undo().await?),
            Kind::SkipUndo => handle.skip_undo_path(step).await?,
            Kind::MarkUndone => handle.mark_undone_path(step).await?,
            Kind::Signal => handle.signal_path(step, value).await?,
            Kind::ReplaceSignal => handle.replace_signal_path(step, value).await?,
            Kind::Stop => handle.stop().await?,
            Kind::Undo => handle.undo().await?,
            Kind::ForceStop if self.reason.is_empty() => {
                done.status = Some(handle.force_stop().await?);
            }
            Kind::ForceStop => done.status = Some(handle.abandon(&self.reason).await?),
            Kind::Delete => handle.delete().await?,
            Kind::ForceDelete => handle.force_delete().await?,
        }
        Ok(done)
    }
}
