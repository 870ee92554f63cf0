//! The reference model of sequential trees.

use std::{collections::VecDeque, time::Duration};

use proptest::prelude::TestCaseError;

use super::{Back, Fate, RandomLine, TRIES, What, name};
use crate::{
    model::{state::path, status::Status},
    testing::Effect,
};

#[derive(Debug)]
pub(super) enum Entry {
    Step(String, Back),
    Pivot,
    Flow(Vec<Entry>),
}

/// How lines ended.
#[derive(Clone, Copy, PartialEq)]
enum How {
    Good,
    Failed,
    /// They were given up at a deadline: that of the line at this depth.
    Late(usize),
}

#[derive(Default)]
pub(super) struct Model {
    log: Vec<Effect>,
    /// Whether an undo has failed: then nothing happens any more.
    stuck: bool,
    /// Whether a line has failed or was given up, though that may have been passed over.
    failed: bool,
    /// How long it has taken: only the pauses before another attempt take time.
    now: Duration,
    /// The deadlines of the lines around, outermost first.
    ends: Vec<Option<Duration>>,
    /// Whether two things happened at nearly one time, so that the real time that a run takes decides.
    close: bool,
}

/// Times that differ by less are not told apart.
const CLOSE: Duration = Duration::from_millis(150);

impl Model {
    fn lines(&mut self, lines: &[RandomLine], at: &[String], done: &mut Vec<Entry>) -> How {
        let mut ends =
            (lines.iter().enumerate()).map(|(index, line)| self.one(index, line, at, done));
        ends.find(|how| *how != How::Good).unwrap_or(How::Good)
    }

    fn one(
        &mut self,
        index: usize,
        line: &RandomLine,
        at: &[String],
        done: &mut Vec<Entry>,
    ) -> How {
        let mut at = at.to_vec();
        at.push(name(index, line));
        let mut own = Vec::new();
        let depth = self.ends.len();
        self.ends
            .push(line.marks.deadline.map(|limit| self.now + limit));
        let how = self.line(&line.what, &at, &mut own);
        self.ends.pop();
        self.failed |= how != How::Good;
        let how = if how == How::Late(depth) {
            How::Failed
        } else {
            how
        };
        if how == How::Failed && line.marks.optional {
            if self.back(&own) && !matches!(line.what, What::Flow(_)) {
                done.push(Entry::Pivot);
            }
            return if self.stuck { How::Failed } else { How::Good };
        }
        done.append(&mut own);
        if how == How::Good && line.marks.pivot {
            done.push(Entry::Pivot);
        }
        how
    }

    /// Waits for another attempt. Returns the depth of the line whose deadline comes before.
    fn pause(&mut self) -> Option<usize> {
        let ends = self.ends.iter().enumerate();
        let mut ends: Vec<_> = ends
            .filter_map(|(depth, end)| end.map(|end| (end, depth)))
            .collect();
        ends.sort_unstable();
        self.now += Duration::from_secs(1);
        let (end, depth) = *ends.first()?;
        let next = ends
            .get(1)
            .map_or(self.now, |(next, _)| (*next).min(self.now));
        self.close |= end.abs_diff(next) < CLOSE;
        if end >= self.now {
            return None;
        }
        self.now = end;
        Some(depth)
    }

