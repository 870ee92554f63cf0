//! Steps and undos that do what they do in a transaction of the store's own database: what they have changed, and
//! that they have, is there or is not.
//!
//! The transaction has a row of the engine's besides what the user's code has changed: the name of the doing, with
//! the output. So whoever comes later, in this process or another one, can tell whether it was committed: that is
//! what [`Op::Verify`](super::scope::Op::Verify) asks here. The row goes with the write that records the step's end.

use std::{
    any::{Any, type_name},
    sync::Mutex,
    time::Duration,
};

use super::{
    cx::Cx,
    keep::Keep,
    returns::{Fails, HandlerReturn, StepReturn},
    scope::{Answer, OpResult},
};
use crate::base::{
    error::{StepError, caught},
    future::BoxFuture,
    json::Json,
    sync::lock,
    transaction::{Abandoned, Doing, InTransaction, NoTransaction, Transacted},
};

/// A function that is called in a transaction: of a `#[step(transaction)]`, or of an
/// `#[undo(…, transaction)]`.
pub trait Transactional {
    /// The type of the connection.
    type Connection: Any + Send;
    /// The other arguments.
    type Given<'a>: Send;
    /// What it returns.
    type Return: Send;
    /// Calls it.
    fn call<'t, 'a: 't>(
        given: Self::Given<'a>,
        connection: &'t mut Self::Connection,
    ) -> BoxFuture<'t, Self::Return>;
}

/// Makes of what a function has returned a value, and the form in which that is kept, or says why there is none.
type Form<'k, T, R> =
    &'k (dyn Fn(<T as Transactional>::Return) -> Result<(R, Option<Json>), StepError> + Sync);

/// A call in a transaction. What comes of it is left for whoever has the transaction made.
struct Work<'a, 'k, T: Transactional, R> {
    given: T::Given<'a>,
    form: Form<'k, T, R>,
    kept: &'k Mutex<Option<Result<R, StepError>>>,
}

impl<T: Transactional, R: Send> InTransaction for Work<'_, '_, T, R> {
    fn run<'t>(
        self: Box<Self>,
        connection: &'t mut (dyn Any + Send),
    ) -> BoxFuture<'t, Result<Option<Json>, Abandoned>>
    where
        Self: 't,
    {
        Box::pin(async move {
            let Self { given, form, kept } = *self;
            let formed = match connection.downcast_mut() {
                Some(connection) => form(T::call(given, connection).await),
                None => Err(StepError::fatal(format!(
                    "its function takes a `{}`, and that is no connection of the store that the engine works on",
                    type_name::<T::Connection>()
                ))),
            };
            let (value, saved) = match formed {
                Ok((value, saved)) => (Ok(value), Ok(saved)),
                Err(error) => (Err(error), Err(Abandoned)),
            };
            *lock(kept) = Some(value);
            saved
        })
    }
}

/// What has come of a call in a transaction.
enum Called<R> {
    /// It was committed, with this.
    Committed(R),
    /// Nothing was committed, for this reason.
    Failed(StepError),
    /// It may have been committed or not: it is to be asked.
    Unknown,
}

/// How long a step waits before it is called again, where the store could not be reached and nothing was committed.
const PAUSE: Duration = Duration::from_secs(1);

/// Makes the call in a transaction.
async fn transact<'a, T: Transactional, R: Send>(
    given: T::Given<'a>,
    cx: &'a Cx,
    doing: Doing,
    form: Form<'_, T, R>,
) -> Called<R> {
    let kept = Mutex::new(None);
    let work = Work::<T, R> {
        given,
        form,
        kept: &kept,
    };
    let transacted = cx.host.transact(cx.id, doing, Box::new(work)).await;
    let kept = lock(&kept).take();
    match (transacted, kept) {
        (Ok(Transacted::Committed), Some(Ok(value))) => Called::Committed(value),
        (Ok(Transacted::Abandoned), Some(Err(error))) => Called::Failed(error),
        (Ok(Transacted::Refused(why)), _) => Called::Failed(StepError::user(format!(
            "its transaction was not committed: {why}"
        ))),
        (Ok(_), _) => Called::Failed(StepError::fatal(
            "the store has not done what it was asked for: this is a bug in it, please report it",
        )),
        (Err(NoTransaction::Unknown(_)), _) => Called::Unknown,
        (Err(NoTransaction::Unsupported(why) | NoTransaction::Lost(why)), _) => {
            Called::Failed(StepError::fatal(why))
        }
    }
}

/// Runs a step in a transaction, and keeps its output.
pub fn transacts<'a, T: Transactional + 'a>(
    given: T::Given<'a>,
    cx: &'a Cx,
    when: Option<fn(&<T::Return as StepReturn>::Error) -> bool>,
    keep: Keep<'a, <T::Return as StepReturn>::Output>,
) -> BoxFuture<'a, OpResult>
where
    T::Return: StepReturn,
    <T::Return as StepReturn>::Error: Fails,
    <T::Return as StepReturn>::Output: Send + Sync + 'static,
{
    Box::pin(async move {
        // What can't be recorded is rolled back, so that it did not happen.
        let form = |returned: T::Return| {
            let value = returned.value(when)?;
            let (value, saved) = keep.form(value).map_err(|unkept| unkept.why)?;
            Ok(((value, saved.clone()), saved))
        };
        match transact::<T, _>(given, cx, Doing::Step, &form).await {
            Called::Committed((value, saved)) => Ok(keep.put(value, saved)),
            Called::Failed(error) => Err(error),
            // That is no failure of the step.
            Called::Unknown => match verified(cx, &keep).await? {
                Answer::NotYet => Ok(Answer::Wait(cx.pause(PAUSE))),
                done => Ok(done),
            },
        }
    })
}

/// Finds out whether the transaction of a step was committed, and keeps the output if it was.
pub(super) fn verifies<'a, T: Send + Sync + 'static>(
    cx: &'a Cx,
    keep: Keep<'a, T>,
) -> BoxFuture<'a, OpResult> {
    Box::pin(async move { verified(cx, &keep).await })
}

async fn verified<T: Send + Sync + 'static>(cx: &Cx, keep: &Keep<'_, T>) -> OpResult {
    let Some(saved) = cx.host.transacted(cx.id, Doing::Step).await? else {
        return Ok(Answer::NotYet);
    };
    let text = saved.as_ref().map_or("null", Json::get);
    let value = caught(|| (keep.codec.decode)(text)).map_err(|error| {
        StepError::fatal(format!(
            "the output that was kept with its transaction can't be read: {error}"
        ))
    })?;
    Ok(keep.put(value, saved))
}

/// Undoes a step in a transaction, unless one that has done so was committed before.
pub async fn undo_transacts<'a, T: Transactional + 'a>(
    given: T::Given<'a>,
    cx: &'a Cx,
    when: Option<fn(&<T::Return as HandlerReturn>::Error) -> bool>,
) -> Result<(), StepError>
where
    T::Return: HandlerReturn,
{
    let is_committed = async || {
        let found = cx.host.transacted(cx.id, Doing::Undo).await;
        found.map(|found| found.is_some())
    };
    if is_committed().await? {
        return Ok(());
    }
    let form = |returned: T::Return| returned.ended(when).map(|()| ((), None));
    match transact::<T, ()>(given, cx, Doing::Undo, &form).await {
        Called::Committed(()) => Ok(()),
        Called::Failed(error) => Err(error),
        Called::Unknown if is_committed().await? => Ok(()),
        Called::Unknown => Err(StepError::later(PAUSE)),
    }
}
