//! What is kept with the limits of a flow: what was done with it, and who has set them.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use crate::{
    base::json::{Json, read},
    model::{act::Act, flow_limits::FlowLimits},
    store::{LimitedFlow, NewLimits},
};

/// What is kept of a flow.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Saved {
    pub(super) is_paused: bool,
    pub(super) limits: FlowLimits,
    /// What was done, the oldest first.
    pub(super) acts: Vec<Act>,
    /// Since when it is paused: an act.
    pub(super) paused: Option<Act>,
    /// Whether the limits were set at run time: then those of a service do not count.
    pub(super) at_run_time: bool,
}

impl Saved {
    /// Reads it. What another version has written and this one can't read counts as nothing.
    pub(super) fn of(flow: Option<&LimitedFlow>) -> Self {
        let fields = flow.and_then(|flow| flow.value.decode::<BTreeMap<String, Json>>().ok());
        let fields = fields.unwrap_or_default();
        Self {
            is_paused: flow.is_some_and(|flow| flow.is_paused),
            limits: flow.map(|flow| flow.limits.clone()).unwrap_or_default(),
            acts: field(&fields, "acts").unwrap_or_default(),
            paused: field(&fields, "paused"),
            at_run_time: field(&fields, "atRunTime").unwrap_or_default(),
        }
    }

    /// Notes what was done.
    pub(super) fn did(&mut self, act: Act) {
        self.acts.push(act);
        let over = self.acts.len().saturating_sub(Act::MOST);
        self.acts.drain(..over);
    }

    pub(super) fn into_new(self) -> Result<NewLimits, serde_json::Error> {
        let fields = BTreeMap::from([
            ("acts", Json::encode(&self.acts)?),
            ("paused", Json::encode(&self.paused)?),
            ("atRunTime", Json::encode(&self.at_run_time)?),
        ]);
        Ok(NewLimits {
            is_paused: self.is_paused,
            limits: self.limits,
            value: Json::encode(&fields)?,
        })
    }
}

fn field<T: DeserializeOwned>(fields: &BTreeMap<String, Json>, name: &str) -> Option<T> {
    read(fields.get(name)?.get()).ok()
}
