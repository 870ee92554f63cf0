//! What has to hold when all is over. Each rule that is broken is told, with the execution's part
//! of the log for those who look.

use std::collections::BTreeMap;

use crate::{
    checked::Checked,
    families,
    history::{Histories, History, Thing},
    jobs::Job,
    log::What,
    plan::{self, End, Plan, Planned},
    stored::Stored,
};

/// Checks what is stored, and the log, against what was planned.
pub(crate) fn check(stored: &BTreeMap<String, Stored>, log: &str) -> Checked {
    let histories = Histories::read(log);
    let mut checked = Checked {
        blocked: histories.blocked,
        ..Checked::default()
    };
    for (id, history) in &histories.of {
        if history.has(What::Ack) {
            checked.acknowledged += 1;
            if !stored.contains_key(*id) {
                let why = "its start was acknowledged, and it is not there";
                checked.broken.push(format!("{id}: {why}"));
            }
        }
    }
    families::check(stored, &histories, &mut checked);
    for (id, stored) in stored {
        let Some(history) = histories.of.get(&**id) else {
            checked.broken.push(format!("{id}: nobody started it"));
            continue;
        };
        let job = Job::by_id(id).expect("only jobs are started");
        let mut one = One {
            plan: plan::plan(job),
            history,
            stored,
            broken: Vec::new(),
        };
        one.check(&mut checked);
        let broken = one.broken.into_iter().map(|why| format!("{id}: {why}"));
        checked.broken.extend(broken);
    }
    checked
}

/// One execution.
struct One<'a> {
    plan: Plan,
    history: &'a History<'a>,
    stored: &'a Stored,
    broken: Vec<String>,
}

impl<'a> One<'a> {
    fn check(&mut self, checked: &mut Checked) {
        checked.executions += 1;
        checked.inherited += self.history.inherited;
        checked.lost += self.history.lost;
        checked.lapsed += u64::from(self.history.lapsed);
        let fenced = self.history.of(What::Lost);
        checked.fenced += counted(fenced.filter(|lost| lost.record.more.contains(" Fenced ")));
        let undone = self.end();
        checked.undone += u64::from(undone);
        self.writers();
        self.strangers();
        if !self.history.lapsed {
            self.late(checked);
        }
        for step in self.plan.steps.clone() {
            self.effects(&step, undone, checked);
        }
        if !self.history.lapsed {
            self.order();
        }
    }

    fn broken(&mut self, why: String) {
        self.broken.push(why);
    }

    /// Whether it ended as it had to. Returns whether it is undone.
    fn end(&mut self) -> bool {
        let status = &*self.stored.status;
        let undone = status == "undone";
        let (good, output) = match self.plan.end {
            End::Done(output) => (status == "done", output),
            End::Undone => (undone, 0),
            End::Either(_) if self.history.has(What::Cancelled) => (undone, 0),
            End::Either(output) => (undone || status == "done", output),
        };
        if !good {
            let errors = self.stored.errors.join("; ");
            self.broken(format!("it is {status}, not {:?}: {errors}", self.plan.end));
        }
        if status == "done" && self.stored.output != Some(output) {
            let found = self.stored.output;
            self.broken(format!("it gave {found:?}, not {output}"));
        }
        let outcomes: Vec<_> = self.history.of(What::Outcome).map(|o| o.record).collect();
        for told in outcomes {
            // Of one that ended twice, the first end may be told: it was recovered after that.
            let known = ["done", "undone", "failed", "stuck", "error"].contains(&told.first());
            if !known || (told.first() == "done" && told.second() != output.to_string()) {
                self.broken(format!("its outcome was told as `{}`", told.more));
            }
        }
        for (path, node) in &self.stored.nodes {
            let ended = !matches!(
                &*node.status,
                "running" | "waiting" | "undoing" | "undo_failed"
            );
            if !ended {
                self.broken
                    .push(format!("it has ended, and `{path}` is {}", node.status));
            }
        }
        undone
    }

