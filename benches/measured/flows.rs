//! A new step that does nothing, executed and recorded with its times: the cost of the whole run,
//! from the call to the output, divided by the number of its steps.

use std::io::Error;

use steps::prelude::*;

use crate::{
    measure::{Subject, block_on, fastest, floor},
    table::{Row, Table},
};

#[step]
async fn noop() -> Result<(), Error> {
    Ok(())
}

macro_rules! written_out {
    ($flow:ident: $($line:ident)*) => {
        #[flow]
        async fn $flow() -> Result<(), Error> {
            steps! { $( $line = noop(); )* }
            Ok(())
        }
    };
}

written_out!(ten: a0 a1 a2 a3 a4 a5 a6 a7 a8 a9);
written_out!(hundred:
    a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 b0 b1 b2 b3 b4 b5 b6 b7 b8 b9
    c0 c1 c2 c3 c4 c5 c6 c7 c8 c9 d0 d1 d2 d3 d4 d5 d6 d7 d8 d9
    e0 e1 e2 e3 e4 e5 e6 e7 e8 e9 f0 f1 f2 f3 f4 f5 f6 f7 f8 f9
    g0 g1 g2 g3 g4 g5 g6 g7 g8 g9 h0 h1 h2 h3 h4 h5 h6 h7 h8 h9
    i0 i1 i2 i3 i4 i5 i6 i7 i8 i9 j0 j1 j2 j3 j4 j5 j6 j7 j8 j9);

#[flow]
async fn items(count: u32) -> Result<(), Error> {
    steps! {
        all = for n in 0..count by n {
            work = noop();
        }
    }
    Ok(())
}

/// The floor and the four flows, with their names for [`repeat`].
fn subjects() -> [(&'static str, Subject<'static>); 5] {
    let items = |count| move || block_on(items(count).into_future());
    [
        ("floor", floor()),
        ("ten", Subject::new(10, || block_on(ten().into_future()))),
        (
            "hundred",
            Subject::new(100, || block_on(hundred().into_future())),
        ),
        ("thousand", Subject::new(1000, items(1000))),
        ("ten-thousand", Subject::new(10_000, items(10_000))),
    ]
}

/// Runs one of them so many times, for a tool that counts instructions. Returns whether there is one
/// of this name.
pub(crate) fn repeat(name: &str, times: u32) -> bool {
    let mut subjects = subjects().into_iter();
    let Some((_, mut subject)) = subjects.find(|(of, _)| *of == name) else {
        return false;
    };
    subject.repeat(times);
    true
}

pub(crate) fn rows(table: &mut Table) {
    if !table.wants("flows") {
        return;
    }
    let subjects = subjects().map(|(_, subject)| subject);
    let [floor, ten, hundred, thousand, ten_thousand] = fastest(subjects);
    for (what, ours, go) in [
        ("10 written out", ten, 370.0),
        ("100 written out", hundred, 316.0),
        ("1,000 `for` items", thousand, 917.0),
        ("10,000 `for` items", ten_thousand, 11_757.0),
    ] {
        table.row(Row {
            what: format!("a fresh step, of {what}"),
            ours,
            floor: Some(floor),
            most_ratio: Some(2.5),
            go: Some(go),
            ..Row::default()
        });
    }
    table.row(Row {
        what: "a step of 10,000 against one of 10 (the floor here)".to_owned(),
        ours: ten_thousand,
        floor: Some(ten),
        most_ratio: Some(1.5),
        ..Row::default()
    });
}
