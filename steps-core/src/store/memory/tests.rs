//! Tests of what is special to this store: sharing, a test's clock, and an index in which waiting
//! executions cost nothing. The rules of every store are tested by `testing::store`.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::*;
use crate::{
    base::json::Json,
    model::state::Labels,
    store::{Due, LeaseAfter, NewExecution, Notes, Target},
    testing::FakeClock,
};

const HOUR: Duration = Duration::from_hours(1);

fn new(id: impl Into<String>, due: Due) -> Write {
    let new = NewExecution {
        id: id.into(),
        flow: "flow".to_owned(),
        input: Json::parse("null").unwrap(),
        labels: Labels::new(),
        notes: Notes::default(),
        priority: 0,
        form: None,
        parent: None,
        singleton: None,
        trace: None,
        created_at: None,
        held: None,
    };
    let then = LeaseAfter::Release {
        due,
        last_message: 0,
    };
    Write::new(Target::New(Box::new(new)), then)
}

fn claim(limit: usize) -> Claim {
    Claim {
        worker: "worker".to_owned(),
        lease: HOUR,
        flows: vec![FlowClaim {
            names: vec!["flow".into()],
            refuser: crate::store::Refuser {
                fingerprint: 1,
                build: 1,
            },
            limit,
        }],
        limit,
        waited: Vec::new(),
        ageing: None,
    }
}

#[tokio::test]
async fn clones_and_reopened_ones_share_what_is_kept() {
    let store = MemoryStore::new();
    store.clone().write(new("a", Due::Now)).await.unwrap();
    let clone = store.clone();
    store.close().await.unwrap();
    let error = store.load("a".to_owned()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    for open in [clone, store.clone(), store.reopen()] {
        let found = open.load("a".to_owned()).await.unwrap();
        assert_eq!(found.unwrap().info.id, "a");
    }
}

#[tokio::test]
async fn time_is_the_test_clocks() {
    let clock = FakeClock::new();
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    let tomorrow = clock.now() + 24 * HOUR;
    store.write(new("a", Due::At(tomorrow))).await.unwrap();
    let claimed = store.claim(claim(1)).await.unwrap();
    assert!(claimed.taken.is_empty());
    assert_eq!(claimed.next_due, Some(tomorrow));
    clock.advance(24 * HOUR);
    assert_eq!(store.claim(claim(1)).await.unwrap().taken.len(), 1);
}

#[tokio::test]
async fn a_future_that_is_dropped_does_nothing() {
    let store = MemoryStore::new();
    drop(store.write(new("a", Due::Now)));
    assert_eq!(store.count(ExecutionQuery::default()).await.unwrap(), 0);
}

/// Claims while many executions wait, are refused or are held. Each claim would take tens of
/// milliseconds if it looked at all of them.
#[tokio::test]
async fn what_waits_costs_a_claim_nothing() {
    const MANY: usize = 100_000;
    const CLAIMS: u32 = 1000;
    let store = MemoryStore::new();
    let later = jiff::Timestamp::now() + 24 * HOUR;
    for n in 0..MANY {
        let due = if n % 2 == 0 {
            Due::At(later)
        } else {
            Due::Never
        };
        store.write(new(n.to_string(), due)).await.unwrap();
    }
    let begun = Instant::now();
    for n in 0..CLAIMS {
        store
            .write(new(format!("due {n}"), Due::Now))
            .await
            .unwrap();
        let claimed = store.claim(claim(10)).await.unwrap();
        assert_eq!(claimed.taken.len(), 1);
        assert_eq!(claimed.next_due, Some(later));
    }
    let each = begun.elapsed() / CLAIMS;
    assert!(each < Duration::from_millis(2), "{each:?} for each claim");
}
