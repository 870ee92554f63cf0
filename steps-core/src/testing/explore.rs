//! Cuts a flow off at every point, and compares how it ends.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    future::IntoFuture,
    sync::Arc,
};

use futures_util::future::select;

use super::{Cut, Effect, Fault, Lab, Recorder};
use crate::{flow::Flow, resume::Run, state::State, status::Status};

/// Runs a flow again and again, cut off at each point and with each thing going wrong, and says
/// where it does not come out as it does when left alone.
///
/// For every commit the run is dropped before and after it is recorded, as if the process had
/// died. It is taken up from the last saved JSON text, once from the whole document and once from
/// what the recorded changes add up to, and runs on to its end. Then these must be so:
///
/// * It ends as the run that was left alone: with the same output, or the same status and nodes.
/// * What was done to the world is there, and what was undone is not, exactly as then.
/// * Each effect happened at least once, and those given to [`once`](Self::once) (of steps that
///   have a `#[verify]`) exactly as often as then.
/// * Nothing was undone that had not been done, and what was undone was undone in the same order.
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
    once: BTreeSet<String>,
    concurrent: bool,
    undo_faults: bool,
    faults: Vec<Fault>,
}

/// What an [`Explorer`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Runs in all.
    pub runs: usize,
    /// Runs that were cut off and taken up again.
    pub cuts: usize,
    /// The faults that struck.
    pub faults: BTreeSet<String>,
    /// The statuses in which runs ended.
    pub ends: BTreeSet<&'static str>,
}

/// The flow did not come out as it should.
#[derive(Clone)]
pub struct Violation {
    /// What was done to the run.
    pub trial: String,
    /// What was wrong.
    pub what: String,
    /// What it did to the world.
    pub log: Vec<String>,
    /// The tree it ended with, and that of the run that was left alone.
    pub trees: (String, String),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {}\nlog: {:#?}\n{}\n\nleft alone:\n{}",
            self.trial, self.what, self.log, self.trees.0, self.trees.1
        )
    }
}

impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Violation {}

