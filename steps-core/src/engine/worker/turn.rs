//! One turn of an execution: creates a run from the saved state, and makes passes over it until the
//! execution has ended or waits for longer than a moment.
//!
//! This is the only part of the worker that knows the flow's type. The task around it, and the
//! handling of its lease after a failure, are in `turn_task`.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::{
    engine_core::EngineCore,
    first_write::Started,
    log::TurnLog,
    mailbox::{Arrival, Mailbox},
    of_engine::OfEngine,
    refusal::{Refusal, check_form},
    suspects::{SUSPECT_FROM, Suspect, pause},
    turn_journal::TurnJournal,
};
use crate::{
    base::{error::JournalError, telemetry},
    engine::news::TurnEnd,
    interpreter::{RunCore, WholeTree, execution::PassOutcome},
    journal::PassEnd,
    language::flow::Flow,
    model::{
        failure::{Cause, Failure},
        state::Row,
        status::Status,
    },
    run::{Ready, Run, Signals, with::With},
    store::{
        ErrorKind, ExecutionInfo, HeldExecution, NewExecution, Past, Refuser, StoreError,
        StoredExecution, Target,
    },
};

/// Shorter waits sleep inside the turn; releasing and claiming again would take as long.
const LINGER: Duration = Duration::from_millis(20);

/// The data that a turn begins with.
pub(crate) struct Turn {
    pub(crate) core: Arc<EngineCore>,
    pub(crate) journal: Arc<TurnJournal>,
    pub(crate) mailbox: Arc<Mailbox>,
    /// The execution as the store has it.
    pub(crate) saved: StoredExecution,
    /// What it was read without.
    past: Option<Past>,
    /// What the wall clock showed of whoever found the execution to be due.
    due_by: Option<Timestamp>,
    /// The number of the form that this program has of the flow.
    pub(super) form: i64,
    /// Those who refused it before.
    pub(super) refused_by: Vec<Refuser>,
    /// Whether another execution may have had its id.
    pub(crate) may_repeat_id: bool,
    /// Whether the process that ran it before died: its lease was never given back.
    lost: bool,
    /// Whether this engine's own lease on it had ended; an earlier turn may still run here.
    pub(crate) reclaimed_own: bool,
}

impl Turn {
    /// The first turn of a new execution, which its first write creates. `started` receives the
    /// result of that write.
    pub(crate) fn of_new(
        core: &Arc<EngineCore>,
        mut new: NewExecution,
        form: i64,
        started: oneshot::Sender<Started>,
    ) -> Self {
        let mut info = ExecutionInfo::new(new.id.as_str(), new.flow.as_str(), core.clock.now());
        info.labels.clone_from(&new.labels);
        info.attrs.clone_from(&new.notes.attrs);
        info.form = new.form;
        info.parent.clone_from(&new.parent);
        info.trace.clone_from(&new.trace);
        let saved = StoredExecution {
            info,
            input: new.input.clone(),
            nodes: Vec::new(),
            messages: Vec::new(),
        };
        new.held = Some((core.worker.clone(), core.lease));
        Self::new(core, saved, form, Target::New(Box::new(new)), Some(started))
    }

    /// A turn of an execution that this engine has claimed, when it was this time for who found it
    /// to be due.
    pub(crate) fn of_claimed(
        core: &Arc<EngineCore>,
        taken: HeldExecution,
        form: i64,
        due_by: Timestamp,
    ) -> Self {
        let saved = StoredExecution {
            info: taken.info,
            input: taken.input,
            nodes: taken.nodes,
            messages: Vec::new(),
        };
        let mut turn = Self::new(core, saved, form, Target::Held(taken.lease), None);
        turn.refused_by = taken.refused_by;
        turn.past = taken.past;
        turn.due_by = Some(due_by);
        turn.reclaimed_own = taken.previous_worker.as_ref() == Some(&core.worker);
        turn.lost = taken.previous_worker.is_some() && !turn.reclaimed_own;
        for (number, message) in taken.messages {
            turn.mailbox.deliver(number, message, Arrival::Listed);
        }
        turn
    }

    /// Reads what the execution was claimed without, unless it was this flow in this build that has left
    /// it out, and so has compared it with its lines; and if all rows have to be numbered anew.
    async fn read_past(&mut self, flow: Refuser) -> Result<(), StoreError> {
        let last = self.saved.nodes.iter().map(|row| row.id).max();
        let last = last.unwrap_or_default();
        let is_needed =
            |past: &mut Past| past.by != flow || past.rows.last().max(Some(last)) > Some(Row::MOST);
        if self.past.take_if(is_needed).is_some() {
            let saved = self.core.store.load(self.saved.info.id.clone()).await?;
            // One that is gone can't be written to either.
            self.saved.nodes = saved.map(|saved| saved.nodes).unwrap_or_default();
        }
        Ok(())
    }

