//! `match` with named arms: the arm that is taken, the value it gives, and that a resume and the undo go
//! into the same arm.

use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};
use steps::{
    Outcome, SignalError, State, Status,
    prelude::*,
    testing::{Fault, Injected, Lab},
};

use crate::{
    commits::Told,
    support::{act, fail, num, pass, read, ready},
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Method {
    Card(String),
    Invoice { to: String, days: u32 },
    Points(u32, u32),
    Free,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Order {
    method: Method,
}

fn order(method: Method) -> Order {
    Order { method }
}

#[flow]
async fn pay(lab: &Lab, order: Order) -> Result<String, Injected> {
    steps! {
        pay = match &order.method {
            card = Method::Card(number) => { charge = act(lab, number); note = act(lab, "note"); }
            /// A long term is asked for.
            long = Method::Invoice { to, days } if days > 30 => {
                asked = act(lab, to);
                days = num(lab, days);
            }
            short = Method::Invoice { days, .. } => num(lab, days);
            points = Method::Points(n, 0) | Method::Points(0, n) => parallel {
                n = num(lab, n);
                all = act(lab, "all");
            }
            none = Method::Free | Method::Points(..) => {}
        }
        last = act(lab, "last");
    }
    assert_eq!(last, "last");
    Ok(match pay {
        PayPay::Card(card) => format!("{} {}", card.charge, card.note),
        PayPay::Long(long) => format!("{} {}", long.asked, long.days),
        PayPay::Short(days) => format!("{days}"),
        PayPay::Points(points) => format!("{} points", points.n),
        PayPay::None(_) => "nothing".to_owned(),
    })
}

fn invoice(days: u32) -> Method {
    Method::Invoice {
        to: "ann".to_owned(),
        days,
    }
}

#[tokio::test]
async fn each_arm_gives_its_value() {
    for (method, value, texts) in [
        (
            Method::Card("7".to_owned()),
            "7 note",
            vec!["7", "note", "last"],
        ),
        (invoice(60), "ann 60", vec!["ann", "60", "last"]),
        (invoice(30), "30", vec!["30", "last"]),
        (Method::Points(6, 0), "6 points", vec!["6", "all", "last"]),
        (Method::Points(0, 7), "7 points", vec!["7", "all", "last"]),
        (Method::Points(1, 2), "nothing", vec!["last"]),
        (Method::Free, "nothing", vec!["last"]),
    ] {
        let lab = Lab::new();
        assert_eq!(pay(&lab, order(method)).await.unwrap(), value);
        assert_eq!(lab.texts(), texts);
    }
}

#[tokio::test]
async fn the_arm_is_a_node_below_the_match_and_the_only_one() {
    let lab = Lab::new();
    lab.fault("last", Fault::FailBefore);
    let failure = pay(&lab, order(invoice(60))).await.unwrap_err();
    let state = State::from_json(&failure.state.to_json()).unwrap();
    let node = state.get("pay").unwrap();
    assert_eq!(node.kind.as_str(), "match");
    assert_eq!(node.chosen.as_deref(), Some("long"));
    let names: Vec<_> = node.states.iter().map(|state| &*state.name).collect();
    assert_eq!(names, ["long"]);
    let json: serde_json::Value = serde_json::from_str(&state.to_json()).unwrap();
    assert_eq!(json["states"][0]["kind"], "match");
    assert_eq!(json["states"][0]["chosen"], "long");
    assert_eq!(json["states"][0]["states"][0]["kind"], "group");
    assert_eq!(
        lab.texts(),
        ["ann", "60", "undo 60", "undo ann"],
        "the undo goes into the arm"
    );
    let typed = PayState::from(state);
    assert_eq!(typed.pay.long.asked.status(), Status::Undone);
    assert_eq!(typed.pay.card.charge.status(), Status::Pending);
    assert_eq!(typed.pay.short.output().unwrap(), None);
    assert_eq!(pay::STEPS.pay.long.asked.path(), "pay.long.asked");
    assert_eq!(pay::STEPS.pay.short.path(), "pay.short");
}

static ASKED: AtomicU32 = AtomicU32::new(0);

/// Another answer each time.
fn next() -> Method {
    match ASKED.fetch_add(1, Ordering::Relaxed) {
        0 => Method::Card("first".to_owned()),
        _ => Method::Free,
    }
}

fn is_first() -> bool {
    ASKED.load(Ordering::Relaxed) == 1
}

#[flow]
async fn once(lab: &Lab) -> Result<(), String> {
    steps! {
        pay = match next() {
            card = Method::Card(number) if is_first() => {
                charge = act(lab, number);
                gate = ready(lab, "gate");
                again = act(lab, number);
            }
            other = _ => { wrong = act(lab, "wrong"); }
        }
        last = fail(lab, "last");
    }
    let _ = (pay, last);
    Ok(())
}

#[tokio::test]
async fn the_value_and_the_guard_are_evaluated_once_and_recorded() {
    let lab = Lab::new();
    let mut saved = None;
    assert!(matches!(
        pass(&mut saved, once(&lab)).await,
        Outcome::Waiting { .. }
    ));
    assert_eq!(ASKED.load(Ordering::Relaxed), 1);
    ASKED.fetch_add(1, Ordering::Relaxed);
    let state = read(&saved);
    let input = state.get("pay").unwrap().input.as_ref().unwrap();
    assert_eq!(input.get(), r#"{"Card":"first"}"#);
    lab.act("gate").unwrap();
    drop(state);
    let Outcome::Failed(failure) = pass(&mut saved, once(&lab)).await else {
        panic!("{saved:?}");
    };
    assert_eq!(failure.step(), Some("last"));
    assert_eq!(
        lab.texts(),
        ["first", "gate", "first", "undo first", "undo first"]
    );
    assert_eq!(ASKED.load(Ordering::Relaxed), 2);
}

#[flow]
async fn inner(lab: &Lab, n: Option<u32>) -> Result<u32, String> {
    steps! {
        found = match n { some = Some(n) => num(lab, n); none = None => num(lab, 0); }
    }
    Ok(match found {
        InnerFound::Some(n) | InnerFound::None(n) => n,
    })
}

#[flow]
async fn in_each_form(lab: &Lab, ns: Vec<Option<u32>>) -> Result<String, String> {
    steps! {
        all = for n in &ns by n.unwrap_or(0) parallel {
            found = match n {
                some = Some(n) => { n = num(lab, n); }
                none = None => {}
            }
        }
        sum = parallel {
            a = num(lab, 10);
            of_a = match a { ten = 10 => act(lab, "ten"); other = n => num(lab, n); }
            b = act(lab, if let InEachFormSumOfA::Ten(_) = of_a { "b" } else { "c" });
        }
        rounds = loop {
            go = match prev.map_or(1, |round| round.n) {
                one = 1 => act(lab, "one");
                more = n => { x = num(lab, n + 100); }
            }
            n = num(lab, prev.map_or(2, |round| round.n + 1));
        } until n == 3;
        first = race {
            quick = match ns.len() { none = 0 => {} some = 1.. => act(lab, "quick"); }
            never = steps::signal::<u32>();
        }
        nested = flow inner(lab, Some(5));
        deep = match &first {
            never = InEachFormFirst::Never(_) => {}
            quick = InEachFormFirst::Quick(found) => match found {
                none = InEachFormFirstQuick::None(_) => {}
                some = InEachFormFirstQuick::Some(text) => {
                    again = act(lab, text);
                    twice = if let InEachFormSumOfA::Ten(ten) = &sum.of_a { t = act(lab, ten); }
                }
            }
        }
        path = if ns.is_empty() { e = num(lab, 1); } else if let Some(n) = ns[0] {
            pick = match n { one = 1 => act(lab, "pick"); other = _ => {} }
        } else {
            last = num(lab, 2);
        }
    }
    let _ = (nested, path);
    let all = all.iter().map(|item| match &item.found {
        InEachFormAllFound::Some(some) => some.n,
        InEachFormAllFound::None(_) => 0,
    });
    let all: Vec<_> = all.collect();
    let rounds = matches!(rounds.go, InEachFormRoundsGo::More(more) if more.x == 102);
    let InEachFormDeep::Quick(InEachFormDeepQuick::Some(deep)) = deep else {
        return Err("another arm was taken".to_owned());
    };
    Ok(format!("{all:?} {} {rounds} {}", sum.b, deep.again))
}

#[tokio::test]
async fn a_match_in_each_form_and_each_form_in_a_match() {
    let lab = Lab::new();
    let ended = in_each_form(&lab, vec![Some(1), None]).await.unwrap();
    assert_eq!(ended, "[1, 0] b true quick");
    let state = in_each_form(&lab, vec![Some(1), None]);
    let state = state.advance().await.unwrap().state;
    let state = State::from_json(&state.state().to_json()).unwrap();
    let node = state.get("path.else_if.pick.one").unwrap();
    assert_eq!(node.status, Status::Done);
    // The value of a group is not recorded again.
    assert!(state.get("deep").unwrap().input.is_none());
}

#[flow]
async fn waits(_lab: &Lab, n: u32) -> Result<String, String> {
    steps! {
        way = match n {
            ask = 1 => { answer = steps::signal::<String>(); }
            other = _ => { told = steps::signal::<u32>(); }
        }
    }
    Ok(match way {
        WaitsWay::Ask(ask) => ask.answer,
        WaitsWay::Other(other) => other.told.to_string(),
    })
}

#[tokio::test]
async fn a_signal_to_an_arm_that_was_not_taken_is_refused() {
    let lab = Lab::new();
    let mut saved = None;
    pass(&mut saved, waits(&lab, 1)).await;
    let mut state = WaitsState::from(read(&saved));
    let other = state.signal(waits::STEPS.way.other.told, &1);
    assert!(
        matches!(other, Err(SignalError::NotWaiting { .. })),
        "{other:?}"
    );
    state
        .signal(waits::STEPS.way.ask.answer, &"yes".to_owned())
        .unwrap();
    saved = Some(state.state().to_json());
    let outcome = pass(&mut saved, waits(&lab, 1)).await;
    assert!(matches!(outcome, Outcome::Done(text) if text == "yes"));
}

/// The arm's beginning, and what decided for it, are in the batch with the first step.
#[tokio::test]
async fn a_match_costs_no_batch_of_its_own() {
    let (lab, told) = (Lab::new(), Told::default());
    let run = pay(&lab, order(invoice(60))).journal(std::sync::Arc::new(told.clone()));
    run.await.unwrap();
    assert_eq!(
        told.names()[..2],
        [
            "pay running, pay running, long running, asked running",
            "asked done, days running"
        ]
    );
}

#[flow(on_failure = "hold")]
async fn held(lab: &Lab, n: u32) -> Result<String, String> {
    steps! {
        way = match n {
            one = 1 => { a = act(lab, "a"); b = act(lab, "b"); }
            other = _ => {}
        }
        last = act(lab, "last");
    }
    let _ = way;
    Ok(last)
}

#[tokio::test]
async fn a_failed_arm_goes_on_after_a_recovery_and_is_begun_again() {
    let lab = Lab::new();
    lab.fault("b", Fault::FailBefore);
    let failure = held(&lab, 1).await.unwrap_err();
    let saved = State::clone(&failure.state);
    let mut state = saved.clone();
    state.recover().unwrap();
    assert_eq!(state.get("way").unwrap().chosen.as_deref(), Some("one"));
    let lab = Lab::new();
    held(&lab, 1).resume(state).await.unwrap();
    assert_eq!(lab.texts(), ["b", "last"]);
    for (from, texts) in [
        ("way", vec!["a", "b", "last"]),
        ("way.one", vec!["a", "b", "last"]),
        ("way.one.b", vec!["b", "last"]),
    ] {
        let mut state = saved.clone();
        state.reset(from).unwrap();
        let lab = Lab::new();
        held(&lab, 1).resume(state).await.unwrap();
        assert_eq!(lab.texts(), texts, "{from}");
    }
}

/// The drawing shows the arm that was taken.
#[tokio::test]
async fn the_drawing_of_a_match() {
    let lab = Lab::new();
    let state = pay(&lab, order(invoice(60))).advance().await.unwrap().state;
    let text = state.state().tree().to_string();
    assert!(text.contains("long"), "{text}");
    assert!(!text.contains("card"), "{text}");
}

#[flow]
async fn in_a_branch(lab: &Lab, n: u32) -> Result<String, String> {
    steps! {
        path = if n == 1 {
            first = race { one = act(lab, "one"); never = steps::signal::<u32>(); }
        } else if n == 2 {
            way = match n { two = 2 => act(lab, "two"); other = _ => {} }
        } else {
            first = race { three = act(lab, "three"); never = steps::signal::<u32>(); }
        }
    }
    Ok(match path {
        steps::Branch::Then(then) => match then.first {
            InABranchPathThenFirst::One(one) => one,
            InABranchPathThenFirst::Never(n) => n.to_string(),
        },
        steps::Branch::Else(other) => match other.else_if {
            steps::Branch::Then(then) => match then.way {
                InABranchPathElseElseIfThenWay::Two(two) => two,
                InABranchPathElseElseIfThenWay::Other(_) => "other".to_owned(),
            },
            steps::Branch::Else(last) => {
                let InABranchPathElseElseIfElseFirst::Three(three) = last.first else {
                    return Err("nobody gave a signal".to_owned());
                };
                three
            }
        },
    })
}

/// The enum of one in the first branch was called by another name than the value that it is.
#[tokio::test]
async fn a_race_and_a_match_in_each_branch_of_an_if() {
    for (n, name) in [(1, "one"), (2, "two"), (3, "three")] {
        assert_eq!(in_a_branch(&Lab::new(), n).await.unwrap(), name);
    }
}
