//! An offer that can be accepted or withdrawn, and lapses after two weeks: two signals against a timer.

use steps::{
    clock::TestClock,
    prelude::*,
    testing::{Injected, Lab},
};

use crate::support::{Database, explored};

#[step]
async fn reserve(shop: &Lab, what: &str) -> Result<(), Injected> {
    shop.act(format!("reserve {what}"))
}

#[undo(reserve)]
async fn release(shop: &Lab, what: &str, _: &()) -> Result<(), Injected> {
    shop.undo(format!("reserve {what}"))
}

#[step]
async fn note(shop: &Lab, what: &str) -> Result<(), Injected> {
    shop.act(what)
}

#[flow]
async fn offer(shop: &Lab, house: String) -> Result<Option<u32>, Injected> {
    steps! {
        reserve(shop, house);
        answer = race {
            accepted  = steps::signal::<u32>();
            withdrawn = steps::signal::<String>();
            lapsed    = steps::sleep("2w");
        }
        end = note(shop, match answer {
            OfferAnswer::Accepted(_) => "sold",
            OfferAnswer::Withdrawn(why) => why,
            OfferAnswer::Lapsed(()) => "lapsed",
        });
    }
    let _ = (reserve, end);
    Ok(match answer {
        OfferAnswer::Accepted(price) => Some(price),
        OfferAnswer::Withdrawn(_) | OfferAnswer::Lapsed(()) => None,
    })
}

#[tokio::test]
async fn it_lapses_after_two_weeks_also_across_a_crash() {
    let shop = Lab::new();
    let database = Database::new(&shop);
    let serve = || database.engine().serve(offer::with(shop.clone()));
    let engine = serve().start().await.unwrap();
    let input = offer::input("a house".into());
    engine.start(input).id("house").await.unwrap();
    drop(engine); // as if killed
    let engine = serve().start().await.unwrap();
    let run = engine.execution::<offer>("house").await.unwrap();
    assert_eq!(run.outcome().await.unwrap(), None);
    assert_eq!(shop.texts().last().unwrap(), "lapsed");
    assert!(shop.clock().elapsed().as_secs() >= 14 * 86_400);
}

#[tokio::test]
async fn whoever_is_first_decides() {
    let shop = Lab::new();
    let engine = Engine::open("memory:")
        .await
        .unwrap()
        .serve(offer::with(shop.clone()));
    let engine = engine.start().await.unwrap();
    let run = engine.start(offer::input("a house".into())).await.unwrap();
    run.signal(offer::STEPS.answer.accepted, &7).await.unwrap();
    assert_eq!(run.outcome().await.unwrap(), Some(7));
    assert_eq!(shop.texts(), ["reserve a house", "sold"]);
    let late = "sorry".to_owned();
    let late = run.signal(offer::STEPS.answer.withdrawn, &late).await;
    assert!(late.is_err(), "the race is over");
}

#[tokio::test]
async fn whenever_it_dies() {
    let faults = explored!(offer("a house".into()));
    assert!(faults.contains("undo reserve a house"), "{faults:?}");
    assert!(faults.contains("lapsed"), "{faults:?}");
}
