//! Stores for the tests, and flows that tell what they did.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use steps::{
    Status,
    engine::{EngineError, Handle},
    prelude::*,
};

pub(crate) use crate::stores::{Db, on_each_store};

/// What the steps did, in order.
#[derive(Default)]
pub(crate) struct World {
    log: Mutex<Vec<String>>,
    /// What fails, by its words in the log.
    broken: Mutex<Vec<String>>,
    /// What does not go on.
    closed: tokio::sync::watch::Sender<Vec<String>>,
}

impl World {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().expect("nobody panicked").clone()
    }

    pub(crate) fn breaks(&self, what: &str) {
        let mut broken = self.broken.lock().expect("nobody panicked");
        broken.push(what.to_owned());
    }

    pub(crate) fn mends(&self) {
        self.broken.lock().expect("nobody panicked").clear();
    }

    /// What has these words in the log does not get on from there.
    pub(crate) fn closes(&self, what: &str) {
        self.closed
            .send_modify(|closed| closed.push(what.to_owned()));
    }

    pub(crate) fn opens(&self) {
        self.closed.send_modify(Vec::clear);
    }

    pub(crate) async fn act(&self, cx: Option<&Cx>, what: String) -> Result<(), String> {
        self.log.lock().expect("nobody panicked").push(what.clone());
        let mut closed = self.closed.subscribe();
        loop {
            if !closed.borrow_and_update().contains(&what) {
                break;
            }
            if cx.is_some_and(Cx::cancelled) {
                self.log
                    .lock()
                    .expect("nobody panicked")
                    .push(format!("{what} sees the stop"));
                break;
            }
            let _ = tokio::time::timeout(Duration::from_millis(5), closed.changed()).await;
        }
        if self.broken.lock().expect("nobody panicked").contains(&what) {
            return Err(format!("can't {what}"));
        }
        Ok(())
    }

    /// Waits until that is in the log.
    pub(crate) async fn saw(&self, what: &str) {
        wait_for(what, async || self.log().iter().any(|line| line == what)).await;
    }
}

/// Waits for something, and fails if it does not come.
pub(crate) async fn wait_for(what: &str, mut is: impl AsyncFnMut() -> bool) {
    for _ in 0..4000 {
        if is().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("waited for: {what}");
}

/// Waits until an execution is in that status.
pub(crate) async fn is(execution: &Handle, status: Status) {
    wait_for(status.as_str(), async || {
        execution.status().await.expect("it is there") == status
    })
    .await;
}

/// How it failed.
pub(crate) fn failure<T: std::fmt::Debug>(outcome: Result<T, EngineError>) -> steps::Failure {
    match outcome {
        Err(EngineError::Failed { failure, .. }) => failure,
        other => panic!("it fails, and did not: {other:?}"),
    }
}

#[step]
pub(crate) async fn act(cx: &Cx, world: &World, name: &str) -> Result<String, String> {
    world.act(Some(cx), name.to_owned()).await?;
    Ok(name.to_owned())
}

#[undo(act)]
pub(crate) async fn take_back(
    _cx: &Cx,
    world: &World,
    _name: &str,
    done: &String,
) -> Result<(), String> {
    world.act(None, format!("undo {done}")).await
}

#[flow]
pub(crate) async fn job(world: &World, name: String) -> Result<String, String> {
    steps! {
        a = act(cx, world, &format!("{name}.a"));
        b = act(cx, world, &format!("{name}.b"));
        c = act(cx, world, &format!("{name}.c"));
    }
    Ok(format!("{a} {b} {c}"))
}

#[flow(on_failure = "hold")]
pub(crate) async fn held(world: &World, name: String) -> Result<String, String> {
    steps! {
        a = act(cx, world, &format!("{name}.a"));
        b = act(cx, world, &format!("{name}.b"));
    }
    Ok(format!("{a} {b}"))
}

#[flow]
pub(crate) async fn asks(world: &World, name: String) -> Result<u32, String> {
    steps! {
        a      = act(cx, world, &format!("{name}.a"));
        answer = steps::signal::<u32>();
        b      = act(cx, world, &format!("{name}.b"));
    }
    let _ = (a, b);
    Ok(answer)
}

#[flow]
pub(crate) async fn sleeps(world: &World, name: String, ms: u64) -> Result<u32, String> {
    steps! {
        a     = act(cx, world, &format!("{name}.a"));
        pause = steps::sleep(Duration::from_millis(ms));
        b     = act(cx, world, &format!("{name}.b"));
    }
    let _ = (a, b);
    Ok(1)
}
