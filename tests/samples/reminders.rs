//! An expense that somebody has to approve: reminded each day, after three days it goes to the boss.

use steps::{
    clock::TestClock,
    prelude::*,
    testing::{Injected, Lab},
};

use crate::support::{Database, explored};

#[step]
async fn mail(office: &Lab, to: &str, round: Option<u32>) -> Result<(), Injected> {
    office.act(format!("mail {to} {}", round.unwrap_or(0)))
}

#[step]
async fn decide(office: &Lab, approved: bool) -> Result<bool, Injected> {
    office.act(if approved { "paid" } else { "turned down" })?;
    Ok(approved)
}

#[flow]
async fn expense(office: &Lab) -> Result<bool, Injected> {
    steps! {
        asked = loop max 3 {
            sent   = mail(office, "manager", cx.round());
            answer = steps::signal::<bool>().within("1d");
        } until answer.is_some() || cx.round() == Some(3);
        escalated = if asked.answer.is_none() {
            sent   = mail(office, "boss", None);
            answer = steps::signal::<bool>();
        }
        decide(office, asked.answer.or(escalated.as_ref().map(|boss| boss.answer)) == Some(true));
    }
    Ok(decide)
}

#[tokio::test]
async fn an_answer_on_the_first_day_needs_no_reminder() {
    let office = Lab::new();
    let engine = Engine::open("memory:")
        .await
        .unwrap()
        .serve(expense::with(office.clone()));
    let engine = engine.start().await.unwrap();
    let run = engine.start(expense::input()).await.unwrap();
    run.signal(expense::STEPS.asked.answer.any(), &true)
        .await
        .unwrap();
    assert!(run.outcome().await.unwrap());
    assert_eq!(office.texts(), ["mail manager 1", "paid"]);
}

#[tokio::test]
async fn after_three_days_the_boss_decides_also_across_a_crash() {
    let office = Lab::new();
    let database = Database::new(&office);
    let serve = || database.engine().serve(expense::with(office.clone()));
    let engine = serve().start().await.unwrap();
    engine.start(expense::input()).id("taxi").await.unwrap();
    while !office.is_there("mail manager 2") {
        tokio::task::yield_now().await;
    }
    drop(engine); // as if killed
    let engine = serve().start().await.unwrap();
    let run = engine.execution::<expense>("taxi").await.unwrap();
    while !office.is_there("mail boss 0") {
        tokio::task::yield_now().await;
    }
    run.signal(expense::STEPS.escalated.answer, &false)
        .await
        .unwrap();
    assert!(!run.outcome().await.unwrap());
    let mails = [
        "mail boss 0",
        "mail manager 1",
        "mail manager 2",
        "mail manager 3",
        "turned down",
    ];
    assert!(office.there().iter().eq(mails), "{:?}", office.texts());
    assert!(office.clock().elapsed().as_secs() >= 3 * 86_400);
}

/// The same, until the boss is asked: nobody answers, so it has an end.
#[flow]
async fn reminded(office: &Lab) -> Result<(), Injected> {
    steps! {
        asked = loop max 3 {
            sent   = mail(office, "manager", cx.round());
            answer = steps::signal::<bool>().within("1d");
        } until answer.is_some() || cx.round() == Some(3);
        boss = if asked.answer.is_none() { sent = mail(office, "boss", None); }
    }
    let _ = boss;
    Ok(())
}

#[tokio::test]
async fn whenever_it_dies() {
    let faults = explored!(reminded());
    for fault in ["mail manager 1", "mail manager 3", "mail boss 0"] {
        assert!(faults.contains(fault), "{faults:?}");
    }
}
