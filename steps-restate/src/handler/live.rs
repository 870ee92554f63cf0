//! The interpreter of one execution, in memory: it makes passes, and offers what it wants recorded.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use steps_core::{
    Children, Control, Failure, Flow, Input, Json, Outcome, Signals, State, TaskId, TaskReport,
};

use super::Ask;
use crate::{offers::Offers, service::Served};

/// What an interpreter begins with.
pub(super) struct Begin<'a> {
    /// The execution's id.
    pub(super) id: &'a str,
    /// The input, if nothing is recorded yet.
    pub(super) input: &'a Json,
    /// What is recorded.
    pub(super) state: Option<State>,
    /// What the timer showed by which it goes on.
    pub(super) due_by: Option<Timestamp>,
    /// What was asked for from outside so far.
    pub(super) asked: &'a [Ask],
    /// The signals that were received, and of which no record says that a step has taken them.
    pub(super) given: &'a [(String, Json)],
    /// The same of reports on external tasks.
    pub(super) reports: &'a [(String, TaskReport)],
    /// Its children, and what is known of them.
    pub(super) children: Children,
    /// Whether the part is to end.
    pub(super) suspended: bool,
}

/// The interpreter. It is polled by the task of its handler.
pub(super) struct Live {
    offers: Arc<Offers>,
    pub(super) signals: Signals,
    pub(super) children: Children,
    control: Control,
    passes: Option<BoxFuture<'static, Result<(), String>>>,
}

impl Live {
    pub(super) fn new<F: Flow>(
        served: &Arc<Served<F>>,
        offers: &Arc<Offers>,
        begin: Begin<'_>,
    ) -> Self
    where
        F::Owned: Send + Sync,
    {
        let (signals, control) = (Signals::new(), Control::new());
        for ask in begin.asked {
            ask.of(&control);
        }
        if begin.suspended {
            control.suspend();
        }
        let passes = passes(
            Arc::clone(served),
            Own {
                id: begin.id.to_owned(),
                input: begin.input.clone(),
                state: begin.state,
                due_by: begin.due_by,
                given: begin.given.to_vec(),
                reports: begin.reports.to_vec(),
                children: begin.children.clone(),
                offers: Arc::clone(offers),
                signals: signals.clone(),
                control: control.clone(),
            },
        );
        Self {
            offers: Arc::clone(offers),
            signals,
            children: begin.children,
            control,
            passes: Some(Box::pin(passes)),
        }
    }

    pub(super) fn ask(&self, ask: Ask) {
        ask.of(&self.control);
    }

    /// Nothing new begins.
    pub(super) fn suspend(&self) {
        self.control.suspend();
    }

    /// Lets it go on as far as it can.
    ///
    /// # Errors
    ///
    /// Returns why it can't go on with what is recorded, or with a signal.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Result<(), String> {
        let Some(passes) = &mut self.passes else {
            return Ok(());
        };
        match passes.as_mut().poll(cx) {
            Poll::Pending => Ok(()),
            Poll::Ready(ended) => {
                self.passes = None;
                ended
            }
        }
    }

    /// Whether it has nothing more to offer.
    pub(super) fn is_over(&self) -> bool {
        self.passes.is_none() && self.offers.is_empty()
    }
}

struct Own {
    id: String,
    input: Json,
    state: Option<State>,
    due_by: Option<Timestamp>,
    given: Vec<(String, Json)>,
    reports: Vec<(String, TaskReport)>,
    children: Children,
    offers: Arc<Offers>,
    signals: Signals,
    control: Control,
}

/// Makes passes until the execution has ended or is suspended: the last entry of each says how it ended.
async fn passes<F: Flow>(served: Arc<Served<F>>, own: Own) -> Result<(), String>
where
    F::Owned: Send + Sync,
{
    let run = match own.state {
        Some(state) => served.flow.resume(state).map_err(text)?,
        None => {
            let input = Input::from_json(&own.input);
            let input = input.map_err(|error| format!("its input can't be read: {error}"))?;
            served.flow.run(input).id(own.id)
        }
    };
    let mut passes = run
        .limits(served.limits)
        .due_by(own.due_by)
        .signals(&own.signals)
        .control(&own.control)
        .children(&own.children)
        .journal(Arc::clone(&own.offers) as _)
        .passes()
        .map_err(text)?;
    for (path, value) in own.given {
        // One that a step has taken already is refused.
        let _ = own.signals.send_json(&path, value);
    }
    for (task, report) in own.reports {
        give(&own.signals, task.parse(), report);
    }
    loop {
        match passes.pass().await.map_err(text)? {
            Outcome::Waiting { .. } => own.offers.until_pass().await,
            Outcome::Done(_) | Outcome::Failed(_) => return Ok(()),
        }
    }
}

/// Gives the run a report. One on a task that is over has no effect.
fn give<E>(signals: &Signals, task: Result<TaskId, E>, report: TaskReport) {
    if let Ok(task) = task {
        let _ = signals.report(&task, report);
    }
}

fn text(failure: Failure) -> String {
    failure.to_string()
}
