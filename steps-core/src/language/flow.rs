//! The trait of `#[flow]`, and the frame of a flow's own scope.

use std::fmt::Debug;

use super::{
    cells::flow::{FlowCell, FlowHome},
    codec::Codec,
    cx::Cx,
    frame::Slots,
    input::keep_input,
    outcome::Outcome,
    scope::{Enter, Entered, LoadError, Op, OpResult, Saved, Scope},
};
use crate::{
    base::{error::StepError, future::BoxFuture, json::Json},
    model::{
        compat::{Compatibility, compare},
        failure::Failure,
        state::State,
        table::{Table, Way},
        typed::{View, Within},
    },
};

/// A function marked `#[flow]`. The macro implements this trait for a type with the function's
/// name; it can't be implemented by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a flow",
    label = "not a flow",
    note = "put `#[flow]` on the function; a step is called without the word `flow`"
)]
pub trait Flow: Sized + Send + Sync + 'static {
    /// The parameters that the flow takes by reference. The service lends them.
    #[doc(hidden)]
    type Lent<'a>: Copy + Send + Sync;
    /// The same parameters, owned, for an engine to keep.
    #[doc(hidden)]
    type Owned: Clone + 'static;
    /// The by-value parameters, which are saved.
    type Input: Send + Sync + 'static;
    /// The type of the flow's output.
    type Output: Send + Sync + 'static;
    /// The slots of the flow's lines.
    #[doc(hidden)]
    type Slots: Slots<Value = ()>;
    /// The fields of the flow's typed state.
    #[doc(hidden)]
    type Fields: View + Send + Sync;
    /// The references to the flow's steps, where it stands within another flow.
    #[doc(hidden)]
    type Steps<P: Within>: Copy + Debug;
    /// The flow's table.
    #[doc(hidden)]
    const TABLE: &'static Table;
    /// A number that changes with everything that decides whether a saved execution fits the flow:
    /// the names of the flow and its steps with their aliases, their kinds and marks, their order,
    /// the source text of output and input types, and what a failure leads to. It is the same in
    /// every build of the same source. To find out what changed, compare a saved tree with
    /// [`Compatibility::of`](crate::model::compat::Compatibility::of).
    ///
    /// An engine passes over an execution that does not fit the flow until the number changes or
    /// another process starts. A change that makes the execution fit, such as an alias, changes the
    /// number.
    ///
    /// ```
    /// use steps::{Flow, prelude::*};
    ///
    /// #[step]
    /// async fn hello() -> Result<(), String> {
    ///     Ok(())
    /// }
    ///
    /// #[flow]
    /// async fn greet() -> Result<(), String> {
    ///     steps! { hello(); }
    ///     Ok(())
    /// }
    ///
    /// const FINGERPRINT: u64 = greet::FINGERPRINT;
    /// assert_ne!(FINGERPRINT, 0);
    /// ```
    const FINGERPRINT: u64;
    /// The text of the output's type.
    #[doc(hidden)]
    const OUTPUT_TEXT: &'static str = "";
    /// How the output is saved.
    #[doc(hidden)]
    const OUTPUT: Codec<Self::Output>;

    /// Shortens the lifetime of lent parameters.
    #[doc(hidden)]
    fn shorten<'short, 'long: 'short>(lent: Self::Lent<'long>) -> Self::Lent<'short>;
    /// Lends the owned parameters.
    #[doc(hidden)]
    fn lend(owned: &Self::Owned) -> Self::Lent<'_>;
    /// Returns the lent parameters of a flow that has none.
    #[doc(hidden)]
    fn lend_nothing<'a>() -> Option<Self::Lent<'a>> {
        None
    }
    /// Returns the input as a JSON object with a field for each parameter.
    #[doc(hidden)]
    fn save_input(input: &Self::Input) -> Result<Json, serde_json::Error>;
    /// Decodes the input.
    #[doc(hidden)]
    fn load_input(saved: &Json) -> Result<Self::Input, serde_json::Error>;
    /// See [`Scope::call`].
    #[doc(hidden)]
    fn call<'b>(
        frame: &'b Root<'_, Self>,
        line: usize,
        op: Op<'b>,
        cx: &'b Cx,
    ) -> BoxFuture<'b, OpResult>;
    /// See [`Scope::enter`].
    #[doc(hidden)]
    fn enter<'b>(
        frame: &'b Root<'_, Self>,
        line: usize,
        how: Enter<'b>,
        cx: &'b Cx,
    ) -> Result<Entered<'b>, StepError>;
    /// Runs the code after the steps.
    #[doc(hidden)]
    fn finish(
        lent: Self::Lent<'_>,
        input: Self::Input,
        slots: Self::Slots,
    ) -> BoxFuture<'_, Result<Self::Output, StepError>>;
    /// Returns the call of the flow's `#[on_done]`, if it has one.
    #[doc(hidden)]
    fn on_done<'b>(
        lent: Self::Lent<'b>,
        input: &'b Self::Input,
        output: &'b Self::Output,
    ) -> Option<BoxFuture<'b, Result<(), StepError>>>;
    /// Returns the call of the flow's `#[on_stopped]`, if it has one.
    #[doc(hidden)]
    fn on_stopped<'b>(
        lent: Self::Lent<'b>,
        input: &'b Self::Input,
        failure: &'b Failure,
    ) -> Option<BoxFuture<'b, Result<(), StepError>>>;
    /// Returns the call of the flow's `#[on_failed]`, if it has one. It is called after the
    /// rollback.
    #[doc(hidden)]
    fn on_failed<'b>(
        lent: Self::Lent<'b>,
        input: &'b Self::Input,
        failure: &'b Failure,
    ) -> Option<BoxFuture<'b, Result<(), StepError>>>;
}