    /// No write went through that was begun after somebody else had taken over.
    fn writers(&mut self) {
        let fence = |thing: &Thing<'_>, word: &str| -> i64 {
            let what = thing.record.what;
            word.parse()
                .unwrap_or_else(|_| panic!("{what:?} has a fence: {}", thing.record.more))
        };
        let mut newest = 0;
        // The newest fence when each write was begun.
        let mut begun: BTreeMap<(u32, &str), i64> = BTreeMap::new();
        let mut broken = Vec::new();
        for thing in &self.history.things {
            let record = &thing.record;
            match record.what {
                What::Got => newest = newest.max(fence(thing, record.first())),
                What::Write => {
                    begun.insert((record.pid, record.first()), newest);
                }
                What::Written => {
                    let own = fence(thing, record.second());
                    let then = begun.get(&(record.pid, record.first())).copied();
                    // The first write of a new execution is begun without a fence; if it is there
                    // already, nothing is written.
                    if own != 0 && then.is_some_and(|then| then > own) {
                        broken.push(format!(
                            "process {} wrote under fence {own} after fence {then:?} was given",
                            record.pid
                        ));
                    }
                    newest = newest.max(own);
                }
                _ => {}
            }
        }
        self.broken.extend(broken);
    }

    /// Nothing happened that is not in the plan.
    fn strangers(&mut self) {
        let mut strange = Vec::new();
        for what in [What::Did, What::Undid] {
            for thing in self.history.of(what) {
                let path = thing.record.first();
                if !self.plan.steps.iter().any(|step| step.path == path) {
                    strange.push(format!("`{path}` happened ({what:?}), and was not to"));
                }
            }
        }
        self.broken.extend(strange);
    }

    /// A process that has lost its lease gets no further than the steps it was at.
    fn late(&mut self, checked: &mut Checked) {
        let mut late: BTreeMap<u32, usize> = BTreeMap::new();
        for what in [What::Did, What::Undid] {
            for thing in self.history.of(what).filter(|thing| thing.late) {
                *late.entry(thing.record.pid).or_default() += 1;
                checked.late += 1;
            }
        }
        let lost = usize::try_from(self.history.lost).expect("a count");
        for (pid, count) in late {
            if count > self.plan.width * lost {
                self.broken(format!(
                    "process {pid} had {count} effects after it had lost its lease, \
                     and {} steps run at once",
                    self.plan.width
                ));
            }
        }
    }

    fn effects(&mut self, step: &Planned, undone: bool, checked: &mut Checked) {
        let path = &*step.path;
        let all = self.of(path);
        let did: Vec<_> = all.iter().filter(|t| t.record.what == What::Did).collect();
        let certain = step.certain && !matches!(self.plan.end, End::Either(_));
        checked.effects += u64::from(!did.is_empty());
        if did.is_empty() && (certain || self.stored.status == "done") {
            self.broken(format!("`{path}` never happened"));
        }
        if self.history.lapsed {
            return;
        }
        let timely: Vec<_> = did.iter().filter(|thing| !thing.late).collect();
        if step.verified && timely.len() > 1 {
            let count = timely.len();
            self.broken(format!("`{path}` has a verify, and happened {count} times"));
        }
        let taken_over = self.history.inherited + self.history.lost > 0;
        checked.once += u64::from(step.verified && taken_over && timely.len() == 1);
        checked.again += u64::from(timely.len() > 1);
        self.turns(path, &all);
        self.undo(step, undone, &all);
    }

    /// What happened at this path, in order.
    fn of(&self, path: &str) -> Vec<Thing<'a>> {
        let mut all: Vec<Thing<'a>> = self.history.things.clone();
        all.retain(|thing| {
            matches!(thing.record.what, What::Did | What::Undid | What::Got)
                && (thing.record.what == What::Got || thing.record.first() == path)
        });
        all
    }

    /// Nothing happens twice in one turn.
    fn turns(&mut self, path: &str, all: &[Thing<'_>]) {
        for what in [What::Did, What::Undid] {
            let mut last: Option<&Thing<'_>> = None;
            for thing in all.iter().filter(|thing| !thing.late) {
                if thing.record.what == What::Got {
                    last = None;
                } else if thing.record.what == what {
                    if last.is_some() {
                        let why = format!("`{path}` happened twice ({what:?}) in one turn");
                        self.broken(why);
                    }
                    last = Some(thing);
                }
            }
        }
    }

    /// What was to be undone is, what was not isn't, and nothing is that was not done.
    fn undo(&mut self, step: &Planned, undone: bool, all: &[Thing<'_>]) {
        let path = &*step.path;
        let at = |what: What, late: bool| {
            let here = all.iter().filter(move |t| t.record.what == what);
            here.filter(move |t| late || !t.late).map(|t| t.at)
        };
        let first_undo = at(What::Undid, true).next();
        if first_undo.is_some() && first_undo < at(What::Did, true).next() {
            self.broken(format!("`{path}` was undone before it was done"));
        }
        if !undone && !step.passed_over {
            if first_undo.is_some() {
                self.broken(format!("`{path}` was undone, and the flow is done"));
            }
            return;
        }
        if at(What::Did, false).max() > at(What::Undid, false).max() {
            self.broken(format!("`{path}` was done, and not undone"));
        }
    }

    /// What comes after another in the flow came after it, and was undone before it.
    fn order(&mut self) {
        let mut spans: BTreeMap<(What, &str), (usize, usize)> = BTreeMap::new();
        for thing in self.history.things.iter().filter(|thing| !thing.late) {
            let record = &thing.record;
            if matches!(record.what, What::Did | What::Undid) {
                let key = (record.what, record.first());
                spans.entry(key).or_insert((thing.at, thing.at)).1 = thing.at;
            }
        }
        let mut broken = Vec::new();
        for a in &self.plan.steps {
            for b in self.plan.steps.iter().filter(|b| a.before(b)) {
                let span = |what, step: &Planned| spans.get(&(what, &*step.path)).copied();
                if let (Some(a_did), Some(b_did)) = (span(What::Did, a), span(What::Did, b))
                    && a_did.1 > b_did.0
                {
                    broken.push(format!("`{}` happened after `{}`", a.path, b.path));
                }
                if let (Some(a_undid), Some(b_undid)) = (span(What::Undid, a), span(What::Undid, b))
                    && a_undid.0 < b_undid.1
                    && a.passed_over == b.passed_over
                {
                    broken.push(format!("`{}` was undone before `{}`", a.path, b.path));
                }
            }
        }
        self.broken.extend(broken);
    }
}

fn counted<'a>(things: impl Iterator<Item = &'a Thing<'a>>) -> u64 {
    things.map(|_| 1).sum()
}
