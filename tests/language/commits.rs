//! How often a journal is asked to make something safe, and what it is told at the end of a pass.

use std::{
    future::IntoFuture,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use steps::{
    Failure, State, Status,
    journal::{Batch, BoxFuture, Journal, JournalError, PassEnd},
    prelude::*,
    testing::{Fault, Injected, Lab},
};

use crate::support::{act, num, ready};

/// What it was told with each batch: the names of the nodes, how the pass ended, the status, and
/// whether the run was alone.
#[derive(Clone, Default)]
pub(crate) struct Told(Arc<Mutex<Vec<(String, Option<PassEnd>, Status, bool)>>>);

impl Journal for Told {
    fn commit<'a>(&'a self, batch: Batch<'a>) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async move {
            let names: Vec<_> = batch
                .changes()
                .iter()
                .map(|change| format!("{} {}", change.node.name, change.node.status))
                .collect();
            let names = names.join(", ");
            let told = (names, batch.pass_end(), batch.status(), batch.is_alone());
            self.0.lock().unwrap().push(told);
            Ok(())
        })
    }
}

impl Told {
    pub(crate) fn names(&self) -> Vec<String> {
        let told = self.0.lock().unwrap();
        told.iter().map(|(names, ..)| names.clone()).collect()
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// The batches of which it was told that the run was not alone.
    fn beside_others(&self) -> Vec<String> {
        let told = self.0.lock().unwrap();
        let beside = told.iter().filter(|(.., alone)| !alone);
        beside.map(|(names, ..)| names.clone()).collect()
    }

    /// The batches that say it is undone, before the one that says the pass has ended.
    fn before_the_end(&self) -> usize {
        let told = self.0.lock().unwrap();
        let before = told.iter();
        before
            .filter(|(_, rest, status, _)| rest.is_none() && *status == Status::Undone)
            .count()
    }

    /// Only the last batch of each pass says how it ended.
    fn rests(&self) -> Vec<(PassEnd, Status)> {
        let told = self.0.lock().unwrap();
        let rests = told.iter();
        rests
            .filter_map(|(_, rest, status, _)| Some(((*rest)?, *status)))
            .collect()
    }
}

#[flow]
async fn one(lab: &Lab) -> Result<u32, Injected> {
    steps! { a = num(lab, 1); }
    Ok(a)
}

#[flow]
async fn ten(lab: &Lab) -> Result<u32, Injected> {
    steps! {
        a = num(lab, 1); b = num(lab, 2); c = num(lab, 3); d = num(lab, 4); e = num(lab, 5);
        f = num(lab, 6); g = num(lab, 7); h = num(lab, 8); i = num(lab, 9); j = num(lab, 10);
    }
    Ok(a + b + c + d + e + f + g + h + i + j)
}

/// The code after the steps awaits something.
#[flow]
async fn waits_after(lab: &Lab) -> Result<u32, Injected> {
    steps! { a = num(lab, 1); }
    tokio::time::sleep(Duration::from_millis(1)).await;
    Ok(a)
}

#[flow]
async fn nested(lab: &Lab) -> Result<u32, Injected> {
    steps! {
        inner = flow one(lab);
        last = num(lab, inner + 1);
    }
    Ok(last)
}

#[tokio::test]
async fn one_batch_for_each_step_and_one_for_the_beginning() {
    let told = Told::default();
    one(&Lab::new())
        .journal(Arc::new(told.clone()))
        .await
        .unwrap();
    assert_eq!(told.names(), ["one running, a running", "a done, one done"]);
    assert_eq!(told.rests(), [(PassEnd::Ended, Status::Done)]);

    let told = Told::default();
    ten(&Lab::new())
        .journal(Arc::new(told.clone()))
        .await
        .unwrap();
    assert_eq!(told.count(), 11);

    let told = Told::default();
    nested(&Lab::new())
        .journal(Arc::new(told.clone()))
        .await
        .unwrap();
    assert_eq!(
        told.names(),
        [
            "nested running, inner running, a running",
            "a done, inner done, last running",
            "last done, nested done"
        ]
    );

    let told = Told::default();
    let lab = Lab::new();
    let run = waits_after(&lab);
    run.journal(Arc::new(told.clone())).await.unwrap();
    assert_eq!(
        told.names(),
        [
            "waits_after running, a running",
            "a done",
            "waits_after done"
        ]
    );
}

/// A `let` line in front, between and behind.
#[flow]
async fn with_lets(lab: &Lab) -> Result<u32, Injected> {
    steps! {
        let x = 1_u32;
        a = num(lab, x);
        let y = 2_u32;
        let z = 3_u32;
        b = num(lab, y);
        let last = 4_u32;
    }
    Ok(a + b + z + last)
}

/// Its value is safe before any effect that may use it, and takes no batch of its own; only the code
/// after the steps, which may have an effect at once, waits for one.
#[tokio::test]
async fn a_let_line_goes_with_the_beginning_of_the_next_step() {
    let told = Told::default();
    let lab = Lab::new();
    with_lets(&lab)
        .journal(Arc::new(told.clone()))
        .await
        .unwrap();
    assert_eq!(
        told.names(),
        [
            "with_lets running, x done, a running",
            "a done, y done, z done, b running",
            "b done, last done",
            "with_lets done"
        ]
    );
}

#[flow]
async fn patient(lab: &Lab) -> Result<(), Injected> {
    steps! {
        a = act(lab, "a");
        approval = steps::signal::<u32>();
        wait = ready(lab, "go");
    }
    let _ = (a, approval, wait);
    Ok(())
}

#[tokio::test]
async fn the_last_batch_of_a_pass_says_how_it_rests() {
    let lab = Lab::new();
    let told = Told::default();
    let mut saved: Option<State> = None;
    for sent in [false, false, true, true] {
        if let Some(state) = &mut saved
            && sent
            && state.get("approval").unwrap().status == Status::Waiting
        {
            state.get_mut("approval").unwrap().input = Some(steps::Json::parse("7").unwrap());
        }
        if sent
            && saved
                .as_ref()
                .is_some_and(|state| state.succeeded("approval"))
        {
            lab.act("go").unwrap();
        }
        let mut run = patient(&lab).journal(Arc::new(told.clone()));
        if let Some(saved) = saved {
            run = run.resume(saved);
        }
        saved = Some(run.advance().await.unwrap().state.into());
    }
    let waiting = (PassEnd::Waiting { until: None }, Status::Waiting);
    let rests = told.rests();
    assert_eq!(rests[..2], [waiting, waiting]);
    assert!(matches!(
        &rests[2],
        (PassEnd::Waiting { until: Some(_) }, Status::Waiting)
    ));
    assert_eq!(rests[3..], [(PassEnd::Ended, Status::Done)]);
    // One that has ended says so again.
    let told = Told::default();
    let run = patient(&lab).resume(saved.unwrap());
    run.journal(Arc::new(told.clone()))
        .into_future()
        .await
        .unwrap();
    assert_eq!(told.rests(), [(PassEnd::Ended, Status::Done)]);
}

#[tokio::test]
async fn a_rollback_rests_where_it_has_ended() {
    let lab = Lab::new();
    lab.fault("3", Fault::FailBefore);
    let told = Told::default();
    let run = ten(&lab).journal(Arc::new(told.clone()));
    run.into_future().await.unwrap_err();
    assert_eq!(told.rests(), [(PassEnd::Ended, Status::Undone)]);
    assert_eq!(told.before_the_end(), 0);
}

#[flow]
async fn told_of(lab: &Lab) -> Result<u32, Injected> {
    steps! { a = num(lab, 1); }
    Ok(a)
}

#[on_failed(told_of)]
async fn on_failed(lab: &Lab, failure: &Failure) -> Result<(), Injected> {
    let step = failure.step().unwrap_or("?");
    lab.act(format!("on_failed {step}"))
}

/// Whoever reads that it has ended can have it go on at once: nobody is at it any more.
#[tokio::test]
async fn its_end_is_a_batch_of_its_own_only_where_a_handler_comes_after_it() {
    for handled in [false, true] {
        let lab = Lab::new();
        lab.fault("1", Fault::FailBefore);
        let told = Told::default();
        let journal = Arc::new(told.clone());
        let failed = if handled {
            told_of(&lab).journal(journal).into_future().await
        } else {
            one(&lab).journal(journal).into_future().await
        };
        failed.unwrap_err();
        assert_eq!(told.rests(), [(PassEnd::Ended, Status::Undone)]);
        assert_eq!(told.before_the_end(), usize::from(handled));
    }
}

/// Two branches, and a step behind them that may fail.
#[flow]
async fn branches(lab: &Lab) -> Result<u32, Injected> {
    steps! {
        first = act(lab, "first");
        both = parallel {
            left = act(lab, "left");
            right = { one = act(lab, "one"); two = act(lab, "two"); }
        }
        last = num(lab, 3);
    }
    let _ = (first, both);
    Ok(last)
}

#[tokio::test]
async fn a_journal_is_told_whether_it_may_block_the_run() {
    let told = Told::default();
    let lab = Lab::new();
    branches(&lab)
        .journal(Arc::new(told.clone()))
        .await
        .unwrap();
    let beside = told.beside_others();
    assert!(told.count() > beside.len());
    for name in ["left done", "one done, two running", "two done"] {
        assert!(
            beside.iter().any(|batch| batch.contains(name)),
            "{name}: {beside:?}"
        );
    }
    for name in ["first", "last"] {
        let mut begun_or_ended = beside.iter().filter(|batch| batch.contains(name));
        // The end of the one before comes with the beginning of the first branch.
        assert!(
            begun_or_ended.all(|batch| batch.contains("first done")),
            "{beside:?}"
        );
    }

    // On the way back, too.
    let told = Told::default();
    let lab = Lab::new();
    lab.fault("3", Fault::FailBefore);
    let run = branches(&lab).journal(Arc::new(told.clone()));
    run.into_future().await.unwrap_err();
    let beside = told.beside_others();
    for (name, at_once) in [("left", true), ("two", true), ("first", false)] {
        let undone = format!("{name} undone");
        assert!(told.names().iter().any(|batch| batch.contains(&undone)));
        let found = beside.iter().any(|batch| batch.contains(&undone));
        assert_eq!(found, at_once, "{undone}: {beside:?}");
    }
}

/// Takes a moment for each batch, in which other branches of the run go on, and counts them.
#[derive(Clone, Default)]
struct Slow(Arc<AtomicUsize>);

impl Journal for Slow {
    fn commit<'a>(&'a self, _: Batch<'a>) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async move {
            self.0.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            Ok(())
        })
    }
}

