//! Flows with steps that somebody else runs.

use steps::{External, TaskId, prelude::*};

use crate::{World, act, close};

impl World {
    /// The last task that was submitted under this name.
    pub fn task(&self, name: &str) -> Option<TaskId> {
        let begins = format!("task {name} ");
        let lines = self.lines();
        let mut ids = lines.iter().rev();
        ids.find_map(|line| line.strip_prefix(&begins)?.parse().ok())
    }
}

/// Submits a task: its id is in the log then.
#[step(external, retry(times = 2, every = "1ms"))]
pub async fn scan(world: &World, name: &str, cx: &Cx) -> Result<External<u32>, String> {
    world.log(&format!("task {name} {}", cx.task_id()));
    world.pass(&format!("scan {name}")).await;
    Ok(External::submitted())
}

#[undo(scan)]
async fn forget(world: &World, name: &str, _cx: &Cx, flaws: &u32) -> Result<(), String> {
    world.log(&format!("undone scan {name} {flaws}"));
    Ok(())
}

#[stop(scan)]
async fn stop_scan(world: &World, name: &str, cx: &Cx) -> Result<(), String> {
    world.log(&format!("stop {name} {}", cx.task_id()));
    Ok(())
}

#[on_check_in(scan)]
async fn told(world: &World, name: &str, _cx: &Cx, message: &String) {
    world.log(&format!("{name} says {message}"));
}

/// Two tasks at once, and one more.
#[flow]
pub async fn publish(world: &World, fails: bool) -> Result<String, String> {
    steps! {
        a = act(world, "a");
        both = parallel {
            left = scan(world, "left", cx);
            right = scan(world, "right", cx);
        }
        last = scan(world, "last", cx);
        end = close(world, fails);
    }
    Ok(format!("{a}: {} {} {last}", both.left, both.right))
}

/// A task for each item, in an execution that goes on in other invocations again and again.
#[flow]
pub async fn scans(world: &World, count: u32) -> Result<u32, String> {
    steps! {
        all = for n in 0..count by n parallel(2) {
            before = act(world, &format!("before {n}"));
            flaws = scan(world, &format!("n{n}"), cx);
        }
    }
    Ok(all.iter().map(|one| one.flaws).sum())
}
