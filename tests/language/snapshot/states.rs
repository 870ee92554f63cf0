//! What `assert_compatible!` says of a change is what a resume makes of it.

use std::sync::{Arc, Mutex};

use steps::{
    State, Status,
    compat::Compatibility,
    journal::{Batch, BoxFuture, Journal, JournalError},
    state::Kind,
    testing::Lab,
};

use super::versions::{added, first, fits, kinds, other, renamed, torn};
use crate::support::run;

/// Keeps the state after each record, as one document, and as a store with a row for each node has
/// it: without what has not begun, but for the items of a `for`.
#[derive(Default)]
struct States(Mutex<Vec<State>>);

impl Journal for States {
    fn commit<'a>(&'a self, batch: Batch<'a>) -> BoxFuture<'a, Result<(), JournalError>> {
        let whole = batch.state();
        let mut rows = whole.clone();
        without_pending(&mut rows);
        self.0.lock().unwrap().extend([whole, rows]);
        Box::pin(std::future::ready(Ok(())))
    }
}

fn without_pending(state: &mut State) {
    state
        .states
        .retain(|state| state.status != Status::Pending || state.kind == Kind::Item);
    state.states.iter_mut().for_each(without_pending);
}

#[tokio::test]
async fn what_is_said_to_fit_is_resumed_from_every_state_and_what_strands_is_refused_from_one() {
    let (lab, journal) = (Lab::new(), Arc::new(States::default()));
    run(first::flow(&lab, 1).journal(journal.clone()), lab.clock())
        .await
        .unwrap();
    let states = std::mem::take(&mut *journal.0.lock().unwrap());
    assert!(states.len() > 20);
    for state in &states {
        let resumed = fits::flow(&lab, 1).resume(state.clone());
        run(resumed, lab.clock()).await.unwrap();
    }
    macro_rules! strands {
        ($($version:ident)*) => {$(
            let fits = |state| Compatibility::of::<$version::flow>(state).is_compatible();
            assert!(!states.iter().all(fits), stringify!($version));
        )*};
    }
    strands!(renamed torn added kinds other);
}
