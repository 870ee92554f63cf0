//! Drives a run from pass to pass: sleeps, delivers signals, and returns how the run ended. An
//! engine makes the passes itself.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use crate::{
    base::{
        clock::Deadline,
        error::{StepError, caught},
        json::Json,
        sync::lock,
    },
    interpreter::{
        Fault, RootFlow, RunCore, execution, execution::PassOutcome, user_code::Instrumented,
    },
    journal::PassEnd,
    language::{
        cells::flow::FlowCell,
        flow::{Flow, Root},
        scope::{Enter, Entered, Saved},
    },
    model::{
        compat::{Compatibility, Misfit},
        failure::{Cause, Failure},
        state::State,
        status::Status,
    },
};

/// A run whose saved state has been checked, between its passes.
pub(crate) struct Ready<'a, F: Flow> {
    pub(crate) run: Arc<RunCore>,
    pub(crate) lent: F::Lent<'a>,
    /// The saved state, until it has been restored.
    pub(crate) saved: Mutex<Option<Box<State>>>,
    /// The input, where none is recorded yet, as it was read back from its saved form.
    pub(crate) given: Mutex<Option<(F::Input, Json)>>,
    pub(crate) cell: FlowCell<F>,
}

impl<F: Flow> RootFlow for Ready<'_, F> {
    fn enter<'b>(&'b self, how: Enter<'b>) -> Result<Entered<'b>, StepError> {
        Root::<F>::enter_with(
            F::shorten(self.lent),
            || Ok(lock(&self.given).take()),
            &self.cell,
            how,
        )
    }

    fn load(&self, output: Option<&Json>) -> Result<(), StepError> {
        let saved = Saved::Output(output.map(Json::get));
        self.cell.load(saved).map_err(StepError::fatal)
    }
}

