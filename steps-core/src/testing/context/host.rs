//! The context as the host of a step.

use std::time::Duration;

use super::Context;
use crate::{
    base::{
        clock::Clock,
        error::StepError,
        future::BoxFuture,
        json::Json,
        sync::lock,
        transaction::{Doing, InTransaction, NoTransaction, Transacted},
    },
    language::{
        children::{NewChild, OwnFlows, RunEngine},
        cx::CancelReason,
        host::StepHost,
        log::StepLine,
    },
    model::{
        attrs::Attrs,
        log::{LogLimits, text},
        notes::NoteChange,
        state::{Kind, Progress, Until},
        task::{Task, TaskId},
    },
};

impl StepHost for Context {
    fn path(&self, _: u32) -> String {
        self.path.clone()
    }

    fn execution(&self) -> &str {
        &self.execution
    }

    fn engine(&self) -> Option<&dyn RunEngine> {
        self.engine.as_deref()
    }

    fn around(&self, _: u32, kind: Kind) -> Option<String> {
        match kind {
            Kind::Round => self.round.map(|number| number.to_string()),
            Kind::Item => self.item.clone(),
            _ => None,
        }
    }

    fn idempotency_key(&self, _: u32) -> String {
        format!("{}/{}", self.execution, self.path)
    }

    fn label(&self, name: &str) -> Option<&str> {
        self.labels.get(name).map(String::as_str)
    }

    fn attrs(&self) -> Attrs {
        lock(&self.exchanged).notes.attrs.clone()
    }

    fn note(&self, _: u32, change: NoteChange) -> Result<(), String> {
        let notes = &mut lock(&self.exchanged).notes;
        let mut changed = notes.clone();
        changed.change(&[change]);
        self.limits.check_attrs(&changed.attrs)?;
        *notes = changed;
        Ok(())
    }

    fn save(&self, _: u32, data: Json) -> Result<(), StepError> {
        self.limits.check("working data", Some(&data))?;
        lock(&self.exchanged).saved = Some(data);
        Ok(())
    }

    fn take_room(&self, _: u32, _: usize) -> Result<(), StepError> {
        Ok(())
    }

    fn saved(&self, _: u32) -> Option<Json> {
        lock(&self.exchanged).saved.clone()
    }

    fn cancel_reason(&self, _: u32) -> Option<CancelReason> {
        lock(&self.exchanged).cancelled
    }

    fn log(&self, _: String, line: &StepLine<'_>) -> bool {
        let message = text(line.message, LogLimits::DEFAULT.line);
        lock(&self.exchanged).log.push((line.level, message));
        true
    }

    fn progress(&self, _: u32, progress: Progress) {
        lock(&self.exchanged).progress = Some(progress);
    }

    // The rest is for generated code and the built-in steps, which nobody calls by themselves.

    fn transact<'a>(
        &'a self,
        _: u32,
        _: Doing,
        _: Box<dyn InTransaction + 'a>,
    ) -> BoxFuture<'a, Result<Transacted, NoTransaction>> {
        let why = "call the function itself, with a connection: here is no store";
        let error = NoTransaction::Unsupported(why.to_owned());
        Box::pin(std::future::ready(Err(error)))
    }

    fn transacted(
        &self,
        _: u32,
        _: Doing,
    ) -> BoxFuture<'_, Result<Option<Option<Json>>, StepError>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn wait(&self, _: u32, _: Duration) -> Option<Until> {
        None
    }

    fn wait_within(&self, _: u32, _: Duration) -> Option<Until> {
        None
    }

    fn signal(&self, _: u32) -> Option<Json> {
        None
    }

    fn pause(&self, _: u32, _: Duration) -> Until {
        Until::Signal
    }

    fn own_flows(&self) -> &OwnFlows {
        static NONE: OwnFlows = OwnFlows::new();
        &NONE
    }

    fn clock(&self) -> Clock {
        Clock::default()
    }

    fn starts(&self, _: u32, _: NewChild) {}

    fn asks_for(&self, _: u32, _: &str) {}

    fn task(&self, _: u32) -> Option<Task> {
        // The same in each context of one execution.
        let text = format!("{:032x}.", 0);
        let id = TaskId::of(text, &self.execution);
        Some(Task::new(id))
    }

    fn generation(&self, _: u32) -> u32 {
        0
    }
}
