//! Cuts a flow off at every point, and compares how it ends.

mod compare;
mod report;

pub use report::{Report, Violation};

use std::{collections::BTreeSet, fmt, future::IntoFuture, sync::Arc};

use futures_util::future::select;

use self::compare::{compare, undone_without_being_done};
use super::{Cut, Effect, Fault, Lab, Recorder};
use crate::{
    flow::Flow,
    resume::Run,
    state::{State, StateError},
};

/// Runs a flow again and again, cut off at each point and with each thing going wrong, and says
/// where it does not come out as it does when left alone.
///
/// For every commit the run is dropped before and after it is recorded, as if the process had
/// died. It is taken up from what was saved, once from the whole document and once from the rows
/// that the recorded changes add up to, and runs on to its end, or to a second cut, from which it is
/// taken up as well. Then these must be so:
///
/// * It ends as the run that was left alone: with the same output, or the same status and nodes.
/// * What was done to the world is there, and what was undone is not, exactly as then.
/// * Each effect happened at least once, and those given to [`once`](Self::once) (of steps that
///   have a `#[verify]`) exactly as often as then.
/// * Nothing was undone that had not been done, and what was undone was undone in the same order.
/// * The changes that the journal was told of in all these runs add up to the tree at the end.
///
/// The same with each effect failing and panicking, before and after it happens, and each undo.
/// A cut or a fault that is never reached is a violation too.
///
/// The steps under test do their work on a [`Lab`]: each effect is an [`act`](Lab::act) with a name
/// of its own, each undo an [`undo`](Lab::undo) of the same name.
#[allow(missing_debug_implementations)]
pub struct Explorer<M, R> {
    make: M,
    run: R,
    rules: Rules,
    undo_faults: bool,
    faults: Vec<Fault>,
}

/// By which rules the ends of two runs are compared.
#[derive(Default)]
struct Rules {
    once: BTreeSet<String>,
    concurrent: bool,
}

/// How a run ended.
struct Ended {
    state: State,
    lab: Lab,
    /// How many commits it made since it was taken up last.
    commits: usize,
}

/// From which of the two saved forms a run is taken up.
#[derive(Clone, Copy, Debug)]
enum Source {
    Document,
    Changes,
}

