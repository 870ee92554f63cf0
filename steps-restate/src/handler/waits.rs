//! What an execution waits for between two passes: a timer, signals, and the cancellation of its invocation.
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

/// What has come.
pub(super) enum Came {
    /// The timer that was set for this time.
    Time(Timestamp),
    /// The value of a signal.
    Signal(String, String),
    /// The invocation is cancelled.
    Cancelled,
    /// Nothing after all: whoever waited for it elsewhere was ended.
    Nothing,
}

/// A signal that is waited for.
struct Promised {
    handle: NotificationHandle,
    /// The invocation that waits for it in the execution's first part, if this is another one, and what it returns.
    elsewhere: Option<(String, BoxFuture<'static, Result<Text, TerminalError>>)>,
}

/// What is waited for.
#[derive(Default)]
pub(super) struct Waits {
    timer: Option<(Timestamp, NotificationHandle)>,
    signals: BTreeMap<String, Promised>,
}

impl Waits {
    /// Waits until something has come. `first` is the key of the execution's first part, which has its promises, if this is
    /// another part.
    pub(super) async fn until(
        &mut self,
        ctx: &ContextInternal,
        first: Option<&str>,
        until: Option<Timestamp>,
        paths: &[String],
    ) -> Result<Came, TerminalError> {
        let came = self.first(ctx, first, until, paths).await;
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
        paths: &[String],
    ) -> Result<Came, TerminalError> {
        let mut handles = Vec::new();
        for path in paths {
            handles.push(self.signal(ctx, first, path).await?);
        }
        if let Some(until) = until {
            handles.push(self.timer(ctx, until));
        }
        let which = ctx.select(handles).await?;
        let Some(path) = paths.get(which) else {
            self.timer = None;
            return Ok(until.map_or(Came::Nothing, Came::Time));
        };
        let value = match self.signals.get_mut(path) {
            Some(Promised {
                elsewhere: Some((_, value)),
                ..
            }) => match value.await {
                Err(error) if is_cancelled(&error) => return Err(error),
                value => value.ok(),
            },
            _ => ctx.peek_promise::<Text>(&names::promise(path)).await?,
        };
        self.signals.remove(path);
        Ok(value.map_or(Came::Nothing, |Text(value)| {
            Came::Signal(path.clone(), value)
        }))
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

    async fn signal(
        &mut self,
        ctx: &ContextInternal,
        first: Option<&str>,
        path: &str,
    ) -> Result<NotificationHandle, TerminalError> {
        if let Some(promised) = self.signals.get(path) {
            return Ok(promised.handle);
        }
        let promised = match first {
            None => Promised {
                handle: ctx.promise::<Text>(&names::promise(path)).handle(),
                elsewhere: None,
            },
            Some(first) => {
                let invocation = send(ctx, first, names::SIGNALLED, path).await?;
                let value = ctx.attach_invocation::<Text>(invocation.clone());
                Promised {
                    handle: value.handle(),
                    elsewhere: Some((invocation, value.boxed())),
                }
            }
        };
        let handle = promised.handle;
        self.signals.insert(path.to_owned(), promised);
        Ok(handle)
    }

    /// Waits no longer.
    pub(super) fn end(&mut self, ctx: &ContextInternal) {
        for (_, promised) in std::mem::take(&mut self.signals) {
            if let Some((invocation, _)) = promised.elsewhere {
                ctx.cancel_invocation(&invocation);
            }
        }
    }
}
