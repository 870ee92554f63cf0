//! A step's context without a run, for the test of one step.

mod host;

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    base::{json::Json, sync::lock},
    engine::Engine,
    interpreter::RunLimits,
    language::{
        children::RunEngine,
        cx::{CancelReason, Cx},
    },
    model::{
        attrs::Attrs,
        log::LogLevel,
        notes::Notes,
        state::{Labels, Progress},
    },
};

/// Makes the [`Cx`] of a step that is called by a test, and shows afterwards what the step did with
/// it.
///
/// Without further settings it is the context of the first attempt of a step `step`, in an execution
/// `test` without labels, with no working data, which is not to end early. Clones, and contexts made
/// from one another, share the working data, the progress and whether the step should end: what one
/// attempt has kept is there for the next.
///
/// ```
/// use steps::{prelude::*, testing::Context};
///
/// #[step(retry(times = 3, every = "1s"))]
/// async fn copy(cx: &Cx, pages: &[&str]) -> Result<usize, String> {
///     let copied: usize = cx.saved().unwrap_or(0);
///     cx.save(&(copied + 1)).map_err(|e| e.to_string())?;
///     cx.progress(copied as u64 + 1, pages.len() as u64);
///     match pages.get(copied + 1) {
///         Some(_) => Err("connection reset".to_owned()),
///         None => Ok(pages.len()),
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let first = Context::new();
/// assert!(copy(&first.cx(), &["a", "b"]).await.is_err());
/// assert_eq!(first.saved::<usize>(), Some(1));
/// assert_eq!(first.progress().unwrap().total, 2);
///
/// let second = first.attempt(2);
/// assert_eq!(copy(&second.cx(), &["a", "b"]).await, Ok(2));
/// # }
/// ```
#[derive(Clone)]
pub struct Context {
    execution: String,
    path: String,
    round: Option<u32>,
    item: Option<String>,
    engine: Option<Arc<dyn RunEngine>>,
    labels: Labels,
    attempt: u32,
    limits: RunLimits,
    exchanged: Arc<Mutex<Exchanged>>,
}

/// What the step and its surroundings tell each other while it runs.
#[derive(Debug, Default)]
struct Exchanged {
    cancelled: Option<CancelReason>,
    saved: Option<Json>,
    progress: Option<Progress>,
    notes: Notes,
    log: Vec<(LogLevel, String)>,
}

impl Default for Context {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("id", &self.execution)
            .field("path", &self.path)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}

impl Context {
    /// The context of a first attempt.
    pub fn new() -> Self {
        Self {
            execution: "test".to_owned(),
            path: "step".to_owned(),
            round: None,
            item: None,
            engine: None,
            labels: Labels::new(),
            attempt: 1,
            limits: RunLimits::default(),
            exchanged: Arc::default(),
        }
    }

