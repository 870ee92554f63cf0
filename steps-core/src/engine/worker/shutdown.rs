//! Ending the engine's work politely.

use std::time::Duration;

use super::engine_core::EngineCore;
use crate::interpreter::Request;

impl EngineCore {
    /// Takes nothing up any more, and waits until what runs here has ended or waits for something.
    pub(crate) async fn drain(&self) {
        self.begin_draining();
        self.schedule.wake();
        self.running.all_ended().await;
    }

    /// Drains, with the request to everything that runs here to make way. What is still at work
    /// after `grace` is cut off, and its lease given back.
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
                self.give_back_cut(&turn.journal).await;
            }
        }
    }

    /// Takes nothing up any more, and cuts off what runs here, as if the process had died.
    pub(crate) fn kill(&self) {
        self.begin_draining();
        for turn in self.running.all() {
            turn.abort.abort();
        }
    }
}
