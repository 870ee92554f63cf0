//! Flows that wait, each in another way.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use steps::prelude::*;

#[step(timeout = "1s")]
async fn hangs() -> Result<(), String> {
    std::future::pending().await
}

/// Ends as undone.
#[flow]
pub(crate) async fn timeout() -> Result<(), String> {
    steps! { hangs(); }
    Ok(())
}

#[step(retry(times = 1, every = "1s"))]
async fn fails_once(cx: &Cx) -> Result<(), String> {
    (cx.attempt() > 1)
        .then_some(())
        .ok_or_else(|| "not yet".to_owned())
}

#[flow]
pub(crate) async fn retry() -> Result<(), String> {
    steps! { fails_once(cx); }
    Ok(())
}

#[step(readonly, poll(every = "1s", times = 9))]
async fn is_there(cx: &Cx) -> Result<Option<()>, String> {
    Ok((cx.attempt() > 1).then_some(()))
}

#[flow]
pub(crate) async fn poll() -> Result<(), String> {
    steps! { is_there(cx); }
    Ok(())
}

#[flow]
pub(crate) async fn nap() -> Result<(), String> {
    steps! { pause = steps::sleep(Duration::from_secs(1)); }
    Ok(())
}

#[flow]
pub(crate) async fn long_nap() -> Result<(), String> {
    steps! { pause = steps::sleep(Duration::from_mins(30)); }
    Ok(())
}

#[step]
async fn makes(_cx: &Cx) -> Result<u32, String> {
    Ok(1)
}

#[undo(makes, retry(times = 1, every = "1s"))]
async fn unmakes(cx: &Cx, _: &u32) -> Result<(), String> {
    (cx.attempt() > 1)
        .then_some(())
        .ok_or_else(|| "not yet".to_owned())
}

#[step]
async fn breaks() -> Result<(), String> {
    Err("broken".to_owned())
}

/// Ends as undone.
#[flow]
pub(crate) async fn undo() -> Result<(), String> {
    steps! { made = makes(cx); breaks(); }
    let _ = made;
    Ok(())
}

/// Takes two seconds, and has half an hour.
#[step(timeout = "30m")]
async fn works() -> Result<(), String> {
    tokio::time::sleep(Duration::from_secs(2)).await;
    Ok(())
}

#[flow]
pub(crate) async fn work() -> Result<(), String> {
    steps! { works(); }
    Ok(())
}

/// Tells that it has begun, and ends once the file `go` is there. Its first attempt fails once the
/// file `fail` is.
#[step(retry(times = 1, every = "1s"))]
async fn holds(cx: &Cx, folder: &Path) -> Result<(), String> {
    println!("> begun");
    loop {
        if folder.join("go").exists() {
            return Ok(());
        }
        if cx.attempt() == 1 && folder.join("fail").exists() {
            return Err("told to fail".to_owned());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[flow]
pub(crate) async fn hold(folder: &PathBuf) -> Result<(), String> {
    steps! { holds(cx, folder.as_path()); }
    Ok(())
}
