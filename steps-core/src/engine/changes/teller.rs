//! The task that tells the changes of one function.

use std::{panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration};

use futures_util::{
    FutureExt,
    future::{Either, select},
};
use jiff::Timestamp;
use tokio::{
    sync::watch,
    task::{JoinError, JoinSet},
};

use super::{
    function::{NotTold, StatusChange, Then},
    hold::{Hold, Holds},
    queue::Queue,
    registered::Registered,
};
use crate::{
    base::{
        clock::{add, between},
        error::{BoxError, StepError, full_text, within},
        telemetry,
    },
    engine::{
        of_step::WeakEngine,
        worker::{
            engine_core::{EngineCore, STORE_PAUSES},
            trouble::Trouble,
        },
    },
    store::{Change, ChangeKind, ChangeQuery, FailedChange, Settled, StoreError, WhichChanges},
};

/// How many changes that were told in vain are looked at at once.
const FAILED: usize = 64;

/// The shortest pause after which the store is asked for what other processes have changed.
const SHORTEST_POLL: Duration = Duration::from_secs(1);

/// So long after a write the changes are read, so that those of several writes are read at once.
const GATHER: Duration = Duration::from_millis(5);

/// How often it is looked whether the engine, which ends, has made its last write.
const ENDING: Duration = Duration::from_millis(10);

/// Tells the changes of a function until the engine ends, or the function wants no more.
pub(in crate::engine) async fn tell(
    core: Arc<EngineCore>,
    engine: WeakEngine,
    function: Registered,
) {
    let mut teller = Teller {
        hold: Hold::new(&function.name),
        wrote: core.news.written(),
        core,
        engine,
        function,
        queue: Queue::default(),
        calls: JoinSet::new(),
        is_others: false,
        ended: None,
    };
    let trouble = Trouble::default();
    let mut pause = STORE_PAUSES.0;
    loop {
        match teller.turn().await {
            Ok(true) => {
                trouble.worked("changes are told");
                pause = STORE_PAUSES.0;
            }
            Ok(false) => return,
            Err(error) => {
                telemetry::store_failed("changes");
                if !error.kind().is_transient() {
                    trouble.failed("the store gives or takes no changes", None, &error);
                }
                if teller.core.is_draining() {
                    return;
                }
                tokio::time::sleep(pause).await;
                pause = (2 * pause).min(STORE_PAUSES.1);
            }
        }
    }
}

struct Teller {
    core: Arc<EngineCore>,
    engine: WeakEngine,
    function: Registered,
    hold: Hold,
    queue: Queue,
    calls: JoinSet<(Change, Outcome)>,
    /// Is notified of each write of this process.
    wrote: watch::Receiver<()>,
    /// Whether another process tells.
    is_others: bool,
    /// Why the function wants no more.
    ended: Option<String>,
}

/// What came of a call.
enum Outcome {
    Told,
    /// Why, and the shortest pause before it is told again.
    InVain(String, Duration),
    GivenUp(String),
    Ended(String),
}

impl Outcome {
    fn in_vain(why: String) -> Self {
        Self::InVain(why, Duration::ZERO)
    }

    fn of(told: Result<(), BoxError>) -> Self {
        let Err(error) = told else {
            return Self::Told;
        };
        let text = within(full_text(error.as_ref()));
        match error.downcast_ref::<NotTold>().map(|error| error.then) {
            None => Self::in_vain(text),
            Some(Then::Pause(pause)) => Self::InVain(text, pause),
            Some(Then::GiveUp) => Self::GivenUp(text),
            Some(Then::End) => Self::Ended(text),
        }
    }
}

impl Teller {
    /// Settles what was told, begins to tell more, and waits until there is something to do. Returns whether
    /// it goes on.
    async fn turn(&mut self) -> Result<bool, StoreError> {
        self.wrote.borrow_and_update();
        // The last writes are told as well, as far as they can be at once.
        let is_last = self.core.is_draining() && self.core.running.is_empty();
        self.settle().await?;
        if let Some(why) = self.ended.clone() {
            let name = &self.function.name;
            tracing::error!(function = name, %why, "it wants to be told of no more changes");
            self.core.store.end_subscription(name.clone(), why).await?;
            self.hold.give_back(&self.core).await?;
            return Ok(false);
        }
        let mut next = self.read().await?;
        self.is_others = false;
        if self.queue.is_ready() || !self.calls.is_empty() {
            match self.hold.take(&self.core).await? {
                Holds::Still => {}
                Holds::Newly => {
                    self.queue.restart();
                    next = self.read().await?;
                }
                Holds::Not(until) => {
                    self.queue.restart();
                    self.is_others = true;
                    next = Some(next.map_or(until, |next| next.max(until)));
                }
            }
        }
        self.begin();
        if is_last && self.calls.is_empty() {
            self.hold.give_back(&self.core).await?;
            return Ok(false);
        }
        self.wait(next).await;
        Ok(true)
    }

    /// Reads changes, as far as there is room. Returns when the next that was told in vain is due.
    async fn read(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let room = self.queue.room();
        if room == 0 {
            return Ok(None);
        }
        let query = |which, limit| ChangeQuery {
            subscription: self.function.name.clone(),
            which,
            limit,
        };
        let store = &*self.core.store;
        // Whoever has not got the right only looks whether there is anything.
        let (failed, room) = if self.hold.is_held() {
            (FAILED, room)
        } else {
            (1, 1)
        };
        let failed = store.changes(query(WhichChanges::Failed, failed)).await?;
        let after = self.queue.after;
        let new = store
            .changes(query(WhichChanges::New { after }, room))
            .await?;
        self.queue.add_new(new);
        let now = self.core.clock.now();
        // A time that is too far ahead was set before the clock was.
        let (_, longest) = self.function.on.pauses;
        let latest = add(now, longest);
        for change in failed {
            match change.due {
                Some(due) if now < due && due <= latest => return Ok(Some(due)),
                _ => self.queue.add(change),
            }
        }
        Ok(None)
    }

