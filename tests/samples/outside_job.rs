//! A job that another system does: it is asked for, polled, and cancelled when ours is stopped, taken
//! back, or has no more time.

use std::time::Duration;

use steps::{
    State, Status,
    prelude::*,
    testing::{Fault, Injected, Lab},
};

use crate::support::{Database, explored};

#[step]
async fn submit(farm: &Lab, scene: &str) -> Result<String, Injected> {
    farm.act(format!("job {scene}"))?;
    Ok(format!("job {scene}"))
}

#[undo(submit)]
async fn cancel(farm: &Lab, _scene: &str, job: &String) -> Result<(), Injected> {
    farm.undo(job)
}

/// The picture, once the farm has made it.
#[step(readonly, poll(every = "1h", within = "7d"))]
async fn finished(farm: &Lab, job: &str) -> Result<Option<String>, Injected> {
    farm.act(format!("look at {job}"))?;
    Ok(farm.is_there("done").then(|| format!("picture of {job}")))
}

#[flow]
async fn render(farm: &Lab, scene: String) -> Result<String, Injected> {
    steps! {
        job     = submit(farm, &scene);
        picture = finished(farm, &job);
    }
    Ok(picture)
}

/// Whoever stops ours does not want to pay for theirs.
#[on_stopped(render)]
async fn stop_it(farm: &Lab, _scene: &String, stopped: &Failure) -> Result<(), Injected> {
    let state = RenderState::from(State::clone(&stopped.state));
    match state.job.output() {
        Ok(Some(job)) => farm.undo(job),
        _ => Ok(()),
    }
}

#[tokio::test]
async fn the_picture_is_fetched_when_it_is_there() {
    let farm = Lab::new();
    let engine = Database::new(&farm)
        .engine()
        .serve(render::with(farm.clone()));
    let engine = engine.start().await.unwrap();
    let run = engine.start(render::input("sea".into())).await.unwrap();
    while !farm.is_there("look at job sea") {
        tokio::task::yield_now().await;
    }
    farm.act("done").unwrap();
    assert_eq!(run.outcome().await.unwrap(), "picture of job sea");
}

#[tokio::test]
async fn it_is_cancelled_with_ours() {
    let farm = Lab::new();
    let engine = Engine::open("memory:")
        .await
        .unwrap()
        .serve(render::with(farm.clone()));
    let engine = engine.start().await.unwrap();
    let run = engine.start(render::input("sea".into())).await.unwrap();
    while !farm.is_there("look at job sea") {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let stopped = run.stop_and_wait(Duration::from_secs(20)).await.unwrap();
    assert_eq!(stopped, Status::Stopped);
    assert!(!farm.is_there("job sea"));
}

#[tokio::test]
async fn it_is_cancelled_when_it_takes_longer_than_a_week() {
    let farm = Lab::new();
    let run = render(&farm, "sea".into()).clock(std::sync::Arc::new(farm.clock().clone()));
    let failure = run.await.unwrap_err();
    assert!(failure.failed()[0].passed_deadline(), "{failure}");
    assert!(!farm.is_there("job sea"));
}

#[tokio::test]
async fn it_is_cancelled_when_looking_fails() {
    let farm = Lab::new();
    farm.fault("look at job sea", Fault::FailBefore);
    let failure = render(&farm, "sea".into()).await.unwrap_err();
    assert_eq!(
        (failure.step(), failure.status()),
        (Some("picture"), Status::Undone)
    );
    assert!(farm.there().is_empty(), "{:?}", farm.texts());
}

/// With an end, so that it can be left alone.
#[flow]
async fn given_up(farm: &Lab) -> Result<(), Injected> {
    steps! {
        job = submit(farm, "sea");
        #[deadline("1d")]
        #[optional]
        picture = finished(farm, &job);
    }
    let _ = picture;
    Ok(())
}

#[tokio::test]
async fn whenever_it_dies() {
    let faults = explored!(given_up());
    assert!(faults.contains("look at job sea"), "{faults:?}");
    assert!(faults.contains("job sea"), "{faults:?}");
}
