//! The rules of a `StateStore`, tried one after the other.

use std::fmt;

use futures_util::future::join_all;

use crate::{
    model::state::State,
    run::state_store::{NewState, SaveError, StateStore},
};

/// How many save at once.
const AT_ONCE: usize = 8;

/// Tries whether a [`StateStore`] of your own keeps its promises. `open` gives, each time, another value for the
/// same place, as another process would have it; the place has nothing yet.
///
/// ```
/// use steps::{state_store::StateFile, testing};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let folder = tempfile::tempdir().unwrap();
/// testing::state_store(|| StateFile::new(folder.path().join("state.json"))).await;
/// # }
/// ```
///
/// # Panics
///
/// If the store breaks a rule: the text says which, and what came instead.
pub async fn state_store<S: StateStore>(open: impl Fn() -> S) {
    let store = open();
    let loaded = text(&store).await;
    assert!(
        loaded.is_none(),
        "a place to which nothing was saved has nothing, and this came: {loaded:?}"
    );
    let first = one_of_many(&open, None, "over nothing").await;
    assert_eq!(
        text(&store).await.as_ref(),
        Some(&first.0),
        "what is loaded is what was saved over nothing, also by another value of the store"
    );
    assert!(
        matches!(
            save(&store, &simple(90), None).await,
            Err(SaveError::Conflict)
        ),
        "a save over nothing is a conflict where something was saved"
    );
    unchanged(&store, &first.0).await;

    let exact = difficult();
    let second = save(&store, &exact, Some(&first.1)).await;
    let second = version(second, "a save over the version of the save before it");
    assert_eq!(
        text(&open()).await.as_ref(),
        Some(&exact),
        "a text is given back as it was, to the byte"
    );
    assert!(
        matches!(
            save(&open(), &simple(91), Some(&first.1)).await,
            Err(SaveError::Conflict)
        ),
        "a save over an older version is a conflict"
    );
    unchanged(&store, &exact).await;

    let third = one_of_many(&open, Some(&second), "over one version").await;
    let loaded = open()
        .load()
        .await
        .unwrap_or_else(|e| panic!("it can't be loaded: {e}"));
    let loaded = loaded.expect("what was saved is loaded");
    assert_eq!(
        loaded.json, third.0,
        "what is loaded is what was saved by the one that succeeded"
    );
    let last = save(&open(), &simple(92), Some(&loaded.version)).await;
    version(last, "a save over the version that was loaded");
    assert!(
        matches!(
            save(&store, &simple(93), Some(&third.1)).await,
            Err(SaveError::Conflict)
        ),
        "a save over a version is a conflict after another value of the store has saved over it"
    );
    unchanged(&store, &simple(92)).await;
}

/// Saves several texts over one version at once. Returns the one that is saved, with its version.
async fn one_of_many<S: StateStore>(
    open: &impl Fn() -> S,
    over: Option<&S::Version>,
    what: &str,
) -> (String, S::Version) {
    let stores: Vec<S> = (0..AT_ONCE).map(|_| open()).collect();
    let texts: Vec<String> = (0..AT_ONCE).map(simple).collect();
    let saves = stores
        .iter()
        .zip(&texts)
        .map(|(store, text)| save(store, text, over));
    let mut won = Vec::new();
    for (saved, text) in join_all(saves).await.into_iter().zip(texts) {
        match saved {
            Ok(version) => won.push((text, version)),
            Err(SaveError::Conflict) => {}
            Err(SaveError::Store(error)) => panic!("a save {what} failed: {error}"),
        }
    }
    assert_eq!(
        won.len(),
        1,
        "of {AT_ONCE} saves {what} at once, exactly one succeeds, and the others are conflicts"
    );
    won.remove(0)
}

async fn save<S: StateStore>(
    store: &S,
    json: &str,
    over: Option<&S::Version>,
) -> Result<S::Version, SaveError<S::Error>> {
    let state = State::from_json(json).expect("the texts of this test are states");
    store.save(NewState::new(json, &state), over).await
}

fn version<V, E: fmt::Display>(saved: Result<V, SaveError<E>>, what: &str) -> V {
    saved.unwrap_or_else(|error| panic!("{what} succeeds, and this came: {error}"))
}

async fn text<S: StateStore>(store: &S) -> Option<String> {
    let loaded = store.load().await;
    loaded
        .unwrap_or_else(|error| panic!("it can't be loaded: {error}"))
        .map(|saved| saved.json)
}

async fn unchanged<S: StateStore>(store: &S, was: &str) {
    assert_eq!(
        text(store).await.as_deref(),
        Some(was),
        "a conflict changes nothing"
    );
}

fn simple(number: usize) -> String {
    format!(r#"{{"name":"f","startedAt":"2026-01-01T00:00:00Z","input":{{"number":{number}}}}}"#)
}

/// What a store that reads and rewrites JSON, cuts, or changes letters would not give back.
fn difficult() -> String {
    let long = "0123456789".repeat(7_000);
    let input = format!(
        "{{\"z\":18446744073709551615,\"a\":1.0,\"e\":1e2, \"small\":0.1000000000000000055511151231257827,\
         \"text\":\"ä€𐍈 \\u0007 'quoted' \\\"\\\\ %s $1 ?\",\"long\":\"{long}\"}}"
    );
    format!("{{\"name\":\"f\",\"startedAt\":\"2026-01-01T00:00:00Z\",\"input\":{input}}}")
}
