//! An account that must be confirmed within two days, or is deleted again.

use steps::{
    Status,
    clock::TestClock,
    engine::EngineError,
    prelude::*,
    testing::{Injected, Lab},
};

use crate::support::{Database, explored};

#[step]
async fn create(shop: &Lab, user: &str) -> Result<String, Injected> {
    shop.act(format!("account of {user}"))?;
    Ok(format!("token-{user}"))
}

#[undo(create)]
async fn delete(shop: &Lab, user: &str, _: &String) -> Result<(), Injected> {
    shop.undo(format!("account of {user}"))
}

#[step]
async fn mail(shop: &Lab, user: &str, token: &str) -> Result<(), Injected> {
    shop.act(format!("mail {token} to {user}"))
}

#[step]
async fn activate(shop: &Lab, user: &str, confirmed: bool) -> Result<(), Injected> {
    if !confirmed {
        return Err(Injected("nobody has confirmed it".to_owned()));
    }
    shop.act(format!("welcome {user}"))
}

#[flow]
async fn sign_up(shop: &Lab, user: String) -> Result<(), Injected> {
    steps! {
        token     = create(shop, &user);
        mail(shop, &user, &token);
        confirmed = steps::signal::<String>().within("2d");
        activate(shop, &user, confirmed.as_ref() == Some(&token));
    }
    Ok(())
}

#[tokio::test]
async fn who_confirms_has_an_account() {
    let shop = Lab::new();
    let engine = Engine::open("memory:")
        .await
        .unwrap()
        .serve(sign_up::with(shop.clone()));
    let engine = engine.start().await.unwrap();
    let run = engine.start(sign_up::input("ann".into())).await.unwrap();
    let token = sign_up::STEPS.confirmed;
    run.signal(token, &"token-ann".to_owned()).await.unwrap();
    run.outcome().await.unwrap();
    assert!(shop.is_there("welcome ann") && shop.is_there("account of ann"));
}

#[tokio::test]
async fn who_does_not_has_none_after_two_days() {
    let shop = Lab::new();
    let engine = Database::new(&shop)
        .engine()
        .serve(sign_up::with(shop.clone()));
    let engine = engine.start().await.unwrap();
    let run = engine.start(sign_up::input("ann".into())).await.unwrap();
    let Err(EngineError::Failed { failure, .. }) = run.outcome().await else {
        panic!("nobody has confirmed")
    };
    assert_eq!(failure.status(), Status::Undone);
    assert!(!shop.is_there("account of ann"));
    assert!(shop.clock().elapsed().as_secs() >= 2 * 86_400);
}

#[tokio::test]
async fn whenever_it_dies() {
    let faults = explored!(sign_up("ann".into()));
    assert!(faults.contains("undo account of ann"), "{faults:?}");
}
