//! The errors of an engine: each names the execution, says what is wrong, and where there is
//! something to do, what.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::{
    base::json::compare::tell_other,
    language::cx::CancelReason,
    model::{
        failure::{Failure, past_pivot},
        schedule::ScheduleError,
        signal::SignalError,
        state::{Labels, StateError},
        status::Status,
        task::ReportError,
    },
    store::StoreError,
};

/// An engine could not do what it was asked for, or an execution did not get to its end.
///
/// Each variant names the execution; a [`Failure`] names its steps.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The execution did not get to its end: a step failed, or it was undone or stopped.
    #[error("execution `{id}`: {failure}")]
    Failed {
        /// The execution.
        id: String,
        /// How it ended.
        failure: Failure,
    },
    /// The store could not do its part. Nothing that was not acknowledged is there.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The store stopped taking records of this execution while it ran. What is recorded is safe;
    /// it goes on from there when the store works again, after its lease at the latest.
    #[error("execution `{id}` is held up: {error}")]
    StoreFailed {
        /// The execution.
        id: String,
        /// What the store says.
        error: StoreError,
    },
    /// A step asked for the [engine](crate::Cx::engine) that runs it, and none does.
    #[error(
        "the step `{path}` of execution `{id}` runs without an engine: start the flow on one, with \
         `engine.start(…)`"
    )]
    NoEngine {
        /// The execution.
        id: String,
        /// The step.
        path: String,
    },
    /// A sweep was asked for while one is made.
    #[error(
        "`{worker}` sweeps just now: ask again when it has ended, or after a minute if it has died"
    )]
    Sweeping {
        /// Who sweeps.
        worker: String,
    },
    /// There is no execution of this id.
    #[error("there is no execution `{id}`")]
    Unknown {
        /// The id that was asked for.
        id: String,
    },
    /// The [key](super::Start::singleton) of a start is that of another execution, which has not ended.
    /// Nothing was started.
    #[error(
        "execution `{id}` was not started: its key `{key}` is that of execution `{by}` of the flow \
         `{flow}`, which has not ended. Wait for that one, stop it, or say what to do with `if_taken`"
    )]
    Taken {
        /// The execution that was to be started.
        id: String,
        /// Its flow.
        flow: String,
        /// The key.
        key: String,
        /// The execution that has it.
        by: String,
    },
    /// The id is no text of 1 to 255 bytes without control characters.
    #[error("`{id}` can't be an execution's id: {why}")]
    Id {
        /// The id.
        id: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The priority is none from -100 to 100.
    #[error(
        "execution `{id}`: {priority} can't be a priority, which is a whole number from -100 to 100"
    )]
    Priority {
        /// The execution.
        id: String,
        /// The priority.
        priority: i32,
    },
    /// A schedule can't be, or there is none of this name.
    #[error("schedule `{name}`: {error}")]
    Schedule {
        /// The schedule.
        name: String,
        /// What is wrong.
        error: ScheduleError,
    },
    /// A function can't be told of changes: another one has its name, or what it is to be told of can't be.
    #[error("the function `{name}` can't be told of changes: {why}")]
    ChangeFunction {
        /// The function.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// The id is that of an execution of another flow.
    #[error("execution `{id}` is of the flow `{saved}`, not of `{flow}`")]
    OtherFlow {
        /// The execution.
        id: String,
        /// Its flow.
        saved: String,
        /// The flow it was asked for as.
        flow: &'static str,
    },
    /// There is an execution of this id, with another input. It goes on as it is.
    #[error(
        "execution `{id}` was started with another input: start this one under another id ({})",
        tell_other(saved, given)
    )]
    OtherInput {
        /// The execution.
        id: String,
        /// Its input, as JSON.
        saved: String,
        /// The input given now, as JSON.
        given: String,
    },
    /// The input, a signal or a saved output is not what it has to be.
    #[error("execution `{id}`: {why}")]
    InvalidValue {
        /// The execution.
        id: String,
        /// What is wrong.
        why: String,
    },
    /// A signal was not taken in: its step can't take it.
    #[error("execution `{id}`: {error}")]
    Signal {
        /// The execution.
        id: String,
        /// Why not.
        error: SignalError,
    },
    /// A report on an external task can't be taken.
    #[error("execution `{id}`: {error}")]
    Report {
        /// The execution.
        id: String,
        /// Why not.
        error: ReportError,
    },
    /// The saved tree does not fit the flow as it is compiled, or a newer form of the flow has begun it.
    /// The execution is left as it was, for a program that it fits. If there will be none,
    /// [`force_stop`](super::Handle::force_stop) and [`force_delete`](super::Handle::force_delete) need
    /// no code of the flow.
    #[error("execution `{id}` does not fit this program, and is left as it was: {why}")]
    Incompatible {
        /// The execution.
        id: String,
        /// What does not fit, with an answer for each step.
        why: String,
    },
    /// What was asked for is not possible in the execution's status.
    #[error("execution `{id}` is {status}: it can't be {wanted}{}", instead_of(wanted, *status))]
    Status {
        /// The execution.
        id: String,
        /// What was asked for, as a participle.
        wanted: &'static str,
        /// What it is doing.
        status: Status,
    },
    /// It was to be undone, and is past its `#[pivot]`, the point of no return.
    #[error("execution `{id}` {}", past_pivot(pivot))]
    PastPivot {
        /// The execution.
        id: String,
        /// The path of the pivot.
        pivot: String,
    },
    /// An undo was to be tried again, skipped or marked as made by hand, in an execution whose
    /// rollback is not stuck.
    #[error("execution `{id}` is {status}, not stuck: {}", instead(*status))]
    NotStuck {
        /// The execution.
        id: String,
        /// What it is doing.
        status: Status,
    },
    /// The step that was named is not there, or is not in the status for this.
    #[error("execution `{id}`: {error}")]
    State {
        /// The execution.
        id: String,
        /// What is wrong.
        error: Arc<StateError>,
    },
    /// A worker holds the execution.
    #[error(
        "execution `{id}` is {status}, and the worker {worker} holds it until {until}: {}",
        while_held(*status)
    )]
    Busy {
        /// The execution.
        id: String,
        /// Who holds it.
        worker: String,
        /// Until when, unless that is renewed.
        until: Timestamp,
        /// What the execution is doing.
        status: Status,
    },
    /// It had not ended in that time. The request that was waited for stays in force.
    #[error("execution `{id}` is still {status} after {after:?}")]
    TimedOut {
        /// The execution.
        id: String,
        /// What it is doing.
        status: Status,
        /// How long it was waited for.
        after: Duration,
    },
    /// Two flows with this name, or alias, were to be served by one engine.
    #[error("two flows are called `{name}`: give one of them another `#[flow(name = \"…\")]`")]
    DuplicateFlow {
        /// The name.
        name: &'static str,
    },
    /// A step waited for another execution, and the execution of the step was asked to stop, to be
    /// undone, or to go on in another process.
    #[error(
        "execution `{id}` is not waited for any longer: the execution that waits {}",
        must(*reason)
    )]
    WaitCalledOff {
        /// The execution that was waited for. It goes on.
        id: String,
        /// What the waiting one was asked for.
        reason: CancelReason,
    },
    /// The tokio runtime in which the engine was started has ended, as that of a `#[tokio::test]` at
    /// its end, and the engine's tasks with it. What is recorded is safe, and goes on with another
    /// engine.
    #[error("the runtime that this engine was started in has ended")]
    RuntimeEnded,
    /// No execution can meet all conditions of a [`Filter`](super::Filter).
    #[error("no execution can meet this filter: {why}")]
    Filter {
        /// The conditions that contradict each other.
        why: String,
    },
    /// There is an execution of this id, without a label that this start gives it. It goes on as it
    /// is.
    #[error(
        "execution `{id}` was started with other labels: {}; start this one under another id, or \
         without them",
        other_labels(saved, given)
    )]
    OtherLabels {
        /// The execution.
        id: String,
        /// Its labels.
        saved: Labels,
        /// The labels given now.
        given: Labels,
    },
    /// The engine has been shut down.
    #[error("the engine has been shut down")]
    Closed,
}

