//! What is decided once and read back after a resume.

use std::sync::{
    Mutex,
    atomic::{AtomicU32, Ordering},
};

use steps::{Outcome, prelude::*, testing::Lab};

use crate::support::{num, pass, ready};

#[derive(Default)]
struct Counted {
    conditions: AtomicU32,
    lists: AtomicU32,
    keys: AtomicU32,
    untils: AtomicU32,
    looks: AtomicU32,
    inputs: Mutex<Vec<u32>>,
}

/// Another number each time, as a clock or chance would give.
fn next(counter: &AtomicU32) -> u32 {
    counter.fetch_add(1, Ordering::Relaxed)
}

#[step]
async fn note(counted: &Counted, n: u32) -> Result<u32, std::convert::Infallible> {
    counted.inputs.lock().unwrap().push(n);
    Ok(n)
}

#[flow]
async fn inner(counted: &Counted, lab: &Lab, n: u32) -> Result<u32, String> {
    steps! {
        first = note(counted, n);
        wait = ready(lab, "go 4");
        second = note(counted, n);
    }
    let _ = (wait, second);
    Ok(first)
}

#[flow]
async fn decides(counted: &Counted, lab: &Lab) -> Result<u32, String> {
    steps! {
        cond = if next(&counted.conditions) == 0 {
            a = num(lab, 1);
            wait = ready(lab, "go 1");
            b = num(lab, 2);
        } else {
            wrong = num(lab, 100);
        }
        look = if let Some(n @ 0) = Some(next(&counted.looks)) {
            a = num(lab, n + 3);
            wait = ready(lab, "go 2");
            b = num(lab, n + 4);
        }
        list = for n in (0..2).map(|n| n + 10 * next(&counted.lists)) by format!("{n}-{}", next(&counted.keys)) {
            a = num(lab, n + 500);
            wait = ready(lab, "go 3");
        }
        let input: u32 = 1000 + next(&counted.conditions);
        nested = flow inner(counted, lab, input);
        rounds = loop {
            a = num(lab, prev.map_or(50, |prev| prev.a + 1));
            wait = ready(lab, &format!("go {a}"));
        } until next(&counted.untils) == 2;
    }
    assert!(cond.then().is_some() && look.is_some() && list.len() == 2);
    Ok(nested + rounds.a)
}

/// A2, A3: goes on from the first unfinished step, pass after pass, through JSON text.
#[tokio::test]
async fn decisions_lists_and_inputs_are_read_back_and_not_made_again() {
    let (lab, counted) = (Lab::new(), Counted::default());
    let mut saved = None;
    for go in ["go 1", "go 2", "go 3", "go 4", "go 50", "go 51", "go 52"] {
        // Twice, so that each is met again while it waits.
        for _ in 0..2 {
            let outcome = pass(&mut saved, decides(&counted, &lab)).await;
            assert!(
                matches!(outcome, Outcome::Waiting { until: Some(_), .. }),
                "{outcome:?}"
            );
        }
        lab.act(go).unwrap();
    }
    let outcome = pass(&mut saved, decides(&counted, &lab)).await;
    let Outcome::Done(sum) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(counted.looks.load(Ordering::Relaxed), 1);
    assert_eq!(counted.keys.load(Ordering::Relaxed), 2);
    assert_eq!(counted.lists.load(Ordering::Relaxed), 2);
    assert_eq!(counted.untils.load(Ordering::Relaxed), 3);
    // The nested flow has the input that was recorded, in both of its steps.
    assert_eq!(*counted.inputs.lock().unwrap(), [1001, 1001]);
    assert_eq!(sum, 1001 + 52);
    let acts: Vec<String> = lab
        .texts()
        .into_iter()
        .filter(|t| !t.contains("go"))
        .collect();
    assert_eq!(acts, ["1", "2", "3", "4", "500", "511", "50", "51", "52"]);
}

#[flow]
async fn tail(counted: &Counted, lab: &Lab) -> Result<u32, String> {
    steps! { a = num(lab, 1); }
    next(&counted.conditions);
    Ok(a + 1)
}

#[tokio::test]
async fn the_code_after_the_steps_runs_once_and_its_result_is_saved() {
    let (lab, counted) = (Lab::new(), Counted::default());
    let (_, state) = tail(&counted, &lab).with_state().await.unwrap();
    let again = tail(&counted, &lab).resume(state).await.unwrap();
    assert_eq!((again, counted.conditions.load(Ordering::Relaxed)), (2, 1));
}

#[step(volatile)]
async fn connect(counted: &Counted) -> Result<u32, String> {
    Ok(next(&counted.conditions))
}

#[flow]
async fn connects(counted: &Counted, lab: &Lab) -> Result<u32, String> {
    steps! {
        g = { link = connect(counted); n = num(lab, 9); }
        wait = ready(lab, "go");
        used = note(counted, g.link);
    }
    let _ = wait;
    Ok(used)
}

/// D3: a volatile step is not saved and runs again; what is beside it does not.
#[tokio::test]
async fn a_volatile_step_runs_again_after_a_resume() {
    let (lab, counted) = (Lab::new(), Counted::default());
    let mut saved = None;
    let _ = pass(&mut saved, connects(&counted, &lab)).await;
    assert!(
        crate::support::read(&saved)
            .get("g.link")
            .unwrap()
            .output
            .is_none()
    );
    lab.act("go").unwrap();
    let outcome = pass(&mut saved, connects(&counted, &lab)).await;
    assert!(matches!(outcome, Outcome::Done(1)), "{outcome:?}");
    assert_eq!(lab.texts(), ["9", "go"]);
}
