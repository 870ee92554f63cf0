//! One flow that an engine serves: takes a turn of an execution, from its saved tree to where it
//! rests.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::turn_journal::TurnJournal;
use crate::engine::{
    concurrency::{Limiter, Permit},
    news::TurnEnd,
};
use crate::{
    base::{clock, future::BoxFuture, json::Json, sync::lock},
    interpreter::{Ask, Shared, execution::Passed, records::ROOT},
    language::flow::Flow,
    model::{
        failure::{Cause, Failure},
        status::Status,
    },
    run::{Run, with::With},
    store::{FlowClaim, Message, Refused, Saved, Then},
};

/// A wait that is not longer than this is waited for in place: to put the execution aside and take
/// it up again would take as long.
const LINGER: Duration = Duration::from_millis(20);

/// What a turn begins with.
pub(in crate::engine) struct Turn {
    pub(in crate::engine) journal: Arc<TurnJournal>,
    pub(in crate::engine) saved: Saved,
    pub(in crate::engine) post: Arc<Post>,
    /// Whether it is to be undone.
    pub(in crate::engine) undo: bool,
    /// Whether this engine's own lease on it had ended, perhaps with it still at work here.
    pub(in crate::engine) lapsed: bool,
}

/// The way to an execution while it runs: what came for it, and the run to tell.
#[derive(Default)]
pub(in crate::engine) struct Post {
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    signals: Vec<(i64, String, Json)>,
    ask: Option<Ask>,
    run: Option<Arc<Shared>>,
    /// Whether a pass is under way, and a signal was given to a step since it began.
    passing: bool,
    given: bool,
    /// Whether the turn has ended.
    closed: bool,
}

impl Post {
    /// Brings a message to the run, once; or keeps it until there is one. `false` if the turn has
    /// ended, and been told of.
    pub(in crate::engine) fn bring(
        &self,
        journal: &TurnJournal,
        number: i64,
        message: Message,
    ) -> bool {
        let mut open = lock(&self.open);
        if open.closed {
            return false;
        }
        if !journal.came(number) {
            return true;
        }
        match message {
            Message::Signal { path, value } => {
                // A step that waits beside one that runs need not wait for the end of that.
                let run = open.run.as_ref().filter(|_| open.passing);
                if run.is_some_and(|run| run.signal(&path, &value)) {
                    journal.delivered(number);
                    open.given = true;
                } else {
                    open.signals.push((number, path, value));
                }
            }
            Message::Stop => {
                journal.requested(number, message);
                open.ask(Ask::Stop);
            }
            Message::Undo => {
                journal.requested(number, message);
                open.ask(Ask::Undo);
            }
        }
        true
    }

    /// The turn has ended: `tell` is told whether a message came too late for it. What comes
    /// from now on, comes after that.
    pub(in crate::engine) fn close(&self, journal: &TurnJournal, tell: impl FnOnce(bool)) {
        let mut open = lock(&self.open);
        open.closed = true;
        tell(journal.is_late());
    }

    /// Asks the run for something, now or when it begins.
    pub(in crate::engine) fn ask(&self, ask: Ask) {
        lock(&self.open).ask(ask);
    }

    fn connect(&self, run: &Arc<Shared>) {
        let mut open = lock(&self.open);
        if let Some(ask) = open.ask {
            run.ask(ask);
        }
        open.run = Some(Arc::clone(run));
    }

    /// A pass begins: from now on a signal is given to a step that waits for it as soon as it comes.
    fn pass(&self) {
        lock(&self.open).passing = true;
    }

    /// A pass has ended. Gives the steps that wait what came for them. Whether another pass has
    /// something to do.
    fn deliver(&self, run: &Shared, journal: &TurnJournal) -> bool {
        let mut open = lock(&self.open);
        open.passing = false;
        journal.has_seen_all();
        let before = open.signals.len();
        open.signals.retain(|(number, path, value)| {
            let delivered = run.signal(path, value);
            if delivered {
                journal.delivered(*number);
            }
            !delivered
        });
        let given = std::mem::take(&mut open.given);
        let asked = open.ask.take().is_some();
        asked || given || open.signals.len() < before
    }
}

impl Open {
    fn ask(&mut self, ask: Ask) {
        self.ask = self.ask.max(Some(ask));
        if let Some(run) = &self.run {
            run.ask(ask);
        }
    }
}