impl Compatibility {
    /// Compares a saved tree with the compiled flow: `Compatibility::of::<attach_volume>`.
    ///
    /// The names of the two flows and the input are not compared.
    pub fn of<F: Flow>(saved: &State) -> Self {
        compare(saved, F::TABLE)
    }
}

/// The table of a flow, apart from [`Flow`], whose implementation is generic: so that where flows
/// contain each other, the compiler's error begins at the line.
pub trait HasTable {
    /// The table.
    const TABLE: &'static Table;
}

/// The output of a flow, which may be of a private type where the flow is not.
pub trait FlowOutput {
    /// What it gives, by the name it has in the flow's own code.
    type Given;
    /// The same type, as the flow's [`Output`](Flow::Output).
    type Output: Send + Sync + 'static;
    /// How it is saved.
    const CODEC: Codec<Self::Output>;
    /// The same value.
    fn same(given: Self::Given) -> Self::Output;
}

/// The frame of a flow's own scope.
#[allow(missing_debug_implementations)]
pub struct Root<'a, F: Flow> {
    /// The lent parameters.
    pub lent: F::Lent<'a>,
    kept: Kept<'a, F>,
}

struct Kept<'a, F: Flow> {
    open: Option<Box<(F::Input, F::Slots)>>,
    home: &'a dyn FlowHome<F>,
}

impl<F: Flow> Drop for Kept<'_, F> {
    fn drop(&mut self) {
        let open = self.open.take();
        self.home.keep(open.map(|open| open as _));
    }
}

