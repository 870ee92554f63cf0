//! Whether an input that is given is the one that is saved.

use std::collections::{BTreeSet, HashMap, HashSet};

use steps::{Cause, Failure, compat::Misfit, prelude::*};

#[step]
async fn pay(wei: u128) -> Result<u128, String> {
    Ok(wei)
}

#[flow]
async fn transfer(wei: u128, low: i128) -> Result<u128, String> {
    steps! { wei = pay(wei); }
    let _ = low;
    Ok(wei)
}

fn other(failure: Failure) -> String {
    assert!(
        matches!(failure.cause, Cause::Misfit(Misfit::OtherInput { .. })),
        "{failure}"
    );
    failure.to_string()
}

#[tokio::test]
async fn regression_wide_numbers_were_compared_as_floats() {
    let wei = 25_000_000_000_000_000_000;
    let low = i128::from(i64::MIN) * 4;
    let state = transfer(wei, low).advance().await.unwrap().state;
    let same = transfer(wei, low).resume(state.clone()).await;
    assert_eq!(same.unwrap(), wei);
    let text = other(
        transfer(wei + 1, low)
            .resume(state.clone())
            .await
            .unwrap_err(),
    );
    assert!(
        text.contains("`wei` was `25000000000000000000`, and is now `25000000000000000001`"),
        "{text}"
    );
    let text = other(transfer(wei, low - 1).resume(state).await.unwrap_err());
    assert!(text.contains("`low` was"), "{text}");
}

#[step]
async fn mail(to: usize) -> Result<usize, String> {
    Ok(to)
}

#[flow]
async fn mailing(
    to: HashSet<String>,
    sorted: BTreeSet<u32>,
    names: HashMap<String, u32>,
) -> Result<usize, String> {
    steps! { sent = mail(to.len() + sorted.len() + names.len()); }
    Ok(sent)
}

/// A `HashSet` has no order that stays: the error says which field, and what to do.
#[tokio::test]
async fn regression_hash_set_input_the_field_is_named() {
    let to = || (0..50).map(|n| n.to_string()).collect::<HashSet<_>>();
    let sorted = || BTreeSet::from([3, 1, 2]);
    let names = || {
        (0..50)
            .map(|n| (n.to_string(), n))
            .collect::<HashMap<_, _>>()
    };
    let none = HashSet::new;
    let state = mailing(none(), sorted(), names()).advance().await;
    let same = mailing(none(), sorted(), names()).resume(state.unwrap().state);
    assert_eq!(same.await.unwrap(), 53);

    let state = mailing(to(), sorted(), names())
        .advance()
        .await
        .unwrap()
        .state;
    let text = other(
        mailing(to(), sorted(), names())
            .resume(state)
            .await
            .unwrap_err(),
    );
    assert!(
        text.contains("`to` has the same items in another order; as a `BTreeSet`"),
        "{text}"
    );
}

/// What a list became a set of is the same, as it is read now.
#[tokio::test]
async fn a_saved_list_is_compared_as_the_set_that_it_is_read_as() {
    let given = || mailing(HashSet::new(), BTreeSet::from([1, 2]), HashMap::new());
    let state = given().advance().await.unwrap().state;
    let text = state
        .to_json()
        .replace(r#""sorted":[1,2]"#, r#""sorted":[2,1,2]"#);
    let saved = steps::State::from_json(&text).unwrap();
    assert_eq!(given().resume(saved).await.unwrap(), 2);
}
