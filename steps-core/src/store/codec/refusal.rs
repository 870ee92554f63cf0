//! What becomes of an execution that was claimed and can't be decoded: it is given back, for a process that
//! can.

use super::CodecStore;
use crate::{
    base::sync::lock,
    store::{FlowClaim, HeldExecution, LeaseAfter, Refused, Refuser, StoreError, Target, Write},
};

impl CodecStore {
    /// Gives back an execution that can't be decoded, refused by the flow that it was claimed for.
    pub(super) async fn refuse(
        &self,
        flows: &[FlowClaim],
        taken: HeldExecution,
        error: StoreError,
    ) {
        let id = &taken.info.id;
        if self.is_news(id) {
            tracing::error!(execution = %id, flow = taken.info.flow, "left as it was: {error}");
        }
        let flow = flows.iter().find(|flow| {
            let mut names = flow.names.iter();
            names.any(|name| *name == taken.info.flow)
        });
        let Some(flow) = flow else { return };
        let mut by: Vec<Refuser> = taken.refused_by;
        by.retain(|other| *other != flow.refuser);
        by.push(flow.refuser);
        let mut refused = Refused {
            by,
            why: error.to_string(),
        };
        self.inward().refused(&mut refused);
        let write = Write::new(Target::Held(taken.lease), LeaseAfter::Refuse(refused));
        if let Err(error) = self.inner.write(write).await {
            // The lease ends, and somebody claims it again.
            tracing::warn!(execution = %id, %error, "not given back");
        }
    }

    fn is_news(&self, id: &str) -> bool {
        let mut told = lock(&self.told);
        if told.len() >= 10_000 {
            told.clear();
        }
        told.insert(id.to_owned())
    }
}
