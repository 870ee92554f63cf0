//! The run's side of a step's context.

use std::time::Duration;

use super::{
    children::{NewChild, OwnFlows, RunEngine},
    cx::CancelReason,
    log::StepLine,
};
use crate::{
    base::{
        clock::Clock,
        error::StepError,
        future::BoxFuture,
        json::Json,
        transaction::{Doing, InTransaction, NoTransaction, Transacted},
    },
    model::{
        attrs::Attrs,
        notes::NoteChange,
        state::{Kind, Progress, Until},
        task::Task,
    },
};

/// The run's side of a [`Cx`](super::cx::Cx). Steps have the numbers that the run gives to its nodes.
pub(crate) trait StepHost: Send + Sync {
    /// Returns the path of a node.
    fn path(&self, id: u32) -> String;
    /// Returns the execution's id.
    fn execution(&self) -> &str;
    /// Returns the engine that makes the run, if one does.
    fn engine(&self) -> Option<&dyn RunEngine>;
    /// Returns the name of the innermost node of this kind around a node, or of the node itself.
    fn around(&self, id: u32, kind: Kind) -> Option<String>;
    /// Returns the idempotency key of a step's doing.
    fn idempotency_key(&self, id: u32) -> String;
    /// Returns the value of one of the execution's labels.
    fn label(&self, name: &str) -> Option<&str>;
    /// Returns the execution's attributes, as far as the run knows them.
    fn attrs(&self) -> Attrs;
    /// Changes what is noted of the execution, with the next record of a node.
    fn note(&self, id: u32, change: NoteChange) -> Result<(), String>;
    /// Saves a node's working data, unless it is larger than the limit.
    fn save(&self, id: u32, data: Json) -> Result<(), StepError>;
    /// Takes room for a node's output of so many bytes of JSON, if the tree may have so much.
    fn take_room(&self, id: u32, bytes: usize) -> Result<(), StepError>;
    /// Returns a node's working data.
    fn saved(&self, id: u32) -> Option<Json>;
    /// Returns why a running step should end early, if it should.
    fn cancel_reason(&self, id: u32) -> Option<CancelReason>;
    /// Records a step's progress.
    fn progress(&self, id: u32, progress: Progress);
    /// Returns what a node waits for: what an earlier attempt recorded, or else the end of a wait of
    /// this length that begins now. `None` if the wait is over.
    fn wait(&self, id: u32, wait: Duration) -> Option<Until>;
    /// Returns that a node waits for a signal, unless this time since its beginning is over.
    fn wait_within(&self, id: u32, within: Duration) -> Option<Until>;
    /// Returns the value of the signal that was sent to a node.
    fn signal(&self, id: u32) -> Option<Json>;
    /// Returns the end of a pause of this length that begins now.
    fn pause(&self, id: u32, pause: Duration) -> Until;
    /// Returns the flows that the run in memory was given.
    fn own_flows(&self) -> &OwnFlows;
    /// Returns the run's clock.
    fn clock(&self) -> Clock;
    /// Notes the child that a node starts.
    fn starts(&self, id: u32, child: NewChild);
    /// Notes that a node asks for the end of a child.
    fn asks_for(&self, id: u32, child: &str);
    /// Returns which doing of the node this is.
    fn generation(&self, id: u32) -> u32;
    /// Returns the node's external task, if it has one.
    fn task(&self, id: u32) -> Option<Task>;
    /// Has work done in a transaction of the database that the execution is recorded in. It is known by its doing:
    /// what is recorded of the node once that has ended ends what is kept of the transaction, too.
    fn transact<'a>(
        &'a self,
        id: u32,
        doing: Doing,
        work: Box<dyn InTransaction + 'a>,
    ) -> BoxFuture<'a, Result<Transacted, NoTransaction>>;
    /// Returns the output that is kept of a transaction, if it was committed. Waits until that is known.
    fn transacted(
        &self,
        id: u32,
        doing: Doing,
    ) -> BoxFuture<'_, Result<Option<Option<Json>>, StepError>>;
    /// Keeps a line in the log of the step with this path. Returns whether there is a log.
    fn log(&self, path: String, line: &StepLine<'_>) -> bool;
}
