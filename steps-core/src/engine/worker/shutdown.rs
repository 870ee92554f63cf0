//! Ending the engine's work gracefully.

use std::time::Duration;

use super::engine_core::EngineCore;
use crate::interpreter::Request;

impl EngineCore {
    /// Stops claiming and starting executions, and waits until all turns here have ended.
    pub(crate) async fn drain(&self) {
        self.begin_draining();
        self.schedule.wake();
        self.schedules_changed.notify_one();
        // Those who tell changes end as well.
        self.news.wrote();
        self.running.all_ended().await;
    }

    /// Drains, and asks all running turns to suspend. Turns that still run after `grace` are
    /// aborted, and their leases released.
    pub(crate) async fn suspend(&self, grace: Duration) {
        self.begin_draining();
        for turn in self.running.all() {
            turn.mailbox.request(Request::Suspend);
        }
        let drained = tokio::time::timeout(grace, self.drain()).await;
        if drained.is_err() {
            let cut = self.running.all();
            for turn in &cut {
                turn.abort.abort();
            }
            self.drain().await;
            for turn in cut {
                self.give_back_cut(&turn).await;
            }
        }
    }

    /// Stops claiming and starting executions, and aborts all turns, as if the process had died.
    pub(crate) fn kill(&self) {
        self.begin_draining();
        for turn in self.running.all() {
            turn.abort.abort();
        }
    }
}
