//! The run as seen from outside the interpreter: the host of a running step's [`Cx`](crate::Cx),
//! and the source that a journal's [`Batch`](crate::journal::Batch) reads from.

use std::time::Duration;

use super::{RunCore, records::ROOT, transactions};
use crate::{
    base::{
        clock::{Clock, add},
        error::StepError,
        future::BoxFuture,
        json::Json,
        sync::lock,
        transaction::{Doing, InTransaction, NoTransaction, Transacted},
    },
    journal::BatchSource,
    language::{
        children::{NewChild, OwnFlows, RunEngine},
        cx::CancelReason,
        host::StepHost,
        log::StepLine,
    },
    model::{
        attrs::Attrs,
        notes::NoteChange,
        state::{Kind, Progress, State, Until},
        status::Status,
        task::Task,
    },
};

impl StepHost for RunCore {
    fn path(&self, id: u32) -> String {
        self.records().path(id)
    }

    fn execution(&self) -> &str {
        Self::execution(self)
    }

    fn engine(&self) -> Option<&dyn RunEngine> {
        self.options.engine.as_deref()
    }

    fn around(&self, id: u32, kind: Kind) -> Option<String> {
        let records = self.records();
        let around = records.around(id).find(|id| records[*id].kind == kind)?;
        Some(records.name(around).into_owned())
    }

    fn idempotency_key(&self, id: u32) -> String {
        let mut key = self.execution().to_string();
        let records = self.records();
        if let Some(instance) = &records[ROOT].cold().instance {
            key.push('~');
            key.push_str(instance);
        }
        key.push('/');
        key.push_str(&records.path(id));
        match records[id].cold().generation {
            None | Some(0) => {}
            Some(generation) => {
                key.push('~');
                key.push_str(&generation.to_string());
            }
        }
        key
    }

    fn label(&self, name: &str) -> Option<&str> {
        self.options.labels.get(name).map(String::as_str)
    }

    fn attrs(&self) -> Attrs {
        lock(&self.attrs).clone()
    }

    fn note(&self, id: u32, change: NoteChange) -> Result<(), String> {
        let mut attrs = lock(&self.attrs);
        match &change {
            NoteChange::Attrs(all) => {
                self.options.limits.check_attrs(all)?;
                attrs.clone_from(all);
            }
            NoteChange::Patch(patch) => {
                let patched = attrs.patched(patch);
                self.options.limits.check_attrs(&patched)?;
                *attrs = patched;
            }
            NoteChange::StatusMessage(_) | NoteChange::Act(_) => {}
        }
        self.committer.mark_note(id, change);
        Ok(())
    }

    fn save(&self, id: u32, data: Json) -> Result<(), StepError> {
        self.options.limits.check("working data", Some(&data))?;
        self.records()[id].cold_mut().info = Some(data);
        self.committer.mark(id);
        Ok(())
    }

    fn take_room(&self, id: u32, bytes: usize) -> Result<(), StepError> {
        Self::take_room(self, id, bytes)
    }

    fn saved(&self, id: u32) -> Option<Json> {
        self.records()[id].cold().info.clone()
    }

    fn cancel_reason(&self, id: u32) -> Option<CancelReason> {
        Self::cancel_reason(self, id)
    }

    fn progress(&self, id: u32, progress: Progress) {
        let mut records = self.records();
        records[id].cold_mut().progress = Some(progress);
        self.committer.mark(id);
        self.notify(&records, id);
    }

    fn wait(&self, id: u32, wait: Duration) -> Option<Until> {
        let mut records = self.records();
        let record = &mut records[id];
        match record.cold().until {
            Some(Until::Time(until)) if !self.is_ahead(self.deadline(record, until)) => None,
            // An earlier run has begun it: it may have become shorter.
            Some(Until::Time(until)) => Some(Until::Time(
                record
                    .waits_since()
                    .map_or(until, |since| add(since, wait).min(until)),
            )),
            Some(until) => Some(until),
            None => {
                let clock = &self.options.clock;
                let now = clock.now();
                let deadline = clock.deadline(now, wait);
                let cold = record.cold_mut();
                (cold.since, cold.wait) = (Some(now), Some(deadline));
                Some(Until::Time(deadline.until))
            }
        }
    }

    fn wait_within(&self, id: u32, within: Duration) -> Option<Until> {
        let mut records = self.records();
        let deadline = self.set_deadline(&mut records[id], within);
        self.is_ahead(deadline).then_some(Until::Signal)
    }

    fn signal(&self, id: u32) -> Option<Json> {
        self.records()[id].cold().input.clone()
    }

    fn pause(&self, id: u32, pause: Duration) -> Until {
        let clock = &self.options.clock;
        let now = clock.now();
        let deadline = clock.deadline(now, pause);
        let mut records = self.records();
        let cold = records[id].cold_mut();
        (cold.since, cold.wait) = (Some(now), Some(deadline));
        Until::Time(deadline.until)
    }

    fn own_flows(&self) -> &OwnFlows {
        &self.options.flows
    }

    fn clock(&self) -> Clock {
        self.options.clock.clone()
    }

    fn starts(&self, id: u32, child: NewChild) {
        self.records()[id].cold_mut().starts = Some(Box::new(child));
    }

    fn asks_for(&self, id: u32, child: &str) {
        Self::asks_for(self, id, child);
    }

    fn task(&self, id: u32) -> Option<Task> {
        self.records()[id].cold().task.as_deref().cloned()
    }

    fn generation(&self, id: u32) -> u32 {
        self.records()[id].cold().generation.unwrap_or_default()
    }

    fn transact<'a>(
        &'a self,
        id: u32,
        doing: Doing,
        work: Box<dyn InTransaction + 'a>,
    ) -> BoxFuture<'a, Result<Transacted, NoTransaction>> {
        Box::pin(transactions::transact(self, id, doing, work))
    }

    fn transacted(
        &self,
        id: u32,
        doing: Doing,
    ) -> BoxFuture<'_, Result<Option<Option<Json>>, StepError>> {
        Box::pin(transactions::transacted(self, id, doing))
    }

    // The records may be locked: the observer may log.
    fn log(&self, path: String, line: &StepLine<'_>) -> bool {
        let Some(log) = &self.options.log else {
            return false;
        };
        log.log(path, self.options.clock.now(), line);
        true
    }
}

impl BatchSource for RunCore {
    fn status(&self) -> Status {
        Self::status(self)
    }

    fn state(&self) -> State {
        Self::state(self)
    }

    fn signals(&self) -> Vec<String> {
        self.awaited_signals()
    }

    fn refuses_undo(&self) -> bool {
        self.requests.refuses_undo()
    }
}
