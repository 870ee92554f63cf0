//! The limits that a service serves its flows with: they are set in the store as the engine starts.

use crate::{
    engine::{error::EngineError, worker::engine_core::EngineCore},
    model::flow_limits::FlowLimits,
};

/// Sets the limits of a flow that is served with some, unless an operator has set others at run time.
/// Where several processes say different things, the one that was started last counts.
pub(in crate::engine) async fn limit_served(
    core: &EngineCore,
    flow: &str,
    limits: &FlowLimits,
) -> Result<(), EngineError> {
    let mut is_other = false;
    core.change_limits(flow, |saved| {
        is_other = saved.limits != *limits;
        if saved.at_run_time || !is_other {
            return false;
        }
        saved.limits = limits.clone();
        is_other = false;
        true
    })
    .await?;
    if is_other {
        tracing::warn!(flow, %limits, "other limits were set at run time, and count");
    }
    Ok(())
}
