//! Limits of flows: whether a flow is paused, and how many of its executions go on at once.

use crate::{base::json::Json, model::flow_limits::FlowLimits};

/// What is kept of a flow that is paused or limited, or was. It goes by the name that executions were
/// created under: what was created under an earlier name of the flow goes by that.
///
/// * Of a flow that is [paused](Self::is_paused), no claim gives an execution to anybody.
/// * Of one that has [limits](Self::limits), a claim gives no more executions that have not begun than
///   there is room for. One has *begun* if its status is `running`, `waiting` or `undoing`, and all that
///   have take up room until they end. So does one that has not, while a lease on it lasts. What has begun
///   is given to workers whatever the limits, and so is one that has not begun and is sent a request to
///   stop or to undo: it takes up no room.
/// * Of both, [no execution is created](super::Written::Limited) that a worker holds from the start.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitedFlow {
    /// The name.
    pub flow: String,
    /// Grows with each change, and is larger than that of any change of a flow before.
    pub revision: i64,
    /// Whether nobody is given executions of the flow.
    pub is_paused: bool,
    /// How many executions go on at once, and begin in a time. By which clock a rate goes is the store's
    /// business.
    pub limits: FlowLimits,
    /// What the caller keeps with it.
    pub value: Json,
}

impl LimitedFlow {
    /// Returns whether it keeps anything from anybody.
    pub fn is_in_force(&self) -> bool {
        self.is_paused || !self.limits.is_none()
    }
}

/// A change of what is kept of a flow, made only if nobody else was faster.
#[derive(Clone, Debug)]
pub struct LimitFlow {
    /// The name of the flow.
    pub flow: String,
    /// The revision that the caller has read; `None` if there was nothing.
    pub revision: Option<i64>,
    /// What it is from now on.
    pub to: NewLimits,
}

/// What is kept of a flow after a change.
#[derive(Clone, Debug, PartialEq)]
pub struct NewLimits {
    /// Whether nobody is given executions of the flow.
    pub is_paused: bool,
    /// How many executions go on at once, and begin in a time.
    pub limits: FlowLimits,
    /// What the caller keeps with it.
    pub value: Json,
}

/// The result of a [`LimitFlow`].
#[derive(Clone, Debug, PartialEq)]
pub enum FlowLimited {
    /// The change was stored, and has this revision. Every claim that begins from now on goes by it.
    Set(i64),
    /// Nothing was changed, as there is another revision. This is what is kept now; `None` if there is
    /// nothing.
    Changed(Option<LimitedFlow>),
}
