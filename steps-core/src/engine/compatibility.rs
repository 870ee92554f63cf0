//! Whether the executions that have not ended fit this program: the answer for all of them, before a
//! program waits for one.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Instant};

use super::{
    Engine,
    error::EngineError,
    worker::{
        engine_core::EngineCore,
        forms::newer_form,
        served::{ServedFlow, ServedFlows},
    },
};
use crate::{
    model::status::Status,
    store::{Acquire, Acquired, ExecutionQuery, StoreError, TakeOver, Target, Write},
};

/// How many executions are listed at once. One at a time is read in full.
const PAGE: usize = 100;

/// How many causes are told of one flow.
const CAUSES: usize = 32;

/// How many of them a line in the log has.
const CAUSES_IN_LOG: usize = 5;

/// How the executions of a flow that have not ended fit a program: see [`Engine::compatibility`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlowCompatibility {
    /// The flow.
    pub flow: &'static str,
    /// How many executions fit.
    pub fit: u64,
    /// How many do not.
    pub unfit: u64,
    /// Why not, the most frequent cause first: at most 32 of them.
    pub causes: Vec<UnfitCause>,
}

/// What executions do not fit at.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnfitCause {
    /// What does not fit: for a line, with its path.
    pub why: String,
    /// How many executions do not fit at this. One may not fit at several lines.
    pub executions: u64,
    /// The id of one of them.
    pub example: String,
}

impl Engine {
    /// Compares each execution that has not ended with this program, for each flow that the engine
    /// serves: also those that wait, and would otherwise be compared only when they go on. One line in
    /// the log tells of each flow.
    ///
    /// An engine does this by itself when it [starts](super::Builder::start), for the newest 10,000
    /// executions, and tells of it in the log. This call compares all. It reads each such execution in
    /// full, one after the other, so it needs no memory to speak of; with SQLite it takes some 10
    /// seconds for 100,000 of them, beside which everything else goes on. It changes nothing.
    ///
    /// ```
    /// use steps::{Engine, prelude::*};
    ///
    /// #[flow]
    /// async fn approve(sum: u32) -> Result<bool, String> {
    ///     steps! { yes = steps::signal::<bool>(); }
    ///     Ok(yes)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = Engine::open("memory:").await?.serve(approve::with()).start().await?;
    /// engine.start(approve::input(7)).await?;
    /// for flow in engine.compatibility().await? {
    ///     println!("{}: {} fit, {} do not", flow.flow, flow.fit, flow.unfit);
    ///     for cause in &flow.causes {
    ///         println!("{} executions, such as {}: {}", cause.executions, cause.example, cause.why);
    ///     }
    /// #   assert_eq!((flow.fit, flow.unfit), (1, 0));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn compatibility(&self) -> Result<Vec<FlowCompatibility>, EngineError> {
        let mut all = Vec::new();
        let mut everything = Budget::NONE;
        for served in self.flows.iter() {
            let found = compare(&self.core, served, &mut everything).await?;
            let told = found.told(served.flow.table().name);
            told.log(None);
            all.push(told);
        }
        Ok(all)
    }
}

/// Does the same when an engine starts, behind its first claim and beside all else: up to
/// [`Budget::AT_START`], in pauses as long as its work. One line in the log tells of each flow of which
/// executions wait.
pub(super) async fn compare_at_start(core: Arc<EngineCore>, flows: Arc<ServedFlows>) {
    core.has_claimed.notified().await;
    let mut budget = Budget::AT_START;
    for served in flows.iter() {
        let flow = served.flow.table().name;
        match compare(&core, served, &mut budget).await {
            Ok(found) if found.fit + found.unfit == 0 => {}
            Ok(found) => {
                let all = !found.left_some;
                let compared = found.fit + found.unfit;
                found.told(flow).log((!all).then_some(compared));
            }
            Err(error) => tracing::debug!(flow, "what waits was not compared: {error}"),
        }
        if core.is_draining() {
            return;
        }
    }
}

/// How much is read.
struct Budget {
    executions: usize,
    /// Nodes of their trees.
    nodes: usize,
    /// Whether it is for an engine that starts: then it ends when it is spent, pauses after each page for
    /// as long as it worked, and what waits for too long is made due.
    at_start: bool,
}

impl Budget {
    const NONE: Self = Self {
        executions: usize::MAX,
        nodes: usize::MAX,
        at_start: false,
    };
    /// For the start of an engine: some seconds of work.
    const AT_START: Self = Self {
        executions: 10_000,
        nodes: 1_000_000,
        at_start: true,
    };

    fn is_spent(&self) -> bool {
        self.executions == 0 || self.nodes == 0
    }

    fn spend(&mut self, nodes: usize) {
        self.executions = self.executions.saturating_sub(1);
        self.nodes = self.nodes.saturating_sub(nodes);
    }
}

