//! Runs in memory, cut off at their journal.

use std::{collections::BTreeSet, future::IntoFuture, marker::PhantomData, sync::Arc};

use futures_util::future::select;

use super::{
    ended::Ended,
    plan::{Source, Stage, Trial},
    report::Violation,
};
use crate::{
    language::flow::Flow,
    model::state::{State, StateError},
    run::Run,
    testing::{Cut, Lab, Recorder},
};

/// A flow, and the world it works on.
pub(super) struct InMemory<'a, M, R, W, F> {
    make: &'a M,
    run: &'a R,
    world: PhantomData<fn() -> (W, F)>,
}

impl<'a, M, R, W, F> InMemory<'a, M, R, W, F> {
    pub(super) fn new(make: &'a M, run: &'a R) -> Self {
        Self {
            make,
            run,
            world: PhantomData,
        }
    }
}

impl<M, R, W, F> Stage for InMemory<'_, M, R, W, F>
where
    M: Fn(&Lab) -> W,
    R: for<'w> Fn(&'w W) -> Run<'w, F>,
    F: Flow,
{
    const SOURCES: &'static [Source] = &[Source::Document, Source::Changes];
    const SMALL: usize = 6;

    async fn run(&self, trial: &Trial<'_>, alone: Option<&Ended>) -> Result<Ended, Violation> {
        let lab = trial.lab();
        let mut recorder = Recorder::new();
        let mut saved = None;
        for cut in &trial.cuts {
            recorder = journal(trial.source, &recorder, Some(*cut));
            {
                let world = (self.make)(&lab);
                let run = self.begin(&world, &lab, &recorder, saved.take());
                let struck = std::pin::pin!(recorder.struck());
                // Dropped as a process that dies drops it.
                drop(select(struck, run.into_future()).await);
            }
            let what = match load(trial.source, &recorder) {
                _ if !recorder.has_struck() => "the run never got to the cut".to_owned(),
                Err(error) => format!("its own state can't be read: {error}"),
                Ok(loaded) => {
                    saved = loaded;
                    continue;
                }
            };
            let tree = recorder.document().unwrap_or_default();
            return Err(trial.broken(what, &lab, tree, alone));
        }
        recorder = journal(trial.source, &recorder, None);
        let state = {
            let world = (self.make)(&lab);
            let run = self.begin(&world, &lab, &recorder, saved);
            match run.with_state().await {
                Ok((_, state)) => State::from(state),
                Err(failure) => Arc::unwrap_or_clone(failure.state),
            }
        };
        let ended = Ended {
            commits: recorder.commits(),
            claims: BTreeSet::new(),
            missed: false,
            state,
            lab,
        };
        match recorder.differs_from(&ended.state) {
            Some(what) => Err(trial.violation(what, &ended, alone.unwrap_or(&ended))),
            None => Ok(ended),
        }
    }
}

impl<M, R, W, F> InMemory<'_, M, R, W, F>
where
    R: for<'w> Fn(&'w W) -> Run<'w, F>,
    F: Flow,
{
    fn begin<'w>(
        &self,
        world: &'w W,
        lab: &Lab,
        recorder: &Recorder,
        saved: Option<State>,
    ) -> Run<'w, F> {
        let run = (self.run)(world)
            .journal(Arc::new(recorder.clone()))
            .clock(Arc::new(lab.clock().clone()));
        match saved {
            Some(saved) => run.resume(saved),
            None => run,
        }
    }
}

/// The journal of the next run.
fn journal(source: Source, last: &Recorder, cut: Option<Cut>) -> Recorder {
    match source {
        Source::Document => last.reopen().without_rows().cut_at(cut).document_at_cut(),
        _ => last.reopen().cut_at(cut).without_documents(),
    }
}

/// What the next run goes on from.
fn load(source: Source, last: &Recorder) -> Result<Option<State>, StateError> {
    match source {
        Source::Document => {
            let document = last.document();
            document.map(|text| State::from_json(&text)).transpose()
        }
        _ => last.from_changes(),
    }
}
