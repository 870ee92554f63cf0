//! Getting rid of an execution by force: without the code of its flow, and whoever holds it.
//!
//! The lease of a holder is taken over, so what it writes afterwards is refused. Only the root's
//! record is changed; the steps stay recorded as they were.

use super::execution::Handle;
use crate::{
    engine::{Engine, error::EngineError, handle::filter::Filter, news::TurnEnd},
    model::{
        state::{Kind, NodeData, Undo, Until},
        status::{Status, Transition},
    },
    store::{Due, ExecutionQuery, HeldExecution, LeaseAfter, NodeRow, TakeOver, Target, Write},
};

impl Handle {
    /// Stops it at once, without the code of its flow: also an execution that fits no program, whose
    /// flow nobody serves, or that a process holds that does not answer. Where [`stop`](Self::stop)
    /// works, use that.
    ///
    /// * It is `stopped` then, and what it did stays. A rollback that is under way is `stuck`
    ///   instead, and [`retry_undo`](Self::retry_undo) goes on with it.
    /// * A process that holds it loses its lease: whatever it still writes of this execution is
    ///   refused. A step that runs in this process is interrupted, as by a crash. In another
    ///   process it runs on, and sees [`Cx::cancelled`](crate::Cx::cancelled) with the next
    ///   heartbeat. So **its effect may happen and not be recorded**; the step stays recorded as
    ///   running, and runs again when the execution is recovered.
    /// * That it was stopped by force, and who held it, is recorded as the execution's
    ///   [error](crate::store::ExecutionInfo::error), or as that of its rollback.
    ///
    /// No handler is called. Returns the status that it is left in. One that is stopped already is
    /// left as it is.
    ///
    /// # Errors
    ///
    /// [`EngineError::Status`] if it has ended.
    pub async fn force_stop(&self) -> Result<Status, EngineError> {
        match self.end_by_force().await? {
            Ended::Now(status) => Ok(status),
            Ended::Before(Status::Stopped) => Ok(Status::Stopped),
            Ended::Before(status) => Err(EngineError::Status {
                id: self.id.to_string(),
                wanted: "stopped",
                status,
            }),
        }
    }

    /// Deletes it with all that is recorded of it, whatever its status, without the code of its
    /// flow, and whoever holds it: see [`force_stop`](Self::force_stop) for what that means to a
    /// step that runs. Its effects stay, and nothing is left that says so but a line in the log.
    pub async fn force_delete(&self) -> Result<(), EngineError> {
        let query = ExecutionQuery {
            id: Some(self.id.to_string()),
            ..ExecutionQuery::default()
        };
        loop {
            let (Ended::Now(status) | Ended::Before(status)) = self.end_by_force().await?;
            // In between, somebody may have recovered it.
            if self.engine.core.store.delete(query.clone()).await? > 0 {
                tracing::warn!(execution = self.id(), %status, "deleted by force");
                return Ok(());
            }
        }
    }

    /// Takes it from whoever holds it, and ends it, unless it has ended.
    async fn end_by_force(&self) -> Result<Ended, EngineError> {
        let core = &self.engine.core;
        let mut taken = self.acquire(TakeOver::Any).await?;
        let before = taken.info.status;
        let root = ended_root(&mut taken, core.clock.now());
        let ended = root
            .as_ref()
            .map_or(Ended::Before(before), |root| Ended::Now(root.status));
        let then = LeaseAfter::Release {
            due: Due::Never,
            last_message: i64::MAX,
        };
        let write = Write {
            nodes: root
                .map(|root| NodeRow::new(0, 0, root))
                .into_iter()
                .collect(),
            // Signals are kept for its recovery.
            taken: taken.requests(),
            ..Write::new(Target::Held(taken.lease), then)
        };
        core.store.write(write).await?;
        for turn in core.running.of(&self.id) {
            turn.abort.abort();
        }
        if let Ended::Now(status) = ended {
            tracing::warn!(
                execution = self.id(),
                %status,
                holder = taken.previous_worker,
                "stopped by force"
            );
        }
        core.news.turn_ended(&self.id, TurnEnd::ByForce);
        Ok(ended)
    }
}

impl Engine {
    /// Deletes each execution that a filter finds by force, the newest first, up to its
    /// [`limit`](Filter::limit): see [`Handle::force_delete`]. Returns how many there were.
    pub async fn force_delete_where(&self, filter: Filter) -> Result<u64, EngineError> {
        let mut query = filter.query(self)?;
        let mut count = 0;
        let mut left = query.limit;
        loop {
            query.limit = Some(left.map_or(100, |left| left.min(100)));
            let page = self.core.store.list(query.clone()).await?;
            let Some(last) = page.last() else {
                return Ok(count);
            };
            query.after = Some(last.cursor());
            left = left.map(|left| left.saturating_sub(page.len()));
            for info in page {
                let handle = Handle::new(self.clone(), info.id.into(), None);
                match handle.force_delete().await {
                    Ok(()) => count += 1,
                    // Somebody else was faster.
                    Err(EngineError::Unknown { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }
}

/// Whether an execution was ended by force, or before; and its status since.
enum Ended {
    Now(Status),
    Before(Status),
}

/// Returns the root of an execution that is ended by force; `None` if it has ended.
fn ended_root(taken: &mut HeldExecution, now: jiff::Timestamp) -> Option<NodeData> {
    let at = taken.nodes.iter().position(|row| row.id == 0);
    let mut root = match at {
        Some(at) => taken.nodes.swap_remove(at).node,
        None => NodeData {
            name: taken.info.flow.clone().into(),
            kind: Kind::Flow,
            ..NodeData::default()
        },
    };
    let how = match &taken.previous_worker {
        Some(worker) => format!("stopped by force while the worker {worker} held it"),
        None => "stopped by force".to_owned(),
    };
    let stopped = root.status.on(Transition::Stop);
    let is_rollback = stopped.is_err();
    root.status = stopped
        .or_else(|_| root.status.on(Transition::Stick))
        .ok()?;
    if is_rollback {
        root.undo = Some(Undo {
            err: how,
            done_at: Some(now),
            ..Undo::default()
        });
    } else {
        root.add_error(how);
        root.until = root.until.filter(|until| {
            // The time before which it must not begin.
            root.started_at.is_none() && *until != Until::Signal
        });
    }
    root.done_at.get_or_insert(now);
    Some(root)
}
