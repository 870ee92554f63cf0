//! Five hundred items, ten at a time: one that fails is tried again alone, and after a crash only those
//! that were at work are done again.

use std::collections::BTreeMap;

use steps::{
    prelude::*,
    testing::{Effect, Fault, Injected, Lab},
};

use crate::support::{Database, explored};

#[step(retry(times = 3, every = "1s"))]
async fn resize(cx: &Cx, disk: &Lab, image: u32) -> Result<u32, Injected> {
    if image % 100 == 7 && cx.attempt() == 1 {
        return Err(Injected("busy".to_owned()));
    }
    tokio::task::yield_now().await;
    disk.act(image.to_string())?;
    Ok(image / 2)
}

#[undo(resize)]
async fn original(_cx: &Cx, disk: &Lab, image: u32, _: &u32) -> Result<(), Injected> {
    disk.undo(image.to_string())
}

#[flow]
async fn thumbnails(disk: &Lab, count: u32) -> Result<u64, Injected> {
    steps! {
        images = for image in 0..count by image parallel(10) {
            small = resize(cx, disk, image);
        }
    }
    Ok(images.iter().map(|image| u64::from(image.small)).sum())
}

fn sum(count: u32) -> u64 {
    (0..count).map(|image| u64::from(image / 2)).sum()
}

#[tokio::test]
async fn all_are_done_also_those_that_fail_at_first() {
    let disk = Lab::new();
    let clock = std::sync::Arc::new(disk.clock().clone());
    let run = thumbnails(&disk, 500).clock(clock);
    assert_eq!(run.await.unwrap(), sum(500));
    assert_eq!(disk.log().len(), 500);
}

#[tokio::test]
async fn one_that_can_not_be_done_takes_the_others_back() {
    let disk = Lab::new();
    disk.fault("321", Fault::FailBefore);
    let clock = std::sync::Arc::new(disk.clock().clone());
    let failure = thumbnails(&disk, 500).clock(clock).await.unwrap_err();
    assert_eq!(failure.step(), Some("images.321.small"));
    assert!(disk.there().is_empty(), "{:?}", disk.there());
}

#[tokio::test]
async fn after_a_crash_only_what_was_at_work_is_done_again() {
    let disk = Lab::new();
    let database = Database::new(&disk);
    let serve = || database.engine().serve(thumbnails::with(disk.clone()));
    let engine = serve().start().await.unwrap();
    let run = engine
        .start(thumbnails::input(500))
        .id("all")
        .await
        .unwrap();
    while disk.log().len() < 200 {
        tokio::task::yield_now().await;
    }
    drop((run, engine)); // as if killed
    let before = disk.log().len();
    assert!((200..500).contains(&before), "{before}");

    let engine = serve().start().await.unwrap();
    let run = engine.execution::<thumbnails>("all").await.unwrap();
    assert_eq!(run.outcome().await.unwrap(), sum(500));
    let mut times = BTreeMap::new();
    for effect in disk.log() {
        let Effect::Did(image) = effect else {
            panic!("{effect} was undone");
        };
        *times.entry(image).or_insert(0) += 1;
    }
    assert_eq!(times.len(), 500);
    let twice = times.values().filter(|times| **times > 1).count();
    assert!(twice <= 10, "{twice} were done twice");
}

#[tokio::test]
async fn whenever_it_dies() {
    let faults = explored!(thumbnails(3));
    assert!(faults.contains("2"), "{faults:?}");
    assert!(faults.contains("undo 0"), "{faults:?}");
}
