//! What the journal of a turn has of its engine.

use std::sync::Arc;

use super::schedule::Schedule;
use crate::{base::clock::Clock, engine::news::News, store::Store};

/// What the journal has of the engine.
pub(crate) struct OfEngine {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) news: Arc<News>,
    /// Is told when there are children to be taken up.
    pub(crate) schedule: Arc<Schedule>,
    pub(crate) clock: Clock,
    /// Whether the turn may block its thread.
    pub(crate) in_place: bool,
}
