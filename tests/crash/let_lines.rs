//! `let` lines: evaluated once, whatever is cut off.

use std::sync::atomic::{AtomicU32, Ordering};

use steps::{
    State,
    prelude::*,
    testing::{Explorer, Injected, Lab},
};

/// Another number each time.
fn fresh() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Gives what it was given.
#[step]
async fn keep(lab: &Lab, name: &str, n: u32) -> Result<u32, Injected> {
    lab.act(name)?;
    Ok(n)
}

#[undo(keep)]
async fn keep_back(lab: &Lab, name: &str, n: u32, kept: &u32) -> Result<(), Injected> {
    assert_eq!(n, *kept, "the undo of {name} is given another number");
    lab.undo(name)
}

#[flow]
pub(crate) async fn letting(lab: &Lab) -> Result<(), Injected> {
    steps! {
        let n: u32 = fresh();
        a = keep(lab, "a", n);
        g = {
            let m: u32 = fresh();
            b = keep(lab, "b", n);
            c = keep(lab, "c", m);
        }
        p = parallel {
            let m: u32 = fresh();
            d = keep(lab, "d", g.m);
        }
        last = keep(lab, "last", p.m);
        let end: u32 = fresh();
    }
    let _ = (a, last, end);
    lab.act("tail")
}

/// Whoever was given a value of a `let` line has the one that is recorded.
pub(crate) fn lets_agree(_: &Lab, state: &State) -> Result<(), String> {
    let value = |path: &str| state.get(path).and_then(|node| node.output.clone());
    let pairs = [
        ("a", "n"),
        ("g.b", "n"),
        ("g.c", "g.m"),
        ("p.d", "g.m"),
        ("last", "p.m"),
    ];
    for (given, of) in pairs {
        if let Some(given_value) = value(given)
            && Some(&given_value) != value(of).as_ref()
        {
            return Err(format!(
                "{given} is {given_value}, and {of} is {:?}",
                value(of)
            ));
        }
    }
    Ok(())
}

#[tokio::test]
async fn values_evaluated_once() {
    // What they are is another in each trial; with `concurrent`, values are not compared.

    let report = Explorer::new(Lab::clone, letting)
        .check(lets_agree)
        .concurrent()
        .explore()
        .await
        .unwrap();
    assert!(report.faults.contains("undo c"), "{report:?}");
    assert!(report.faults.contains("tail"), "{report:?}");
}
