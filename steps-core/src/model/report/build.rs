//! Making a report of a saved tree.

use std::time::Duration;

use jiff::Timestamp;

use super::{NodeReport, Report, TimeUse, UndoReport, critical};
use crate::{
    base::clock::between,
    model::{
        state::{Kind, NodeData, State, StepKind, path},
        status::Status,
    },
};

impl State {
    /// Returns a report of this tree, as of now. See [`Report`].
    ///
    /// ```
    /// # use steps::state::State;
    /// let state = State::from_json(
    ///     r#"{"name":"deploy","startedAt":"2026-01-01T00:00:00Z","doneAt":"2026-01-01T00:00:03Z","kind":"flow",
    ///         "states":[
    ///         {"name":"unpack","startedAt":"2026-01-01T00:00:00Z","doneAt":"2026-01-01T00:00:01Z"},
    ///         {"name":"start","attempts":2,"waitedNanos":500000000,
    ///          "startedAt":"2026-01-01T00:00:01Z","doneAt":"2026-01-01T00:00:03Z"}]}"#,
    /// )?;
    /// let report = state.report();
    /// assert_eq!(report.nodes[report.slowest[0]].path, "start");
    /// assert_eq!(report.time.work.as_millis(), 2500);
    /// assert!(report.html().to_string().starts_with("<!DOCTYPE html>"));
    /// # Ok::<_, steps::state::StateError>(())
    /// ```
    pub fn report(&self) -> Report {
        self.report_at(Timestamp::now())
    }

    /// Returns a report of this tree, as of this moment: what has not ended is counted up to it.
    pub fn report_at(&self, at: Timestamp) -> Report {
        report(self, at)
    }
}

impl Report {
    /// Adds when the execution was created, which its tree does not know: then the report tells how long it waited
    /// for its beginning. [`Handle::report`](crate::engine::Handle::report) has done so.
    #[must_use]
    pub fn created(mut self, at: Timestamp) -> Self {
        self.created_at = Some(at);
        self.queue = self.started_at.map(|began| between(at, began));
        self
    }
}

/// How many of the slowest steps are named.
const SLOWEST: usize = 10;

pub(super) fn report(state: &State, at: Timestamp) -> Report {
    let mut nodes = Vec::new();
    walk(state, String::new(), 0, at, &mut nodes);
    let mut time = TimeUse::default();
    for node in &nodes {
        time.add(&node.time);
    }
    let end = state.done_at.unwrap_or(at);
    let took = state
        .started_at
        .map_or(Duration::ZERO, |from| between(from, end));
    let steps = |node: &NodeReport| node.kind == Kind::Step && node.took.is_some();
    let mut slowest: Vec<usize> = (0..nodes.len()).filter(|i| steps(&nodes[*i])).collect();
    slowest.sort_by_key(|i| std::cmp::Reverse(nodes[*i].took));
    slowest.truncate(SLOWEST);
    let mut undone: Vec<usize> = (0..nodes.len())
        .filter(|i| nodes[*i].undo.is_some())
        .collect();
    undone.sort_by_key(|i| nodes[*i].undo.as_ref().and_then(|undo| undo.started_at));
    let (critical_path, assumed) = critical::path(state, at);
    let mut report = Report {
        id: state.id.as_deref().map(str::to_owned),
        flow: state.name.to_string(),
        status: state.status,
        labels: state.labels.clone(),
        at,
        created_at: None,
        started_at: state.started_at,
        done_at: state.done_at,
        took,
        errors: state.errors.clone(),
        time,
        queue: None,
        idle: idle(state, end, &nodes),
        critical_path,
        slowest,
        undone,
        notes: Vec::new(),
        nodes,
        tree: state.tree().to_string(),
    };
    report.notes = notes(state, &report, assumed);
    report
}

fn walk(state: &State, path: String, depth: usize, at: Timestamp, nodes: &mut Vec<NodeReport>) {
    nodes.push(node(state, path.clone(), depth, at));
    for below in &state.states {
        let mut path = path.clone();
        path::push(&mut path, &below.name);
        walk(below, path, depth + 1, at, nodes);
    }
}

fn node(node: &State, path: String, depth: usize, at: Timestamp) -> NodeReport {
    let took = took(node, at);
    let undo = node.undo.as_ref().map(|undo| UndoReport {
        started_at: undo.started_at,
        done_at: undo.done_at,
        took: undo
            .started_at
            .map(|from| between(from, undo.done_at.unwrap_or(at))),
        attempts: undo.attempts,
        error: undo.err.clone(),
        resolved: undo.resolved,
    });
    let mut time = took.map_or_else(TimeUse::default, |took| use_of(node, took, at));
    // The undo of a group is that of the steps in it.
    if node.kind == Kind::Step {
        time.undo = undo.as_ref().and_then(|undo| undo.took).unwrap_or_default();
    }
    NodeReport {
        path,
        depth,
        kind: node.kind,
        step_kind: node.step_kind.filter(|kind| *kind != StepKind::Call),
        status: node.status,
        started_at: node.started_at,
        done_at: node.done_at,
        took,
        time,
        attempts: node.attempts,
        errors: node.errors.clone(),
        errors_left_out: node.errors_left_out,
        needs: node.needs.iter().map(ToString::to_string).collect(),
        child: node.child_execution(),
        undo,
    }
}

