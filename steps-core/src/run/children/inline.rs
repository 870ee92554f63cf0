//! Children without an engine: the `start` line runs the child to its end, and its value keeps the
//! child's tree, for `join` and for the undo.

use super::{Child, start::NewStart};
use crate::{
    base::{error::StepError, json::Json},
    interpreter::cause_of,
    language::{children::ChildEnd, cx::Cx, flow::Flow, step::Attempt},
    model::{
        failure::{ChildFailed, Failure},
        state::{State, Until},
        status::Status,
    },
    run::{Outcome, Run, with::With},
};

/// Makes one pass of the child of a `start` line. The tree is kept between passes as the line's working
/// data.
pub(super) async fn start<F: Flow>(
    new: NewStart<'_, F>,
    id: Option<String>,
    cx: &Cx,
) -> Result<Attempt<Child<F>>, StepError> {
    let lent = lent::<F>(cx)?;
    let saved: Option<Json> = cx.saved();
    let run = if let Some(saved) = saved {
        Run::<F>::from_saved(lent, read(&saved)?).map_err(unfit)?
    } else {
        if let Some(after) = new.after {
            let after = after.map_err(StepError::fatal)?;
            if let Some(until) = cx.wait(after) {
                return Ok(Attempt::Wait(until));
            }
        }
        let id = id.unwrap_or_else(|| crate::base::id::new().to_string());
        let mut run = Run::new(lent, new.input).id(id);
        for (name, value) in new.labels {
            run = run.label(name, value);
        }
        run
    };
    let advance = cx.as_parent_of(run).advance().await.map_err(unfit)?;
    let state: State = advance.state.into();
    let id = state.id.as_deref().unwrap_or_default().to_owned();
    let tree = Json::encode(&state).map_err(StepError::fatal)?;
    let Outcome::Waiting { until, signals } = advance.outcome else {
        // How it ended, the `join` tells.
        return Ok(Attempt::Done(Child::new(id, Some(tree))));
    };
    let Some(until) = until else {
        let why = format!(
            "the child `{id}` waits for a signal at `{}`, which nobody can send to it without an \
             engine",
            signals.join("`, `")
        );
        let undone = undo(&Child::<F>::new(id, Some(tree)), cx).await;
        let error = StepError::fatal(why);
        return Err(match undone {
            Ok(()) => error,
            Err(other) => error.and(&other.text()),
        });
    };
    cx.save(&tree).map_err(StepError::fatal)?;
    Ok(Attempt::Wait(Until::Time(until)))
}

/// Returns how a child has ended.
pub(super) fn end_of<F: Flow>(child: &Child<F>, state: &Json) -> Result<ChildEnd, StepError> {
    let state = read(state)?;
    if state.status == Status::Done {
        return Ok(ChildEnd::Done(state.output.clone()));
    }
    let failure = Failure {
        flow: F::TABLE.name,
        cause: cause_of(&state, F::TABLE),
        state: state.into(),
    };
    Ok(ChildEnd::NotDone(ChildFailed {
        id: child.id().to_owned(),
        why: failure.to_string(),
    }))
}

/// Undoes a child.
pub(super) async fn undo<F: Flow>(child: &Child<F>, cx: &Cx) -> Result<(), StepError> {
    let Some(tree) = &child.state else {
        return Ok(());
    };
    let state = read(tree)?;
    if state.status == Status::Undone {
        return Ok(());
    }
    let lent = lent::<F>(cx)?;
    let run = Run::<F>::from_saved(lent, state).map_err(unfit)?;
    match cx.as_parent_of(run).undo().await {
        Ok(_) => Ok(()),
        Err(failure) if failure.status() == Status::Undone => Ok(()),
        // As of a nested flow, its pivot counts only there.
        Err(failure) if failure.status() == Status::Done => Ok(()),
        Err(failure) => Err(StepError::fatal(format!(
            "the child `{child}` could not be undone: {failure}"
        ))),
    }
}

/// Returns what the flow is lent, by what the run was given.
fn lent<F: Flow>(cx: &Cx) -> Result<F::Lent<'_>, StepError> {
    let name = F::TABLE.name;
    let given = cx.own_flow(name);
    let given = given.and_then(|flow| flow.downcast_ref::<With<F>>());
    given
        .map(With::lend)
        .or_else(F::lend_nothing)
        .ok_or_else(|| {
            StepError::fatal(format!(
                "the flow `{name}` takes resources by reference, and this run, which no engine \
                 makes, does not have them: give them to it with `.serve({name}::with(…))`"
            ))
        })
}

fn read(tree: &Json) -> Result<State, StepError> {
    State::from_json(tree.get())
        .map_err(|error| StepError::fatal(format!("the child's tree can't be read: {error}")))
}

fn unfit(failure: Failure) -> StepError {
    StepError::fatal(failure.to_string())
}

impl Cx {
    /// Returns the run of a child, with what it has of this one.
    fn as_parent_of<'a, F: Flow>(&self, run: Run<'a, F>) -> Run<'a, F> {
        run.system_clock(self.clock())
            .flows(self.own_flows().clone())
    }
}
