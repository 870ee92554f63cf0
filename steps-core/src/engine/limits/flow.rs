//! The handle on a flow: pausing it, limiting it, and telling what is so.

use std::{fmt, sync::Arc};

use super::saved::Saved;
use crate::{
    engine::{Engine, error::EngineError, worker::engine_core::EngineCore},
    model::{
        act::{Act, Operator},
        flow_limits::FlowLimits,
    },
    store::{ErrorKind, FlowLimited, LimitFlow, LimitedFlow, StoreError},
};

/// A flow, by its name, over all processes that use the store: a handle, which may be dropped.
///
/// Returned by [`Engine::flow`]. It needs no code of the flow.
///
/// ```
/// use steps::{Engine, engine::{FlowLimits, Operator}, prelude::*};
///
/// # #[step]
/// # async fn copy() -> Result<(), String> { Ok(()) }
/// # #[flow]
/// # async fn replicate() -> Result<(), String> { steps! { copy(); } Ok(()) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let engine = Engine::open("memory:").await?.serve(replicate::with()).start().await?;
/// let flow = engine.flow("replicate");
/// let ann = flow.acting_as(Operator::new("ann").reason("the registry is being moved"));
/// ann.pause().await?;
/// // It is created, and begins when the flow is resumed.
/// let run = engine.start(replicate::input()).await?;
/// assert_eq!(engine.paused_flows().await?, ["replicate"]);
/// ann.resume().await?;
/// run.outcome().await?;
///
/// flow.limit(FlowLimits::new().at_once(3)).await?;
/// assert_eq!(flow.info().await?.limits.at_once, Some(3));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct FlowHandle {
    engine: Engine,
    name: Arc<str>,
    operator: Option<Operator>,
}

impl fmt::Debug for FlowHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FlowHandle").field(&self.name).finish()
    }
}

/// Whether a flow is paused, and how it is limited.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FlowInfo {
    /// Its name.
    pub flow: String,
    /// Whether it is paused.
    pub is_paused: bool,
    /// Who has paused it, when and why, if an [operator](FlowHandle::acting_as) was named.
    pub paused: Option<Act>,
    /// Its limits.
    pub limits: FlowLimits,
    /// Whether they were set [at run time](FlowHandle::limit), so that those which a service
    /// [serves it with](crate::With::limits) do not count.
    pub at_run_time: bool,
    /// What operators have done with it, the oldest first: `pause`, `resume`, `limit`, `unlimit`. The
    /// newest 100.
    pub acts: Vec<Act>,
}

impl FlowInfo {
    fn of(name: &str, flow: Option<&LimitedFlow>) -> Self {
        let Saved {
            is_paused,
            limits,
            acts,
            paused,
            at_run_time,
        } = flow.map(Saved::of).unwrap_or_default();
        Self {
            flow: name.to_owned(),
            is_paused,
            paused,
            limits,
            at_run_time,
            acts,
        }
    }
}

impl Engine {
    /// Returns a handle on the flow of this name, by which it is paused and limited over all processes
    /// that use the store, whether or not this engine serves it or there is an execution of it.
    ///
    /// It goes by the name under which executions were created: what was created under an earlier name of
    /// the flow, an alias, goes by that one.
    pub fn flow(&self, name: impl AsRef<str>) -> FlowHandle {
        FlowHandle {
            engine: self.clone(),
            name: name.as_ref().into(),
            operator: None,
        }
    }

    /// Returns the flows that are paused or limited, or were, in the order of their names.
    ///
    /// # Errors
    ///
    /// If the store can't be read.
    pub async fn flows(&self) -> Result<Vec<FlowInfo>, EngineError> {
        let all = self.core.store.limited_flows().await?;
        let all = all.iter();
        Ok(all.map(|it| FlowInfo::of(&it.flow, Some(it))).collect())
    }

    /// Returns the names of the flows that are paused.
    ///
    /// # Errors
    ///
    /// If the store can't be read.
    pub async fn paused_flows(&self) -> Result<Vec<String>, EngineError> {
        let all = self.core.store.limited_flows().await?;
        let paused = all.into_iter().filter(|flow| flow.is_paused);
        Ok(paused.map(|flow| flow.flow).collect())
    }
}

impl FlowHandle {
    /// Returns its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns a handle that records who does what is done by it, and why, in
    /// [`FlowInfo::acts`]. What changes nothing is not recorded.
    #[must_use]
    pub fn acting_as(&self, operator: Operator) -> Self {
        Self {
            operator: Some(operator),
            ..self.clone()
        }
    }

    /// Returns whether it is paused, and how it is limited.
    ///
    /// # Errors
    ///
    /// If the store can't be read.
    pub async fn info(&self) -> Result<FlowInfo, EngineError> {
        let there = self.engine.core.limited_flow(&self.name).await?;
        Ok(FlowInfo::of(&self.name, there.as_ref()))
    }

