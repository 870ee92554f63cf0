//! The reference model of sequential trees.

use super::{Fate, RandomLine, What, name};
use crate::{
    model::{state::path, status::Status},
    testing::Effect,
};

#[derive(Debug)]
pub(super) enum Entry {
    Step(String, bool),
    Pivot,
    Flow(Vec<Entry>),
}

#[derive(Default)]
pub(super) struct Model {
    log: Vec<Effect>,
}

impl Model {
    fn lines(&mut self, lines: &[RandomLine], at: &[String], done: &mut Vec<Entry>) -> bool {
        lines.iter().enumerate().all(|(index, line)| {
            let mut at = at.to_vec();
            at.push(name(index, line));
            let mut own = Vec::new();
            let good = self.line(&line.what, &at, &mut own);
            if good {
                done.append(&mut own);
                if line.marks.pivot {
                    done.push(Entry::Pivot);
                }
            } else if line.marks.optional {
                if self.back(&own) && !matches!(line.what, What::Flow(_)) {
                    done.push(Entry::Pivot);
                }
            } else {
                done.append(&mut own);
            }
            good || line.marks.optional
        })
    }

    fn line(&mut self, what: &What, at: &[String], done: &mut Vec<Entry>) -> bool {
        let below = |part: String| [at, &[part]].concat();
        match what {
            What::Step { fate, undo, .. } => {
                let good = !matches!(fate, Fate::Bad | Fate::Worse);
                if good {
                    let path = path::join(at);
                    self.log.push(Effect::Did(path.clone()));
                    done.push(Entry::Step(path, *undo));
                }
                good
            }
            What::If(false, _) => true,
            What::Group(lines) | What::Parallel(lines) | What::If(true, lines) => {
                self.lines(lines, at, done)
            }
            What::For(count, _, lines) => {
                (0..*count).all(|key| self.lines(lines, &below(key.to_string()), done))
            }
            What::Loop(rounds, lines) => {
                (1..=*rounds).all(|key| self.lines(lines, &below(key.to_string()), done))
            }
            What::Flow(lines) => {
                let mut own = Vec::new();
                let good = self.lines(lines, at, &mut own);
                if good {
                    done.push(Entry::Flow(own));
                } else {
                    self.back(&own);
                }
                good
            }
        }
    }

    /// Undoes the entries, last first. Returns whether it stopped at a pivot.
    fn back(&mut self, done: &[Entry]) -> bool {
        for entry in done.iter().rev() {
            match entry {
                Entry::Pivot => return true,
                Entry::Step(path, true) => self.log.push(Effect::Undid(path.clone())),
                Entry::Step(..) => {}
                Entry::Flow(done) => {
                    self.back(done);
                }
            }
        }
        false
    }
}

pub(super) fn model(lines: &[RandomLine]) -> (Status, Vec<Effect>) {
    let mut model = Model::default();
    let mut done = Vec::new();
    if model.lines(lines, &[], &mut done) {
        return (Status::Done, model.log);
    }
    model.back(&done);
    (Status::Undone, model.log)
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
