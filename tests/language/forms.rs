//! Every form of the grammar, its typed value, and forms in forms.

use serde::{Deserialize, Serialize};
use steps::{Branch, Failure, Status, prelude::*, testing::Lab};

use crate::support::{act, fail, num};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) port: u32,
}

fn host(name: &str, port: u32) -> Host {
    Host {
        name: name.to_owned(),
        port,
    }
}

#[flow]
async fn values(lab: &Lab, n: u32) -> Result<String, Failed> {
    steps! {
        /// A step, by its name.
        a = act(lab, "a");
        num(lab, n);
        #[optional]
        maybe = act(lab, "maybe");
        #[optional]
        never = fail(lab, "no");
        group = { x = act(lab, "x"); y = num(lab, num + 1); }
        both = parallel { l = act(lab, "l"); r = num(lab, 7); }
        held = if num > 0 { z = num(lab, 20); }
        missed = if num > 1000 { z = num(lab, 21); }
        branch = if num > 1000 { z = num(lab, 22); } else { w = act(lab, "w"); }
        each = for n in 0..3_u32 by n { v = num(lab, 30 + n); }
        rounds = loop { r = num(lab, prev.map_or(40, |p| p.r + 1)); } until r == 42;
        nested = flow inner(lab, num);
    }
    let _: (&String, &u32) = (&a, &num);
    let maybe: Option<String> = maybe;
    let never: Option<u32> = never;
    assert_eq!((maybe.as_deref(), never), (Some("maybe"), None));
    assert_eq!((group.x.as_str(), group.y), ("x", num + 1));
    assert_eq!((both.l.as_str(), both.r), ("l", 7));
    assert_eq!(held.as_ref().map(|held| held.z), Some(20));
    assert!(missed.is_none());
    match &branch {
        Branch::Then(then) => panic!("{}", then.z),
        Branch::Else(other) => assert_eq!(other.w, "w"),
    }
    let each: Vec<u32> = each.iter().map(|each| each.v).collect();
    assert_eq!(each, [30, 31, 32]);
    assert_eq!(rounds.r, 42);
    Ok(nested)
}

#[derive(Debug, thiserror::Error)]
#[error("the end failed")]
struct Failed;

#[flow]
async fn inner(lab: &Lab, n: u32) -> Result<String, Failed> {
    steps! { a = num(lab, n + 100); }
    Ok(format!("inner {a}"))
}

#[tokio::test]
async fn each_form_gives_its_value() {
    let lab = Lab::new();
    assert_eq!(values(&lab, 5).await.unwrap(), "inner 105");
    assert_eq!(
        lab.texts(),
        [
            "a", "5", "maybe", "x", "6", "l", "7", "20", "w", "30", "31", "32", "40", "41", "42",
            "105"
        ]
    );
}

/// A1, A8: nested steps run in order, an unnamed one has its function's name.
#[tokio::test]
async fn the_tree_has_each_line_by_its_name_and_kind() {
    let lab = Lab::new();
    let (_, state) = values(&lab, 5).with_state().await.unwrap();
    assert_eq!(state.num.output().unwrap(), Some(5));
    assert_eq!(state.group.y.output().unwrap(), Some(6));
    assert_eq!(state.never.status(), Status::Failed);
    assert_eq!(state.never.error(), Some("no"));
    assert_eq!(values::STEPS.group.y.path(), "group.y");
    let state = state.state();
    let tree: Vec<String> = state
        .walk()
        .map(|(path, node)| format!("{path} {:?} {}", node.kind, node.status))
        .collect();
    assert_eq!(
        tree,
        [
            " Flow done",
            "a Step done",
            "num Step done",
            "maybe Step done",
            "never Step failed",
            "group Group done",
            "group.x Step done",
            "group.y Step done",
            "both Parallel done",
            "both.l Step done",
            "both.r Step done",
            "held If done",
            "held.z Step done",
            "missed If done",
            "branch If done",
            "branch.w Step done",
            "each For done",
            "each.0 Item done",
            "each.0.v Step done",
            "each.1 Item done",
            "each.1.v Step done",
            "each.2 Item done",
            "each.2.v Step done",
            "rounds Loop done",
            "rounds.1 Round done",
            "rounds.1.r Step done",
            "rounds.2 Round done",
            "rounds.2.r Step done",
            "rounds.3 Round done",
            "rounds.3.r Step done",
            "nested Flow done",
            "nested.a Step done",
        ]
    );
}

