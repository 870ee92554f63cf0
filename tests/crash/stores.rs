//! The same flows on an engine and a store: the engine dies at each write, and another, on the
//! store opened anew, takes up what it left.

use std::{sync::Arc, time::Duration};

use steps::{
    Flow, Input, With,
    store::{MemoryStore, StoreError},
    testing::{Explorer, FakeClock, Fault, Lab, Report},
};

use crate::basics::{at_once, in_order, listing_at_once, monitoring, nesting, three, waiting};
use crate::children;
use crate::data_flow::diamond;
use crate::kept::{beating, keeps_one};
use crate::let_lines::{lets_agree, letting};
use crate::on_postgres::Schema;

/// Explores on a store in memory.
async fn memory<M, R, F>(explorer: Explorer<M, R>) -> Report
where
    M: Fn(&Lab) -> With<F>,
    R: Fn() -> Input<F>,
    F: Flow<Owned: Send + Sync>,
{
    let make = |lab: &Lab| MemoryStore::with_clock(Arc::new(lab.clock().clone()));
    let reopen = async |store: &MemoryStore| Ok::<_, StoreError>(store.reopen());
    let report = explorer.explore_on(make, reopen).await.unwrap();
    assert_eq!(report.missed, 0, "{report:?}");
    report
}

/// Explores in a file, which all trials share; of the faults, only one of each step.
async fn sqlite<M, R, F>(explorer: Explorer<M, R>) -> Report
where
    M: Fn(&Lab) -> With<F>,
    R: Fn() -> Input<F>,
    F: Flow<Owned: Send + Sync>,
{
    use steps::sqlite::{SqliteOptions, Synchronous};

    let folder = tempfile::tempdir().expect("a temporary folder");
    let make = |lab: &Lab| {
        SqliteOptions::new(folder.path().join("steps.db"))
            .synchronous(Synchronous::Normal)
            .clock(Arc::new(lab.clock().clone()))
    };
    let open = async |options: &SqliteOptions| options.clone().open().await;
    let explorer = explorer.faults([Fault::FailBefore]).without_undo_faults();
    let report = explorer.explore_on(make, open).await.unwrap();
    assert!(report.cuts > 4 * report.missed, "{report:?}");
    report
}

/// Explores in a schema on a server, which all trials share. At length, where kills are counted, of all faults one of
/// each step; else none.
async fn postgres<M, R, F>(explorer: Explorer<M, R>) -> Report
where
    M: Fn(&Lab) -> With<F>,
    R: Fn() -> Input<F>,
    F: Flow<Owned: Send + Sync>,
{
    let schema = Schema::new();
    let open = async |clock: &FakeClock| schema.open(clock).await;
    let at_length = std::env::var_os("STEPS_KILLS").is_some();
    let faults = at_length.then_some(Fault::FailBefore);
    let explorer = explorer.faults(faults).without_undo_faults();
    let report = explorer.explore_on(|lab| lab.clock().clone(), open).await;
    let report = report.unwrap();
    assert!(report.cuts > 4 * report.missed, "{report:?}");
    assert_eq!(report.ends.contains("undone"), at_length, "{report:?}");
    report
}

macro_rules! on_each_store {
    ($($name:ident: $explorer:expr, $fault:literal;)*) => {$(
        mod $name {
            use super::*;

            #[tokio::test]
            async fn in_memory() {
                let report = memory($explorer).await;
                assert!(report.faults.contains($fault), "{report:?}");
                assert!(report.ends.contains("undone"), "{report:?}");
            }

            #[tokio::test]
            async fn on_sqlite() {
                let report = sqlite($explorer).await;
                assert!(report.ends.contains("undone"), "{report:?}");
            }

            #[tokio::test]
            async fn on_postgres() {
                let report = postgres($explorer).await;
                assert!(report.ends.contains("done"), "{report:?}");
            }
        }
    )*};
}

/// A store that loses all it has kept when its process dies.
#[tokio::test]
async fn a_store_that_loses_its_writes_is_found_out() {
    let explorer = Explorer::engine(|lab| in_order::with(lab.clone()), in_order::input);
    let lose = async |clock: &FakeClock| {
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        Ok::<_, StoreError>(store)
    };
    let violation = explorer
        .once(["c of did b"])
        .faults([])
        .explore_on(|lab| lab.clock().clone(), lose)
        .await
        .expect_err("it begins anew");
    assert_eq!(
        violation.what, "`c of did b` happened 2 times, and not 1",
        "{violation}"
    );
}

