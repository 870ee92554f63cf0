//! What was acknowledged before the power was cut has to be there after it.
//!
//! The log tells what the process was told by then. It is told of a start once the write that makes
//! the execution is safe; a step is entered once the write is safe that says that it has begun and
//! that those before it are done; likewise an undo. A record in the log stands behind the sync that
//! it was told of, both in the process and in the trace, so a cut behind the record is a cut behind
//! the sync. (The other way round nothing is claimed: what was synced may be there though nobody was
//! told of it.)

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    jobs::Job,
    log::{What, records},
    plan,
    stored::Stored,
};

/// Returns what is missing, and how many things were looked for.
pub(crate) fn check(stored: &BTreeMap<String, Stored>, log: &str) -> (Vec<String>, u64) {
    let mut missing = Vec::new();
    let mut looked = 0;
    // What has failed may have been cleared to be tried again.
    let failed: BTreeSet<_> = records(log)
        .filter(|record| matches!(record.what, What::Fail | What::Unfail))
        .map(|record| (record.execution, record.first()))
        .collect();
    let mut did: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for record in records(log) {
        let (id, path) = (record.execution, record.first());
        let told = matches!(
            record.what,
            What::Ack | What::Begin | What::Unbegin | What::Outcome
        );
        if record.what == What::Did {
            did.entry(id).or_default().insert(path);
        }
        if !told {
            continue;
        }
        looked += 1;
        let Some(stored) = stored.get(id) else {
            missing.push(format!(
                "{id} is not there, and its {:?} was told",
                record.what
            ));
            continue;
        };
        if record.what == What::Outcome {
            let ended = ["done", "undone"].contains(&path);
            if ended && stored.status != path {
                missing.push(format!(
                    "{id} was told to be {path}, and is {}",
                    stored.status
                ));
            }
        }
        if failed.contains(&(id, path)) {
            continue;
        }
        let status = |path: &str| match stored.nodes.get(path) {
            Some(node) => &*node.status,
            None => "not there",
        };
        if record.what == What::Unbegin
            && !matches!(status(path), "undoing" | "undone" | "undo_failed")
        {
            let is = status(path);
            missing.push(format!(
                "{id}: the undo of {path} had begun, and it is {is}"
            ));
        }
        if record.what != What::Begin {
            continue;
        }
        if matches!(status(path), "pending" | "not there") {
            missing.push(format!("{id}: {path} had begun, and is {}", status(path)));
        }
        let job = Job::by_id(id).expect("only jobs are started");
        let steps = plan::plan(job).steps;
        let Some(this) = steps.iter().find(|step| step.path == path) else {
            continue;
        };
        for step in steps.iter().filter(|step| step.before(this)) {
            let had = did.get(id).is_some_and(|did| did.contains(&*step.path));
            let is = status(&step.path);
            if had && matches!(is, "pending" | "not there" | "running" | "waiting") {
                missing.push(format!(
                    "{id}: {path} had begun, so {} was done, and is {is}",
                    step.path
                ));
            }
        }
    }
    (missing, looked)
}