#[flow]
async fn borrows(lab: &Lab, hosts: Vec<Host>, pairs: Vec<(String, u32)>) -> Result<u32, Failed> {
    steps! {
        by_ref = for host in hosts by &host.name { n = num(lab, host.port); }
        by_struct = for Host { name, port } in hosts by name { n = num(lab, port + 1); a = act(lab, name); }
        by_tuple = for (name, n) in pairs.iter().cloned() by name { m = num(lab, n); a = act(lab, &name); }
        mapped = for item in by_ref.iter().map(|item| item.n * 2) by item { n = num(lab, item); }
        of_groups = for item in &by_ref by item.n parallel { n = num(lab, item.n + 5); }
        filtered = for host in hosts.iter().filter(|host| host.port > 1) by host.port { n = num(lab, host.port); }
        first = if let Some(host) = hosts.first() { a = act(lab, &host.name); }
        group = if let Some(first) = &first { a = act(lab, &first.a); }
        whole = if let Some(Host { port: 2, name }) = hosts.get(1) { a = act(lab, name); }
        #[optional]
        o = act(lab, "o");
        opt = if let Some(o) = o { a = act(lab, o); }
        number = if let Some(n) = pairs.first().map(|(_, n)| *n) { m = num(lab, n + 1); }
        either = if let 0 | 1 = hosts.len() { a = num(lab, 0); } else { b = num(lab, 99); }
    }
    assert!(group.is_some() && whole.is_some() && opt.is_some() && number.is_some());
    assert!(either.otherwise().is_some());
    Ok(by_ref.len() as u32
        + by_struct.len() as u32
        + by_tuple.len() as u32
        + mapped.len() as u32
        + of_groups.len() as u32
        + filtered.len() as u32)
}

#[tokio::test]
async fn items_and_patterns_by_reference_and_owned() {
    let lab = Lab::new();
    let hosts = vec![host("a", 1), host("b", 2)];
    let pairs = vec![("p".to_owned(), 10), ("q".to_owned(), 11)];
    let count = borrows(&lab, hosts.clone(), pairs.clone()).await.unwrap();
    assert_eq!(count, 11);
    let log = lab.texts();
    // The same from its state: values are read back, and nothing is done again.
    let (_, state) = borrows(&Lab::new(), hosts.clone(), pairs.clone())
        .with_state()
        .await
        .unwrap();
    let other = Lab::new();
    let again = borrows(&other, hosts, pairs).resume(state).await.unwrap();
    assert_eq!((again, other.texts().len()), (count, 0));
    assert_eq!(log.iter().filter(|text| *text == "a").count(), 3);
}

#[flow]
async fn nest(lab: &Lab, hosts: Vec<Host>, go: Option<u32>) -> Result<u32, Failed> {
    steps! {
        rounds = loop max 3 {
            found = if let Some(go) = go {
                sides = parallel {
                    all = for host in hosts by &host.name parallel {
                        inner = for n in 0..host.port by n {
                            deep = {
                                x = num(lab, n + go);
                                y = if x > 1 { z = act(lab, &host.name); } else { z = num(lab, x); }
                            }
                        }
                        below = flow inner(lab, host.port);
                    }
                    one = num(lab, 1000 + go);
                }
            }
            n = num(lab, prev.map_or(0, |prev| prev.n + 1));
        } until n == 1;
    }
    let found = rounds.found.as_ref().map(|found| &found.sides);
    Ok(found.map_or(0, |sides| {
        sides
            .all
            .iter()
            .map(|host| host.inner.len() as u32)
            .sum::<u32>()
            + sides.one
    }))
}

