//! The controller is a process, and is ended with SIGKILL at each of its writes of a status in turn.

use std::path::Path;

use crate::{
    api::{At, DATABASE, Process, until},
    object::{User, assert_each_made_once},
};

/// Starts a controller and waits until it is so. If it was killed at a write before that, another one is started.
/// Returns how many were killed at a write.
async fn run_until(user: &User, config: &Path, mut is_so: impl AsyncFnMut() -> bool) -> usize {
    let controller = Process::start(&user.api, config);
    let ended = user.api.unless_it_dies(until("an end", &mut is_so)).await;
    controller.kill();
    if ended.is_some() {
        return 0;
    }
    user.api.nothing_happens();
    let controller = Process::start(&user.api, config);
    until("an end", is_so).await;
    controller.kill();
    1
}

/// Makes a database and deletes it. On the way there and on the way back a controller is killed at a write. Returns
/// how often.
async fn make_and_delete(at: At) -> usize {
    let user = User::new().await;
    let config = user.api.serve().await;
    let has_phase = async |phase: &str| user.phase().await == phase;
    user.api.at(at);
    let mut killed = run_until(&user, &config, async || has_phase("waiting").await).await;
    user.server_is_ready().await;
    user.poll_is_due().await;
    killed += run_until(&user, &config, async || has_phase("done").await).await;
    assert_each_made_once(&user.api.log(), &format!("{at:?}"));

    user.delete().await;
    user.api.at(at);
    let is_gone = async || user.api.get(DATABASE).await.is_none();
    killed += run_until(&user, &config, is_gone).await;
    assert_eq!(user.api.parts().await, [""; 0], "{at:?}");
    killed
}

#[tokio::test]
async fn killed_at_each_write_it_makes_each_object_once_and_deletes_each() {
    let mut killed = 0;
    for number in 1.. {
        let mut more = make_and_delete(At::DiesBefore(number)).await;
        more += make_and_delete(At::DiesAfter(number)).await;
        if more == 0 {
            // There are no more writes.
            break;
        }
        killed += more;
    }
    assert!(killed >= 24, "{killed}");
}
