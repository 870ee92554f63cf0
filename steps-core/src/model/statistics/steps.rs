//! Collecting the steps of executions by their paths, with rounds and items as one.

use std::collections::{BTreeMap, HashMap};

use super::{StepStatistics, times::Times};
use crate::model::{
    report::{TimeUse, json::nanos, spent},
    state::{Kind, NodeData, path},
    status::Status,
};

#[derive(Debug, Default)]
pub(super) struct Steps {
    /// By the paths of the steps.
    paths: BTreeMap<String, Step>,
}

#[derive(Debug, Default)]
struct Step {
    count: u64,
    failed: u64,
    retried: u64,
    undone: u64,
    times: Times,
    time: TimeUse,
}

impl Steps {
    /// Adds the nodes of one execution: their numbers, those of the nodes above them, and themselves.
    pub(super) fn add(&mut self, nodes: &[(u32, u32, NodeData)]) {
        let by_number: HashMap<u32, usize> = nodes
            .iter()
            .enumerate()
            .map(|(i, node)| (node.0, i))
            .collect();
        for (number, _, node) in nodes {
            if node.kind != Kind::Step || *number == 0 || node.started_at.is_none() {
                continue;
            }
            let path = path_of(*number, nodes, &by_number);
            match self.paths.get_mut(&path) {
                Some(step) => step.add(node),
                None => self.paths.entry(path).or_default().add(node),
            }
        }
    }

    pub(super) fn finish(self) -> Vec<StepStatistics> {
        let steps = self.paths.into_iter();
        steps
            .map(|(path, step)| StepStatistics {
                path,
                count: step.count,
                failed: step.failed,
                retried: step.retried,
                undone: step.undone,
                times: step.times.quantiles(),
                time: step.time,
            })
            .collect()
    }
}

impl Step {
    fn add(&mut self, node: &NodeData) {
        self.count += 1;
        self.retried += u64::from(node.attempts > 1);
        self.undone += u64::from(node.undo.is_some());
        // What was done in the end has no error.
        let has_ended = node.done_at.is_some();
        let failed = has_ended && node.status != Status::Done && !node.errors.is_empty();
        self.failed += u64::from(failed);
        if let Some((took, time)) = spent(node) {
            self.times.add(nanos(took));
            self.time.add(&time);
        }
    }
}

/// Returns the path of a node, with a star for each round and item. Nodes above it that are not there, or
/// above themselves, end it.
fn path_of(number: u32, nodes: &[(u32, u32, NodeData)], by_number: &HashMap<u32, usize>) -> String {
    let mut names: Vec<Option<&str>> = Vec::new();
    let mut number = number;
    while number != 0 && names.len() < nodes.len() {
        let Some((_, above, node)) = by_number.get(&number).map(|place| &nodes[*place]) else {
            break;
        };
        let is_one_of_many = matches!(node.kind, Kind::Round | Kind::Item);
        names.push((!is_one_of_many).then_some(&node.name));
        number = *above;
    }
    let mut path = String::new();
    for name in names.into_iter().rev() {
        match name {
            Some(name) => path::push(&mut path, name),
            None if path.is_empty() => path.push('*'),
            None => path.push_str(".*"),
        }
    }
    path
}
