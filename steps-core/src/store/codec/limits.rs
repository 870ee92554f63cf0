//! What is kept of flows that are paused or limited. The limits stay plain, as claims go by them; why, and by
//! whom, is encoded as what a duty keeps.

use super::{
    CodecStore, Owner,
    passage::{Passage, Way},
};
use crate::store::{BoxFuture, FlowLimited, LimitFlow, LimitedFlow, StoreError};

/// What it is bound to.
fn name(flow: &str) -> String {
    format!("limits/{flow}")
}

impl CodecStore {
    /// Lists the flows.
    pub(super) fn limited(&self) -> BoxFuture<'_, Result<Vec<LimitedFlow>, StoreError>> {
        Box::pin(async move {
            let mut flows = self.inner.limited_flows().await?;
            for flow in &mut flows {
                // One that can't be decoded keeps no other from being paused; it stays as it is.
                let _ = self.decoded(flow);
            }
            Ok(flows)
        })
    }

    /// Changes what is kept of a flow.
    pub(super) fn limit(
        &self,
        mut limit: LimitFlow,
    ) -> BoxFuture<'_, Result<FlowLimited, StoreError>> {
        Box::pin(async move {
            let name = name(&limit.flow);
            let owner = Owner::Duty(&name);
            let is_raw = false;
            let passage = Passage {
                codec: self.inward().codec,
                way: Way::In { owner, is_raw },
            };
            let passed = passage.duty(&mut limit.to.value);
            passed.map_err(|fault| fault.not_written(&format!("flow `{}`", limit.flow)))?;
            let mut set = self.inner.limit_flow(limit).await?;
            if let FlowLimited::Changed(Some(flow)) = &mut set {
                let _ = self.decoded(flow);
            }
            Ok(set)
        })
    }

    fn decoded(&self, flow: &mut LimitedFlow) -> Result<(), StoreError> {
        let name = name(&flow.flow);
        let passage = Passage {
            codec: self.outward().codec,
            way: Way::OutOfDuty { name: &name },
        };
        let passed = passage.duty(&mut flow.value);
        passed.map_err(|fault| fault.told(&format!("flow `{}`", flow.flow), None))
    }
}
