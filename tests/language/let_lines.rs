//! `let` lines: evaluated once when they are reached, recorded, and the same for all that follows,
//! also after a resume and in the undo.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU32, Ordering},
};

use serde::{Deserialize, Serialize};
use steps::{
    Branch, Cause, Flow, State, Status,
    prelude::*,
    testing::{Effect, FakeClock, Injected, Lab},
};

use crate::support::{act, fail, num, pass, read, ready, run};

/// Stands for `Uuid::new_v4()`, `Timestamp::now()`, a random suffix: another number each time.
fn fresh() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::SeqCst)
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Id(String);

impl Id {
    fn fresh() -> Self {
        Self(format!("id-{}", fresh()))
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Plan {
    name: String,
    size: u64,
}

/// Fails at first; then its verify finds nothing.
#[step(retry(times = 1, every = "1ms"))]
async fn create(lab: &Lab, cx: &Cx, vm: u32) -> Result<u32, String> {
    lab.act(format!("create {vm}")).map_err(|e| e.to_string())?;
    if cx.attempt() == 1 {
        return Err("connection reset".to_owned());
    }
    Ok(vm)
}

#[undo(create)]
async fn delete(lab: &Lab, _cx: &Cx, vm: u32, made: &u32) -> Result<(), Injected> {
    assert_eq!(vm, *made);
    lab.undo(format!("create {vm}"))
}

#[verify(create)]
async fn exists(lab: &Lab, _cx: &Cx, vm: u32) -> Result<Option<u32>, String> {
    assert!(
        lab.is_there(&format!("create {vm}")),
        "it is asked for another machine"
    );
    Ok(None)
}

#[flow]
async fn provide(lab: &Lab) -> Result<(), String> {
    steps! {
        let vm: u32 = fresh();
        create(lab, cx, vm);
        boom = fail(lab, "no");
    }
    let _ = boom;
    Ok(())
}

#[tokio::test]
async fn args_anew_the_attempts_the_verify_and_the_undo_see_one_value() {
    let lab = Lab::new();
    let failure = provide(&lab).await.unwrap_err();
    assert_eq!(failure.status(), Status::Undone);
    let vm = failure.state.get("vm").unwrap();
    let vm: u32 = vm.output.as_ref().unwrap().decode().unwrap();
    let name = format!("create {vm}");
    assert_eq!(
        lab.log(),
        [
            Effect::Did(name.clone()),
            Effect::Did(name.clone()),
            Effect::Undid(name)
        ]
    );
}

#[flow]
async fn every_place(lab: &Lab, names: Vec<String>) -> Result<Vec<u32>, Injected> {
    steps! {
        let first: u32 = fresh();
        wait = ready(lab, "1");
        group = {
            let inner: u32 = first + fresh();
            again = num(lab, inner);
        }
        at_once = parallel {
            let one: u32 = fresh();
            two = num(lab, first);
        }
        chosen = if first > 0 {
            let then: u32 = fresh();
        } else {
            let never: u32 = fresh();
        }
        found = if let Some(name) = names.first() {
            let label = format!("{name}-{}", fresh());
            labelled = act(lab, &label);
        }
        each = for name in &names by name parallel {
            let item: (String, u32) = (name.clone(), fresh());
            done = num(lab, item.1);
        }
        rounds = loop max 5 {
            let sum: u32 = prev.map_or(1, |round| round.sum + fresh());
            wait = ready(lab, "2");
        } until sum > 1;
        wait_more = ready(lab, "3");
        #[optional]
        let maybe: u32 = fresh();
        let name = "last".to_owned();
        last = act(lab, &name);
    }
    let Branch::Then(then) = chosen else {
        panic!("it holds")
    };
    let mut all = vec![
        first,
        group.inner,
        at_once.one,
        then.then,
        rounds.sum,
        maybe.unwrap(),
    ];
    all.extend(each.iter().map(|item| item.item.1));
    all.push(found.unwrap().label.len().try_into().unwrap());
    let _ = (wait, wait_more, name, last);
    Ok(all)
}

/// The values in a saved tree, by path.
fn values(state: &State) -> BTreeMap<String, String> {
    let nodes = state.walk();
    let values = nodes.filter_map(|(path, node)| Some((path, node.output.as_ref()?.to_string())));
    values.collect()
}

#[tokio::test]
async fn it_is_evaluated_once_in_every_kind_of_group() {
    let lab = Lab::new();
    let mut saved = None;
    let names = || vec!["a".to_owned(), "b".to_owned()];
    let mut before = BTreeMap::new();
    for go in ["1", "2", "3"] {
        pass(&mut saved, every_place(&lab, names())).await;
        for (path, value) in &before {
            assert_eq!(values(&read(&saved)).get(path), Some(value), "{path}");
        }
        before = values(&read(&saved));
        lab.act(go).unwrap();
    }
    let state = read(&saved);
    let given = every_place::resume(&lab, state).unwrap();
    let given = run(given, lab.clock()).await.unwrap();
    assert!(before.len() >= 10, "{before:?}");
    for (path, value) in [
        ("first", given[0]),
        ("group.inner", given[1]),
        ("at_once.one", given[2]),
    ] {
        assert_eq!(before[path], value.to_string());
    }
}

/// A type with what is not saved: later lines see what a resume would see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Open {
    n: u32,
    #[serde(skip)]
    open: bool,
}

#[flow]
async fn by_form(names: Vec<String>) -> Result<String, Injected> {
    steps! {
        let id = Id::fresh();
        let tuple = Id("x".to_owned());
        let plan = Plan { name: names[0].clone(), size: 7 };
        let text = format!("{}-{}", plan.name, id.0);
        let shout = text.to_uppercase();
        let many = names.len();
        let any = many > 1 || names.is_empty();
        let n = 7_u64;
        let big = n as u128;
        let list = names.iter().map(String::len).collect::<Vec<usize>>();
        let pair = (2_u64 * n, n > 1);
        let open = Open { n: 1, open: true };
        let list_of = Vec::<u32>::from([1, 2]);
        let perhaps: Option<u32> = list_of.first().copied();
        let parsed: u32 = "12".parse()?;
    }
    assert!(!open.open, "it is as it was read back");
    Ok(format!(
        "{} {} {} {shout} {many} {any} {n} {big} {list:?} {pair:?} {list_of:?} {perhaps:?} {parsed}",
        id.0, tuple.0, plan.size
    ))
}

#[tokio::test]
async fn the_form_of_an_expression_tells_its_type() {
    let text = by_form(vec!["a".into(), "bc".into()]).await.unwrap();
    assert!(
        text.ends_with("2 true 7 7 [1, 2] (14, true) [1, 2] Some(1) 12"),
        "{text}"
    );
    assert!(
        text.starts_with("id-") && text.contains(" x 7 A-ID-"),
        "{text}"
    );
}

#[flow]
async fn fails_at(name: String) -> Result<u32, Injected> {
    steps! {
        let n: u32 = name.parse()?;
        let list: Vec<u32> = vec![1, 2];
        let picked: u32 = list[n as usize];
    }
    Ok(picked)
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Ratio(f64);

#[flow]
async fn not_a_number() -> Result<f64, Injected> {
    steps! { let ratio = Ratio(f64::NAN); }
    Ok(ratio.0)
}

#[flow]
async fn passed_over() -> Result<bool, Injected> {
    steps! {
        #[optional]
        let n: u32 = "x".parse()?;
    }
    Ok(n.is_none())
}

#[tokio::test]
async fn a_panic_or_an_error_is_the_lines_recorded_failure() {
    assert_eq!(fails_at("1".into()).await.unwrap(), 2);
    for (input, line, text) in [
        ("x", "n", "invalid digit"),
        ("5", "picked", "panicked: index out of bounds"),
    ] {
        let failure = fails_at(input.into()).await.unwrap_err();
        assert_eq!(failure.failed()[0].path, line);
        assert!(failure.to_string().contains(text), "{failure}");
    }
    let failure = not_a_number().await.unwrap_err();
    assert_eq!(failure.failed()[0].path, "ratio");
    assert!(
        failure.to_string().contains("can't be saved as JSON"),
        "{failure}"
    );
    assert!(passed_over().await.unwrap());
}

mod v1 {
    use super::*;
    #[flow(name = "versions")]
    pub(super) async fn flow(lab: &Lab) -> Result<u32, Injected> {
        steps! { let a: u32 = fresh(); wait = ready(lab, "go"); done = num(lab, a); }
        let _ = wait;
        Ok(done)
    }
}

macro_rules! version {
    ($name:ident($lab:ident) { $($lines:tt)* }) => {
        mod $name {
            use super::*;
            #[flow(name = "versions")]
            pub(super) async fn flow($lab: &Lab) -> Result<(), Injected> {
                steps! { $($lines)* }
                Ok(())
            }
        }
    };
}
version!(renamed(lab) { #[step(alias = "a")] let b: u32 = fresh(); wait = ready(lab, "go"); done = num(lab, b); });
version!(a_step(lab) { a = num(lab, 7); wait = ready(lab, "go"); done = num(lab, a); });
version!(removed(lab) { wait = ready(lab, "go"); done = num(lab, 7); });
version!(retyped(lab) { let a: String = String::new(); wait = ready(lab, "go"); done = num(lab, 1); });
version!(added(lab) { let z: u32 = fresh(); let a: u32 = fresh(); wait = ready(lab, "go"); done = num(lab, a); });
version!(added_last(lab) { let a: u32 = fresh(); wait = ready(lab, "go"); done = num(lab, a); let z: u32 = fresh(); });

#[tokio::test]
async fn a_changed_let_is_held_to_the_rules_of_a_step() {
    let lab = Lab::new();
    let mut saved = None;
    pass(&mut saved, v1::flow(&lab)).await;
    lab.act("go").unwrap();
    let a: u32 = read(&saved)
        .get("a")
        .unwrap()
        .output
        .as_ref()
        .unwrap()
        .decode()
        .unwrap();
    async fn goes_on<F: Flow>(flow: steps::Run<'_, F>, state: State) -> bool {
        match run(flow.resume(state), &FakeClock::new()).await {
            Ok(_) => true,
            Err(failure) => {
                assert!(matches!(failure.cause, Cause::Misfit(_)), "{failure}");
                false
            }
        }
    }
    assert!(goes_on(renamed::flow(&lab), read(&saved)).await);
    assert!(goes_on(added_last::flow(&lab), read(&saved)).await);
    assert_eq!(
        lab.log()
            .iter()
            .filter(|done| **done == Effect::Did(a.to_string()))
            .count(),
        2
    );
    // It would have an undo of what was never done.
    assert!(!goes_on(a_step::flow(&lab), read(&saved)).await);
    assert!(!goes_on(removed::flow(&lab), read(&saved)).await);
    assert!(!goes_on(retyped::flow(&lab), read(&saved)).await);
    assert!(!goes_on(added::flow(&lab), read(&saved)).await);
    assert_ne!(v1::flow::FINGERPRINT, retyped::flow::FINGERPRINT);
    assert_ne!(v1::flow::FINGERPRINT, removed::flow::FINGERPRINT);
}

#[tokio::test]
async fn it_is_a_field_of_the_typed_state() {
    let lab = Lab::new();
    let mut pass = v1::flow(&lab).advance().await.unwrap();
    let a: Option<u32> = pass.state.a.output().unwrap();
    assert_eq!(pass.state.a.status(), Status::Done);
    assert!(a.is_some());
    // It is evaluated anew where somebody asks for it.
    pass.state.retry_from(v1::flow::STEPS.a).unwrap();
    let again = v1::flow(&lab).resume(pass.state).advance().await.unwrap();
    assert!(again.state.a.output().unwrap() > a);
}