    fn new(
        core: &Arc<EngineCore>,
        saved: StoredExecution,
        form: i64,
        target: Target,
        started: Option<oneshot::Sender<Started>>,
    ) -> Self {
        let engine = OfEngine {
            store: Arc::clone(&core.store),
            news: Arc::clone(&core.news),
            schedule: Arc::clone(&core.schedule),
            clock: core.clock.clone(),
            in_place: core.may_block(),
        };
        let (id, info) = (saved.info.id.as_str().into(), &saved.info);
        let of_info = (info.parent.clone(), info.trace.clone());
        let journal = Arc::new(TurnJournal::new(engine, id, of_info, target, started));
        Self {
            core: Arc::clone(core),
            mailbox: Arc::new(Mailbox::new(Arc::clone(&journal))),
            journal,
            saved,
            form,
            refused_by: Vec::new(),
            past: None,
            due_by: None,
            may_repeat_id: true,
            lost: false,
            reclaimed_own: false,
        }
    }
}

/// Runs a turn of an execution of the flow `F`, and releases its lease, unless the store fails.
pub(crate) async fn take_turn<F: Flow>(with: &With<F>, mut turn: Turn) -> TurnEnd {
    let core = Arc::clone(&turn.core);
    let journal = Arc::clone(&turn.journal);
    let mailbox = Arc::clone(&turn.mailbox);
    let lost = turn.lost;
    let refusal = Refusal::<F>::of(&turn);
    match check_form(with, &turn).await {
        Ok(Ok(())) => {}
        Ok(Err(why)) => return refusal.newer(why).await,
        Err(error) => return TurnEnd::StoreFailed(error),
    }
    let flow = core.build.refuser::<F>();
    journal.is_of(flow);
    if let Err(error) = turn.read_past(flow).await {
        return TurnEnd::StoreFailed(error);
    }
    let log = TurnLog::new(&core.logs, &journal);
    let run = match begin(with, turn, &log) {
        Ok(run) => run,
        Err(why) => return refusal.misfit(why).await,
    };
    let ready = match run.ready(false) {
        Ok(ready) => ready,
        Err(failure) => return refusal.misfit(failure.to_string()).await,
    };
    mailbox.connect(&ready.run);
    mailbox.pass_ended(&ready.run);
    let _suspect = match take_up(&core, &journal, &ready.run, lost).await {
        Ok(TakenUp::Now(suspect)) => suspect,
        Ok(TakenUp::Later) => return TurnEnd::Waiting,
        Err(error) => {
            let failure = ready.failure(Cause::Journal(error));
            return store_failed(&core, &journal, &failure).await;
        }
    };
    let passed = loop {
        if let Some(unreadable) = ready.unreadable() {
            // What the turn has done is kept; the signal stays in the inbox.
            return match ready.run.commit().await {
                Ok(()) => refusal.misfit(unreadable.to_string()).await,
                Err(error) => {
                    let failure = ready.failure(Cause::Journal(error));
                    store_failed(&core, &journal, &failure).await
                }
            };
        }
        let passed = match ready.pass_on().await {
            Ok(passed) => passed,
            Err(failure) => return store_failed(&core, &journal, &failure).await,
        };
        journal.passed();
        let PassOutcome::Waiting(until) = &passed else {
            break passed;
        };
        if ready.unreadable().is_some() {
            continue;
        }
        if mailbox.pass_ended(&ready.run) {
            continue;
        }
        let left = until.map(|until| (until.moment, until.moment.since(core.clock.moment())));
        match left {
            // Already due.
            Some((_, Duration::ZERO)) => {}
            Some((moment, left)) if left <= LINGER => {
                if let Err(error) = ready.run.commit().await {
                    return store_failed(&core, &journal, &ready.failure(Cause::Journal(error)))
                        .await;
                }
                core.clock.sleep_until(moment).await;
            }
            _ => break passed,
        }
    };
    if let PassOutcome::Misfit { path, why } = passed {
        return refusal.misfit(ready.misfit(path, why).to_string()).await;
    }
    log.write(&*core.store).await;
    if let Err(failure) = ready.settle(&passed).await {
        return store_failed(&core, &journal, &failure).await;
    }
    match passed {
        // The execution runs again at once, so this result is not final.
        _ if journal.is_due_again() => {
            core.due_now();
            TurnEnd::Waiting
        }
        PassOutcome::Waiting(until) => {
            if let Some(deadline) = until {
                core.put_aside(&journal, deadline);
            }
            TurnEnd::Waiting
        }
        PassOutcome::Suspended => TurnEnd::Waiting,
        _ => how_it_ended(&ready).await,
    }
}

