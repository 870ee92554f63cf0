//! What has to hold between a parent and its child, beside what holds for each by itself.

use std::collections::BTreeMap;

use crate::{
    checked::Checked,
    history::{Histories, History},
    jobs::{Job, Kind},
    log::What,
    stored::Stored,
};

/// Checks each parent that is stored, with its child.
pub(crate) fn check(
    stored: &BTreeMap<String, Stored>,
    histories: &Histories<'_>,
    checked: &mut Checked,
) {
    for id in stored.keys() {
        let job = Job::by_id(id).expect("only jobs are started");
        match job.kind {
            Kind::Family => {}
            Kind::Kin => {
                let parent = Job::of(job.number).id();
                if !stored.contains_key(&parent) {
                    let why = format!("{id}: its parent {parent} is not there");
                    checked.broken.push(why);
                }
                continue;
            }
            _ => continue,
        }
        let child = job.child().id();
        // Whether it was started is checked by itself: its steps are planned.
        let (Some(parent), Some(of_child)) = (histories.of.get(&**id), histories.of.get(&*child))
        else {
            checked.broken.push(format!("{id}: it never had a child"));
            continue;
        };
        checked.families += 1;
        checked.families_inherited += u64::from(parent.inherited + of_child.inherited > 0);
        if parent.lapsed || of_child.lapsed {
            continue;
        }
        let broken = order(job, parent, of_child);
        let broken = broken.into_iter().map(|why| format!("{id}: {why}"));
        checked.broken.extend(broken);
    }
}

/// What stands above the line that starts the child came before all that the child did, and what stands
/// below the one that joins it came after; and the other way round when they were undone.
fn order(job: Job, parent: &History<'_>, child: &History<'_>) -> Vec<String> {
    let of = |history: &History<'_>, what: What, path: Option<&str>| -> Option<(usize, usize)> {
        let mut places = history
            .of(what)
            .filter(|thing| !thing.late)
            .filter(|thing| path.is_none_or(|path| thing.record.first() == path))
            .map(|thing| thing.at);
        let first = places.next()?;
        Some((first, places.last().unwrap_or(first)))
    };
    let before = |a: Option<(usize, usize)>, b: Option<(usize, usize)>| match (a, b) {
        (Some(a), Some(b)) => a.1 < b.0,
        _ => true,
    };
    let in_parent = |what, path| of(parent, what, Some(path));
    let (did, undid) = (of(child, What::Did, None), of(child, What::Undid, None));
    let mut broken = Vec::new();
    let mut rule = |holds: bool, why: &str| {
        if !holds {
            broken.push(why.to_owned());
        }
    };
    rule(
        before(in_parent(What::Did, "first"), did),
        "its child did something before the line above it was done",
    );
    rule(
        before(did, in_parent(What::Did, "last")),
        "it went on before its child was done",
    );
    rule(
        before(undid, in_parent(What::Undid, "first")),
        "the line above its child was undone before the child was",
    );
    // A child that failed took back what it had done before its parent knew of it.
    rule(
        job.child_fails() || before(in_parent(What::Undid, "own"), undid),
        "its child was undone before a line below it",
    );
    broken
}