/// A flow and what it is lent, with its type forgotten.
pub(in crate::engine) trait Serve: Send + Sync {
    /// The flow's name, and the names it was saved under before.
    fn names(&self) -> (&'static str, &'static [&'static str]);
    /// Its fingerprint.
    fn fingerprint(&self) -> u64;
    /// Takes a turn, and gives back the lease.
    fn turn(self: Arc<Self>, turn: Turn) -> BoxFuture<'static, TurnEnd>;
}

/// A served flow and its limit.
pub(in crate::engine) struct Service {
    pub(in crate::engine) serve: Arc<dyn Serve>,
    pub(in crate::engine) limit: Option<Limiter>,
}

impl Service {
    /// What this service asks for in a claim: at most so many.
    pub(in crate::engine) fn claim(&self, most: usize) -> FlowClaim {
        let (name, aliases) = self.serve.names();
        FlowClaim {
            names: std::iter::once(name)
                .chain(aliases.iter().copied())
                .map(Cow::Borrowed)
                .collect(),
            fingerprint: self.serve.fingerprint(),
            limit: most,
        }
    }

    /// A place among this flow's own, if it has a limit: none where that is reached.
    pub(in crate::engine) fn place(&self) -> Option<Option<Permit>> {
        match &self.limit {
            None => Some(None),
            Some(limit) => limit.try_acquire().map(Some),
        }
    }
}

impl<F: Flow> Serve for With<F>
where
    F::Owned: Send + Sync,
{
    fn names(&self) -> (&'static str, &'static [&'static str]) {
        (F::TABLE.name, F::TABLE.aliases)
    }

    fn fingerprint(&self) -> u64 {
        F::FINGERPRINT
    }

    fn turn(self: Arc<Self>, turn: Turn) -> BoxFuture<'static, TurnEnd> {
        Box::pin(async move { take_turn(&self, turn).await })
    }
}

async fn take_turn<F: Flow>(with: &With<F>, turn: Turn) -> TurnEnd {
    let journal = Arc::clone(&turn.journal);
    let inner = Arc::clone(&journal.inner);
    let post = Arc::clone(&turn.post);
    let run = match begin(with, turn) {
        Ok(run) => run,
        Err(why) => return refuse::<F>(&journal, why).await,
    };
    let ready = match run.ready(false) {
        Ok(ready) => ready,
        Err(failure) => return refuse::<F>(&journal, failure.to_string()).await,
    };
    post.connect(&ready.run);
    post.deliver(&ready.run, &journal);
    let passed = loop {
        post.pass();
        let passed = match ready.pass_on().await {
            Ok(passed) => passed,
            Err(failure) => return lost(&journal, &failure),
        };
        let Passed::Waiting(until) = &passed else {
            break passed;
        };
        if post.deliver(&ready.run, &journal) {
            continue;
        }
        let left = until.map(|until| clock::after(inner.clock.now(), until));
        match left {
            Some(None) => {}
            Some(Some(left)) if left <= LINGER => {
                if let Err(error) = ready.run.commit().await {
                    return lost(&journal, &ready.failure(Cause::Journal(error)));
                }
                inner.clock.sleep_until(until.unwrap_or_default()).await;
            }
            _ => break passed,
        }
    };
    if let Passed::Misfit { path, why } = passed {
        return refuse::<F>(&journal, ready.misfit(path, why).to_string()).await;
    }
    if let Err(failure) = ready.settle(&passed).await {
        return lost(&journal, &failure);
    }
    match passed {
        // It goes on at once: whatever it has come to is not its end yet.
        _ if journal.recalled() => {
            inner.alarm(Some(inner.clock.now()));
            TurnEnd::Waiting
        }
        Passed::Waiting(until) => {
            inner.alarm(until);
            TurnEnd::Waiting
        }
        Passed::Suspended => TurnEnd::Waiting,
        _ => {
            let status = ready.run.tree()[ROOT].status;
            match status {
                Status::Done => TurnEnd::Done(ready.run.tree()[ROOT].output.clone()),
                _ => TurnEnd::NotDone(Box::new(ready.failure(ready.run.cause()))),
            }
        }
    }
}

/// The run from what is saved, or a new one.
fn begin<F: Flow>(with: &With<F>, turn: Turn) -> Result<Run<'_, F>, String> {
    let inner = &turn.journal.inner;
    let (run, undo) = if turn.saved.has_begun() {
        let state = turn.saved.into_state().map_err(|error| error.to_string())?;
        let undo = turn.undo && state.status != Status::Undoing;
        let run = Run::from_saved(with.lend(), state).map_err(|failure| failure.to_string())?;
        (run, undo)
    } else {
        let input = F::load_input(&turn.saved.input)
            .map_err(|error| format!("its input can't be read: {error}"))?;
        let mut run = Run::new(with.lend(), input).id(Arc::clone(&turn.journal.id));
        for (name, value) in turn.saved.info.labels {
            run = run.label(name, value);
        }
        (run, false)
    };
    let run = run
        .limits(inner.limits)
        .system_clock(inner.clock.clone())
        .journal(turn.journal);
    Ok(if undo { run.undo() } else { run })
}

/// The execution does not fit, and is left for a program that it fits.
async fn refuse<F: Flow>(journal: &Arc<TurnJournal>, why: String) -> TurnEnd {
    tracing::error!(
        execution = &*journal.id,
        flow = F::TABLE.name,
        "incompatible, and left as it was: {why}"
    );
    let refused = Refused {
        fingerprint: F::FINGERPRINT,
        why: why.clone(),
    };
    let inner = &journal.inner;
    if !lock(&inner.refused).insert(Arc::clone(&journal.id)) {
        // It was refused here before, and by a third program since: two that it does not fit must
        // not hand it to and fro as fast as they can.
        let journal = Arc::clone(journal);
        tokio::spawn(async move {
            tokio::time::sleep(journal.inner.lease / 2).await;
            if let Err(error) = journal.give_back(Then::Refuse(refused)).await {
                tracing::warn!(execution = &*journal.id, %error, "not given back");
            }
        });
        return TurnEnd::Incompatible(why);
    }
    match journal.give_back(Then::Refuse(refused)).await {
        Ok(()) => TurnEnd::Incompatible(why),
        Err(error) => TurnEnd::StoreFailed(error),
    }
}

fn lost(journal: &TurnJournal, failure: &Failure) -> TurnEnd {
    use crate::store::{ErrorKind, StoreError};
    let error = journal
        .lost()
        .unwrap_or_else(|| StoreError::new(ErrorKind::Other, failure.to_string()));
    TurnEnd::StoreFailed(error)
}