    fn line(&mut self, what: &What, at: &[String], done: &mut Vec<Entry>) -> How {
        let below = |part: String| [at, &[part]].concat();
        match what {
            What::Step { fate, undo, .. } => {
                let (pauses, good) = match fate {
                    Fate::Good | Fate::Verified => (0, true),
                    Fate::Flaky(tries) => (*tries, true),
                    Fate::Bad => (0, false),
                    Fate::Worse => (TRIES, false),
                };
                if let Some(depth) = (0..pauses).find_map(|_| self.pause()) {
                    return How::Late(depth);
                }
                if !good {
                    return How::Failed;
                }
                let path = path::join(at);
                self.log.push(Effect::Did(path.clone()));
                done.push(Entry::Step(path, *undo));
                How::Good
            }
            What::If(false, _) => How::Good,
            What::Group(lines) | What::Parallel(lines) | What::If(true, lines) => {
                self.lines(lines, at, done)
            }
            What::Race(lines) => {
                // What the others do is undone, which may fail.
                self.failed |= lines.len() > 1 && lines.iter().any(|line| line.what.has_bad_undo());
                self.lines(lines, at, done)
            }
            What::Match(arm, arms) => self.one(*arm, &arms[*arm], at, done),
            What::For(count, _, lines) => {
                let mut items =
                    (0..*count).map(|key| self.lines(lines, &below(key.to_string()), done));
                items.find(|how| *how != How::Good).unwrap_or(How::Good)
            }
            What::Loop(rounds, keep, lines) => {
                let mut kept: VecDeque<Vec<Entry>> = VecDeque::new();
                let (mut let_go, mut how) = (false, How::Good);
                for key in 1..=*rounds {
                    let mut own = Vec::new();
                    how = self.lines(lines, &below(key.to_string()), &mut own);
                    kept.push_back(own);
                    if how != How::Good {
                        break;
                    }
                    if *keep > 0 && kept.len() > *keep as usize {
                        kept.pop_front();
                        let_go = true;
                    }
                }
                done.extend(let_go.then_some(Entry::Pivot));
                done.extend(kept.into_iter().flatten());
                how
            }
            What::Flow(lines) => {
                let mut own = Vec::new();
                let how = self.lines(lines, at, &mut own);
                let takes_itself_back = match how {
                    How::Good => false,
                    How::Failed => true,
                    How::Late(depth) => depth + 1 == self.ends.len(),
                };
                if takes_itself_back {
                    self.back(&own);
                } else {
                    done.push(Entry::Flow(own));
                }
                how
            }
        }
    }

    /// Undoes the entries, last first. Returns whether it stopped at a pivot.
    fn back(&mut self, done: &[Entry]) -> bool {
        for entry in done.iter().rev() {
            if self.stuck {
                return false;
            }
            match entry {
                Entry::Pivot => return true,
                Entry::Step(path, Back::Good) => self.log.push(Effect::Undid(path.clone())),
                Entry::Step(_, Back::Bad) => self.stuck = true,
                Entry::Step(_, Back::Not) => {}
                Entry::Flow(done) => {
                    self.back(done);
                }
            }
        }
        false
    }
}

/// What happens. Rejects lines of which nobody can say that.
pub(super) fn model(lines: &[RandomLine]) -> Result<(Status, Vec<Effect>), TestCaseError> {
    let mut model = Model::default();
    let mut done = Vec::new();
    let how = model.lines(lines, &[], &mut done);
    if model.close {
        return Err(TestCaseError::reject(
            "two things happen at nearly one time",
        ));
    }
    if how == How::Good {
        return Ok((Status::Done, model.log));
    }
    model.back(&done);
    let status = if model.stuck {
        Status::Stuck
    } else {
        Status::Undone
    };
    Ok((status, model.log))
}

/// Returns whether no line fails or is given up, not even one that may: also where lines run at once, as they
/// take no longer than one after the other.
pub(super) fn nothing_fails(lines: &[RandomLine]) -> bool {
    let mut model = Model::default();
    model.lines(lines, &[], &mut Vec::new());
    !model.failed && !model.close
}

/// Returns each effect once, in the order of the first time, because a crash repeats some: those
/// that were done, and those that were undone.
pub(super) fn firsts(log: &[Effect]) -> (Vec<&String>, Vec<&String>) {
    let (mut did, mut undid) = (Vec::new(), Vec::new());
    for effect in log {
        let (list, name) = match effect {
            Effect::Did(name) => (&mut did, name),
            Effect::Undid(name) => (&mut undid, name),
        };
        if !list.contains(&name) {
            list.push(name);
        }
    }
    (did, undid)
}
