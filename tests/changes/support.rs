//! Stores, flows, and functions that keep what they are told.

use std::{
    future::Ready,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use steps::{engine::StatusChange, prelude::*, store::Change};

pub(crate) use crate::stores::{Db, on_each_store};

#[step]
pub(crate) async fn check(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[undo(check)]
async fn uncheck(_n: u32, _checked: &u32) -> Result<(), String> {
    Ok(())
}

#[step(retry(times = 2, every = "1ms"))]
pub(crate) async fn odd(n: u32) -> Result<u32, String> {
    match n % 2 {
        1 => Ok(n),
        _ => Err(format!("{n} is even")),
    }
}

/// Fails with an even number, and is undone.
#[flow]
pub(crate) async fn numbers(n: u32) -> Result<u32, String> {
    steps! {
        checked = check(n);
        inner = { odd = odd(n); }
    }
    Ok(checked + inner.odd)
}

#[flow]
pub(crate) async fn other() -> Result<u32, String> {
    steps! { one = check(1); }
    Ok(one)
}

/// What functions were told.
#[derive(Clone, Default)]
pub(crate) struct Told(Arc<Mutex<Vec<Change>>>);

impl Told {
    /// A function that keeps what it is told.
    pub(crate) fn function(
        &self,
    ) -> impl Fn(StatusChange) -> Ready<Result<(), String>> + Send + Sync + 'static {
        let told = self.clone();
        move |change| {
            told.keep(&change);
            std::future::ready(Ok(()))
        }
    }

    pub(crate) fn keep(&self, change: &Change) {
        self.0.lock().unwrap().push(change.clone());
    }

    pub(crate) fn all(&self) -> Vec<Change> {
        self.0.lock().unwrap().clone()
    }

    /// What was told, in words, once it is as much.
    pub(crate) async fn lines(&self, count: usize) -> Vec<String> {
        let what = || format!("{:#?}", self.all());
        eventually(|| self.all().len() >= count, what).await;
        self.all().iter().map(line).collect()
    }
}

pub(crate) fn line(change: &Change) -> String {
    let from = change.from.map_or("nothing", Status::as_str);
    let mut line = format!("{} {from} > {}", change.execution, change.to);
    if let Some(step) = &change.step {
        line = format!("{line}, {} #{}", step.path, step.attempts);
    }
    if let Some(error) = &change.error {
        line = format!("{line}: {error}");
    }
    line
}

pub(crate) async fn eventually(is_so: impl Fn() -> bool, what: impl Fn() -> String) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{}", what());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until everything was told and is settled.
pub(crate) async fn nothing_waits(engine: &Engine) {
    let begun = Instant::now();
    loop {
        let all = engine.subscriptions().await.unwrap();
        if all.iter().all(|it| it.info.waiting == 0) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{all:#?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