/// Returns how long a node took until its end. A node that was undone before it was done has none.
pub(super) fn took(node: &NodeData, at: Timestamp) -> Option<Duration> {
    let goes_on = matches!(node.status, Status::Running | Status::Waiting);
    let end = node.done_at.or(goes_on.then_some(at));
    Some(between(node.started_at?, end?))
}

/// Returns where the time of a step went, which took so long.
pub(crate) fn use_of(node: &NodeData, took: Duration, at: Timestamp) -> TimeUse {
    let mut time = TimeUse::default();
    if node.kind != Kind::Step {
        return time;
    }
    match node.step_kind {
        Some(StepKind::Sleep) => time.sleep = took,
        Some(StepKind::Signal) => time.signal = took,
        Some(StepKind::Join) => time.child = took,
        // The work on an external task is somebody else's.
        None
        | Some(
            StepKind::Volatile
            | StepKind::Let
            | StepKind::Call
            | StepKind::Start
            | StepKind::External,
        ) => {
            let is_waiting = node.status == Status::Waiting;
            let now = node
                .since
                .filter(|_| is_waiting)
                .map(|since| between(since, at));
            let known = node.attempts < 2 || node.waited.is_some();
            if known {
                let waited = node.waited.unwrap_or_default() + now.unwrap_or_default();
                time.between_attempts = waited.min(took);
                time.work = took.saturating_sub(waited);
            } else {
                time.unknown = took;
            }
        }
    }
    time
}

/// Returns how long a node took that has ended, and where that time and that of its undo went.
pub(crate) fn spent(node: &NodeData) -> Option<(Duration, TimeUse)> {
    let done = node.done_at?;
    let took = between(node.started_at?, done);
    let mut time = use_of(node, took, done);
    let undo = node.undo.as_ref();
    let undo = undo.and_then(|undo| Some(between(undo.started_at?, undo.done_at?)));
    time.undo = undo.unwrap_or_default();
    Some((took, time))
}

/// Returns how long no step was under way between the beginning and the end.
fn idle(state: &State, end: Timestamp, nodes: &[NodeReport]) -> Duration {
    let Some(start) = state.started_at else {
        return Duration::ZERO;
    };
    let mut spans: Vec<(Timestamp, Timestamp)> = Vec::new();
    for node in nodes.iter().filter(|node| node.kind == Kind::Step) {
        let own = node.started_at.zip(node.took);
        let undo = node.undo.as_ref();
        let undo = undo.and_then(|undo| undo.started_at.zip(undo.took));
        for (from, took) in own.into_iter().chain(undo) {
            let to = from.checked_add(took).unwrap_or(end);
            spans.push((from.max(start), to.min(end)));
        }
    }
    spans.sort_unstable();
    let mut idle = Duration::ZERO;
    let mut until = start;
    for (from, to) in spans {
        idle += between(until, from);
        until = until.max(to);
    }
    idle + between(until, end)
}

fn notes(state: &State, report: &Report, assumed: bool) -> Vec<String> {
    let mut notes = Vec::new();
    let steps = || report.nodes.iter().filter(|node| node.kind == Kind::Step);
    if report.time.unknown > Duration::ZERO {
        notes.push(
            "Of some steps with several attempts it is not recorded how long the pauses between them \
             were: their time is given as a whole."
                .to_owned(),
        );
    }
    if steps().any(|node| node.status == Status::Done && node.attempts > 1) {
        notes.push(
            "Errors of earlier attempts of a step that was done in the end are not kept."
                .to_owned(),
        );
    }
    if assumed {
        notes.push(
            "Critical path: which item of a `for … parallel` made another one wait is not recorded. It \
             is assumed to be the one that ended last before it began (marked with ?)."
                .to_owned(),
        );
    }
    if !report.undone.is_empty() {
        notes.push(
            "The critical path is that of going forward. The time of an undo includes the pauses \
             between its attempts, which are not recorded apart."
                .to_owned(),
        );
    }
    if state
        .walk()
        .any(|(_, node)| node.kind == Kind::Loop && node.rounds_missing() > 0)
    {
        notes.push("Rounds of a loop that were let go are not in the report.".to_owned());
    }
    if state.generation.is_some() {
        notes.push(
            "It has begun again from a step, or after a rollback: what a step did before that is not \
             kept."
                .to_owned(),
        );
    }
    notes
}
