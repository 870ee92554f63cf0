//! How a run that was cut off compares with the one that was left alone.

use std::collections::{BTreeMap, BTreeSet};

use super::{ended::Ended, rules::Rules};
use crate::{
    model::{state::State, status::Status},
    testing::Effect,
};

/// What is wrong with how any run ended, be it cut off or left alone.
pub(super) fn wrong(rules: &Rules, ended: &Ended) -> Option<String> {
    undone_without_being_done(&ended.lab.log()).or_else(|| {
        let mut checks = rules.checks.iter();
        checks.find_map(|check| check(&ended.lab, &ended.state).err())
    })
}

/// What is wrong with how a run ended that was cut off, if anything.
pub(super) fn compare(rules: &Rules, ended: &Ended, alone: &Ended) -> Option<String> {
    let (state, other) = (&ended.state, &alone.state);
    if rules.concurrent && ended.lab.struck() != alone.lab.struck() {
        // Another order spared it a fault: it did less, and so less went wrong.
        return match wrong(rules, ended) {
            None if !state.status.is_final() => Some(format!("it ended {}", state.status)),
            what => what,
        };
    }
    if state.status != other.status {
        return Some(format!(
            "it ended {}, and not {}",
            state.status, other.status
        ));
    }
    if state.output != other.output {
        return Some(format!(
            "its output is {:?}, and not {:?}",
            state.output, other.output
        ));
    }
    let (there, expected) = (ended.lab.there(), alone.lab.there());
    if there != expected {
        return Some(format!(
            "the world has {there:?} in it, and not {expected:?}"
        ));
    }
    let (log, alone_log) = (ended.lab.log(), alone.lab.log());
    if let Some(what) = wrong(rules, ended) {
        return Some(what);
    }
    let (counts, expected) = (counts(&log), counts(&alone_log));
    for (effect, times) in &expected {
        let did = counts.get(effect).copied().unwrap_or_default();
        let once = matches!(effect, Effect::Did(name) if rules.once.contains(name));
        // Where something failed beside it, it may not have been begun.
        let may_lack = rules.concurrent && other.status != Status::Done;
        let wrong = if may_lack {
            once && did > *times
        } else if once {
            did != *times
        } else {
            did == 0
        };
        if wrong {
            return Some(format!("`{effect}` happened {did} times, and not {times}"));
        }
    }
    if rules.concurrent {
        return None;
    }
    if let Some(effect) = counts.keys().find(|effect| !expected.contains_key(*effect)) {
        return Some(format!("`{effect}` happened, and should not have"));
    }
    if order(&log) != order(&alone_log) {
        return Some("what was undone was undone in another order".to_owned());
    }
    let (nodes, expected) = (nodes(state), nodes(other));
    let differs = nodes.iter().zip(&expected).find(|(a, b)| a != b);
    if let Some((node, expected)) = differs {
        return Some(format!("a node is {node:?}, and not {expected:?}"));
    }
    (nodes.len() != expected.len())
        .then(|| format!("it has {} nodes, and not {}", nodes.len(), expected.len()))
}

fn counts(log: &[Effect]) -> BTreeMap<&Effect, usize> {
    let mut counts = BTreeMap::new();
    for effect in log {
        *counts.entry(effect).or_default() += 1;
    }
    counts
}

fn undone_without_being_done(log: &[Effect]) -> Option<String> {
    let mut done = BTreeSet::new();
    for effect in log {
        match effect {
            Effect::Did(name) => {
                done.insert(name);
            }
            Effect::Undid(name) if !done.contains(name) => {
                return Some(format!("`{name}` was undone, and had never been done"));
            }
            Effect::Undid(_) => {}
        }
    }
    None
}

/// The undos, each where it happened first.
fn order(log: &[Effect]) -> Vec<&String> {
    let mut order = Vec::new();
    for effect in log {
        if let Effect::Undid(name) = effect
            && !order.contains(&name)
        {
            order.push(name);
        }
    }
    order
}

/// What is compared of the nodes: what they are and gave, not when and how often.
fn nodes(state: &State) -> Vec<(String, Status, Option<String>, Option<bool>)> {
    state
        .walk()
        .filter(|(_, node)| node.status != Status::Pending)
        .map(|(path, node)| {
            let output = node.output.as_ref().map(ToString::to_string);
            (path, node.status, output, node.decision)
        })
        .collect()
}
