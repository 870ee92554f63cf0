//! How a message reaches a running execution.
//!
//! Signals, stops and undos are rows in the store's inbox; they are stored safely before anything
//! else happens. From the inbox they reach the execution's turn in one of three ways:
//!
//! * **At once**, if the execution runs in this process: [`EngineCore::send`].
//! * **With the heartbeat**, if it runs in another process: the renewal of its lease returns the
//!   messages that have arrived since the last one.
//! * **With the claim**, if it does not run: a message makes it due.
//!
//! All three end in the turn's [`Mailbox`](super::mailbox::Mailbox), which ignores a message that
//! it already has. For example, `Handle::stop` sends [`Message::Stop`]; the mailbox turns it into a
//! request; the run begins no new step; its pass ends as `Stopped`; the turn's last write records
//! that and removes the message from the inbox; [`TurnEnd`] notifies the waiting callers.
//!
//! [`TurnEnd`]: crate::engine::news::TurnEnd

use super::{engine_core::EngineCore, mailbox::Arrival};
use crate::store::{Message, MessageReceipt, Queue, SendMessage, StoreError};

impl EngineCore {
    /// Sends a message, and delivers it once it is stored.
    pub(crate) async fn send(&self, message: SendMessage) -> Result<MessageReceipt, StoreError> {
        let (id, content, queue) = (message.id.clone(), message.message.clone(), message.queue);
        let receipt = self.store.send(message).await?;
        if let MessageReceipt::Stored(number) = receipt {
            self.deliver(&id, number, content, queue);
        }
        Ok(receipt)
    }

    /// Delivers a stored message if its execution runs here. Otherwise the execution is due now, or
    /// another process delivers the message.
    fn deliver(&self, id: &str, number: i64, message: Message, queue: Queue) {
        let turn = self.running.find_or_keep(id, number, &message, queue);
        let delivered = turn.is_some_and(|turn| {
            turn.mailbox
                .deliver(number, message, Arrival::Direct(queue))
        });
        if !delivered {
            self.news.goes_on(id);
            self.due_now();
        }
    }

    /// Clears how the execution ended, because the holder of its lease is about to let it go on. A turn
    /// that has made its last write, and has not told its end yet, tells no end any more.
    pub(crate) fn goes_on(&self, id: &str) {
        for turn in self.running.of(id) {
            turn.mailbox.goes_on();
        }
        self.news.goes_on(id);
    }

    /// Tells an execution that one which it has started has ended, and that the store has a message for
    /// it: at once if it runs here. Otherwise it is due now, or another process is told.
    pub(crate) fn child_ended(&self, parent: &str, child: &str) {
        for turn in self.running.of(parent) {
            turn.mailbox.child_ended(child);
        }
        self.due_now();
    }

    /// Delivers the messages that arrived during a claim, after the claimed executions are in the
    /// table.
    pub(crate) fn deliver_kept(&self) {
        for kept in self.running.take_undelivered() {
            self.deliver(&kept.id, kept.number, kept.message, kept.queue);
        }
    }
}
