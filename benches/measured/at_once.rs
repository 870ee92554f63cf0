//! The data flow of a `parallel`: a diamond in real time, and a graph of ten layers against ten plain
//! `parallel`s with the same lines.

use std::{
    io::Error,
    time::{Duration, Instant},
};

use steps::prelude::*;

use crate::{
    measure::{Subject, block_on, fastest},
    table::{Row, Table},
};

#[step]
async fn works(millis: u64, _after: &[u64]) -> Result<u64, Error> {
    tokio::time::sleep(Duration::from_millis(millis)).await;
    Ok(millis)
}

/// The longest path is a, b, d: 710 ms.
#[flow]
async fn diamond() -> Result<u64, Error> {
    steps! {
        all = parallel {
            a = works(100, &[]);
            b = works(300, &[a]);
            c = works(200, &[a]);
            d = works(310, &[b, c]);
            e = works(150, &[b]);
        }
    }
    Ok(all.e)
}

const LONGEST_PATH: Duration = Duration::from_millis(710);

#[step]
async fn first() -> Result<u32, Error> {
    Ok(1)
}

#[step]
async fn after(before: u32) -> Result<u32, Error> {
    Ok(before)
}

/// Ten layers, each as wide as there are columns.
macro_rules! layers {
    ($($a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident $i:ident $j:ident;)*) => {
        #[flow]
        async fn graph() -> Result<(), Error> {
            steps! {
                all = parallel {
                    $($a = first();)*
                    $($b = after($a);)*
                    $($c = after($b);)*
                    $($d = after($c);)*
                    $($e = after($d);)*
                    $($f = after($e);)*
                    $($g = after($f);)*
                    $($h = after($g);)*
                    $($i = after($h);)*
                    $($j = after($i);)*
                }
            }
            drop(all);
            Ok(())
        }

        #[flow]
        async fn plain() -> Result<(), Error> {
            steps! {
                l0 = parallel { $($a = first();)* }
                l1 = parallel { $($b = after(l0.$a);)* }
                l2 = parallel { $($c = after(l1.$b);)* }
                l3 = parallel { $($d = after(l2.$c);)* }
                l4 = parallel { $($e = after(l3.$d);)* }
                l5 = parallel { $($f = after(l4.$e);)* }
                l6 = parallel { $($g = after(l5.$f);)* }
                l7 = parallel { $($h = after(l6.$g);)* }
                l8 = parallel { $($i = after(l7.$h);)* }
                l9 = parallel { $($j = after(l8.$i);)* }
            }
            drop(l9);
            Ok(())
        }
    };
}

layers! {
    a0 b0 c0 d0 e0 f0 g0 h0 i0 j0;
    a1 b1 c1 d1 e1 f1 g1 h1 i1 j1;
    a2 b2 c2 d2 e2 f2 g2 h2 i2 j2;
    a3 b3 c3 d3 e3 f3 g3 h3 i3 j3;
    a4 b4 c4 d4 e4 f4 g4 h4 i4 j4;
    a5 b5 c5 d5 e5 f5 g5 h5 i5 j5;
    a6 b6 c6 d6 e6 f6 g6 h6 i6 j6;
    a7 b7 c7 d7 e7 f7 g7 h7 i7 j7;
    a8 b8 c8 d8 e8 f8 g8 h8 i8 j8;
    a9 b9 c9 d9 e9 f9 g9 h9 i9 j9;
}

const LINES: usize = 100;

#[expect(clippy::cast_precision_loss, reason = "less than a second")]
pub(crate) fn rows(table: &mut Table) {
    if !table.wants("at_once") {
        return;
    }
    table.row(Row {
        what: "a diamond in real time, against its longest path".to_owned(),
        ours: diamond_took().as_nanos() as f64,
        floor: Some(LONGEST_PATH.as_nanos() as f64),
        most_ratio: Some(1.03),
        ..Row::default()
    });
    let [graph, plain] = fastest([
        Subject::new(LINES, || block_on(graph().into_future())),
        Subject::new(LINES, || block_on(plain().into_future())),
    ]);
    table.row(Row {
        what: "a line of a graph of ten layers, against ten plain `parallel`s".to_owned(),
        ours: graph,
        floor: Some(plain),
        most_ratio: Some(1.2),
        ..Row::default()
    });
}

/// The shortest of a few runs.
fn diamond_took() -> Duration {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap_or_else(|error| panic!("no runtime: {error}"));
    let run = || {
        let begun = Instant::now();
        let ended = runtime.block_on(diamond().into_future());
        assert_eq!(ended.ok(), Some(150));
        begun.elapsed()
    };
    (0..5).map(|_| run()).min().unwrap_or_default()
}
