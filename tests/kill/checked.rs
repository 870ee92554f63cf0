//! What the checks of a round have seen: a check of nothing shows by its counts.

use std::fmt;

/// What was checked, so that a check of nothing shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Checked {
    pub(crate) acknowledged: u64,
    pub(crate) executions: u64,
    pub(crate) undone: u64,
    pub(crate) effects: u64,
    /// Effects of steps with a verify, that happened exactly once, of executions that were taken
    /// over at least once.
    pub(crate) once: u64,
    /// Effects without a verify that happened more than once.
    pub(crate) again: u64,
    /// Take-overs from the dead, and from the living.
    pub(crate) inherited: u64,
    pub(crate) lost: u64,
    /// Executions of which less is claimed: see `History::lapsed`.
    pub(crate) lapsed: u64,
    /// Effects of processes that had lost their lease.
    pub(crate) late: u64,
    /// Writes that were refused as somebody else had taken over.
    pub(crate) fenced: u64,
    /// Parents that had a child, and those of which either was taken over from a dead process.
    pub(crate) families: u64,
    pub(crate) families_inherited: u64,
    /// How often all others waited for a process that was stopped.
    pub(crate) blocked: u64,
    /// What is wrong.
    pub(crate) broken: Vec<String>,
}

impl Checked {
    pub(crate) fn join(&mut self, other: &Self) {
        self.acknowledged += other.acknowledged;
        self.executions += other.executions;
        self.undone += other.undone;
        self.effects += other.effects;
        self.once += other.once;
        self.again += other.again;
        self.inherited += other.inherited;
        self.lost += other.lost;
        self.lapsed += other.lapsed;
        self.late += other.late;
        self.fenced += other.fenced;
        self.families += other.families;
        self.families_inherited += other.families_inherited;
        self.blocked += other.blocked;
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} executions ({} acknowledged, {} undone), {} effects; verified, taken over and \
             once: {}; not verified and again: {}; taken over from the dead: {}, from the living: \
             {}, not told apart: {}; late effects: {}, fenced writes: {}; families: {}, taken \
             over from the dead: {}; all waited for one that was \
             stopped: {}",
            self.executions,
            self.acknowledged,
            self.undone,
            self.effects,
            self.once,
            self.again,
            self.inherited,
            self.lost,
            self.lapsed,
            self.late,
            self.fenced,
            self.families,
            self.families_inherited,
            self.blocked,
        )
    }
}
