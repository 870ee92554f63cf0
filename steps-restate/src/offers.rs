//! The journal of the interpreter: what it wants recorded is offered to the handler, which records it.
//!
//! A batch stays offered until the handler [says](Offers::recorded) that Restate has it, and only then the interpreter
//! goes on. So a batch is not lost when Restate has something else to say first, such as that the invocation is cancelled.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use steps_core::journal::{Batch, BoxFuture, Journal, JournalError};
use tokio::sync::Notify;

use crate::pieces::cut;

/// The batches that the interpreter has made and that are not recorded.
#[derive(Debug)]
pub(crate) struct Offers {
    queue: Mutex<Queue>,
    /// The most bytes of one entry.
    most: usize,
    offered: Notify,
    taken: Notify,
    pass: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    /// The pieces of each batch that are left to record.
    batches: VecDeque<VecDeque<String>>,
    /// How many batches were offered, and how many are recorded.
    offered: u64,
    recorded: u64,
}

impl Offers {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            queue: Mutex::default(),
            most,
            offered: Notify::new(),
            taken: Notify::new(),
            pass: Notify::new(),
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what is to be recorded next, as soon as there is anything. It stays offered.
    pub(crate) async fn next(&self) -> String {
        loop {
            if let Some(piece) = self.queue().batches.front().and_then(VecDeque::front) {
                return piece.clone();
            }
            self.offered.notified().await;
        }
    }

    /// Whether anything is to be recorded.
    pub(crate) fn is_empty(&self) -> bool {
        self.queue().batches.is_empty()
    }

    /// What [`next`](Self::next) returned is recorded.
    pub(crate) fn recorded(&self) {
        let mut queue = self.queue();
        let Some(first) = queue.batches.front_mut() else {
            return;
        };
        first.pop_front();
        if first.is_empty() {
            queue.batches.pop_front();
            queue.recorded += 1;
            drop(queue);
            self.taken.notify_waiters();
        }
    }

    /// Lets the interpreter make another pass.
    pub(crate) fn let_pass(&self) {
        self.pass.notify_one();
    }

    /// Waits until the interpreter may make another pass.
    pub(crate) async fn until_pass(&self) {
        self.pass.notified().await;
    }
}

impl Journal for Offers {
    fn commit<'a>(&'a self, batch: Batch<'a>) -> BoxFuture<'a, Result<(), JournalError>> {
        let pieces = cut(batch.to_entry().to_json(), self.most).into();
        let mut queue = self.queue();
        queue.batches.push_back(pieces);
        queue.offered += 1;
        let number = queue.offered;
        drop(queue);
        self.offered.notify_one();
        Box::pin(async move {
            loop {
                let taken = self.taken.notified();
                if self.queue().recorded >= number {
                    return Ok(());
                }
                taken.await;
            }
        })
    }
}