impl<M, R> Explorer<M, R> {
    /// An explorer of the flow that `run` starts on a world that `make` makes.
    pub fn new<W, F>(make: M, run: R) -> Self
    where
        M: Fn(&Lab) -> W,
        R: for<'w> Fn(&'w W) -> Run<'w, F>,
        F: Flow,
    {
        Self {
            make,
            run,
            rules: Rules::default(),
            undo_faults: true,
            faults: Fault::ALL.to_vec(),
        }
    }

    /// These effects happen exactly as often as in a run that is left alone.
    #[must_use]
    pub fn once<S: Into<String>>(mut self, effects: impl IntoIterator<Item = S>) -> Self {
        self.rules.once.extend(effects.into_iter().map(Into::into));
        self
    }

    /// The flow does things at once: a run that is taken up may do them in another order, and where
    /// something fails, what stood beside it may have come further. Orders and the nodes' statuses
    /// are not compared then.
    #[must_use]
    pub fn concurrent(mut self) -> Self {
        self.rules.concurrent = true;
        self
    }

    /// Only these faults; none to explore nothing but cuts.
    #[must_use]
    pub fn faults(mut self, faults: impl IntoIterator<Item = Fault>) -> Self {
        self.faults = faults.into_iter().collect();
        self
    }

    /// Leaves out failing undos.
    #[must_use]
    pub fn without_undo_faults(mut self) -> Self {
        self.undo_faults = false;
        self
    }

    /// Explores.
    ///
    /// # Errors
    ///
    /// The first violation.
    pub async fn explore<W, F>(&self) -> Result<Report, Violation>
    where
        M: Fn(&Lab) -> W,
        R: for<'w> Fn(&'w W) -> Run<'w, F>,
        F: Flow,
    {
        let mut report = Report::default();
        let plain = self.cuts::<W, F>(&[], &mut report).await?;
        for name in names(&plain, |effect| matches!(effect, Effect::Did(_))) {
            for fault in &self.faults {
                let fault = [(name.clone(), *fault)];
                let failed = self.cuts::<W, F>(&fault, &mut report).await?;
                if !self.undo_faults || fault[0].1 != Fault::FailBefore {
                    continue;
                }
                for undo in names(&failed, |effect| matches!(effect, Effect::Undid(_))) {
                    for undo_fault in [Fault::FailBefore, Fault::PanicAfter] {
                        let both = [fault[0].clone(), (undo.clone(), undo_fault)];
                        self.cuts::<W, F>(&both, &mut report).await?;
                    }
                }
            }
        }
        Ok(report)
    }

    /// Cuts off at every commit, with these faults in the way. Gives the run left alone.
    async fn cuts<W, F>(
        &self,
        faults: &[(String, Fault)],
        report: &mut Report,
    ) -> Result<Ended, Violation>
    where
        M: Fn(&Lab) -> W,
        R: for<'w> Fn(&'w W) -> Run<'w, F>,
        F: Flow,
    {
        let mut trial = Trial {
            faults,
            cuts: Vec::new(),
            source: Source::Document,
        };
        let alone = self.trial::<W, F>(&trial, None).await?;
        report.runs += 1;
        report.ends.insert(alone.state.status.as_str());
        for (name, _) in faults {
            if !alone.lab.struck().contains(name) {
                let what = format!("the fault in the way of `{name}` was never reached");
                return Err(violation(trial.to_string(), what, &alone, &alone));
            }
        }
        report.faults.extend(alone.lab.struck());
        if let Some(what) = undone_without_being_done(&alone.lab.log()) {
            return Err(violation(trial.to_string(), what, &alone, &alone));
        }
        for cut in all_cuts(alone.commits) {
            for source in [Source::Document, Source::Changes] {
                trial.source = source;
                trial.cuts = vec![cut];
                let ended = self.compared::<W, F>(&trial, &alone, report).await?;
                for second in second_cuts(alone.commits, ended.commits, report.runs) {
                    trial.cuts = vec![cut, second];
                    self.compared::<W, F>(&trial, &alone, report).await?;
                }
            }
        }
        Ok(alone)
    }

    /// One run that is cut off, compared with the one left alone.
    async fn compared<W, F>(
        &self,
        trial: &Trial<'_>,
        alone: &Ended,
        report: &mut Report,
    ) -> Result<Ended, Violation>
    where
        M: Fn(&Lab) -> W,
        R: for<'w> Fn(&'w W) -> Run<'w, F>,
        F: Flow,
    {
        let ended = self.trial::<W, F>(trial, Some(alone)).await?;
        report.runs += 1;
        report.cuts += trial.cuts.len();
        match compare(&self.rules, &ended, alone) {
            Some(what) => Err(violation(trial.to_string(), what, &ended, alone)),
            None => Ok(ended),
        }
    }

    /// One run, cut off and taken up again as often as the trial says, and then to its end.
    async fn trial<W, F>(
        &self,
        trial: &Trial<'_>,
        alone: Option<&Ended>,
    ) -> Result<Ended, Violation>
    where
        M: Fn(&Lab) -> W,
        R: for<'w> Fn(&'w W) -> Run<'w, F>,
        F: Flow,
    {
        let lab = lab(trial.faults);
        let mut recorder = Recorder::new();
        let mut saved = None;
        for cut in &trial.cuts {
            recorder = trial.source.journal(&recorder, Some(*cut));
            {
                let world = (self.make)(&lab);
                let run = self.begin::<W, F>(&world, &lab, &recorder, saved.take());
                let struck = std::pin::pin!(recorder.struck());
                // Dropped as a process that dies drops it.
                drop(select(struck, run.into_future()).await);
            }
            let loaded = trial.source.load(&recorder);
            let what = match loaded {
                _ if !recorder.has_struck() => "the run never got to the cut".to_owned(),
                Err(error) => format!("its own state can't be read: {error}"),
                Ok(loaded) => {
                    saved = loaded;
                    continue;
                }
            };
            return Err(Violation {
                trial: trial.to_string(),
                what,
                log: lab.texts(),
                trees: (
                    recorder.document().unwrap_or_default(),
                    alone.map_or_else(String::new, |alone| alone.state.tree().to_string()),
                ),
            });
        }
        recorder = trial.source.journal(&recorder, None);
        let state = {
            let world = (self.make)(&lab);
            let run = self.begin::<W, F>(&world, &lab, &recorder, saved);
            match run.with_state().await {
                Ok((_, state)) => State::from(state),
                Err(failure) => Arc::unwrap_or_clone(failure.state),
            }
        };
        let commits = recorder.commits();
        let differs = recorder.differs_from(&state);
        let ended = Ended {
            state,
            lab,
            commits,
        };
        match differs {
            Some(what) => Err(violation(
                trial.to_string(),
                what,
                &ended,
                alone.unwrap_or(&ended),
            )),
            None => Ok(ended),
        }
    }

    fn begin<'w, W, F>(
        &self,
        world: &'w W,
        lab: &Lab,
        recorder: &Recorder,
        saved: Option<State>,
    ) -> Run<'w, F>
    where
        R: for<'r> Fn(&'r W) -> Run<'r, F>,
        F: Flow,
    {
        let run = (self.run)(world)
            .journal(Arc::new(recorder.clone()))
            .clock(Arc::new(lab.clock().clone()));
        match saved {
            Some(saved) => run.resume(saved),
            None => run,
        }
    }
}