/// How a run ended.
struct Ended {
    state: State,
    lab: Lab,
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
            once: BTreeSet::new(),
            concurrent: false,
            undo_faults: true,
            faults: Fault::ALL.to_vec(),
        }
    }

    /// These effects happen exactly as often as in a run that is left alone.
    #[must_use]
    pub fn once<S: Into<String>>(mut self, effects: impl IntoIterator<Item = S>) -> Self {
        self.once.extend(effects.into_iter().map(Into::into));
        self
    }

    /// The flow does things at once: a run that is taken up may do them in another order, and where
    /// something fails, what stood beside it may have come further. Orders and the nodes' statuses
    /// are not compared then.
    #[must_use]
    pub fn concurrent(mut self) -> Self {
        self.concurrent = true;
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
        let lab = lab(faults);
        let alone = self.finish::<W, F>(&lab, None).await;
        report.runs += 1;
        report.ends.insert(alone.state.status.as_str());
        let trial = describe(faults, None);
        for (name, _) in faults {
            if !alone.lab.struck().contains(name) {
                let what = format!("the fault in the way of `{name}` was never reached");
                return Err(violation(trial, what, &alone, &alone));
            }
        }
        report.faults.extend(alone.lab.struck());
        if let Some(what) = undone_without_being_done(&alone.lab.log()) {
            return Err(violation(trial, what, &alone, &alone));
        }
        for commit in 1..=alone.commits {
            for cut in [Cut::Before(commit), Cut::After(commit)] {
                for source in [Source::Document, Source::Changes] {
                    let trial = describe(faults, Some((cut, source)));
                    let ended = self
                        .trial::<W, F>(faults, cut, source, &trial, &alone)
                        .await?;
                    report.runs += 1;
                    report.cuts += 1;
                    if let Some(what) = self.compare(&ended, &alone) {
                        return Err(violation(trial, what, &ended, &alone));
                    }
                }
            }
        }
        Ok(alone)
    }

    /// One run, cut off and taken up again.
    async fn trial<W, F>(
        &self,
        faults: &[(String, Fault)],
        cut: Cut,
        source: Source,
        trial: &str,
        alone: &Ended,
    ) -> Result<Ended, Violation>
    where
        M: Fn(&Lab) -> W,
        R: for<'w> Fn(&'w W) -> Run<'w, F>,
        F: Flow,
    {
        let lab = lab(faults);
        let recorder = Recorder::cut(cut);
        {
            let world = (self.make)(&lab);
            let run = (self.run)(&world)
                .journal(Arc::new(recorder.clone()))
                .clock(Arc::new(lab.clock().clone()))
                .into_future();
            let struck = std::pin::pin!(recorder.struck());
            // Dropped as a process that dies drops it.
            drop(select(struck, run).await);
        }
        let wrong = |what: String| Violation {
            trial: trial.to_owned(),
            what,
            log: lab.texts(),
            trees: (
                recorder.document().unwrap_or_default(),
                alone.state.tree().to_string(),
            ),
        };
        if !recorder.has_struck() {
            return Err(wrong("the run never got to the cut".to_owned()));
        }
        let text = match source {
            Source::Document => recorder.document(),
            Source::Changes => recorder.from_changes().map(|state| state.to_json()),
        };
        let saved = match text.map(|text| (State::from_json(&text), text)) {
            None => None,
            Some((Ok(state), _)) => Some(state),
            Some((Err(error), text)) => {
                return Err(wrong(format!(
                    "its own state can't be read: {error}\n{text}"
                )));
            }
        };
        Ok(self.finish::<W, F>(&lab, saved).await)
    }

    /// Runs to the end.
    async fn finish<W, F>(&self, lab: &Lab, saved: Option<State>) -> Ended
    where
        M: Fn(&Lab) -> W,
        R: for<'w> Fn(&'w W) -> Run<'w, F>,
        F: Flow,
    {
        let world = (self.make)(lab);
        let recorder = Recorder::new();
        let mut run = (self.run)(&world)
            .journal(Arc::new(recorder.clone()))
            .clock(Arc::new(lab.clock().clone()));
        if let Some(saved) = saved {
            run = run.resume(saved);
        }
        let state = match run.with_state().await {
            Ok((_, state)) => State::from(state),
            Err(failure) => Arc::unwrap_or_clone(failure.state),
        };
        Ended {
            state,
            lab: lab.clone(),
            commits: recorder.commits(),
        }
    }

    /// What is wrong with how a run ended, if anything.
    fn compare(&self, ended: &Ended, alone: &Ended) -> Option<String> {
        let (state, other) = (&ended.state, &alone.state);
        if self.concurrent && ended.lab.struck() != alone.lab.struck() {
            // Another order spared it a fault: it did less, and so less went wrong.
            return match undone_without_being_done(&ended.lab.log()) {
                None if !state.status.is_final() => Some(format!("it ended {}", state.status)),
                what => what,
            };
        }
        if state.status != other.status {
            return Some(format!(
                "it ended {}, and not {}",
                state.status, other.status
            ));
        }
        if state.output != other.output {
            return Some(format!(
                "its output is {:?}, and not {:?}",
                state.output, other.output
            ));
        }
        let (there, expected) = (ended.lab.there(), alone.lab.there());
        if there != expected {
            return Some(format!(
                "the world has {there:?} in it, and not {expected:?}"
            ));
        }
        let (log, alone_log) = (ended.lab.log(), alone.lab.log());
        if let Some(what) = undone_without_being_done(&log) {
            return Some(what);
        }
        let (counts, expected) = (counts(&log), counts(&alone_log));
        for (effect, times) in &expected {
            let did = counts.get(effect).copied().unwrap_or_default();
            let once = matches!(effect, Effect::Did(name) if self.once.contains(name));
            // Where something failed beside it, it may not have been begun.
            let may_lack = self.concurrent && other.status != Status::Done;
            let wrong = if may_lack {
                once && did > *times
            } else if once {
                did != *times
            } else {
                did == 0
            };
            if wrong {
                return Some(format!("`{effect}` happened {did} times, and not {times}"));
            }
        }
        if self.concurrent {
            return None;
        }
        if let Some(effect) = counts.keys().find(|effect| !expected.contains_key(*effect)) {
            return Some(format!("`{effect}` happened, and should not have"));
        }
        if order(&log) != order(&alone_log) {
            return Some("what was undone was undone in another order".to_owned());
        }
        let (nodes, expected) = (nodes(state), nodes(other));
        let differs = nodes.iter().zip(&expected).find(|(a, b)| a != b);
        if let Some((node, expected)) = differs {
            return Some(format!("a node is {node:?}, and not {expected:?}"));
        }
        (nodes.len() != expected.len())
            .then(|| format!("it has {} nodes, and not {}", nodes.len(), expected.len()))
    }
}

fn lab(faults: &[(String, Fault)]) -> Lab {
    let lab = Lab::new();
    for (name, fault) in faults {
        lab.fault(name, *fault);
    }
    lab
}

fn describe(faults: &[(String, Fault)], cut: Option<(Cut, Source)>) -> String {
    use std::fmt::Write as _;

    let mut text = "the run".to_owned();
    for (name, fault) in faults {
        let _ = write!(text, ", with {fault:?} at `{name}`");
    }
    if let Some((cut, source)) = cut {
        let cut = format!(", {cut}, taken up from its {source:?}");
        text.push_str(&cut.to_lowercase());
    }
    text
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

fn counts(log: &[Effect]) -> BTreeMap<&Effect, usize> {
    let mut counts = BTreeMap::new();
    for effect in log {
        *counts.entry(effect).or_default() += 1;
    }
    counts
}

fn undone_without_being_done(log: &[Effect]) -> Option<String> {
    let mut done = BTreeSet::new();
    for effect in log {
        match effect {
            Effect::Did(name) => {
                done.insert(name);
            }
            Effect::Undid(name) if !done.contains(name) => {
                return Some(format!("`{name}` was undone, and had never been done"));
            }
            Effect::Undid(_) => {}
        }
    }
    None
}

/// The undos, each where it happened first.
fn order(log: &[Effect]) -> Vec<&String> {
    let mut order = Vec::new();
    for effect in log {
        if let Effect::Undid(name) = effect
            && !order.contains(&name)
        {
            order.push(name);
        }
    }
    order
}

/// What is compared of the nodes: what they are and gave, not when and how often.
fn nodes(state: &State) -> Vec<(String, Status, Option<String>, Option<bool>)> {
    state
        .walk()
        .filter(|(_, node)| node.status != Status::Pending)
        .map(|(path, node)| {
            let output = node.output.as_ref().map(ToString::to_string);
            (path, node.status, output, node.decision)
        })
        .collect()
}
