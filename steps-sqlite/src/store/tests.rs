//! How much may wait to be written, and which thread commits.

use std::time::Duration;

use rusqlite::Connection;
use steps_core::{
    Json,
    state::Labels,
    store::{Due, LeaseAfter, NewExecution, Notes, Target},
};

use super::*;
use crate::SqliteOptions;
use crate::file::room::Room;
use crate::ops::txn::Txn;

fn large(id: usize) -> Write {
    Write::new(
        Target::New(Box::new(NewExecution {
            id: id.to_string(),
            flow: "flow".to_owned(),
            input: Json::encode(&"x".repeat(100 << 10)).unwrap(),
            labels: Labels::new(),
            notes: Notes::default(),
            priority: 0,
            form: None,
            parent: None,
            singleton: None,
            trace: None,
            created_at: None,
            held: None,
        })),
        LeaseAfter::Release {
            due: Due::Never,
            last_message: 0,
        },
    )
}

/// While nothing can be written, callers beyond the bound wait before they are queued. Once it can,
/// all are served.
#[tokio::test]
async fn what_waits_is_bounded() {
    const CALLS: usize = 20;
    /// Room for ten of them, in KiB.
    const ROOM: u32 = 1024;
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(folder.path().join("steps.db"));
    let store = options
        .busy_timeout(Duration::from_mins(1))
        .open()
        .await
        .unwrap();
    let other = Connection::open(store.path()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let taken = store.inner.room.acquire_many(WAITING - ROOM).await.unwrap();
    let calls = (0..CALLS).map(|n| {
        let store = store.clone();
        tokio::spawn(async move { store.write(large(n)).await })
    });
    let calls: Vec<_> = calls.collect();
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    let room = store.inner.room.available_permits();
    assert!(room < 101, "{room} KiB are left");
    other.execute_batch("COMMIT").unwrap();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(
        store.count(ExecutionQuery::default()).await.unwrap(),
        CALLS as u64
    );
    // The room of the last call is released a moment after its answer.
    while store.inner.room.available_permits() < ROOM as usize {
        tokio::task::yield_now().await;
    }
    drop(taken);
}

/// Returns the thread on which a call that may be done in place was done.
async fn done_by(store: &SqliteStore) -> std::thread::ThreadId {
    let work = |_: &Txn<'_>, _| Ok(std::thread::current().id());
    store.call(0, Inner::do_or_push, work).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_is_alone_commits_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(folder.path().join("steps.db"));
    let store = options.open().await.unwrap();
    let task = tokio::spawn(async move {
        assert_eq!(done_by(&store).await, std::thread::current().id());
        // The writing thread works on another call, until that call is released.
        let (there, mut is_there) = tokio::sync::mpsc::unbounded_channel();
        let (go, goes) = std::sync::mpsc::channel::<()>();
        let long = move |_: &Txn<'_>, _| {
            there.send(std::thread::current().id()).unwrap();
            goes.recv().unwrap();
            Ok(())
        };
        let (other, thread) = tokio::join!(store.change(0, long), async {
            let thread = is_there.recv().await.unwrap();
            let (this, ()) = tokio::join!(done_by(&store), async { go.send(()).unwrap() });
            assert_eq!(this, thread, "the call waits for the writing thread");
            thread
        });
        other.unwrap();
        assert_ne!(thread, std::thread::current().id());
        // The other call had no company, but the writing thread notes that a moment after its
        // answer.
        let mut tries = 0;
        while done_by(&store).await != std::thread::current().id() {
            tries += 1;
            assert!(tries < 1000, "the writing thread does it again and again");
        }
        store.close().await.unwrap();
        let work = |_: &Txn<'_>, _| Ok(());
        let late = store.call(0, Inner::do_or_push, work).await.unwrap_err();
        assert_eq!(late.kind(), steps_core::store::ErrorKind::Closed);
    });
    task.await.unwrap();
}

/// Between two commits in place, the connection is free for so short a time that a sleeping thread
/// would not get it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_commits_in_place_lets_others_pass() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(folder.path().join("steps.db"));
    let store = options.open().await.unwrap();
    let other = store.clone();
    let busy = tokio::spawn(async move {
        let long = |_: &Txn<'_>, _| {
            std::thread::sleep(Duration::from_millis(1));
            Ok(())
        };
        for _ in 0..300 {
            other.call(0, Inner::do_or_push, long).await.unwrap();
        }
    });
    let mut passed = 0;
    while !busy.is_finished() {
        store.change(0, |_: &Txn<'_>, _| Ok(())).await.unwrap();
        passed += 1;
    }
    busy.await.unwrap();
    assert!(passed > 10, "only {passed} of the others came to pass");
}

/// While all threads that read lists are at work, one execution can be asked for.
#[tokio::test]
async fn what_asks_for_one_execution_does_not_wait_for_lists() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(folder.path().join("steps.db"));
    let store = options.readers(1).open().await.unwrap();
    store.write(large(1)).await.unwrap();
    let (goes_on, waits) = std::sync::mpsc::channel();
    let slow = {
        let store = store.clone();
        let slow = move |_: &Txn<'_>, _| {
            waits.recv().unwrap();
            Ok(())
        };
        tokio::spawn(async move { store.read(Inner::lists, slow).await })
    };
    let behind = {
        let store = store.clone();
        tokio::spawn(async move { store.count(ExecutionQuery::default()).await })
    };
    let mut query = ExecutionQuery::default();
    query.id = Some("1".to_owned());
    assert_eq!(store.list(query.clone()).await.unwrap().len(), 1);
    assert_eq!(store.count(query).await.unwrap(), 1);
    assert!(store.load("1".to_owned()).await.unwrap().is_some());
    assert!(!slow.is_finished() && !behind.is_finished());
    goes_on.send(()).unwrap();
    slow.await.unwrap().unwrap();
    assert_eq!(behind.await.unwrap().unwrap(), 1);
}

/// On a small disk the log is copied before it fills the disk: it begins anew again and again.
#[tokio::test]
async fn scale_full_log_a_small_disk_is_not_filled_by_the_log() {
    let mut sizes = Vec::new();
    for room in [(|_| None) as fn(&Path) -> Option<Room>, |log| {
        let log = log.metadata().ok()?.len();
        Some(Room { log, free: log })
    }] {
        let folder = tempfile::tempdir().unwrap();
        let mut options = SqliteOptions::new(folder.path().join("steps.db"));
        options.room = room;
        let store = options.open().await.unwrap();
        for n in 0..300 {
            let mut write = large(n);
            let Target::New(new) = &mut write.target else {
                unreachable!()
            };
            new.input = Json::encode(&"x".repeat(10 << 10)).unwrap();
            store.write(write).await.unwrap();
        }
        let log = folder.path().join("steps.db-wal");
        sizes.push(log.metadata().unwrap().len());
    }
    assert!(sizes[0] > 3 * sizes[1], "{sizes:?}");
}
