//! What is tried: each fault and each cut, whatever a run is taken up from.

use std::fmt;

use super::{
    compare::{compare, wrong},
    ended::Ended,
    report::{Report, Violation},
    rules::Rules,
};
use crate::testing::{Cut, Effect, Fault, Lab};

/// The explorer's settings that do not depend on the flow's type.
pub(super) struct Plan {
    pub(super) rules: Rules,
    pub(super) undo_faults: bool,
    pub(super) faults: Vec<Fault>,
}

/// How runs are made, cut off, and taken up again.
pub(super) trait Stage {
    /// From what a run may be taken up.
    const SOURCES: &'static [Source];
    /// Of flows with no more commits than this, each second cut is tried.
    const SMALL: usize;

    /// One run, cut off and taken up again as often as the trial says, and then to its end.
    fn run(
        &self,
        trial: &Trial<'_>,
        alone: Option<&Ended>,
    ) -> impl Future<Output = Result<Ended, Violation>>;
}

/// From what a run is taken up.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    Document,
    Changes,
    Store,
}

/// What is done to a run.
pub(super) struct Trial<'a> {
    pub(super) faults: &'a [(String, Fault)],
    pub(super) cuts: Vec<Cut>,
    pub(super) source: Source,
}

const UNDO_FAULTS: [Fault; 2] = [Fault::FailBefore, Fault::PanicAfter];

impl Plan {
    /// Tries all there is.
    pub(super) async fn explore(&self, stage: &impl Stage) -> Result<Report, Violation> {
        let mut report = Report::default();
        let plain = self.cuts(stage, &[], &mut report).await?;
        let is_undo = |effect: &Effect| matches!(effect, Effect::Undid(_));
        // What is undone without a fault, as what lost a race: if that fails, the run ends there.
        let on_the_way = names(&plain, is_undo);
        for name in names(&plain, |effect| matches!(effect, Effect::Did(_))) {
            for fault in &self.faults {
                let fault = [(name.clone(), *fault)];
                let failed = self.cuts(stage, &fault, &mut report).await?;
                if !self.undo_faults || fault[0].1 != Fault::FailBefore {
                    continue;
                }
                let undone = names(&failed, is_undo).into_iter();
                for undo in undone.filter(|undo| !on_the_way.contains(undo)) {
                    for undo_fault in UNDO_FAULTS {
                        let both = [fault[0].clone(), (undo.clone(), undo_fault)];
                        self.cuts(stage, &both, &mut report).await?;
                    }
                }
            }
        }
        if self.undo_faults {
            for undo in on_the_way {
                for undo_fault in UNDO_FAULTS {
                    let fault = [(undo.clone(), undo_fault)];
                    self.cuts(stage, &fault, &mut report).await?;
                }
            }
        }
        Ok(report)
    }

    /// Cuts off at every commit, with these faults in the way. Returns the run without a cut.
    async fn cuts<S: Stage>(
        &self,
        stage: &S,
        faults: &[(String, Fault)],
        report: &mut Report,
    ) -> Result<Ended, Violation> {
        let mut trial = Trial {
            faults,
            cuts: Vec::new(),
            source: S::SOURCES[0],
        };
        let alone = stage.run(&trial, None).await?;
        report.runs += 1;
        report.ends.insert(alone.state.status.as_str());
        for (name, _) in faults {
            if !alone.lab.struck().contains(name) {
                let what = format!("the fault in the way of `{name}` was never reached");
                return Err(trial.violation(what, &alone, &alone));
            }
        }
        report.faults.extend(alone.lab.struck());
        if let Some(what) = wrong(&self.rules, &alone) {
            return Err(trial.violation(what, &alone, &alone));
        }
        let mut twice = Vec::new();
        for cut in alone.cuts() {
            for source in S::SOURCES {
                trial.source = *source;
                trial.cuts = vec![cut];
                let ended = self.compared(stage, &trial, &alone, report).await?;
                let seconds = seconds::<S>(&alone, &ended, report.runs);
                twice.extend(
                    seconds
                        .into_iter()
                        .map(|second| (*source, vec![cut, second])),
                );
            }
        }
        // Last, so that a violation comes with as little as it takes.
        for (source, cuts) in twice {
            trial.source = source;
            trial.cuts = cuts;
            self.compared(stage, &trial, &alone, report).await?;
        }
        Ok(alone)
    }

    /// One run that is cut off, compared with the one left alone.
    async fn compared(
        &self,
        stage: &impl Stage,
        trial: &Trial<'_>,
        alone: &Ended,
        report: &mut Report,
    ) -> Result<Ended, Violation> {
        let ended = stage.run(trial, Some(alone)).await?;
        report.runs += 1;
        // What is done at once may be recorded at once, too.
        match ended.missed {
            false => report.cuts += trial.cuts.len(),
            true if self.rules.concurrent => report.missed += 1,
            true => {
                let what = "the run never got to the cut".to_owned();
                return Err(trial.violation(what, &ended, alone));
            }
        }
        match compare(&self.rules, &ended, alone) {
            Some(what) => Err(trial.violation(what, &ended, alone)),
            None => Ok(ended),
        }
    }
}

impl Trial<'_> {
    /// The world, with the faults in it.
    pub(super) fn lab(&self) -> Lab {
        let lab = Lab::new();
        for (name, fault) in self.faults {
            lab.fault(name, *fault);
        }
        lab
    }

    pub(super) fn violation(&self, what: String, ended: &Ended, alone: &Ended) -> Violation {
        let tree = ended.state.tree().to_string();
        self.broken(what, &ended.lab, tree, Some(alone))
    }

    /// The same of a run that did not come to an end.
    pub(super) fn broken(
        &self,
        what: String,
        lab: &Lab,
        tree: String,
        alone: Option<&Ended>,
    ) -> Violation {
        Violation {
            trial: self.to_string(),
            what,
            log: lab.texts(),
            trees: (
                tree,
                alone.map_or_else(String::new, |alone| alone.state.tree().to_string()),
            ),
        }
    }
}

impl fmt::Display for Trial<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the run")?;
        for (name, fault) in self.faults {
            write!(f, ", with {fault:?} at `{name}`")?;
        }
        let source = match self.source {
            Source::Document => "from its document",
            Source::Changes => "from its changes",
            Source::Store => "by another engine",
        };
        for cut in &self.cuts {
            write!(f, ", {cut}, taken up {source}")?;
        }
        Ok(())
    }
}

/// Second cuts: each one of a small flow, and of others one now and then, of which `number` decides
/// which and when.
fn seconds<S: Stage>(alone: &Ended, ended: &Ended, number: usize) -> Vec<Cut> {
    const SELDOM: usize = 8;
    if alone.commits <= S::SMALL {
        return ended.cuts().collect();
    }
    if !number.is_multiple_of(SELDOM) {
        return Vec::new();
    }
    let at = number / SELDOM % ended.cuts().count().max(1);
    ended.cuts().nth(at).into_iter().collect()
}

/// The names of effects in a log, each once, in order.
fn names(ended: &Ended, which: impl Fn(&Effect) -> bool) -> Vec<String> {
    let mut names = Vec::new();
    let log = ended.lab.log();
    for effect in log.iter().filter(|effect| which(effect)) {
        let name = effect.to_string();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