    /// Begins calls, as many as may run at once.
    fn begin(&mut self) {
        while self.calls.len() < self.function.on.at_once {
            let Some(change) = self.queue.next() else {
                return;
            };
            if change.step.is_some() != (self.function.kind == ChangeKind::Step) {
                // The name was that of a function for the others, and its subscription has another kind now.
                self.queue.is_done(&change);
                continue;
            }
            let Some(engine) = self.engine.engine() else {
                return;
            };
            let told = StatusChange::new(change.clone(), engine);
            let (function, timeout) = (
                Arc::clone(&self.function.function),
                self.function.on.timeout,
            );
            self.calls.spawn(async move {
                let call = AssertUnwindSafe(async move { function.call(told).await });
                let told = tokio::time::timeout(timeout, call.catch_unwind()).await;
                let outcome = match told {
                    Ok(Ok(told)) => Outcome::of(told),
                    Ok(Err(panic)) => Outcome::in_vain(StepError::panic(panic.as_ref()).text()),
                    Err(_) => Outcome::in_vain(format!("it took longer than {timeout:?}")),
                };
                (change, outcome)
            });
        }
    }

    /// Takes in what came of a call.
    fn end(&mut self, change: &Change, outcome: Outcome) {
        let name = &self.function.name;
        let (execution, key) = (&change.execution, change.key());
        let (error, shortest) = match outcome {
            Outcome::Told => {
                telemetry::change_told(name, "told");
                return self.queue.is_done(change);
            }
            Outcome::GivenUp(error) => {
                telemetry::change_told(name, "given_up");
                tracing::error!(
                    function = name,
                    execution,
                    change = key,
                    error,
                    "a change is not told"
                );
                return self.queue.is_done(change);
            }
            Outcome::Ended(why) => {
                self.ended = Some(why);
                return;
            }
            Outcome::InVain(error, shortest) => (error, shortest),
        };
        let now = self.core.clock.now();
        let on = &self.function.on;
        let attempts = change.attempts.saturating_add(1);
        let passed = between(change.at, now);
        if on.give_up_after.is_some_and(|longest| passed >= longest) {
            telemetry::change_told(name, "given_up");
            tracing::error!(
                function = name,
                execution,
                change = key,
                attempts,
                error,
                "a change was told in vain for too long, and is given up"
            );
            return self.queue.is_done(change);
        }
        telemetry::change_told(name, "failed");
        let pause = on.pause(attempts).max(shortest).min(on.pauses.1);
        tracing::warn!(
            function = name,
            execution,
            change = key,
            attempts,
            error,
            ?pause,
            "a change was told in vain, and is told again after a pause"
        );
        let failed = FailedChange {
            number: change.number,
            attempts,
            due: add(now, pause),
            failure: error,
        };
        self.queue.has_failed(change, failed);
    }

    /// Settles in the store what came of calls.
    async fn settle(&mut self) -> Result<(), StoreError> {
        if self.queue.done.is_empty() && self.queue.failed.is_empty() {
            return Ok(());
        }
        let settled = Settled {
            subscription: self.function.name.clone(),
            done: self.queue.done.clone(),
            failed: self.queue.failed.clone(),
        };
        self.core.store.settle(settled).await?;
        let done = std::mem::take(&mut self.queue.done);
        let failed = std::mem::take(&mut self.queue.failed);
        self.queue.settled(&done, &failed);
        Ok(())
    }

    /// Waits until a call has ended, something was written, or it is time to look.
    async fn wait(&mut self, next: Option<Timestamp>) {
        let is_busy = !self.calls.is_empty();
        let mut until = next;
        if is_busy && !self.core.clock.is_of_test() {
            let renews = self.hold.renews(&self.core);
            until = until.into_iter().chain(renews).min();
        }
        let listens = self.queue.room() > 0 && !self.is_others;
        let wrote = listens.then_some(&mut self.wrote);
        let mut next = first(&self.core, until, wrote, &mut self.calls).await;
        loop {
            if let Some(Ok((change, outcome))) = next {
                self.end(&change, outcome);
            }
            next = self.calls.try_join_next();
            if next.is_none() {
                return;
            }
        }
    }
}

/// Waits for a time, a write, or the end of a call, which is returned.
async fn first(
    core: &EngineCore,
    until: Option<Timestamp>,
    wrote: Option<&mut watch::Receiver<()>>,
    calls: &mut JoinSet<(Change, Outcome)>,
) -> Option<Result<(Change, Outcome), JoinError>> {
    let written = async {
        if let Some(wrote) = wrote
            && wrote.changed().await.is_ok()
        {
            return tokio::time::sleep(GATHER).await;
        }
        std::future::pending::<()>().await;
    };
    let ended = async {
        match calls.join_next().await {
            Some(ended) => ended,
            None => std::future::pending().await,
        }
    };
    let (ended, time, written) = (pin!(ended), pin!(rest(core, until)), pin!(written));
    match select(ended, select(time, written)).await {
        Either::Left((ended, _)) => Some(ended),
        Either::Right(_) => None,
    }
}

/// Waits for a time, or until the store is to be asked for what other processes have changed.
async fn rest(core: &EngineCore, until: Option<Timestamp>) {
    if core.is_draining() {
        return tokio::time::sleep(ENDING).await;
    }
    let now = core.clock.read();
    let until = until.map(|until| now.deadline(until).moment);
    let poll = now.moment.after(core.poll.max(SHORTEST_POLL));
    core.clock.until_due_or(until, poll).await;
}
