//! Getting rid of an execution by force: without the code of its flow, and whoever holds it.
//!
//! The lease of a holder is taken over, so what it writes afterwards is refused. Only the root's
//! record is changed; the steps stay recorded as they were.

use super::execution::Handle;
use crate::{
    engine::{
        Engine, error::EngineError, handle::filter::Filter, news::TurnEnd,
        worker::children::child_ended,
    },
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
        self.stop_by_force("force_stop", "stopped by force").await
    }

    /// Gives it up for good, for this reason: the same as [`force_stop`](Self::force_stop), with the
    /// reason in its [error](crate::store::ExecutionInfo::error), such as who has decided it; and, of an
    /// execution that was [incompatible](super::filter::Filter::incompatible), with what did not fit.
    /// Its end is the time of the call. It can be deleted then as any other.
    ///
    /// # Errors
    ///
    /// [`EngineError::Status`] if it has ended.
    ///
    /// ```
    /// use steps::{Engine, Status, prelude::*};
    ///
    /// # #[flow]
    /// # async fn approve() -> Result<bool, String> {
    /// #     steps! { yes = steps::signal::<bool>(); }
    /// #     Ok(yes)
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let engine = Engine::open("memory:").await?.serve(approve::with()).start().await?;
    /// let run = engine.start(approve::input()).await?;
    /// assert_eq!(run.abandon("ticket 71, by the night shift").await?, Status::Stopped);
    /// let error = run.info().await?.error;
    /// assert_eq!(error.as_deref(), Some("abandoned: ticket 71, by the night shift"));
    /// run.delete().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn abandon(&self, why: impl AsRef<str>) -> Result<Status, EngineError> {
        self.stop_by_force("abandon", &format!("abandoned: {}", why.as_ref()))
            .await
    }

    async fn stop_by_force(&self, act: &str, how: &str) -> Result<Status, EngineError> {
        match self.end_by_force(Some(act), how).await? {
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
            let ended = self.end_by_force(None, "deleted by force").await?;
            let (Ended::Now(status) | Ended::Before(status)) = ended;
            // In between, somebody may have recovered it.
            if self.engine.core.store.delete(query.clone()).await? > 0 {
                tracing::warn!(execution = self.id(), %status, "deleted by force");
                return Ok(());
            }
        }
    }

    /// Takes it from whoever holds it, and ends it, unless it has ended.
    async fn end_by_force(&self, act: Option<&str>, how: &str) -> Result<Ended, EngineError> {
        let core = &self.engine.core;
        // Taking it over ends the refusal.
        let refused = self.brief().await?.refused.map(|refused| refused.why);
        let mut taken = self.acquire(TakeOver::Any).await?;
        let before = taken.info.status;
        let parent = taken.info.parent.clone();
        let root = ended_root(&mut taken, how, refused.as_deref(), core.clock.now());
        let ended = root
            .as_ref()
            .map_or(Ended::Before(before), |root| Ended::Now(root.status));
        let then = LeaseAfter::Release {
            due: Due::Never,
            last_message: i64::MAX,
        };
        let act = act.filter(|_| root.is_some());
        let act = act.and_then(|act| self.act(act, None));
        let write = Write {
            notes: act.into_iter().collect(),
            nodes: root
                .map(|root| NodeRow::new(0, 0, root))
                .into_iter()
                .collect(),
            // Signals are kept for its recovery.
            taken: taken.requests(),
            tells: parent
                .as_ref()
                .map(|parent| child_ended(parent, &self.id))
                .into_iter()
                .collect(),
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
                "{how}"
            );
        }
        core.news.turn_ended(&self.id, TurnEnd::ByForce);
        if let Some(parent) = parent {
            core.child_ended(&parent, &self.id);
        }
        Ok(ended)
    }
}

impl Engine {
    /// Deletes each execution that a filter finds by force, the newest first, up to its
    /// [`limit`](Filter::limit): see [`Handle::force_delete`]. Returns how many there were.
    pub async fn force_delete_where(&self, filter: Filter) -> Result<u64, EngineError> {
        let delete = async |handle: Handle| handle.force_delete().await;
        self.each(filter, delete).await
    }

    /// Gives up each execution that a filter finds and that has not ended, such as
    /// `Filter::new().incompatible()`, the newest first, up to its [`limit`](Filter::limit): see
    /// [`Handle::abandon`]. Returns how many there were.
    pub async fn abandon_where(
        &self,
        filter: Filter,
        why: impl AsRef<str>,
    ) -> Result<u64, EngineError> {
        let why = why.as_ref();
        let abandon = async |handle: Handle| handle.abandon(why).await.map(drop);
        self.each(filter, abandon).await
    }
}

/// Whether an execution was ended by force, or before; and its status since.
enum Ended {
    Now(Status),
    Before(Status),
}

/// Returns the root of an execution that is ended by force; `None` if it has ended.
fn ended_root(
    taken: &mut HeldExecution,
    how: &str,
    refused: Option<&str>,
    now: jiff::Timestamp,
) -> Option<NodeData> {
    let at = taken.nodes.iter().position(|row| row.id == 0);
    let mut root = match at {
        Some(at) => taken.nodes.swap_remove(at).node,
        None => NodeData {
            name: taken.info.flow.clone().into(),
            kind: Kind::Flow,
            ..NodeData::default()
        },
    };
    let mut how = how.to_owned();
    if let Some(worker) = &taken.previous_worker {
        how += " while the worker ";
        how += worker;
        how += " held it";
    }
    if let Some(why) = refused {
        how += "; it was incompatible: ";
        how += why;
    }
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
