//! A journal that takes its time: others go on meanwhile.

use std::{sync::Arc, time::Duration};

use steps::{
    Status,
    journal::{Batch, BoxFuture, Journal, JournalError},
    prelude::*,
    testing::{Fault, Injected, Lab, Recorder},
};

use crate::basics::act;

/// Lets the others go first, as often as the number of the commit says.
struct Slow(Recorder);

impl Journal for Slow {
    fn commit<'a>(&'a self, batch: Batch<'a>) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async move {
            for _ in 0..self.0.commits() % 7 {
                tokio::task::yield_now().await;
            }
            self.0.commit(batch).await
        })
    }
}

/// Has three siblings that do the same at different times.
#[step]
async fn quick(lab: &Lab, name: &str) -> Result<(), Injected> {
    lab.act(name)
}

#[undo(quick)]
async fn quick_back(lab: &Lab, name: &str, (): &()) -> Result<(), Injected> {
    lab.undo(name)
}

#[flow]
async fn wide(lab: &Lab) -> Result<(), Injected> {
    steps! {
        all = for n in 0..8_u32 by n parallel {
            a = quick(lab, &format!("a{n}"));
            p = parallel { b = act(lab, &format!("b{n}")); c = quick(lab, &format!("c{n}")); }
            d = quick(lab, &format!("d{n}"));
        }
        last = quick(lab, "last");
    }
    let _ = (all, last);
    Ok(())
}

#[tokio::test]
async fn regression_branches_that_committed_at_once_waited_for_one_another() {
    for (bad, status) in [(None, Status::Done), (Some("last"), Status::Undone)] {
        let lab = Lab::new();
        if let Some(bad) = bad {
            lab.fault(bad, Fault::FailBefore);
        }
        let recorder = Recorder::new();
        let run = wide(&lab)
            .journal(Arc::new(Slow(recorder.clone())))
            .clock(Arc::new(lab.clock().clone()))
            .with_state();
        let ended = tokio::time::timeout(Duration::from_secs(20), run).await;
        let ended = ended.expect("it does not hang").map(|((), state)| state);
        let found = ended.map_or_else(|failure| failure.status(), |state| state.state().status);
        assert_eq!(found, status);
        let sum = recorder.from_changes().unwrap().unwrap();
        assert_eq!(sum.status, status);
        assert_eq!(lab.there().len(), if bad.is_none() { 33 } else { 0 });
    }
}