impl<'a, F: Flow> Root<'a, F> {
    /// Enters a nested flow. A kept input takes precedence over a recorded one, and a recorded one
    /// over `given`, which is then recorded, and read back.
    pub fn enter<O: Outcome<F::Output>>(
        lent: F::Lent<'a>,
        given: Option<F::Input>,
        cell: &'a FlowCell<F, O>,
        how: Enter<'_>,
    ) -> Result<Entered<'a>, StepError> {
        let read_back = |input| {
            keep_input::<F>(&input)
                .map_err(|e| StepError::fatal(format!("its input can't be saved as JSON: {e}")))
        };
        Self::enter_with(lent, || given.map(read_back).transpose(), cell, how)
    }

    /// The same, of an input that is as it was read back from its saved form.
    pub(crate) fn enter_with(
        lent: F::Lent<'a>,
        given: impl FnOnce() -> Result<Option<(F::Input, Json)>, StepError>,
        home: &'a dyn FlowHome<F>,
        how: Enter<'_>,
    ) -> Result<Entered<'a>, StepError> {
        let kept = home.take();
        let kept = kept.and_then(|kept| kept.downcast::<(F::Input, F::Slots)>().ok());
        let mut record = None;
        let open = match (kept, how.input) {
            (Some(kept), _) if !how.fresh => kept,
            (_, Some(saved)) => {
                let input = F::load_input(saved).map_err(|e| {
                    StepError::fatal(format!("its recorded input can't be read: {e}"))
                })?;
                Box::new((input, F::Slots::default()))
            }
            (_, None) => {
                let Some((input, saved)) = given()? else {
                    return Err(StepError::fatal("it has no input"));
                };
                record = Some(saved);
                Box::new((input, F::Slots::default()))
            }
        };
        let kept = Kept {
            open: Some(open),
            home,
        };
        Ok(Entered {
            scope: Some(Box::new(Self { lent, kept })),
            input: record,
            way: Way::default(),
            keys: None,
            at_once: None,
        })
    }

    /// Returns the input.
    pub fn input(&self) -> &F::Input {
        &self.open().0
    }

    /// Returns the slots. A flow has one set, whatever the item.
    pub fn slots(&self, _: usize) -> &F::Slots {
        &self.open().1
    }

    fn open(&self) -> &(F::Input, F::Slots) {
        match &self.kept.open {
            Some(open) => open,
            None => unreachable!("a flow has its slots until it is finished"),
        }
    }
}

impl<F: Flow> Scope for Root<'_, F> {
    fn call<'b>(
        &'b self,
        _: usize,
        line: usize,
        op: Op<'b>,
        cx: &'b Cx,
    ) -> BoxFuture<'b, OpResult> {
        F::call(self, line, op, cx)
    }

    fn enter<'b>(
        &'b self,
        _: usize,
        line: usize,
        how: Enter<'b>,
        cx: &'b Cx,
    ) -> Result<Entered<'b>, StepError> {
        F::enter(self, line, how, cx)
    }

    fn load(&self, _: usize, line: usize, saved: Saved<'_>) -> Result<(), LoadError> {
        self.slots(0).load(line, saved)
    }

    fn finish<'b>(self: Box<Self>) -> BoxFuture<'b, Result<Option<Json>, StepError>>
    where
        Self: 'b,
    {
        let Self { lent, mut kept } = *self;
        let home = kept.home;
        let open = kept.open.take();
        drop(kept);
        Box::pin(async move {
            let Some(open) = open else {
                unreachable!("a flow has its slots until it is finished");
            };
            let (input, slots) = *open;
            let output = F::finish(lent, input, slots).await?;
            let (output, saved) = F::OUTPUT.keep(output).map_err(|(e, _)| {
                StepError::fatal(format!("the flow's output can't be saved as JSON: {e}"))
            })?;
            home.put(output);
            Ok(saved)
        })
    }

    fn on_done(&self) -> Option<BoxFuture<'_, Result<(), StepError>>> {
        F::on_done(
            F::shorten(self.lent),
            self.input(),
            self.kept.home.output()?,
        )
    }

    fn on_failed<'b>(
        &'b self,
        failure: &'b Failure,
    ) -> Option<BoxFuture<'b, Result<(), StepError>>> {
        F::on_failed(F::shorten(self.lent), self.input(), failure)
    }

    fn on_stopped<'b>(
        &'b self,
        failure: &'b Failure,
    ) -> Option<BoxFuture<'b, Result<(), StepError>>> {
        F::on_stopped(F::shorten(self.lent), self.input(), failure)
    }
}
