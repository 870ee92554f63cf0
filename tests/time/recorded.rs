//! What a journal is told of deadlines, pass by pass.

use std::{sync::Arc, time::Duration};

use steps::{
    Flow, Run, State,
    clock::TestClock,
    prelude::*,
    testing::{FakeClock, Lab, Recorder},
};

use crate::support::act;

const HOUR: Duration = Duration::from_secs(3600);

/// Is never ready.
#[step(poll(every = "1h"))]
async fn asks(_lab: &Lab) -> Result<Option<()>, String> {
    Ok(None)
}

/// One pass in a process of its own, from the rows and to the rows. Returns what the rows say.
async fn pass<F: Flow>(rows: &mut Recorder, clock: &FakeClock, run: Run<'_, F>) -> State {
    let saved = rows.from_changes().unwrap();
    *rows = rows.reopen();
    let run = match saved {
        Some(saved) => run.resume(saved),
        None => run,
    };
    let run = run.clock(Arc::new(clock.clone()));
    let passed = run.journal(Arc::new(rows.clone())).advance().await.unwrap();
    let saved = rows.from_changes().unwrap().unwrap();
    assert_eq!(
        saved.diff(passed.state.state()),
        [],
        "the rows are the whole tree"
    );
    saved
}

#[flow]
async fn beside(lab: &Lab) -> Result<(), String> {
    steps! {
        both = parallel {
            #[deadline("3h")]
            a = act(lab, "a");
            asks(lab);
        }
    }
    let _ = both;
    Ok(())
}

/// The line is looked at again in each pass, as one beside it waits.
#[tokio::test]
async fn a_line_that_is_done_gets_no_deadline_again() {
    let (clock, lab, mut rows) = (FakeClock::new(), Lab::new(), Recorder::new());
    for _ in 0..3 {
        let saved = pass(&mut rows, &clock, beside(&lab)).await;
        assert_eq!(saved.get("both.a").unwrap().deadline, None);
        clock.advance(HOUR);
    }
}

mod before {
    use super::*;

    #[flow(name = "waits")]
    pub(super) async fn waits(lab: &Lab) -> Result<(), String> {
        steps! { asks(lab); }
        Ok(())
    }
}

#[flow]
async fn waits(lab: &Lab) -> Result<(), String> {
    steps! {
        #[deadline("3h")]
        asks(lab);
    }
    Ok(())
}

/// Its time counts from the first pass of the new program, whatever process looks at it later.
#[tokio::test]
async fn a_deadline_that_a_waiting_step_gets_is_recorded() {
    let (clock, lab, mut rows) = (FakeClock::new(), Lab::new(), Recorder::new());
    let saved = pass(&mut rows, &clock, before::waits(&lab)).await;
    assert_eq!(saved.get("asks").unwrap().deadline, None);
    // It is not time to ask again.
    clock.advance(HOUR / 2);
    let saved = pass(&mut rows, &clock, waits(&lab)).await;
    let deadline = saved.get("asks").unwrap().deadline.expect("a deadline");
    let left = deadline.duration_since(clock.now()).as_secs();
    assert_eq!((left + 60) / 3600, 3);
    clock.advance(2 * HOUR);
    let saved = pass(&mut rows, &clock, waits(&lab)).await;
    assert_eq!(saved.get("asks").unwrap().deadline, Some(deadline));
}
