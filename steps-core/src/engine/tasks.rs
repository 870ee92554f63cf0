//! The tasks of an engine that serves flows.

use std::sync::Arc;

use super::{
    OwnTasks,
    compatibility::compare_at_start,
    retention::task::sweep_when_due,
    schedules::keeper::keep_schedules,
    worker::{
        dispatcher::dispatch, engine_core::EngineCore, heartbeat::heartbeat, log::write_logs,
        notices::hear, own_task::keep_alive, served::ServedFlows,
    },
};
use crate::base::sync::lock;

/// Starts them. Only one that has rules of retention sweeps.
pub(super) fn spawn_tasks(
    core: &Arc<EngineCore>,
    flows: &Arc<ServedFlows>,
    tasks: &OwnTasks,
    has_rules: bool,
) {
    let mut tasks = lock(&tasks.tasks);
    tasks.spawn(core.limiter.adapt());
    // Like the search for what other processes left, it is not for a test's clock.
    if !core.clock.is_of_test() {
        tasks.spawn(compare_at_start(Arc::clone(core), Arc::clone(flows)));
        if has_rules {
            let core = Arc::clone(core);
            tasks.spawn(keep_alive("retention", move || {
                sweep_when_due(Arc::clone(&core))
            }));
        }
    }
    let beats = Arc::clone(core);
    tasks.spawn(keep_alive("heartbeat", move || {
        heartbeat(Arc::clone(&beats))
    }));
    let told = (Arc::clone(core), Arc::clone(flows));
    tasks.spawn(keep_alive("notices", move || {
        hear(Arc::clone(&told.0), Arc::clone(&told.1))
    }));
    let (logs, store) = (Arc::clone(&core.logs), Arc::clone(&core.store));
    tasks.spawn(keep_alive("log", move || {
        write_logs(Arc::clone(&logs), Arc::clone(&store))
    }));
    let ticks = (Arc::clone(core), Arc::clone(flows));
    tasks.spawn(keep_alive("schedules", move || {
        keep_schedules(Arc::clone(&ticks.0), Arc::clone(&ticks.1))
    }));
    let (core, flows) = (Arc::clone(core), Arc::clone(flows));
    tasks.spawn(keep_alive("dispatcher", move || {
        dispatch(Arc::clone(&core), Arc::clone(&flows))
    }));
}
