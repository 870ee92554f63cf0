//! Cuts a flow off at every point, and compares how it ends.
//!
//! `plan` is what is tried, `memory` and `engine` how a run is made, cut off and taken up again,
//! `compare` looks at how it ended, by the `rules` that the user has set.

mod compare;
mod ended;
mod engine;
mod memory;
mod plan;
mod report;
mod rules;

use std::time::Duration;

use self::{
    engine::{Also, OnStore},
    memory::InMemory,
    plan::Plan,
    rules::Rules,
};
use super::{Fault, Lab};
use crate::{
    engine::Builder,
    language::flow::Flow,
    model::state::State,
    run::{
        Run,
        with::{Input, With},
    },
    store::{Store, StoreError},
};
pub use report::{Report, Violation};

/// Runs a flow again and again, cut off at each point and with each thing going wrong, and says
/// where it does not come out as it does when left alone.
///
/// [`new`](Self::new) and [`explore`](Self::explore) do so in memory. For every commit the run is
/// dropped before and after it is recorded, as if the process had died. It is taken up from what
/// was saved, once from the whole document and once from the rows that the recorded changes add up
/// to, and runs on to its end, or to a second cut, from which it is taken up as well.
///
/// [`engine`](Self::engine) and [`explore_on`](Self::explore_on) do so with an
/// [`Engine`](crate::Engine) and a store of your choice: at every call by which the engine writes
/// to the store, it is dropped before that reaches the store, and after the store has kept it; then
/// another engine, with the store opened anew, is told to start the same execution again. The dead
/// engine's lease has to end first.
///
/// Then these must be so:
///
/// * It ends as the run that was left alone: with the same output, or the same status and nodes.
/// * What was done to the world is there, and what was undone is not, exactly as then.
/// * Each effect happened at least once, and those given to [`once`](Self::once) (of steps that
///   have a `#[verify]`) exactly as often as then.
/// * Nothing was undone that had not been done, and what was undone was undone in the same order.
/// * In memory: the changes that the journal was told of in all these runs add up to the tree at
///   the end. On a store: nothing is due any more.
/// * What you [`check`](Self::check) yourself.
///
/// The same with each effect failing and panicking, before and after it happens, and each undo.
/// A cut or a fault that is never reached is a violation too.
///
/// The steps under test do their work on a [`Lab`]: each effect is an [`act`](Lab::act) with a name
/// of its own, each undo an [`undo`](Lab::undo) of the same name.
#[allow(missing_debug_implementations)]
pub struct Explorer<M, R> {
    make: M,
    run: R,
    plan: Plan,
    /// The lease, where engines go by the system's clock.
    real: Option<Duration>,
    /// The flows that engines serve as well.
    also: Vec<Also>,
}