/// Returns the end of a turn whose execution has ended, and tells of one that did not end well.
async fn how_it_ended<F: Flow>(ready: &Ready<'_, F>) -> TurnEnd {
    let status = ready.run.status();
    telemetry::ended(F::TABLE.name, status.as_str());
    if status == Status::Done {
        return TurnEnd::Done(ready.run.output());
    }
    let mut failure = ready.failure(ready.run.cause());
    // With what was left out, if it can be read.
    if let Ok(Some(state)) = ready.run.recorded().await {
        failure.state = Arc::new(state);
    }
    tell(ready.run.execution(), &failure);
    TurnEnd::NotDone(Box::new(failure))
}

/// Tells of an execution that did not end well, or that an operator has to look after.
fn tell(id: &str, failure: &Failure) {
    let status = failure.status();
    match status {
        Status::Stuck => tracing::warn!(execution = id, "stuck: {failure}"),
        _ => tracing::info!(execution = id, %status, "{failure}"),
    }
}

/// Whether a turn goes on.
enum TakenUp<'a> {
    /// It does; a suspect has its place.
    Now(Option<Suspect<'a>>),
    /// The execution is due again after a pause, and its lease was released.
    Later,
}

/// Counts the death of the process that ran the execution before, if it died, and lets an execution
/// pause at which processes die again and again. A request from outside ends the pause.
async fn take_up<'a>(
    core: &'a EngineCore,
    journal: &TurnJournal,
    run: &RunCore,
    lost: bool,
) -> Result<TakenUp<'a>, JournalError> {
    if lost {
        run.count_deaths();
    }
    let deaths = run.most_deaths();
    if deaths < SUSPECT_FROM || !run.requests.all().is_empty() {
        if lost {
            // If the process dies while it takes the execution up, that counts, too.
            run.commit().await?;
        }
        return Ok(TakenUp::Now(None));
    }
    let wait = if lost {
        pause(core.lease, deaths)
    } else if let Some(suspect) = core.suspects.admit(core.clock.moment(), core.lease) {
        return Ok(TakenUp::Now(Some(suspect)));
    } else {
        core.lease
    };
    if lost {
        tracing::error!(
            execution = &*journal.id,
            deaths,
            "its process died again; it is taken up after {wait:?}, and not beside others like it"
        );
    }
    let deadline = core.clock.deadline(core.clock.now(), wait);
    let until = Some(deadline.until);
    run.commit_last(PassEnd::Waiting { until }).await?;
    if journal.is_due_again() {
        core.due_now();
    } else {
        core.put_aside(journal, deadline);
    }
    Ok(TakenUp::Later)
}

/// Returns a run of the saved state, or a new run.
fn begin<'a, F: Flow>(
    with: &'a With<F>,
    turn: Turn,
    log: &Arc<TurnLog>,
) -> Result<Run<'a, F>, String> {
    let core = &turn.core;
    let attrs = turn.saved.info.attrs.clone();
    let run = if turn.saved.has_begun() {
        let state = turn.saved.into_state().map_err(|error| error.to_string())?;
        Run::from_saved(with.lend(), state).map_err(|failure| failure.to_string())?
    } else {
        let input = F::load_input(&turn.saved.input)
            .map_err(|error| format!("its input can't be read: {error}"))?;
        let mut run = Run::new(with.lend(), input)
            .read_from(Some(turn.saved.input))
            .id(Arc::clone(&turn.journal.id));
        if turn.may_repeat_id {
            run = run.instance(crate::base::id::instance());
        }
        for (name, value) in turn.saved.info.labels {
            run = run.label(name, value);
        }
        run
    };
    let past = turn.past.map(|past| past.rows).unwrap_or_default();
    let whole: Arc<dyn WholeTree> = Arc::clone(&turn.journal) as _;
    Ok(run
        .past(past, whole)
        .attrs(attrs)
        .limits(core.limits)
        .due_by(turn.due_by)
        .system_clock(core.clock.clone())
        .engine(core.handle())
        .log(Arc::clone(log) as _)
        .journal(turn.journal)
        .signals(&Signals::of(&turn.mailbox.signals)))
}

/// Returns the end of a turn whose run stopped because its journal failed.
async fn store_failed(core: &EngineCore, journal: &TurnJournal, failure: &Failure) -> TurnEnd {
    let error = journal
        .store_error()
        .unwrap_or_else(|| StoreError::new(ErrorKind::Other, failure.to_string()));
    let is_outrun = matches!(error.kind(), ErrorKind::Withdrawn | ErrorKind::Exists);
    if is_outrun && journal.begin_anew().await.is_ok() {
        core.due_now();
        return TurnEnd::Waiting;
    }
    TurnEnd::StoreFailed(error)
}
