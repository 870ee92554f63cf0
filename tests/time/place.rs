//! Where a step stands: its execution, its round, its item, and the engine that runs it.

use std::sync::{Arc, Mutex};

use steps::{engine::EngineError, prelude::*, store::MemoryStore, testing::Context};

type Seen = Arc<Mutex<Vec<String>>>;

#[step]
async fn note(cx: &Cx, seen: &Seen) -> Result<(), String> {
    let text = format!("{} {:?} {:?}", cx.path(), cx.item(), cx.round());
    seen.lock().unwrap().push(text);
    Ok(())
}

#[undo(note)]
async fn forget(cx: &Cx, seen: &Seen, _: &()) {
    let text = format!("undo {} {:?} {:?}", cx.path(), cx.item(), cx.round());
    seen.lock().unwrap().push(text);
}

#[step]
async fn fail() -> Result<(), String> {
    Err("no".into())
}

#[flow]
async fn inner(seen: &Seen) -> Result<(), String> {
    steps! { note(cx, seen); }
    Ok(())
}

#[flow]
async fn places(seen: &Seen) -> Result<(), String> {
    steps! {
        note(cx, seen);
        outer = for name in ["a", "b"] by name {
            rounds = loop max 2 {
                each = for n in [7_u32] by n { note(cx, seen); }
                below = flow inner(seen);
            } until cx.round() == Some(2) && cx.item().is_some();
        }
        group = { note(cx, seen); }
        fail();
    }
    Ok(())
}

#[tokio::test]
async fn a_step_and_its_undo_know_their_item_and_round() {
    let seen = Seen::default();
    places(&seen).await.unwrap_err();
    let seen = seen.lock().unwrap();
    let forward = [
        "note None None",
        r#"outer.a.rounds.1.each.7.note Some("7") Some(1)"#,
        r#"outer.a.rounds.1.below.note Some("a") Some(1)"#,
        r#"outer.a.rounds.2.each.7.note Some("7") Some(2)"#,
        r#"outer.a.rounds.2.below.note Some("a") Some(2)"#,
        r#"outer.b.rounds.1.each.7.note Some("7") Some(1)"#,
        r#"outer.b.rounds.1.below.note Some("b") Some(1)"#,
        r#"outer.b.rounds.2.each.7.note Some("7") Some(2)"#,
        r#"outer.b.rounds.2.below.note Some("b") Some(2)"#,
        "group.note None None",
    ];
    assert_eq!(seen[..10], forward);
    let back: Vec<_> = forward
        .iter()
        .rev()
        .map(|text| format!("undo {text}"))
        .collect();
    assert_eq!(seen[10..], back[..]);
}

#[step]
async fn own_id(cx: &Cx) -> Result<String, String> {
    Ok(cx.execution().to_owned())
}

#[flow]
async fn asks_for_its_id() -> Result<(String, String), String> {
    steps! {
        first  = own_id(cx);
        signal = steps::signal::<u32>();
        second = own_id(cx);
    }
    let _ = signal;
    Ok((first, second))
}

#[tokio::test]
async fn a_step_knows_its_execution_also_after_a_resume() {
    let mut state = asks_for_its_id().advance().await.unwrap().state;
    state.signal(asks_for_its_id::STEPS.signal, &1).unwrap();
    let (first, second) = asks_for_its_id().resume(state).await.unwrap();
    assert_eq!(first, second);
    assert_eq!(first.len(), 36);
    let (signals, id) = (steps::Signals::new(), "mine");
    signals.send(asks_for_its_id::STEPS.signal, &1).unwrap();
    let ids = asks_for_its_id().id(id).signals(&signals).await.unwrap();
    assert_eq!(ids, (id.to_owned(), id.to_owned()));
}

#[flow]
async fn child(n: u32) -> Result<u32, String> {
    steps! { let twice: u32 = n * 2; }
    Ok(twice)
}

#[step]
async fn ask(cx: &Cx, n: u32) -> Result<u32, EngineError> {
    let id = format!("{}/child", cx.execution());
    let run = cx.engine()?.start(child::input(n)).id(id).await?;
    run.outcome().await
}

#[flow]
async fn parent(n: u32) -> Result<u32, String> {
    steps! {
        answer = steps::signal::<u32>();
        twice  = ask(cx, n + answer);
    }
    Ok(twice)
}

fn engine(store: &MemoryStore) -> steps::engine::Builder {
    Engine::with_store(store.reopen())
        .serve(child::with())
        .serve(parent::with())
}

/// No test can hand the engine to its steps before they run: the engine itself does.
#[tokio::test]
async fn what_is_taken_up_while_the_engine_starts_can_reach_it() {
    let store = MemoryStore::new();
    let starter = Engine::with_store(store.reopen()).start().await.unwrap();
    starter.start(parent::input(20)).id("p").await.unwrap();
    let waiting = engine(&store).start().await.unwrap();
    let run = waiting.execution::<parent>("p").await.unwrap();
    run.signal(parent::STEPS.answer, &1).await.unwrap();
    assert_eq!(run.outcome().await.unwrap(), 42);
    let child = waiting.execution::<child>("p/child").await.unwrap();
    assert_eq!(child.outcome().await.unwrap(), 42);
}

#[tokio::test]
async fn an_engine_ends_with_its_last_handle_whatever_its_steps_hold_of_it() {
    let store = MemoryStore::new();
    let first = engine(&store).start().await.unwrap();
    let cx = Context::new().engine(&first).cx();
    assert!(cx.engine().is_ok());
    drop(first);
    assert!(matches!(cx.engine(), Err(EngineError::Closed)));
}

#[tokio::test]
async fn without_an_engine_the_error_names_the_step_and_what_to_do() {
    let signals = steps::Signals::new();
    signals.send(parent::STEPS.answer, &1).unwrap();
    let failure = parent(1).id("alone").signals(&signals).await.unwrap_err();
    assert_eq!(
        failure.failed()[0].error,
        "the step `twice` of execution `alone` runs without an engine: start the flow on one, with \
         `engine.start(…)`"
    );
    let error = failure.downcast_ref::<EngineError>();
    assert!(matches!(error, Some(EngineError::NoEngine { .. })));
}