impl<M, R> Explorer<M, R> {
    /// Creates an explorer of the flow that `run` starts, with the resources that `make` creates.
    pub fn new<W, F>(make: M, run: R) -> Self
    where
        M: Fn(&Lab) -> W,
        R: for<'w> Fn(&'w W) -> Run<'w, F>,
        F: Flow,
    {
        Self::of(make, run)
    }

    /// Creates an explorer of executions on an engine. `flow` returns the flow with its resources,
    /// which work on the lab, and `input` what it is started with. Run it with
    /// [`explore_on`](Self::explore_on).
    pub fn engine<F>(flow: M, input: R) -> Self
    where
        M: Fn(&Lab) -> With<F>,
        R: Fn() -> Input<F>,
        F: Flow,
    {
        Self::of(flow, input)
    }

    fn of(make: M, run: R) -> Self {
        Self {
            make,
            run,
            plan: Plan {
                rules: Rules::default(),
                undo_faults: true,
                faults: Fault::ALL.to_vec(),
            },
            real: None,
            also: Vec::new(),
        }
    }

    /// The engines serve this flow as well, whose executions the explored one starts: its children.
    #[must_use]
    pub fn serving<C: Flow>(mut self, flow: impl Fn(&Lab) -> With<C> + 'static) -> Self
    where
        C::Owned: Send + Sync,
    {
        let serve = move |lab: &Lab, engine: Builder| engine.serve(flow(lab));
        self.also.push(Box::new(serve));
        self
    }

    /// These effects happen exactly as often as in a run that is left alone.
    #[must_use]
    pub fn once<S: Into<String>>(mut self, effects: impl IntoIterator<Item = S>) -> Self {
        self.plan
            .rules
            .once
            .extend(effects.into_iter().map(Into::into));
        self
    }

    /// The flow does things at once: a run that is taken up may do them in another order, and where
    /// something fails, what stood beside it may have come further. Orders and the nodes' statuses
    /// are not compared then.
    #[must_use]
    pub fn concurrent(mut self) -> Self {
        self.plan.rules.concurrent = true;
        self
    }

    /// Adds a check of the world and the tree, which returns an error that says what is wrong.
    ///
    /// It is called at the end of each run, including those that failed.
    #[must_use]
    pub fn check(mut self, check: impl Fn(&Lab, &State) -> Result<(), String> + 'static) -> Self {
        self.plan.rules.checks.push(Box::new(check));
        self
    }

    /// The store has a clock of its own, so the engines go by the system's clock: what a flow waits
    /// for takes its time. A dead engine's executions are taken over after `lease`: some tens of
    /// milliseconds. By default the engines go by the [lab's clock](Lab::clock), as the store has to
    /// then.
    #[must_use]
    pub fn real_time(mut self, lease: Duration) -> Self {
        self.real = Some(lease);
        self
    }

    /// Sets the faults that are tried; with none, only cuts are.
    #[must_use]
    pub fn faults(mut self, faults: impl IntoIterator<Item = Fault>) -> Self {
        self.plan.faults = faults.into_iter().collect();
        self
    }

    /// Leaves out failing undos.
    #[must_use]
    pub fn without_undo_faults(mut self) -> Self {
        self.plan.undo_faults = false;
        self
    }

    /// Explores runs in memory.
    ///
    /// # Errors
    ///
    /// The first violation.
    pub async fn explore<W, F>(&self) -> Result<Report, Violation>
    where
        M: Fn(&Lab) -> W,
        R: for<'w> Fn(&'w W) -> Run<'w, F>,
        F: Flow,
    {
        let stage = InMemory::<_, _, W, F>::new(&self.make, &self.run);
        self.plan.explore(&stage).await
    }

    /// Explores executions on an engine and a store. `make` makes a database for a trial, and `open`
    /// opens it, as each process does. A database may be used for several trials: each execution
    /// has an id of its own.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use steps::{prelude::*, store::MemoryStore, testing::{Explorer, Injected, Lab}};
    ///
    /// #[step]
    /// async fn rent(lab: &Lab) -> Result<(), Injected> {
    ///     lab.act("rent")
    /// }
    ///
    /// #[undo(rent)]
    /// async fn give_back(lab: &Lab, _: &()) -> Result<(), Injected> {
    ///     lab.undo("rent")
    /// }
    ///
    /// #[step]
    /// async fn drive(lab: &Lab, km: u32) -> Result<(), Injected> {
    ///     lab.act(format!("drive {km}"))
    /// }
    ///
    /// #[flow]
    /// async fn trip(lab: &Lab, km: u32) -> Result<(), Injected> {
    ///     steps! {
    ///         rent(lab);
    ///         drive(lab, km);
    ///     }
    ///     Ok(())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let report = Explorer::engine(|lab| trip::with(lab.clone()), || trip::input(7))
    ///     .explore_on(
    ///         |lab| MemoryStore::with_clock(Arc::new(lab.clock().clone())),
    ///         async |db| Ok(db.reopen()),
    ///     )
    ///     .await
    ///     .unwrap();
    /// assert!(report.faults.contains("undo rent"), "{report:?}");
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The first violation.
    pub async fn explore_on<F, B, S>(
        &self,
        make: impl Fn(&Lab) -> B,
        open: impl AsyncFn(&B) -> Result<S, StoreError>,
    ) -> Result<Report, Violation>
    where
        M: Fn(&Lab) -> With<F>,
        R: Fn() -> Input<F>,
        F: Flow,
        F::Owned: Send + Sync,
        S: Store,
    {
        let stage = OnStore {
            flow: &self.make,
            input: &self.run,
            make,
            open,
            real: self.real,
            also: &self.also,
        };
        self.plan.explore(&stage).await
    }
}
