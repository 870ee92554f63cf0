//! The six benchmarks of the Go library, with the same work as far as it exists here.
//!
//! In the Go library, steps end with a call (`Done`, `Fail`) on a state in memory; here the
//! interpreter does that. So the state's part is measured on a [`State`] with its public fields,
//! and next to it a whole step, which is begun, called and ended.

use std::{hint::black_box, io::Error};

use jiff::Timestamp;
use steps::{State, prelude::*};
use steps_core::status::{Status, Transition};

use crate::{
    measure::{Subject, block_on, fastest, floor},
    passes::{PASSES, due, ready},
    table::{Row, Table},
};

/// `tick` makes many passes, each of which visits every waiting step again.
#[flow]
async fn named(count: u32, passes: u32) -> Result<(), Error> {
    steps! {
        both = parallel {
            all = for n in 0..count by n parallel {
                waiting = steps::signal::<u32>();
            }
            tick = ready(cx, passes);
        }
    }
    Ok(())
}

/// The same, with the step named after its function.
#[flow]
async fn after_function(count: u32, passes: u32) -> Result<(), Error> {
    steps! {
        both = parallel {
            all = for n in 0..count by n parallel {
                steps::signal::<u32>();
            }
            tick = ready(cx, passes);
        }
    }
    Ok(())
}

#[step]
async fn fails() -> Result<(), &'static str> {
    Err("no")
}

#[flow]
async fn failing(count: u32) -> Result<(), Error> {
    steps! {
        all = for n in 0..count by n {
            #[optional]
            work = fails();
        }
    }
    Ok(())
}

#[flow]
async fn working(count: u32) -> Result<(), Error> {
    steps! {
        all = for n in 0..count by n {
            work = crate::passes::noop();
        }
    }
    Ok(())
}

fn running() -> State {
    let text = r#"{"name":"f","startedAt":"2026-11-22T04:41:15.824835996Z","states":[
        {"name":"a","startedAt":"2026-11-22T04:41:15.824835996Z"}]}"#;
    State::from_json(text).expect("it is a state")
}

fn end(state: &mut State, event: Transition) {
    // Restore the status for the next round.
    state.status = Status::Running;
    state.status = state.status.on(black_box(event)).unwrap_or_default();
    state.done_at = Some(Timestamp::now());
}

pub(crate) fn rows(table: &mut Table) {
    if !table.wants("go") {
        return;
    }
    met_again(table);
    on_the_state(table);
    whole_steps(table);
}

fn met_again(table: &mut Table) {
    const COUNT: u32 = 1000;
    let sizes = [(1, PASSES), (1, 0), (COUNT, PASSES), (COUNT, 0)];
    let cost = |[few, none, many, base]: [f64; 4]| {
        ((many - base) - (few - none)) / f64::from(PASSES) / f64::from(COUNT - 1)
    };
    // The signal never arrives: each run ends with an error that says so.
    let by_name = cost(fastest(sizes.map(|(count, passes)| {
        Subject::new(1, move || {
            block_on(named(count, passes).clock(due()).into_future())
        })
    })));
    let by_function = cost(fastest(sizes.map(|(count, passes)| {
        Subject::new(1, move || {
            block_on(after_function(count, passes).clock(due()).into_future())
        })
    })));
    row(
        table,
        "`Do`, `DoX`: a step that proceeds, met again in a later pass",
        by_name,
        15.0,
    );
    row(
        table,
        "`DoR`: the same, named after its function",
        by_function,
        28.0,
    );
}

fn on_the_state(table: &mut Table) {
    const CALLS: usize = 1000;
    let (mut quiet, mut done, mut failed, mut recovered) =
        (running(), running(), running(), running());
    let [quiet, done, failed, recovered] = fastest([
        Subject::new(CALLS, || {
            (0..CALLS)
                .map(|_| black_box(&mut quiet).recover().unwrap())
                .sum::<usize>()
        }),
        Subject::new(CALLS, || {
            for _ in 0..CALLS {
                end(black_box(&mut done), Transition::Finish);
            }
        }),
        Subject::new(CALLS, || {
            for _ in 0..CALLS {
                let state = black_box(&mut failed);
                state.errors.clear();
                state.errors.push("no".to_owned());
                end(state, Transition::Fail);
            }
        }),
        Subject::new(CALLS, || {
            for _ in 0..CALLS {
                let state = black_box(&mut recovered);
                state.states[0].status = Status::Failed;
                state.status = Status::Failed;
                black_box(state.recover().unwrap());
            }
        }),
    ]);
    row(table, "`Recover`, nothing having failed", quiet, 5.6);
    table.row(Row {
        what: "`Recover`, a step and the flow above it having failed".to_owned(),
        ours: recovered,
        ..Row::default()
    });
    row(table, "`Done`: a state's status and time", done, 62.0);
    row(
        table,
        "`Fail`: a state's status, error and time",
        failed,
        80.0,
    );
}

fn whole_steps(table: &mut Table) {
    const COUNT: u32 = 1000;
    let [floor, working, failing] = fastest([
        floor(),
        Subject::new(COUNT as usize, || block_on(working(COUNT).into_future())),
        Subject::new(COUNT as usize, || block_on(failing(COUNT).into_future())),
    ]);
    for (what, ours) in [("is done", working), ("fails, and is passed over", failing)] {
        table.row(Row {
            what: format!("a whole step that {what}: begun, called, ended, in a `for`"),
            ours,
            floor: Some(floor),
            ..Row::default()
        });
    }
}

fn row(table: &mut Table, what: &str, ours: f64, go: f64) {
    table.row(Row {
        what: what.to_owned(),
        ours: ours.max(0.0),
        most: Some(go),
        go: Some(go),
        ..Row::default()
    });
}
