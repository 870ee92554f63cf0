//! Later passes of a run in the same process: finished steps are skipped, waiting steps are polled.
//!
//! Each flow ends with a step that polls, and the clock is always due, so that one run makes many
//! passes. The cost of the same number of passes without the steps before it is subtracted.

use std::{
    io::Error,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use jiff::Timestamp;
use steps::prelude::*;
use steps_core::{clock::TestClock, journal::BoxFuture};

use crate::{
    measure::{Subject, block_on, fastest},
    table::{Row, Table},
};

pub(crate) const PASSES: u32 = 50;

/// A clock that always has the time that is waited for.
#[derive(Debug, Default)]
pub(crate) struct Due(AtomicI64);

impl TestClock for Due {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::Relaxed)).unwrap_or_default()
    }
    fn sleep_until(&self, time: Timestamp) -> BoxFuture<'static, ()> {
        self.0.store(time.as_second(), Ordering::Relaxed);
        Box::pin(std::future::ready(()))
    }
}

pub(crate) fn due() -> Arc<Due> {
    Arc::default()
}

#[step]
pub(crate) async fn noop() -> Result<(), Error> {
    Ok(())
}

/// Returns "not yet" this many times.
#[step(poll(every = "1s"))]
pub(crate) async fn ready(cx: &Cx, not_yet: u32) -> Result<Option<()>, Error> {
    Ok((cx.attempt() > not_yet).then_some(()))
}

macro_rules! written_out {
    ($flow:ident: $($line:ident)*) => {
        #[flow]
        async fn $flow(passes: u32) -> Result<(), Error> {
            steps! {
                $( $line = noop(); )*
                end = ready(cx, passes);
            }
            Ok(())
        }
    };
}

written_out!(nothing: );
written_out!(hundred:
    a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 b0 b1 b2 b3 b4 b5 b6 b7 b8 b9
    c0 c1 c2 c3 c4 c5 c6 c7 c8 c9 d0 d1 d2 d3 d4 d5 d6 d7 d8 d9
    e0 e1 e2 e3 e4 e5 e6 e7 e8 e9 f0 f1 f2 f3 f4 f5 f6 f7 f8 f9
    g0 g1 g2 g3 g4 g5 g6 g7 g8 g9 h0 h1 h2 h3 h4 h5 h6 h7 h8 h9
    i0 i1 i2 i3 i4 i5 i6 i7 i8 i9 j0 j1 j2 j3 j4 j5 j6 j7 j8 j9);

/// The last item delays a `for` whose other items are done.
#[flow]
async fn items(count: u32, passes: u32) -> Result<(), Error> {
    steps! {
        all = for n in 0..count by n {
            work = ready(cx, if n + 1 == count { passes } else { 0 });
        }
    }
    Ok(())
}

/// The same, with the items in parallel.
#[flow]
async fn at_once(count: u32, passes: u32) -> Result<(), Error> {
    steps! {
        all = for n in 0..count by n parallel {
            work = ready(cx, if n + 1 == count { passes } else { 0 });
        }
    }
    Ok(())
}

pub(crate) fn rows(table: &mut Table) {
    if !table.wants("passes") {
        return;
    }
    // The cost of the passes without the first one: a run with more passes, minus the same run with
    // none.
    let [one, no_one] = [PASSES, 0].map(|passes| {
        Subject::new(1, move || {
            block_on(nothing(passes).clock(due()).into_future())
        })
    });
    let [all, no_all] = [PASSES, 0].map(|passes| {
        Subject::new(1, move || {
            block_on(hundred(passes).clock(due()).into_future())
        })
    });
    let [one, no_one, all, no_all] = fastest([one, no_one, all, no_all]);
    let pass = (one - no_one) / f64::from(PASSES);
    table.row(Row {
        what: "a pass whose one step says \"not yet\"".to_owned(),
        ours: pass,
        ..Row::default()
    });
    row(
        table,
        "written out",
        ((all - no_all) / f64::from(PASSES) - pass) / 100.0,
    );

    for (what, count) in [("1,000", 1000), ("10,000", 10_000)] {
        let [few, none, many, base] =
            [(1, PASSES), (1, 0), (count, PASSES), (count, 0)].map(|(count, passes)| {
                Subject::new(1, move || {
                    block_on(items(count, passes).clock(due()).into_future())
                })
            });
        let [few, none, many, base] = fastest([few, none, many, base]);
        let cost = ((many - base) - (few - none)) / f64::from(PASSES) / f64::from(count - 1);
        row(
            table,
            &format!("an item of an unfinished `for` of {what}"),
            cost,
        );
    }
    let count = 1000;
    let [few, none, many, base] =
        [(1, PASSES), (1, 0), (count, PASSES), (count, 0)].map(|(count, passes)| {
            Subject::new(1, move || {
                block_on(at_once(count, passes).clock(due()).into_future())
            })
        });
    let [few, none, many, base] = fastest([few, none, many, base]);
    let cost = ((many - base) - (few - none)) / f64::from(PASSES) / f64::from(count - 1);
    row(
        table,
        "an item of an unfinished `for … parallel` of 1,000",
        cost,
    );
}

fn row(table: &mut Table, what: &str, ours: f64) {
    table.row(Row {
        what: format!("passing over a done step, {what}"),
        ours: ours.max(0.0),
        most: Some(15.0),
        go: Some(85.0),
        ..Row::default()
    });
}
