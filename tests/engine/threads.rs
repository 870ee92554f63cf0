//! Blocking steps under an engine: stop, undo, and a shutdown while a thread is at work.

use std::{
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use steps::{CancelReason, Status, engine::EngineError, prelude::*};

use crate::support::{is, on_each_store};

const LONG: Duration = Duration::from_secs(20);

/// A thread that tells where it is, and goes on when it is let.
struct Post {
    tells: mpsc::Sender<String>,
    goes_on: Mutex<mpsc::Receiver<()>>,
}

fn post() -> (Arc<Post>, mpsc::Receiver<String>, mpsc::Sender<()>) {
    let ((tells, told), (lets, goes_on)) = (mpsc::channel(), mpsc::channel());
    let goes_on = Mutex::new(goes_on);
    (Arc::new(Post { tells, goes_on }), told, lets)
}

/// Waits for what the thread tells, off the async thread.
async fn told(told: mpsc::Receiver<String>) -> (String, mpsc::Receiver<String>) {
    let told = tokio::task::spawn_blocking(move || (told.recv_timeout(LONG), told));
    let (line, told) = told.await.expect("no panic");
    (line.expect("it is told"), told)
}

#[step(blocking)]
fn dig(cx: &Cx, post: &Arc<Post>) -> Result<u32, String> {
    let tell = |what: String| post.tells.send(what).map_err(|error| error.to_string());
    tell(format!("{} begins", cx.attempt()))?;
    let goes_on = post.goes_on.lock().expect("nobody panicked");
    loop {
        match cx.cancel_reason() {
            // Deaf to a shutdown.
            None | Some(CancelReason::Shutdown) => {}
            Some(reason) => return Err(format!("{reason:?}")),
        }
        if goes_on.recv_timeout(Duration::from_millis(1)).is_ok() {
            tell(format!("{} ends", cx.attempt()))?;
            return Ok(cx.attempt());
        }
    }
}

#[flow]
async fn hole(post: &Arc<Post>) -> Result<u32, String> {
    steps! { it = dig(cx, post); }
    Ok(it)
}

on_each_store! {
    async fn a_blocking_step_hears_of_a_stop_and_of_an_undo(db) {
        for undo in [false, true] {
            let (post, tells, _lets) = post();
            let engine = db.engine().await.serve(hole::with(post)).start().await.expect("it starts");
            let run = engine.start(hole::input()).await.expect("it starts");
            let _ = told(tells).await;
            if undo {
                run.undo().await.expect("it is sent");
                is(&run, Status::Undone).await;
            } else {
                let status = run.stop_and_wait(LONG).await.expect("it stops");
                assert_eq!(status, Status::Stopped);
            }
        }
    }

    async fn blocking_shutdown(db) {
        let (post, tells, lets) = post();
        let engine = db.engine().await.lease(LONG).serve(hole::with(Arc::clone(&post)));
        let engine = engine.start().await.expect("it starts");
        let run = engine.start(hole::input()).id("x").await.expect("it starts");
        let (line, tells) = told(tells).await;
        assert_eq!(line, "1 begins");
        drop(run);
        engine.shutdown(Duration::from_millis(10)).await.expect("it shuts down");

        // The thread is still at work, and so nobody else may be.
        let other = db.engine().await.start().await.expect("it starts");
        let run = other.get("x").await.expect("it is there");
        match run.retry_from_path("it").await {
            Err(EngineError::Busy { .. }) => {}
            other => panic!("it is held: {other:?}"),
        }
        lets.send(()).expect("it is there");
        let (line, _tells) = told(tells).await;
        assert_eq!(line, "1 ends");
    }
}
