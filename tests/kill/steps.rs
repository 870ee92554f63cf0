//! The steps: what each does to the world, and how it goes wrong.

use steps::prelude::*;

use crate::world::{Broken, World, value};

/// The execution and the path of a step: what its effect is known by. This is the same for each
/// doing of the step and for its undo, which idempotency keys tell apart.
fn place(key: &str) -> String {
    let part = |text: &str| text.split('~').next().unwrap_or_default().to_owned();
    let (execution, path) = key.split_once('/').unwrap_or_default();
    format!("{}/{}", part(execution), part(path))
}

/// Verified: its effect happens once, wherever the process is killed.
#[step]
pub(crate) async fn act(world: &World, cx: &Cx) -> Result<u64, Broken> {
    let key = place(&cx.idempotency_key());
    Ok(world.act(&key, value(&key)).await)
}

#[verify(act)]
async fn acted(world: &World, cx: &Cx) -> Option<u64> {
    world.find(&place(&cx.idempotency_key()))
}

#[undo(act)]
async fn act_back(world: &World, cx: &Cx, output: &u64) -> Result<(), Broken> {
    back(world, cx, *output).await
}

/// What every undo does: it is given what its step gave.
async fn back(world: &World, cx: &Cx, output: u64) -> Result<(), Broken> {
    let key = place(&cx.idempotency_key());
    if output != value(&key) {
        return Err(world.undo_breaks(&key));
    }
    world.undo(&key).await;
    Ok(())
}

/// Not verified: its effect may happen again after a kill.
#[step]
pub(crate) async fn plain(world: &World, cx: &Cx) -> Result<u64, Broken> {
    let key = place(&cx.idempotency_key());
    Ok(world.act(&key, value(&key)).await)
}

#[undo(plain)]
async fn plain_back(world: &World, cx: &Cx, output: &u64) -> Result<(), Broken> {
    back(world, cx, *output).await
}

/// Not verified, and on a thread of its own.
#[expect(clippy::unnecessary_wraps, reason = "a step gives a `Result`")]
#[step(blocking)]
pub(crate) fn block(world: &World, key: &str) -> Result<u64, Broken> {
    let key = place(key);
    Ok(world.act_blocking(&key, value(&key)))
}

#[undo(block)]
async fn block_back(world: &World, key: &str, output: &u64) -> Result<(), Broken> {
    let key = place(key);
    if *output != value(&key) {
        return Err(world.undo_breaks(&key));
    }
    world.undo(&key).await;
    Ok(())
}

/// Fails once before its effect and once after it: then its verify finds that it happened. Its
/// undo fails once, too.
#[step(retry(times = 1, every = "3ms"))]
pub(crate) async fn flaky(world: &World, cx: &Cx) -> Result<u64, Broken> {
    let key = place(&cx.idempotency_key());
    if world.failures(&key) == 0 {
        return Err(world.breaks(&key));
    }
    Err(world.act_and_break(&key, value(&key)).await)
}

#[verify(flaky)]
async fn flaky_acted(world: &World, cx: &Cx) -> Option<u64> {
    world.find(&place(&cx.idempotency_key()))
}

#[undo(flaky, retry(times = 1, every = "3ms"))]
async fn flaky_back(world: &World, cx: &Cx, output: &u64) -> Result<(), Broken> {
    let key = place(&cx.idempotency_key());
    if world.undo_failures(&key) == 0 {
        return Err(world.undo_breaks(&key));
    }
    back(world, cx, *output).await
}

/// Verified; its undo fails once, for good.
#[step]
pub(crate) async fn grudging(world: &World, cx: &Cx) -> Result<u64, Broken> {
    let key = place(&cx.idempotency_key());
    Ok(world.act(&key, value(&key)).await)
}

#[verify(grudging)]
async fn grudging_acted(world: &World, cx: &Cx) -> Option<u64> {
    world.find(&place(&cx.idempotency_key()))
}

#[undo(grudging)]
async fn grudging_back(world: &World, cx: &Cx, output: &u64) -> Result<(), Broken> {
    let key = place(&cx.idempotency_key());
    if world.undo_failures(&key) == 0 {
        return Err(world.undo_breaks(&key));
    }
    back(world, cx, *output).await
}

/// Fails once, for good, and does well when it is tried again.
#[step]
pub(crate) async fn mended(world: &World, cx: &Cx) -> Result<u64, Broken> {
    let key = place(&cx.idempotency_key());
    if world.failures(&key) == 0 {
        return Err(world.breaks(&key));
    }
    Ok(world.act(&key, value(&key)).await)
}

#[verify(mended)]
async fn mended_acted(world: &World, cx: &Cx) -> Option<u64> {
    world.find(&place(&cx.idempotency_key()))
}

#[undo(mended)]
async fn mended_back(world: &World, cx: &Cx, output: &u64) -> Result<(), Broken> {
    back(world, cx, *output).await
}

/// Not ready for the first two times that it is asked.
#[step(readonly, poll(every = "4ms"))]
pub(crate) async fn ready(world: &World, cx: &Cx) -> Result<Option<u64>, Broken> {
    let key = place(&cx.idempotency_key());
    if world.failures(&key) < 2 {
        world.breaks(&key);
        return Ok(None);
    }
    Ok(Some(value(&key)))
}

/// Fails, if it is to.
#[step(readonly)]
pub(crate) async fn check(world: &World, cx: &Cx, fails: bool) -> Result<u64, Broken> {
    let key = place(&cx.idempotency_key());
    if fails {
        return Err(world.breaks(&key));
    }
    Ok(value(&key))
}

/// Verified, with the value it is given.
#[step]
pub(crate) async fn counted(world: &World, cx: &Cx, count: u64) -> Result<u64, Broken> {
    Ok(world.act(&place(&cx.idempotency_key()), count).await)
}

#[verify(counted)]
async fn counted_acted(world: &World, cx: &Cx, _count: u64) -> Option<u64> {
    world.find(&place(&cx.idempotency_key()))
}

#[undo(counted)]
async fn counted_back(world: &World, cx: &Cx, count: u64, output: &u64) -> Result<(), Broken> {
    let key = place(&cx.idempotency_key());
    if *output != count {
        return Err(world.undo_breaks(&key));
    }
    world.undo(&key).await;
    Ok(())
}
