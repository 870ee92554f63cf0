//! What happened to each execution, by the log.
//!
//! # What can be asked of a process that lost its lease and lives on
//!
//! A lease that ends while its holder is alive (stopped, or kept from its heartbeat by a slow
//! machine) is taken over by another process. The fencing number keeps the old holder from writing
//! anything more to the execution, so the records have one author at a time. It does not reach the
//! world outside: a step that the old holder was inside of, or about to enter after its last write,
//! goes on when the process wakes, and its effect happens beside that of the new holder, whose
//! `#[verify]` has looked before. So:
//!
//! * what such a process still does to the world after the take-over is **late**, and is set apart:
//!   nothing is claimed of its order or its number, but that it is at most one effect for each step
//!   that can be at work at once, as every further step needs a write;
//! * of all other effects everything is claimed, "exactly once where there is a verify" too.
//!
//! A process that was killed before its lease was taken over has no late effects; in a run with
//! one process and no stops nearly all take-overs are of that kind, and the counts say how many.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::log::{Record, What, records};

/// One thing that happened to an execution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thing<'l> {
    /// Its place in the log.
    pub(crate) at: usize,
    pub(crate) record: Record<'l>,
    /// Whether its process had lost the execution, and lived on.
    pub(crate) late: bool,
}

/// The history of one execution.
#[derive(Clone, Debug, Default)]
pub(crate) struct History<'l> {
    pub(crate) things: Vec<Thing<'l>>,
    /// Whether a process got the execution back while it may still have been at work on it from
    /// before, or was stopped between getting it and saying so: then what is done late can't be told
    /// from what is done in time.
    pub(crate) lapsed: bool,
    /// How many processes lost it, and lived on.
    pub(crate) lost: u64,
    /// How often it was taken over from a process that was dead.
    pub(crate) inherited: u64,
    /// The newest fence that somebody is known to have got.
    newest: i64,
    /// Who has it, by that.
    holder: Option<u32>,
    /// The processes that have lost it, and may wake.
    adrift: BTreeSet<u32>,
}

/// The log, read as a whole.
#[derive(Debug, Default)]
pub(crate) struct Histories<'l> {
    pub(crate) of: BTreeMap<&'l str, History<'l>>,
    /// How often all others waited for a process that was stopped.
    pub(crate) blocked: u64,
}

impl<'l> Histories<'l> {
    /// Reads a log.
    pub(crate) fn read(text: &'l str) -> Self {
        let mut all = Self::default();
        let mut workers: HashMap<&str, u32> = HashMap::new();
        let mut dead = BTreeSet::new();
        // Of those that are stopped: whether anybody else has written since.
        let mut stopped: BTreeMap<u32, bool> = BTreeMap::new();
        for (at, record) in records(text).enumerate() {
            let pid = record.pid;
            match record.what {
                What::Worker => {
                    workers.insert(record.first(), pid);
                }
                What::Killed => {
                    dead.insert(pid);
                    all.woken(stopped.remove(&pid));
                }
                What::Stopped => {
                    stopped.insert(pid, false);
                }
                What::Continued => all.woken(stopped.remove(&pid)),
                What::Written => {
                    for (other, wrote) in &mut stopped {
                        *wrote |= *other != pid;
                    }
                }
                // The system gives numbers of processes again.
                What::Opening => {
                    dead.remove(&pid);
                }
                _ => {}
            }
            if record.execution == crate::log::NONE {
                continue;
            }
            let history = all.of.entry(record.execution).or_default();
            if record.what == What::Got {
                let from = Some(record.second()).filter(|from| !from.is_empty());
                // A worker that made executions and never claimed has its number in its name.
                let from = from.map(|from| workers.get(from).copied().or_else(|| number(from)));
                let fence = record.first().parse().unwrap_or_default();
                history.got(pid, fence, from.flatten(), &dead);
            }
            if record.what == What::Written {
                history.written(pid, record.second().parse().unwrap_or_default());
            }
            let late = history.adrift.contains(&pid);
            history.things.push(Thing { at, record, late });
        }
        all
    }

    fn woken(&mut self, wrote: Option<bool>) {
        self.blocked += u64::from(wrote == Some(false));
    }
}

/// The number of a process that begins a worker's name.
fn number(worker: &str) -> Option<u32> {
    worker.split('-').next()?.parse().ok()
}

impl History<'_> {
    fn got(&mut self, pid: u32, fence: i64, from: Option<u32>, dead: &BTreeSet<u32>) {
        if fence < self.newest {
            self.lapsed = true;
            self.adrift.insert(pid);
            return;
        }
        // Somebody in between may have got it and died before saying so.
        let gap = fence > self.newest + 1;
        self.newest = fence;
        self.lapsed |= self.adrift.remove(&pid);
        self.inherited += u64::from(from.is_some_and(|from| dead.contains(&from)));
        let before = self.holder.replace(pid).filter(|_| gap || from.is_some());
        let losers: BTreeSet<u32> = from.into_iter().chain(before).collect();
        for loser in losers {
            if loser == pid {
                self.lapsed = true;
            } else if !dead.contains(&loser) {
                self.lost += 1;
                self.adrift.insert(loser);
            }
        }
    }

    /// A write was kept, which tells who holds it as well.
    fn written(&mut self, pid: u32, fence: i64) {
        if fence >= self.newest {
            self.newest = fence;
            self.holder = Some(pid);
        }
    }

    /// The things of this sort, in order.
    pub(crate) fn of(&self, what: What) -> impl Iterator<Item = &Thing<'_>> {
        self.things
            .iter()
            .filter(move |thing| thing.record.what == what)
    }

    /// Whether there is one of this sort.
    pub(crate) fn has(&self, what: What) -> bool {
        self.of(what).next().is_some()
    }
}