/// What is done to a run.
struct Trial<'a> {
    faults: &'a [(String, Fault)],
    cuts: Vec<Cut>,
    source: Source,
}

impl fmt::Display for Trial<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the run")?;
        for (name, fault) in self.faults {
            write!(f, ", with {fault:?} at `{name}`")?;
        }
        let source = match self.source {
            Source::Document => "document",
            Source::Changes => "changes",
        };
        for cut in &self.cuts {
            write!(f, ", {cut}, taken up from its {source}")?;
        }
        Ok(())
    }
}

impl Source {
    /// The journal of the next run.
    fn journal(self, last: &Recorder, cut: Option<Cut>) -> Recorder {
        match self {
            Self::Document => last.reopen().without_rows().cut_at(cut),
            Self::Changes => last.reopen().cut_at(cut),
        }
    }

    /// What the next run goes on from.
    fn load(self, last: &Recorder) -> Result<Option<State>, StateError> {
        match self {
            Self::Document => last
                .document()
                .map(|text| State::from_json(&text))
                .transpose(),
            Self::Changes => last.from_changes(),
        }
    }
}

fn all_cuts(commits: usize) -> impl Iterator<Item = Cut> {
    (1..=commits).flat_map(|commit| [Cut::Before(commit), Cut::After(commit)])
}

/// Second cuts: each one of a small flow, and of others one now and then, of which `number` decides
/// which and when.
fn second_cuts(alone: usize, commits: usize, number: usize) -> Vec<Cut> {
    const SMALL: usize = 6;
    const SELDOM: usize = 8;
    if alone <= SMALL {
        return all_cuts(commits).collect();
    }
    let at = number / SELDOM % (2 * commits).max(1);
    let chosen = all_cuts(commits).nth(at);
    chosen
        .filter(|_| number.is_multiple_of(SELDOM))
        .into_iter()
        .collect()
}

fn lab(faults: &[(String, Fault)]) -> Lab {
    let lab = Lab::new();
    for (name, fault) in faults {
        lab.fault(name, *fault);
    }
    lab
}

fn violation(trial: String, what: String, ended: &Ended, alone: &Ended) -> Violation {
    Violation {
        trial,
        what,
        log: ended.lab.texts(),
        trees: (
            ended.state.tree().to_string(),
            alone.state.tree().to_string(),
        ),
    }
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