/// Compares the executions of a flow that have not ended, the newest first.
async fn compare(
    core: &EngineCore,
    served: &ServedFlow,
    budget: &mut Budget,
) -> Result<Found, StoreError> {
    let table = served.flow.table();
    let mut found = Found::default();
    let unfinished = Status::ALL.into_iter().filter(|status| !status.is_final());
    let mut query = ExecutionQuery {
        flows: served.names().map(ToOwned::to_owned).collect(),
        status: unfinished.collect(),
        limit: Some(PAGE),
        ..ExecutionQuery::default()
    };
    loop {
        let begun = Instant::now();
        let page = core.store.list(query.clone()).await?;
        query.after = page.last().map(Into::into);
        for info in &page {
            if budget.at_start && (budget.is_spent() || core.is_draining()) {
                found.left_some = true;
                return Ok(found);
            }
            // One that is gone or has ended meanwhile fits.
            let Some(saved) = core.store.load(info.id.clone()).await? else {
                continue;
            };
            budget.spend(saved.nodes.len());
            let form = saved.info.form;
            let differing = if served.flow.takes_newer() {
                None
            } else {
                core.differing(table, served.form, form).await?
            };
            let mut misfits = Vec::new();
            if !saved.info.status.is_final() {
                let looked = served.flow.look(core, saved).await;
                if looked.is_shorter && differing.is_none() && budget.at_start {
                    wake(core, &info.id).await?;
                }
                misfits = looked.misfits;
            }
            misfits.extend(differing.map(|differing| newer_form(table, &differing)));
            found.add(misfits, &info.id);
        }
        if page.len() < PAGE {
            return Ok(found);
        }
        if budget.at_start {
            tokio::time::sleep(begun.elapsed()).await;
        }
    }
}

/// Makes an execution due whose pause has become shorter, so that a turn ends it. One that somebody is at
/// has its turn.
async fn wake(core: &EngineCore, id: &str) -> Result<(), StoreError> {
    let held = core.store.acquire(Acquire {
        id: id.to_owned(),
        worker: core.worker.clone(),
        lease: core.lease,
        over: TakeOver::Ended,
    });
    let Acquired::Held(taken) = held.await? else {
        return Ok(());
    };
    tracing::debug!(execution = id, "a pause of it is shorter in this program");
    // It may have ended since it was looked at.
    let write = Write::new(Target::Held(taken.lease), taken.unchanged());
    core.store.write(write).await?;
    core.due_now();
    Ok(())
}

/// What has been found of one flow.
#[derive(Default)]
struct Found {
    fit: u64,
    unfit: u64,
    /// Whether not all were compared.
    left_some: bool,
    causes: BTreeMap<String, (u64, String)>,
}

impl Found {
    fn add(&mut self, misfits: Vec<String>, id: &str) {
        if misfits.is_empty() {
            self.fit += 1;
            return;
        }
        self.unfit += 1;
        for why in misfits {
            let is_full = self.causes.len() == CAUSES;
            if let Some((count, _)) = self.causes.get_mut(&why) {
                *count += 1;
            } else if !is_full {
                self.causes.insert(why, (1, id.to_owned()));
            }
        }
    }

    fn told(self, flow: &'static str) -> FlowCompatibility {
        let causes = self.causes.into_iter();
        let mut causes: Vec<UnfitCause> = causes
            .map(|(why, (executions, example))| UnfitCause {
                why,
                executions,
                example,
            })
            .collect();
        causes.sort_by_key(|cause| std::cmp::Reverse(cause.executions));
        FlowCompatibility {
            flow,
            fit: self.fit,
            unfit: self.unfit,
            causes,
        }
    }
}

impl FlowCompatibility {
    /// Tells of it in the log: with how many were compared, if they were not all.
    fn log(&self, of_newest: Option<u64>) {
        let Self {
            flow, fit, unfit, ..
        } = self;
        let which = match of_newest {
            Some(count) => format!("of the newest {count} executions that have not ended"),
            None => "of the executions that have not ended".to_owned(),
        };
        if *unfit == 0 {
            tracing::info!(flow, fit, "{which}, all fit this program");
            return;
        }
        let causes: Vec<String> = self.causes.iter().map(ToString::to_string).collect();
        let (first, more) = causes.split_at(causes.len().min(CAUSES_IN_LOG));
        let more = match more.len() {
            0 => String::new(),
            more => format!("; and {more} more: see `Engine::compatibility`"),
        };
        tracing::warn!(
            flow,
            fit,
            unfit,
            "{which}, {unfit} do not fit this program: {}{more}",
            first.join("; ")
        );
    }
}

impl fmt::Display for UnfitCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            why,
            executions,
            example,
        } = self;
        write!(f, "{executions} such as {example}: {why}")
    }
}
