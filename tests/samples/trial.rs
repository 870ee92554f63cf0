//! A free trial: thirty days in which it can be cancelled, then it is charged.

use steps::{
    clock::TestClock,
    prelude::*,
    testing::{Injected, Lab},
};

use crate::support::{Database, explored};

#[step]
async fn note(shop: &Lab, what: &str) -> Result<(), Injected> {
    shop.act(what)
}

#[flow]
async fn trial(shop: &Lab, user: String) -> Result<bool, Injected> {
    steps! {
        welcome   = note(shop, &format!("welcome {user}"));
        cancelled = steps::signal::<String>().within("30d");
        end = if let Some(reason) = &cancelled {
            goodbye = note(shop, &format!("goodbye {user}: {reason}"));
        } else {
            charged = note(shop, &format!("charge {user}"));
        }
    }
    let _ = (welcome, end);
    Ok(cancelled.is_none())
}

#[tokio::test]
async fn after_thirty_days_it_is_charged_also_across_a_crash() {
    let shop = Lab::new();
    let database = Database::new(&shop);
    let serve = || database.engine().serve(trial::with(shop.clone()));
    let engine = serve().start().await.unwrap();
    engine
        .start(trial::input("ann".into()))
        .id("ann")
        .await
        .unwrap();
    drop(engine); // as if killed
    let engine = serve().start().await.unwrap();
    let run = engine.execution::<trial>("ann").await.unwrap();
    assert!(run.outcome().await.unwrap());
    assert_eq!(shop.texts().last().unwrap(), "charge ann");
    assert!(shop.clock().elapsed().as_secs() >= 30 * 86_400);
}

#[tokio::test]
async fn who_cancels_is_not_charged() {
    let shop = Lab::new();
    let engine = Engine::open("memory:")
        .await
        .unwrap()
        .serve(trial::with(shop.clone()));
    let engine = engine.start().await.unwrap();
    let run = engine.start(trial::input("ann".into())).await.unwrap();
    let reason = "too dear".to_owned();
    run.signal(trial::STEPS.cancelled, &reason).await.unwrap();
    assert!(!run.outcome().await.unwrap());
    assert_eq!(shop.texts(), ["welcome ann", "goodbye ann: too dear"]);
}

#[tokio::test]
async fn whenever_it_dies() {
    let faults = explored!(trial("ann".into()));
    assert!(faults.contains("charge ann"), "{faults:?}");
}