/// A store that goes by the system's clock, and engines that do: a dead engine's lease takes its
/// time to end.
#[tokio::test]
async fn a_store_with_a_clock_of_its_own() {
    let report = Explorer::engine(|lab| in_order::with(lab.clone()), in_order::input)
        .real_time(Duration::from_millis(100))
        .faults([])
        .explore_on(
            |_| MemoryStore::new(),
            async |store: &MemoryStore| Ok(store.reopen()),
        )
        .await
        .unwrap();
    assert!(report.cuts > 10, "{report:?}");
}

/// Tasks on several threads: what a dead engine was at has ended before the next one begins. A short
/// wait is then waited for in place or put aside, as it happens, so a cut may be missed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_several_threads() {
    let explorer = Explorer::engine(|lab| in_order::with(lab.clone()), in_order::input);
    let explorer = explorer.once(["c of did b"]).concurrent();
    let make = |lab: &Lab| MemoryStore::with_clock(Arc::new(lab.clock().clone()));
    let reopen = async |store: &MemoryStore| Ok::<_, StoreError>(store.reopen());
    let explorer = explorer.faults([Fault::FailBefore]);
    let report = explorer.explore_on(make, reopen).await.unwrap();
    assert!(report.cuts > 4 * report.missed, "{report:?}");
}

/// A check of one's own is asked at each end, and what it says is the violation.
#[tokio::test]
async fn a_check_fails() {
    let make = |lab: &Lab| MemoryStore::with_clock(Arc::new(lab.clock().clone()));
    let violation = Explorer::engine(|lab| in_order::with(lab.clone()), in_order::input)
        .check(|lab, state| {
            let there = lab.is_there("a");
            let what = || format!("a is there, and it is {}", state.status);
            there.then(what).map_or(Ok(()), Err)
        })
        .explore_on(make, async |store: &MemoryStore| Ok(store.reopen()))
        .await
        .expect_err("it is");
    assert_eq!(violation.what, "a is there, and it is done");
    assert_eq!(violation.trial, "the run");
}

on_each_store! {
    data_flow: Explorer::engine(|lab| diamond::with(lab.clone()), diamond::input)
        .once(["b of did a"])
        .concurrent(), "undo a";
    lines: Explorer::engine(|lab| in_order::with(lab.clone()), in_order::input)
        .once(["c of did b"]), "undo a";
    branches: Explorer::engine(|lab| at_once::with(lab.clone()), at_once::input)
        .once(["d", "y did x"])
        .faults([Fault::FailBefore])
        .concurrent(), "undo x";
    items: Explorer::engine(
            |lab| listing_at_once::with(lab.clone()),
            || listing_at_once::input(three()),
        )
        .once(["b of x", "b of y"])
        .faults([Fault::FailAfter])
        .concurrent(), "b of x";
    lets: Explorer::engine(|lab| letting::with(lab.clone()), letting::input)
        .check(lets_agree)
        .concurrent()
        .faults([Fault::FailBefore, Fault::PanicAfter]), "undo c";
    beats: Explorer::engine(|lab| beating::with(lab.clone()), beating::input)
        .check(keeps_one)
        .faults([Fault::FailBefore]), "undo 2 1";
    monitors: Explorer::engine(|lab| monitoring::with(lab.clone()), monitoring::input)
        .faults([Fault::FailBefore]), "undo seen0";
    nested: Explorer::engine(|lab| nesting::with(lab.clone()), nesting::input)
        .faults([Fault::FailBefore, Fault::PanicAfter]), "undo inner b3";
    waits: Explorer::engine(|lab| waiting::with(lab.clone()), waiting::input)
        .faults([Fault::PanicAfter])
        .concurrent(), "asked";
}

on_each_store! {
    children_in_order: children::explorer(
        Explorer::engine(|lab| children::parent::with(lab.clone()), children::parent::input)
            .once(["first two", "second two", "b"])
    ), "undo first one";
    children_at_once: children::explorer(
        Explorer::engine(|lab| children::many::with(lab.clone()), children::many::input)
            .once(["x two", "y two"])
    ), "undo x one";
}