    /// Pauses it in all processes, until it is [resumed](Self::resume): once this has returned, no process
    /// begins or takes up an execution of it. What one works on goes on until it has ended or waits for
    /// something. Executions may be started all the same, and begin when the flow is resumed; signals and
    /// requests to stop or to undo are kept until then, too, and timers count on.
    /// [`force_stop`](super::super::Handle::force_stop) stops one at once. Returns whether that was a
    /// change.
    ///
    /// # Errors
    ///
    /// If the store can't be changed.
    pub async fn pause(&self) -> Result<bool, EngineError> {
        self.change("pause", |saved, act| {
            let was_paused = std::mem::replace(&mut saved.is_paused, true);
            if !was_paused {
                saved.paused = act.cloned();
            }
            !was_paused
        })
        .await
    }

    /// Lets its executions begin and go on again: at once in this process, and in others with their next
    /// [poll](super::super::Builder::poll). Returns whether that was a change.
    ///
    /// # Errors
    ///
    /// If the store can't be changed.
    pub async fn resume(&self) -> Result<bool, EngineError> {
        self.change("resume", |saved, _| {
            saved.paused = None;
            std::mem::take(&mut saved.is_paused)
        })
        .await
    }

    /// Limits it in all processes, in place of the limits that it had. These stay until they are set
    /// anew, or until [`unlimit`](Self::unlimit): from now on, limits that a service
    /// [serves it with](crate::With::limits) do not count. Of what has begun, all goes on, even if it is
    /// more than the new limits allow. Returns whether that was a change.
    ///
    /// # Errors
    ///
    /// If the store can't be changed.
    pub async fn limit(&self, limits: FlowLimits) -> Result<bool, EngineError> {
        self.change("limit", move |saved, _| {
            let is_change = !saved.at_run_time || saved.limits != limits;
            saved.limits = limits.clone();
            saved.at_run_time = true;
            is_change
        })
        .await
    }

    /// Ends its limits, also those of a service, until a service that serves it with limits is started.
    /// Returns whether that was a change.
    ///
    /// # Errors
    ///
    /// If the store can't be changed.
    pub async fn unlimit(&self) -> Result<bool, EngineError> {
        self.change("unlimit", |saved, _| {
            let is_change = saved.at_run_time || !saved.limits.is_none();
            saved.limits = FlowLimits::new();
            saved.at_run_time = false;
            is_change
        })
        .await
    }

    async fn change(
        &self,
        what: &str,
        change: impl Fn(&mut Saved, Option<&Act>) -> bool,
    ) -> Result<bool, EngineError> {
        let core = &self.engine.core;
        let act = self.operator.as_ref();
        let act = act.map(|operator| operator.does(core.clock.now(), what, None));
        let change = |saved: &mut Saved| {
            let is_change = change(saved, act.as_ref());
            if let Some(act) = act.clone().filter(|_| is_change) {
                act.note(&mut saved.acts);
            }
            is_change
        };
        let changed = core.change_limits(&self.name, change).await?;
        if changed {
            let flow = &*self.name;
            tracing::info!(flow, by = act.map(|act| act.by), "{what}");
        }
        Ok(changed)
    }
}

impl EngineCore {
    async fn limited_flow(&self, name: &str) -> Result<Option<LimitedFlow>, EngineError> {
        let all = self.store.limited_flows().await?;
        Ok(all.into_iter().find(|flow| flow.flow == name))
    }

    /// Makes a change of what is kept of a flow, unless it says that there is none. Returns whether there
    /// was.
    pub(super) async fn change_limits(
        &self,
        name: &str,
        mut change: impl FnMut(&mut Saved) -> bool,
    ) -> Result<bool, EngineError> {
        let mut there = self.limited_flow(name).await?;
        loop {
            let unreadable = |why: String| {
                let why = format!("flow `{name}`: what is kept with its limits: {why}");
                StoreError::new(ErrorKind::Corrupt, why)
            };
            let saved = there.as_ref().map(Saved::read).transpose();
            let mut saved = saved.map_err(unreadable)?.unwrap_or_default();
            if !change(&mut saved) {
                return Ok(false);
            }
            let to = saved
                .into_new()
                .map_err(|error| unreadable(error.to_string()))?;
            let limit = LimitFlow {
                flow: name.to_owned(),
                revision: there.as_ref().map(|flow| flow.revision),
                to,
            };
            match self.store.limit_flow(limit).await? {
                FlowLimited::Set(_) => {
                    self.due_now();
                    return Ok(true);
                }
                FlowLimited::Changed(now) => there = now,
            }
        }
    }
}
