//! What a `for` may go over, and how it may be written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use steps::prelude::*;

#[derive(Clone, Serialize, Deserialize)]
struct Spec {
    hosts: Vec<String>,
}

#[step]
async fn length(text: &str) -> Result<usize, String> {
    Ok(text.len())
}

#[flow]
async fn every_way(
    names: Vec<String>,
    spec: Spec,
    map: BTreeMap<String, u32>,
) -> Result<usize, String> {
    steps! {
        bare = for name in names by name { it = length(name); }
        by_reference = for name in &names by name { it = length(name); }
        field = for host in &spec.hosts by host { it = length(host); }
        iterator = for name in names.iter() by name { it = length(name); }
        slice = for name in &names[1..] by name { it = length(name); }
        keys = for name in map.keys() by name { it = length(name); }
        owned = for name in ["a", "b"].map(str::to_owned) by name { it = length(&name); }
        range = for n in 0..2 by n { it = length("two"); }
    }
    Ok(bare.len()
        + by_reference.len()
        + field.len()
        + iterator.len()
        + slice.len()
        + keys.len()
        + owned.len()
        + range.len())
}

const NAMES: [&str; 2] = ["a", "b"];

#[flow]
async fn texts(line: String) -> Result<usize, String> {
    steps! {
        literals = for name in ["a", "b"] by name { it = length(name); }
        list = for name in &NAMES by name { it = length(name); }
        parts = for part in line.split(',') by part parallel { it = length(part); }
        rest = if let Some(rest) = line.strip_prefix("one,") { it = length(rest); }
        pause = steps::signal::<u32>();
        after = for part in line.split(',') by part { it = length(part); }
    }
    let all = literals.len() + list.len() + parts.len() + after.len();
    Ok(all + rest.map_or(0, |rest| rest.it) + pause as usize)
}

#[tokio::test]
async fn text_may_be_borrowed() {
    let mut state = texts("one,two,three".to_owned())
        .advance()
        .await
        .unwrap()
        .state;
    state.signal(texts::STEPS.pause, &100).unwrap();
    assert_eq!(
        texts::resume(state).unwrap().await.unwrap(),
        2 + 2 + 3 + 3 + 9 + 100
    );
}

#[tokio::test]
async fn a_reference_to_a_bound_name_is_the_name() {
    let names = vec!["x".to_owned(), "y".to_owned()];
    let spec = Spec {
        hosts: names.clone(),
    };
    let map = BTreeMap::from([("k".to_owned(), 1)]);
    assert_eq!(every_way(names, spec, map).await.unwrap(), 14);
}