    /// Sets which attempt it is, from 1: [`Cx::attempt`].
    #[must_use]
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.attempt = attempt;
        self
    }

    /// Sets the execution's id: [`Cx::execution`], and the first part of [`Cx::idempotency_key`].
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.execution = id.into();
        self
    }

    /// Sets the step's path in the tree, such as `all.host-7.patch`: [`Cx::path`].
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Puts the step into a round of a `loop`: [`Cx::round`].
    #[must_use]
    pub fn round(mut self, number: u32) -> Self {
        self.round = Some(number);
        self
    }

    /// Puts the step into an item of a `for`: [`Cx::item`].
    #[must_use]
    pub fn item(mut self, key: impl Into<String>) -> Self {
        self.item = Some(key.into());
        self
    }

    /// Lets this engine run the step: [`Cx::engine`]. The context does not keep it at work.
    #[must_use]
    pub fn engine(mut self, engine: &Engine) -> Self {
        self.engine = Some(engine.for_context());
        self
    }

    /// Gives the execution a label: [`Cx::label`].
    #[must_use]
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(name.into(), value.into());
        self
    }

    /// Sets the limits; [`RunLimits::payload`] bounds the working data.
    #[must_use]
    pub fn limits(mut self, limits: RunLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the working data, as if an earlier attempt had kept it: [`Cx::saved`].
    ///
    /// # Panics
    ///
    /// Where the value can't be saved as JSON.
    #[must_use]
    #[track_caller]
    pub fn with_saved<T: Serialize + ?Sized>(self, value: &T) -> Self {
        match Json::encode(value) {
            Ok(json) => lock(&self.exchanged).saved = Some(json),
            Err(error) => panic!("working data that can't be saved: {error}"),
        }
        self
    }

    /// Sets why the step should end early, from its beginning: [`Cx::cancel_reason`].
    #[must_use]
    pub fn cancelled(self, reason: CancelReason) -> Self {
        self.cancel(reason);
        self
    }

    /// Sets why the step should end early, from now on: [`Cx::cancel_reason`]. It may be running.
    pub fn cancel(&self, reason: CancelReason) {
        lock(&self.exchanged).cancelled = Some(reason);
    }

    /// Returns the context to call the step with.
    pub fn cx(&self) -> Cx {
        Cx::new(Arc::new(self.clone()), 0, self.attempt)
    }

    /// Returns the working data that is kept: what the step saved last, else what was set before.
    ///
    /// # Panics
    ///
    /// Where it is not a `T`.
    #[track_caller]
    pub fn saved<T: DeserializeOwned>(&self) -> Option<T> {
        let json = lock(&self.exchanged).saved.clone()?;
        match json.decode() {
            Ok(value) => Some(value),
            Err(error) => panic!(
                "the working data {} is of another type: {error}",
                json.get()
            ),
        }
    }

    /// Sets the execution's attributes: [`Cx::attrs`].
    #[must_use]
    pub fn with_attrs(self, attrs: Attrs) -> Self {
        lock(&self.exchanged).notes.attrs = attrs;
        self
    }

    /// Returns the execution's attributes: those that the step set last, else those set before.
    pub fn attrs(&self) -> Attrs {
        lock(&self.exchanged).notes.attrs.clone()
    }

    /// Returns the status message that the step set last.
    pub fn status_message(&self) -> Option<String> {
        lock(&self.exchanged).notes.status_message.clone()
    }

    /// Returns what the step has logged with [`Cx::log`], in order.
    pub fn logged(&self) -> Vec<(LogLevel, String)> {
        lock(&self.exchanged).log.clone()
    }

    /// Returns how far the step has come, as it said last.
    pub fn progress(&self) -> Option<Progress> {
        lock(&self.exchanged).progress
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_finds_what_was_set() {
        let context = Context::new()
            .id("order-7")
            .path("all.a.pay")
            .attempt(3)
            .label("project", "atlas")
            .with_saved("half");
        let cx = context.cx();
        assert_eq!((cx.attempt(), &*cx.path()), (3, "all.a.pay"));
        assert_eq!(cx.idempotency_key(), "order-7/all.a.pay");
        assert_eq!(cx.execution(), "order-7");
        assert_eq!((cx.round(), cx.item()), (None, None));
        let cx = Context::new().round(3).item("a").cx();
        assert_eq!((cx.round(), cx.item()), (Some(3), Some("a".to_owned())));
        assert!(cx.engine().is_err());
        let cx = context.cx();
        assert_eq!(
            (cx.label("project"), cx.label("zone")),
            (Some("atlas"), None)
        );
        assert_eq!(cx.saved(), Some("half".to_owned()));
        assert_eq!(cx.saved::<u32>(), None, "of another type");
        assert!(!cx.cancelled());
    }

    #[test]
    fn the_test_finds_what_the_step_left() {
        let context = Context::new();
        assert_eq!((context.saved::<u32>(), context.progress()), (None, None));
        let cx = context.cx();
        cx.save(&7).unwrap();
        cx.progress(1, 4);
        assert_eq!(context.saved(), Some(7));
        assert_eq!(context.progress(), Some(Progress { done: 1, total: 4 }));
        assert_eq!(context.attempt(2).cx().saved(), Some(7), "the next attempt");
    }

    #[test]
    fn a_step_is_cancelled_from_the_start_or_while_it_runs() {
        let cx = Context::new().cancelled(CancelReason::Stop).cx();
        assert!(cx.cancelled());
        assert_eq!(cx.cancel_reason(), Some(CancelReason::Stop));
        let context = Context::new();
        let cx = context.cx();
        assert!(!cx.cancelled());
        context.cancel(CancelReason::Shutdown);
        assert!(cx.cancelled());
    }

    #[test]
    fn working_data_is_bounded_as_in_a_run() {
        let context = Context::new().limits(RunLimits::default().payload(8));
        let error = context.cx().save(&"x".repeat(9)).unwrap_err();
        assert!(error.to_string().contains("working data"), "{error}");
        assert_eq!(context.saved::<String>(), None);
    }

    #[test]
    #[should_panic(expected = "is of another type")]
    fn working_data_of_another_type_fails_the_test() {
        let context = Context::new().with_saved(&[1, 2]);
        context.saved::<String>();
    }
}
