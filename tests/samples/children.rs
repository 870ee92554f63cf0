//! The bills of a month: one execution for each customer, all of them joined; where one can't be charged, the
//! others get their money back.

use std::sync::Arc;

use steps::{
    Engine, Status,
    engine::{Concurrency, Filter},
    prelude::*,
    store::MemoryStore,
    testing::{Explorer, Fault, Injected, Lab},
};

use crate::support::Database;

#[step]
async fn charge(bank: &Lab, who: &str) -> Result<u32, Injected> {
    bank.act(who)?;
    Ok(10)
}

#[undo(charge)]
async fn refund(bank: &Lab, who: &str, _: &u32) -> Result<(), Injected> {
    bank.undo(who)
}

#[flow(reversible)]
async fn bill(bank: &Lab, who: String) -> Result<u32, Injected> {
    steps! { cents = charge(bank, &who); }
    Ok(cents)
}

#[flow(reversible)]
async fn month(customers: Vec<String>) -> Result<u32, Injected> {
    steps! {
        bills = for who in customers by who {
            child = start bill(who.clone()).label("customer", who);
        }
        paid = for bill in &bills by &bill.child parallel {
            cents = join bill.child;
        }
    }
    Ok(paid.iter().map(|bill| bill.cents).sum())
}

fn customers() -> Vec<String> {
    ["ann", "bob", "eve"].map(str::to_owned).to_vec()
}

async fn engine(database: &Database, bank: &Lab) -> Engine {
    let engine = database.engine().concurrency(Concurrency::fixed(1));
    let engine = engine.serve(month::with()).serve(bill::with(bank.clone()));
    engine.start().await.unwrap()
}

#[tokio::test]
async fn all_are_charged_with_one_place_for_all() {
    let bank = Lab::new();
    let engine = engine(&Database::new(&bank), &bank).await;
    let run = engine
        .start(month::input(customers()))
        .id("may")
        .await
        .unwrap();
    assert_eq!(run.outcome().await.unwrap(), 30);
    let bills = engine.list(Filter::new().children_of("may")).await.unwrap();
    assert_eq!(bills.len(), 3);
    assert_eq!(bills[0].labels["customer"], "eve", "the newest first");
}

#[tokio::test]
async fn one_that_can_not_be_charged_has_the_others_refunded() {
    let bank = Lab::new();
    bank.fault("bob", Fault::FailBefore);
    let engine = engine(&Database::new(&bank), &bank).await;
    let run = engine
        .start(month::input(customers()))
        .id("may")
        .await
        .unwrap();
    let Err(steps::engine::EngineError::Failed { failure, .. }) = run.outcome().await else {
        panic!("bob was charged");
    };
    assert_eq!(failure.status(), Status::Undone);
    assert!(
        failure.failed()[0].error.contains("made to fail: bob"),
        "{failure}"
    );
    assert!(bank.there().is_empty(), "{:?}", bank.texts());
    let bills = engine.list(Filter::new().children_of("may")).await.unwrap();
    assert!(
        bills.iter().all(|bill| bill.status == Status::Undone),
        "{bills:?}"
    );
}

#[tokio::test]
async fn whenever_it_dies() {
    let explorer = Explorer::engine(|_: &Lab| month::with(), || month::input(customers()));
    let report = explorer
        .serving(|lab| bill::with(lab.clone()))
        .concurrent()
        .explore_on(
            |lab| MemoryStore::with_clock(Arc::new(lab.clock().clone())),
            async |database| Ok(database.reopen()),
        )
        .await
        .unwrap();
    for fault in ["ann", "bob", "eve", "undo ann"] {
        assert!(report.faults.contains(fault), "{report:?}");
    }
}