/// Tells of each label that was given and is not there what there is instead.
fn other_labels(saved: &Labels, given: &Labels) -> String {
    let others = given
        .iter()
        .filter(|(name, value)| saved.get(*name) != Some(value));
    let told = others.map(|(name, value)| match saved.get(name) {
        Some(other) => format!("`{name}` is {other:?} there, and {value:?} here"),
        None => format!("it has no `{name}`, which is {value:?} here"),
    });
    told.collect::<Vec<_>>().join(", ")
}

/// What to do instead of what an execution's status does not allow, where there is something.
fn instead_of(wanted: &str, status: Status) -> &'static str {
    match (wanted, status) {
        ("deleted", Status::Undoing) => "; stop it first, or delete it with `force_delete`",
        ("deleted", status) if !status.is_final() => {
            "; stop or undo it first, or delete it with `force_delete`"
        }
        ("undone", Status::Stuck) => {
            "; `retry_undo`, `skip_undo` or `mark_undone` goes on with its rollback"
        }
        ("recovered", status) if !status.is_final() => "; it has not ended",
        _ => "",
    }
}

/// What to do about an execution that a worker holds.
const fn while_held(status: Status) -> &'static str {
    match status {
        Status::Undoing => "wait until its rollback has ended",
        status if status.is_final() => "wait until it is given back",
        _ => "wait until it is given back, or stop it first if its steps are at work",
    }
}

/// What an execution whose step waits for another was asked for.
const fn must(reason: CancelReason) -> &'static str {
    match reason {
        CancelReason::Undo => "must be undone",
        CancelReason::Shutdown => "is left to another process, as this one shuts down",
        CancelReason::Stop
        | CancelReason::SiblingFailed
        | CancelReason::LostRace
        | CancelReason::TimedOut => "must stop",
    }
}

/// What to do with an execution that is not stuck, for one who took it for a stuck one.
const fn instead(status: Status) -> &'static str {
    match status {
        Status::Undoing => "its rollback is still running, so wait for its end",
        Status::Undone => "its rollback is complete, and nothing is left to do",
        _ => "there is no failed undo in it; to roll it back, call `undo`",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_mends_what_is_not_stuck_is_told_what_it_does_and_what_to_do() {
        let text = |status| {
            let id = "req-42".to_owned();
            EngineError::NotStuck { id, status }.to_string()
        };
        assert_eq!(
            text(Status::Undoing),
            "execution `req-42` is undoing, not stuck: its rollback is still running, so wait for \
             its end"
        );
        assert_eq!(
            text(Status::Undone),
            "execution `req-42` is undone, not stuck: its rollback is complete, and nothing is \
             left to do"
        );
        assert_eq!(
            text(Status::Failed),
            "execution `req-42` is failed, not stuck: there is no failed undo in it; to roll it \
             back, call `undo`"
        );
    }
}
