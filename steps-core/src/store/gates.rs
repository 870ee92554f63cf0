//! How much room the limits of a flow leave: for stores, which count what has begun.

use std::collections::HashMap;

use super::limits::LimitedFlow;
use crate::model::{
    flow_limits::{FlowLimits, Rate},
    state::Labels,
};

/// The gate of those without the label of the limits.
const UNCOUNTED: &str = "-";

impl FlowLimits {
    /// Returns the gate behind which an execution with these labels waits until it begins: those that
    /// count together for [`per`](Self::per) have the same. It is not empty. `None` if nothing is limited.
    /// For stores.
    ///
    /// ```
    /// # use steps::{engine::FlowLimits, state::Labels};
    /// let limits = FlowLimits::new().per("tenant", 1);
    /// let labels = Labels::from([("tenant".to_owned(), "a".to_owned())]);
    /// assert_eq!(limits.gate(&labels).as_deref(), Some("=a"));
    /// assert_eq!(limits.gate(&Labels::new()).as_deref(), Some("-"));
    /// assert_eq!(FlowLimits::new().gate(&labels), None);
    /// ```
    pub fn gate(&self, labels: &Labels) -> Option<String> {
        if self.is_none() {
            return None;
        }
        let value = self.per.as_ref().and_then(|per| labels.get(&per.label));
        Some(value.map_or_else(|| UNCOUNTED.to_owned(), |value| format!("={value}")))
    }
}

/// The flows of a claim that are paused or limited, and what room there is for executions that have not
/// begun. For stores, which say what takes up room, and ask for each execution whether there is any.
///
/// ```
/// use steps::{engine::FlowLimits, store::{Gates, LimitedFlow}};
/// # let revision = 1;
/// # let value = steps::Json::encode(&()).unwrap();
/// # let flow = "scan".to_owned();
/// let limits = FlowLimits::new().at_once(3).per("tenant", 1);
/// let scan = LimitedFlow { flow, revision, is_paused: false, limits, value };
/// let mut gates = Gates::default();
/// gates.add(&scan, 0, 0);
/// gates.count("scan", "=a", 1);
/// assert!(!gates.has_room("scan", Some("=a")));
/// assert!(gates.take("scan", Some("=b")) && !gates.take("scan", Some("=b")));
/// assert!(gates.take("scan", Some("-")) && !gates.has_room("scan", Some("=c")), "three in all");
/// assert!(gates.has_room("scan", None), "what has begun needs none");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Gates(HashMap<String, Gate>);

#[derive(Clone, Debug)]
struct Gate {
    limits: FlowLimits,
    is_paused: bool,
    in_all: u32,
    by_rate: u32,
    /// By gate, if those behind each are limited.
    taken: HashMap<String, u32>,
    /// What is kept of the rate, and how many begin with the claim.
    next: i64,
    begun: u32,
    now: i64,
}

impl Gates {
    /// Adds a flow, if it is paused or limited, with the room that there is if nothing has begun. `next` is
    /// what is kept of its rate, at first 0; both times are nanoseconds since 1970.
    pub fn add(&mut self, flow: &LimitedFlow, next: i64, now: i64) {
        if !flow.is_in_force() {
            return;
        }
        let limits = flow.limits.clone();
        let gate = Gate {
            is_paused: flow.is_paused,
            in_all: limits.at_once.unwrap_or(u32::MAX),
            by_rate: limits.rate.map_or(u32::MAX, |rate| rate.room(next, now)),
            taken: HashMap::new(),
            limits,
            next,
            begun: 0,
            now,
        };
        self.0.insert(flow.flow.clone(), gate);
    }

    /// Notes that so many executions of a flow that have come through this gate take up room: those that
    /// have begun and have not ended, and those that have not begun and are held.
    pub fn count(&mut self, flow: &str, behind: &str, begun: u32) {
        if let Some(gate) = self.0.get_mut(flow) {
            gate.count(behind, begun);
        }
    }

    /// The names of the flows.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.0.keys().cloned().collect();
        names.sort_unstable();
        names
    }

    /// Whether the flow is paused.
    pub fn is_paused(&self, flow: &str) -> bool {
        self.0.get(flow).is_some_and(|gate| gate.is_paused)
    }

    /// Whether the flow has limits.
    pub fn has_limits(&self, flow: &str) -> bool {
        self.0.get(flow).is_some_and(|gate| !gate.limits.is_none())
    }

    /// Whether it has limits for which it must be counted what has begun.
    pub fn counts(&self, flow: &str) -> bool {
        let gate = self.0.get(flow);
        gate.is_some_and(|it| it.limits.at_once.is_some() || it.limits.per.is_some())
    }

    /// Whether one that waits behind this gate, or behind none, may be given to a worker.
    pub fn has_room(&self, flow: &str, behind: Option<&str>) -> bool {
        self.0.get(flow).is_none_or(|gate| match behind {
            None => !gate.is_paused,
            Some(behind) => !gate.is_paused && gate.by_rate > 0 && gate.has_place(behind),
        })
    }

    /// When there is room for one behind this gate, if only a rate keeps it back.
    pub fn opens(&self, flow: &str, behind: Option<&str>) -> Option<i64> {
        let gate = self
            .0
            .get(flow)
            .filter(|gate| behind.is_some_and(|it| gate.has_place(it)))?;
        let rate = gate.limits.rate?;
        Some(rate.opens(gate.after(rate), gate.now))
    }

    /// Takes room for one that waits behind this gate, or behind none. Returns whether there was any.
    pub fn take(&mut self, flow: &str, behind: Option<&str>) -> bool {
        let has_room = self.has_room(flow, behind);
        if let (true, Some(gate), Some(behind)) = (has_room, self.0.get_mut(flow), behind) {
            gate.count(behind, 1);
            gate.by_rate -= 1;
            gate.begun += 1;
        }
        has_room
    }

    /// Gives back what was taken for one that is not given to a worker after all.
    pub fn give_back(&mut self, flow: &str, behind: Option<&str>) {
        if let (Some(gate), Some(behind)) = (self.0.get_mut(flow), behind) {
            gate.in_all = gate.in_all.saturating_add(1);
            gate.by_rate = gate.by_rate.saturating_add(1);
            gate.begun = gate.begun.saturating_sub(1);
            if let Some(taken) = gate.taken.get_mut(behind) {
                *taken = taken.saturating_sub(1);
            }
        }
    }

    /// What is to be kept of the rates that were used, by the names of the flows.
    pub fn used(&self) -> Vec<(&str, i64)> {
        let used = self.0.iter().filter(|(_, gate)| gate.begun > 0);
        used.filter_map(|(name, gate)| Some((&**name, gate.after(gate.limits.rate?))))
            .collect()
    }
}

impl Gate {
    fn count(&mut self, behind: &str, begun: u32) {
        self.in_all = self.in_all.saturating_sub(begun);
        if self.limits.per.is_some() {
            *self.taken.entry(behind.to_owned()).or_default() += begun;
        }
    }

    fn has_place(&self, behind: &str) -> bool {
        let per = self.limits.per.as_ref().filter(|_| behind != UNCOUNTED);
        let taken = self.taken.get(behind).copied().unwrap_or_default();
        self.in_all > 0 && per.is_none_or(|per| taken < per.at_once)
    }

    fn after(&self, rate: Rate) -> i64 {
        rate.after(self.next, self.now, self.begun)
    }
}