#[tokio::test]
async fn forms_in_forms() {
    let lab = Lab::new();
    let hosts = || vec![host("a", 1), host("b", 2)];
    let (sum, state) = nest(&lab, hosts(), Some(1)).with_state().await.unwrap();
    assert_eq!(sum, 1004);
    let state = state.state();
    let path = "rounds.2.found.sides.all.b.inner.1.deep.y.z";
    assert_eq!(state.get(path).unwrap().result().unwrap().get(), "\"b\"");
    assert!(state.succeeded("rounds.1.found.sides.all.a.below.a"));
    assert_eq!(nest(&lab, hosts(), None).await.unwrap(), 0);
}

#[flow(rename_all = "camelCase", name = "MoveToVPC", alias = "OldName")]
async fn names(lab: &Lab) -> Result<(), Failed> {
    steps! {
        pre_flight = { chk_network = act(lab, "a"); #[step(name = "initialize CVM")] init_cvm = act(lab, "b"); }
        #[step(alias = "old one")]
        new_one = act(lab, "c");
    }
    let _ = (pre_flight, new_one);
    Ok(())
}

#[tokio::test]
async fn names_in_the_saved_tree() {
    let lab = Lab::new();
    let (_, state) = names(&lab).with_state().await.unwrap();
    let paths: Vec<_> = state.state().walk().map(|(path, _)| path).collect();
    assert_eq!(
        paths,
        [
            "",
            "preFlight",
            "preFlight.chkNetwork",
            "preFlight.initialize CVM",
            "newOne"
        ]
    );
    assert_eq!(state.state().name, "MoveToVPC");
    assert_eq!(
        state.pre_flight.init_cvm.output().unwrap().as_deref(),
        Some("b")
    );
    // What was saved under the old names is gone on with.
    let text = state
        .state()
        .to_json()
        .replace("newOne", "old one")
        .replace("MoveToVPC", "OldName");
    let other = Lab::new();
    names(&other)
        .resume(steps::State::from_json(&text).unwrap())
        .await
        .unwrap();
    assert_eq!(other.texts().len(), 0);
}

#[flow]
async fn many(lab: &Lab, count: u32) -> Result<usize, Failed> {
    steps! { all = for n in 0..count by n { n = num(lab, n); } }
    Ok(all.len())
}

#[tokio::test]
async fn ten_thousand_items_and_none() {
    let lab = Lab::new();
    assert_eq!(many(&lab, 0).await.unwrap(), 0);
    let (count, state) = many(&lab, 10_000).with_state().await.unwrap();
    assert_eq!((count, lab.texts().len()), (10_000, 10_000));
    let text = state.state().to_json();
    let state = steps::State::from_json(&text).unwrap();
    assert_eq!(many(&lab, 10_000).resume(state).await.unwrap(), 10_000);
    assert_eq!(lab.texts().len(), 10_000);
}

#[flow]
async fn doubled(lab: &Lab, names: Vec<String>) -> Result<(), Failed> {
    steps! { all = for name in names by name.to_lowercase() { a = act(lab, name); } }
    drop(all);
    Ok(())
}

#[tokio::test]
async fn two_items_with_one_key_are_refused_and_both_named() {
    let lab = Lab::new();
    let names = ["x", "b", "B"].map(str::to_owned).to_vec();
    let failure: Failure = doubled(&lab, names).await.unwrap_err();
    assert_eq!(failure.step(), Some("all"));
    let text = failure.to_string();
    assert!(
        text.contains("items 1 and 2 have the same key `b`"),
        "{text}"
    );
    assert_eq!(lab.texts().len(), 0);
}

#[flow]
async fn endless(lab: &Lab) -> Result<(), Failed> {
    steps! { rounds = loop max 3 { n = num(lab, prev.map_or(0, |prev| prev.n + 1)); } until n == 10; }
    drop(rounds);
    Ok(())
}

#[tokio::test]
async fn a_loop_past_its_max_fails_and_its_rounds_are_undone() {
    let lab = Lab::new();
    let failure = endless(&lab).await.unwrap_err();
    assert_eq!(failure.step(), Some("rounds"));
    assert!(failure.to_string().contains("after 3 rounds"), "{failure}");
    assert_eq!(lab.texts(), ["0", "1", "2", "undo 2", "undo 1", "undo 0"]);
}
