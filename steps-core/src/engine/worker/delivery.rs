//! How a message reaches a running execution.
//!
//! Signals, stops and undos are rows in the store's inbox, and safe there before anything else
//! happens. From there they come to the execution's turn on one of three ways:
//!
//! * **At once**, where it runs in this process: [`EngineCore::deliver`].
//! * **With the heartbeat**, where it runs in another one: the renewal of its lease returns what has
//!   come since.
//! * **With the claim**, where it does not run: a message makes it due.
//!
//! All three end in the turn's [`Mailbox`](super::mailbox::Mailbox), which passes over what has come
//! before. A stop, for instance, goes this way: `Handle::stop` sends [`Message::Stop`], the mailbox
//! makes a request of it, the run begins no new step, its pass ends as `Stopped`, the turn's last
//! write records that and takes the message out of the inbox, and [`TurnEnd`] tells who waits.
//!
//! [`TurnEnd`]: crate::engine::news::TurnEnd

use super::engine_core::EngineCore;
use crate::store::Message;

impl EngineCore {
    /// Delivers a message that the store has kept, if its execution runs here. Otherwise the
    /// execution is due now, or another process delivers it.
    pub(crate) fn deliver(&self, id: &str, number: i64, message: Message) {
        let turn = self.running.find_or_keep(id, number, &message);
        let delivered = turn.is_some_and(|turn| turn.mailbox.deliver(number, message));
        if !delivered {
            self.news.goes_on(id);
            self.due_now();
        }
    }

    /// Delivers the messages that came while a claim was under way, now that what it brought is in
    /// the table.
    pub(crate) fn deliver_kept(&self) {
        for kept in self.running.take_undelivered() {
            self.deliver(&kept.id, kept.number, kept.message);
        }
    }
}
