//! What is kept with the limits of a flow: what was done with it, and who has set them.

use std::collections::BTreeMap;

use crate::{
    base::json::{Fields, Json},
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
    /// Reads it, to change it. The error says what can't be read: a change would lose it.
    pub(super) fn read(flow: &LimitedFlow) -> Result<Self, String> {
        let fields = Fields::of(&flow.value)?;
        Ok(Self {
            acts: fields.get("acts")?,
            paused: fields.get("paused")?,
            at_run_time: fields.get("atRunTime")?,
            ..Self::as_it_counts(flow)
        })
    }

    /// Reads it, to show it. What this program can't read is left out.
    pub(super) fn of(flow: &LimitedFlow) -> Self {
        Self::read(flow).unwrap_or_else(|_| Self::as_it_counts(flow))
    }

    /// What the store itself goes by.
    fn as_it_counts(flow: &LimitedFlow) -> Self {
        Self {
            is_paused: flow.is_paused,
            limits: flow.limits.clone(),
            ..Self::default()
        }
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
