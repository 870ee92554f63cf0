//! What an execution waits for between two passes: a timer, signals, reports, what comes of its children, and the
//! cancellation of its invocation.
//!
//! Each is asked for once, and kept for as long as it has not come: a journal does not grow with the times that an
//! execution looks at it.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::{BoxFuture, FutureExt};
use jiff::Timestamp;
use restate_sdk::{
    context::macro_support::SealedDurableFuture, endpoint::ContextInternal, errors::TerminalError,
};
use restate_sdk_shared_core::NotificationHandle;

use super::{names, requests::is_cancelled, supervise::send};
use crate::text::Text;

/// What is waited for, besides a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    /// A signal to the step of this path.
    Signal(String),
    /// The report with this number on the task of this id.
    Report(String, usize),
    /// The end of the child of this id.
    End(String),
    /// That the child of this id is taken back.
    Back(String),
}

impl What {
    /// Its promise, if it is one: its name, and what a later part asks the first for.
    fn promise(&self) -> Option<(String, String)> {
        match self {
            Self::Signal(path) => Some((names::promise(path), path.clone())),
            Self::Report(task, number) => {
                let name = names::reported(task, *number);
                Some((name.clone(), name))
            }
            Self::End(_) | Self::Back(_) => None,
        }
    }
}

/// What has come.
pub(super) enum Came {
    /// The timer that was set for this time.
    Time(Timestamp),
    /// What was waited for.
    It(What, String),
    /// It can't come: whoever was asked has ended in another way.
    Failed(What, String),
    /// The invocation is cancelled.
    Cancelled,
    /// Nothing after all: whoever waited for it elsewhere was ended.
    Nothing,
}

/// The answer of an invocation.
type Answer = BoxFuture<'static, Result<Text, TerminalError>>;

/// Something that is waited for.
struct Pending {
    handle: NotificationHandle,
    /// The invocation that waits for it elsewhere, in the execution's first part or a child, and what it returns.
    elsewhere: Option<(String, Answer)>,
}

/// What is waited for.
#[derive(Default)]
pub(super) struct Waits {
    timer: Option<(Timestamp, NotificationHandle)>,
    pending: BTreeMap<What, Pending>,
}

impl Waits {
    /// Waits until something has come. `first` is the key of the execution's first part, which has its promises, if this is
    /// another part. Whoever tells of children [was asked](Self::attach) before.
    pub(super) async fn until(
        &mut self,
        ctx: &ContextInternal,
        first: Option<&str>,
        until: Option<Timestamp>,
        whats: &[What],
    ) -> Result<Came, TerminalError> {
        let came = self.first(ctx, first, until, whats).await;
        match came {
            Err(error) if is_cancelled(&error) => Ok(Came::Cancelled),
            came => came,
        }
    }

    async fn first(
        &mut self,
        ctx: &ContextInternal,
        first: Option<&str>,
        until: Option<Timestamp>,
        whats: &[What],
    ) -> Result<Came, TerminalError> {
        let mut handles = Vec::new();
        for what in whats {
            handles.push(self.handle(ctx, first, what).await?);
        }
        if let Some(until) = until {
            handles.push(self.timer(ctx, until));
        }
        let which = ctx.select(handles).await?;
        let Some(what) = whats.get(which) else {
            self.timer = None;
            return Ok(until.map_or(Came::Nothing, Came::Time));
        };
        // If this invocation is cancelled first, it is asked for once more.
        let pending = self.pending.remove(what);
        let elsewhere = pending.and_then(|pending| pending.elsewhere);
        Ok(match (elsewhere, what.promise()) {
            (Some((_, answer)), promise) => match answer.await {
                Ok(Text(value)) => Came::It(what.clone(), value),
                Err(error) if is_cancelled(&error) => return Err(error),
                Err(_) if promise.is_some() => Came::Nothing,
                Err(error) => Came::Failed(what.clone(), error.message().to_owned()),
            },
            (None, Some((name, _))) => match ctx.peek_promise::<Text>(&name).await? {
                Some(Text(value)) => Came::It(what.clone(), value),
                None => Came::Nothing,
            },
            (None, None) => Came::Nothing,
        })
    }

    fn timer(&mut self, ctx: &ContextInternal, until: Timestamp) -> NotificationHandle {
        if let Some((set, handle)) = self.timer
            && set == until
        {
            return handle;
        }
        // A replay issues the same, whatever the clock shows then: Restate keeps the first. It counts in milliseconds.
        let left = Duration::try_from(until.duration_since(Timestamp::now())).unwrap_or_default();
        let millis = left.as_millis().try_into().unwrap_or(u64::MAX);
        let time = Duration::from_millis(millis.saturating_add(1));
        let handle = ctx.sleep(time).handle();
        self.timer = Some((until, handle));
        handle
    }

    async fn handle(
        &mut self,
        ctx: &ContextInternal,
        first: Option<&str>,
        what: &What,
    ) -> Result<NotificationHandle, TerminalError> {
        if let Some(pending) = self.pending.get(what) {
            return Ok(pending.handle);
        }
        let Some((name, asked)) = what.promise() else {
            return Err(TerminalError::new(format!("{what:?} was not asked for")));
        };
        match first {
            None => {
                let handle = ctx.promise::<Text>(&name).handle();
                let elsewhere = None;
                self.pending
                    .insert(what.clone(), Pending { handle, elsewhere });
                Ok(handle)
            }
            Some(first) => {
                let invocation = send(ctx, first, names::SIGNALLED, &asked).await?;
                Ok(self.attach(ctx, what.clone(), invocation))
            }
        }
    }

    /// Whether this is waited for.
    pub(super) fn has(&self, what: &What) -> bool {
        self.pending.contains_key(what)
    }

    /// Waits for something that an invocation tells.
    pub(super) fn attach(
        &mut self,
        ctx: &ContextInternal,
        what: What,
        invocation: String,
    ) -> NotificationHandle {
        let answer = ctx.attach_invocation::<Text>(invocation.clone());
        let handle = answer.handle();
        let elsewhere = Some((invocation, answer.boxed()));
        self.pending.insert(what, Pending { handle, elsewhere });
        handle
    }

    /// Waits no longer.
    pub(super) fn end(&mut self, ctx: &ContextInternal) {
        for (what, pending) in std::mem::take(&mut self.pending) {
            // A child that is being taken back goes on with that.
            if !matches!(what, What::Back(_))
                && let Some((invocation, _)) = pending.elsewhere
            {
                ctx.cancel_invocation(&invocation);
            }
        }
    }
}
