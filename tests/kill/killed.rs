//! One, two and three processes on one database, killed and stopped.

use std::time::Duration;

use crate::{
    checked::Checked,
    faults::{self, Done, Plan},
    finish::finish,
    places::Place,
    scenario::{Folder, Size},
};

/// Kills in one folder: more of them get a new one, so that no log grows without end.
const ROUND: u64 = 250;

/// After so many rounds nothing new is expected.
const MOST: u64 = 8;

/// One process: killed, and started again at once.
pub(crate) fn one(size: Size) {
    let (done, checked) = rounds(Plan {
        processes: 1,
        kills: size.kills,
        stops: 0,
        lease: Duration::from_millis(250),
        seed: size.seed,
    });
    let never = done.killed.missing(&[
        Place::StepBefore,
        Place::StepAfter,
        Place::Rollback,
        Place::Commit,
        Place::Claim,
        Place::TakeOver,
    ]);
    assert!(never.is_empty(), "no kill struck inside {never:?}");
    assert!(
        checked.inherited > 0,
        "nothing was taken over from the dead"
    );
    assert!(
        checked.once > 0,
        "no verified step of a killed process was checked"
    );
    assert!(checked.undone > 0, "no execution was undone");
    assert!(
        checked.families_inherited > 0,
        "no parent or child was taken over from the dead"
    );
}

/// Two processes: killed, or stopped for longer than their lease.
pub(crate) fn two(size: Size) {
    several(size, 2);
}

/// Three processes.
pub(crate) fn three(size: Size) {
    several(size, 3);
}

fn several(size: Size, processes: u64) {
    let (done, checked) = rounds(Plan {
        processes,
        kills: (size.kills / 10).max(20),
        stops: (size.kills / 10).max(20),
        lease: Duration::from_millis(250),
        seed: size.seed ^ processes,
    });
    let never = done.killed.missing(&[Place::Commit, Place::TakeOver]);
    assert!(never.is_empty(), "no kill struck inside {never:?}");
    let in_step = done.stopped.of(Place::StepBefore) + done.stopped.of(Place::StepAfter);
    assert!(in_step > 0, "no stop struck inside a step");
    assert!(
        done.stopped.of(Place::Commit) > 0,
        "no stop struck inside a commit"
    );
    assert!(
        checked.inherited > 0,
        "nothing was taken over from the dead"
    );
    assert!(
        checked.lost > 0,
        "nothing was taken over from a process that was stopped"
    );
    assert!(
        checked.fenced > 0,
        "no write of a process that woke was refused"
    );
}

fn rounds(plan: Plan) -> (Done, Checked) {
    let mut all = Done::default();
    let mut checks = Checked::default();
    let mut left = plan.kills;
    let mut round = 0;
    // If by chance no process woke to find its execution taken over, once more.
    while left > 0 || (plan.stops > 0 && checks.fenced == 0 && round < MOST) {
        let kills = if left > 0 {
            left.min(ROUND)
        } else {
            plan.kills.min(ROUND)
        };
        let stops = plan.stops * kills / plan.kills;
        left = left.saturating_sub(kills);
        let folder = Folder::new();
        let seed = plan.seed.wrapping_add(round);
        let done = faults::inject(
            Plan {
                kills,
                stops,
                seed,
                ..plan
            },
            folder.path(),
        );
        all.join(&done);
        println!("  struck by {} kills: {}", done.kills, done.killed);
        if done.stops > 0 {
            println!("  struck by {} stops: {}", done.stops, done.stopped);
        }
        let checked = finish(folder.path(), plan.lease);
        println!("  {checked}");
        checks.join(&checked);
        round += 1;
    }
    (all, checks)
}
