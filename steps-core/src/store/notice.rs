//! What a store tells of what others have left in it, so that it need not be asked so often.

use std::pin::Pin;

use futures_util::stream::Stream;

/// What a store [tells](super::Store::notices): each notice as soon as it can, and none for ever, so that whoever
/// depends on one also asks now and then.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// From now on, the store tells of what others leave there. What they have left before may not have been told.
    Listening,
    /// Until it is [`Listening`](Self::Listening) again, notices may be lost: the connection by which they come is.
    Deaf,
    /// An execution of this flow has become due, or will be at some time: a call has made it for nobody, or has sent
    /// it a message while nobody held it.
    Due {
        /// The name of the flow.
        flow: String,
    },
    /// A message has come for an execution that somebody holds, which its next [renewal](super::Store::renew) gives.
    Message {
        /// The execution's id.
        id: String,
    },
}

/// The notices of a store, one after the other.
pub type Notices = Pin<Box<dyn Stream<Item = Notice> + Send>>;