impl<F: Flow> Ready<'_, F> {
    /// Runs to the end, sleeping where there is nothing else to do.
    pub(crate) async fn run(&mut self) -> Result<F::Output, Failure> {
        loop {
            match self.pass().await? {
                PassOutcome::Waiting(until) => match self.unreadable() {
                    Some(failure) => return Err(failure),
                    None => Box::pin(self.wait(until)).await?,
                },
                PassOutcome::Misfit { path, why } => return Err(self.misfit(path, why)),
                PassOutcome::Ended | PassOutcome::Stopped | PassOutcome::Suspended => {
                    return self.end();
                }
            }
        }
    }

    /// Returns when a run that only [looks](crate::Run::looks) would go on, if it waits for a time.
    pub(crate) async fn goes_on_at(&self) -> Option<Timestamp> {
        let passed = execution::pass(&self.run, F::TABLE, self).await;
        match passed {
            Ok(PassOutcome::Waiting(until)) => until.map(|until| until.until),
            _ => None,
        }
    }

    /// Makes one pass, with its last commit.
    pub(crate) async fn pass(&self) -> Result<PassOutcome, Failure> {
        let passed = self.pass_on().await?;
        self.settle(&passed).await?;
        Ok(passed)
    }

    /// Makes a pass without its last commit: either another pass or [`settle`](Self::settle) must
    /// follow. Requests that arrive during the pass have been handled when it returns.
    pub(crate) async fn pass_on(&self) -> Result<PassOutcome, Failure> {
        loop {
            let requested = self.run.requests.all();
            let passed = self.pass_once().await?;
            let more = self.run.requests.all().is_more_than(requested);
            if !more || !matches!(passed, PassOutcome::Waiting(_)) {
                self.run.requests.acknowledge(requested);
                return Ok(passed);
            }
        }
    }

    async fn pass_once(&self) -> Result<PassOutcome, Failure> {
        let pass = execution::pass(&self.run, F::TABLE, self);
        // An engine has a span for the whole turn.
        let engine = self.run.options.engine.as_deref();
        let is_own = engine.is_none_or(|engine| !engine.has_a_span());
        let passed = if is_own && tracing::span_enabled!(tracing::Level::INFO) {
            let execution = &**self.run.execution();
            let span = tracing::info_span!("execution", flow = F::TABLE.name, execution);
            Instrumented(span, Box::pin(pass)).await
        } else {
            pass.await
        };
        if let Some(fault) = self.run.fault() {
            return Ok(PassOutcome::Misfit {
                path: fault.path.clone(),
                why: fault.why.clone(),
            });
        }
        if !matches!(passed, Ok(PassOutcome::Misfit { .. })) {
            lock(&self.saved).take();
        }
        passed.map_err(|error| self.failure(Cause::Journal(error)))
    }

    /// Commits the remaining changes, and tells the journal how the pass ended.
    pub(crate) async fn settle(&self, passed: &PassOutcome) -> Result<(), Failure> {
        let rest = match passed {
            PassOutcome::Ended => PassEnd::Ended,
            PassOutcome::Waiting(until) => PassEnd::Waiting {
                until: until.map(|until| until.until),
            },
            PassOutcome::Stopped => PassEnd::Stopped,
            PassOutcome::Suspended => PassEnd::Suspended,
            // The execution stays as it was.
            PassOutcome::Misfit { .. } => return Ok(()),
        };
        self.run.survived();
        let settled = self.run.commit_last(rest).await;
        settled.map_err(|error| self.failure(Cause::Journal(error)))
    }

    /// Returns the failure for a node that can't be read any more, with the state as it was saved.
    pub(crate) fn misfit(&self, path: String, why: String) -> Failure {
        let misfit = if self.run.fault().is_some() {
            Misfit::Impossible { path, why }
        } else {
            Misfit::Tree(Compatibility::retyped(path, why))
        };
        let saved = lock(&self.saved).take().map(|saved| *saved);
        Failure {
            flow: F::TABLE.name,
            cause: Cause::Misfit(misfit),
            state: Arc::new(saved.unwrap_or_else(|| self.run.state())),
        }
    }

    /// Returns the failure of a run that was sent a signal which can't be read, if it was. What the run has done
    /// is recorded, and the signal stays where it is.
    pub(crate) fn unreadable(&self) -> Option<Failure> {
        let Fault { path, why } = self.run.unreadable()?.clone();
        Some(
            self.failure(Cause::Misfit(Misfit::Tree(Compatibility::retyped(
                path, why,
            )))),
        )
    }

    pub(crate) fn failure(&self, cause: Cause) -> Failure {
        Failure {
            flow: F::TABLE.name,
            cause,
            state: Arc::new(self.run.state()),
        }
    }

    /// Sleeps until the next pass is due, or until a signal or a request has arrived.
    pub(crate) async fn wait(&self, until: Option<Deadline>) -> Result<(), Failure> {
        let sleep = async {
            let request = std::pin::pin!(self.run.requests.until_request());
            match until {
                Some(deadline) => {
                    let due = std::pin::pin!(self.run.options.clock.sleep_until(deadline.moment));
                    futures_util::future::select(due, request).await;
                }
                None => request.await,
            }
        };
        let Some(signals) = &self.run.signals else {
            if until.is_none() {
                let signals = self.run.awaited_signals();
                return Err(self.failure(Cause::Waiting { signals }));
            }
            sleep.await;
            return Ok(());
        };
        let sleep = std::pin::pin!(sleep);
        let given = std::pin::pin!(async {
            loop {
                let next = signals.came.notified();
                if self.run.deliver() | self.run.was_given() {
                    return;
                }
                next.await;
            }
        });
        futures_util::future::select(sleep, given).await;
        Ok(())
    }

    pub(crate) fn end(&mut self) -> Result<F::Output, Failure> {
        if let Some(signals) = &self.run.signals {
            signals.run_ended(self.run.status());
        }
        if self.run.status() == Status::Done {
            if let Some(output) = self.cell.take_output() {
                return Ok(output);
            }
            let output = self.run.output();
            let text = output.as_ref().map_or("null", Json::get);
            return caught(|| (F::OUTPUT.decode)(text)).map_err(|e| {
                let why = format!("its saved output can't be read: {e}");
                self.failure(Cause::Misfit(Misfit::Input(why)))
            });
        }
        Err(self.failure(self.run.cause()))
    }
}