impl Slow {
    fn batches(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

#[flow]
async fn items_at_once(lab: &Lab, n: u32) -> Result<u32, Injected> {
    steps! { all = for i in 0..n by i parallel(100) { it = num(lab, i); } }
    Ok(u32::try_from(all.len()).unwrap())
}

#[flow]
async fn many_branches(lab: &Lab) -> Result<u32, Injected> {
    steps! {
        both = parallel {
            left = for i in 0..50 by i parallel { l = num(lab, i); }
            right = for i in 50..100 by i parallel {
                let twice: u32 = 2 * i;
                r = num(lab, i);
                s = num(lab, 1000 + twice);
            }
        }
    }
    Ok(u32::try_from(both.left.len() + both.right.len()).unwrap())
}

/// The branches of one run went round in batches of one: each of those that had waited for the
/// batch of another made one more, for what had changed since.
#[tokio::test]
async fn scale_for_commits_branches_that_wait_for_a_batch_share_the_next_one() {
    let lab = Lab::new();
    let slow = Slow::default();
    let run = items_at_once(&lab, 500).journal(Arc::new(slow.clone()));
    assert_eq!(run.await.unwrap(), 500);
    let batches = slow.batches();
    assert_eq!(lab.log().len(), 500);
    // The first branch and the 99 others, once for each of five rounds, and the ends.
    assert!(
        batches <= 20,
        "{batches} batches for 500 items, 100 at once"
    );

    let (lab, slow) = (Lab::new(), Slow::default());
    let run = many_branches(&lab).journal(Arc::new(slow.clone()));
    assert_eq!(run.await.unwrap(), 100);
    let batches = slow.batches();
    assert!(batches <= 12, "{batches} batches for 100 items at once");
}
