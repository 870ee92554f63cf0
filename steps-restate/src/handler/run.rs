//! The workflow's handler: the recorder of what the interpreter does.
//!
//! It runs no user's code itself. It asks Restate for its next entry, in a loop: on a replay it gets what was recorded, and
//! at the first entry that is missing there, it makes an interpreter from what was recorded so far, which goes on as any
//! resume does. So what the handler does next depends on recorded entries alone, as Restate demands, in whatever order the
//! branches of a flow get on. Whatever it gives to Restate besides is made of the texts of entries as they are recorded:
//! another version of this crate may write the same in another way.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use jiff::Timestamp;
use restate_sdk::{
    context::RunFuture,
    endpoint::{ContextInternal, InputMetadata},
    errors::{HandlerError, HandlerResult, TerminalError},
};
use steps_core::{
    Failure, Flow, Status,
    journal::{Entry, PassEnd},
};

use super::{
    live::{Begin, Live},
    names,
    part::{Next, Part},
    requests::{asked, is_cancelled},
    shown::Shown,
    supervise::{send, supervise},
    waits::{Came, Waits},
};
use crate::{
    offers::Offers,
    pieces::Pieces,
    service::{PartLimits, Served},
    text::Text,
};

/// Runs one part of an execution.
pub(super) async fn run<F: Flow>(
    served: &Arc<Served<F>>,
    ctx: &ContextInternal,
    input: Text,
    meta: InputMetadata,
) -> HandlerResult<Text>
where
    F::Owned: Send + Sync,
{
    let part = Part::read(meta.key, input.0)?;
    let offers = Arc::new(Offers::new(served.limits_of_parts.entry));
    ctx.set(names::INVOCATION, Text(meta.invocation_id));
    let mut recorder = Recorder {
        served,
        ctx,
        shown: Shown::new(part.rows.clone()),
        part,
        pieces: Pieces::default(),
        offers,
        live: None,
        waits: Waits::default(),
        limits: None,
        entries: 0,
        bytes: 0,
        cancelled: 0,
        suspended: false,
        stays: false,
        due_by: None,
    };
    recorder.run().await
}

struct Recorder<'a, F: Flow> {
    served: &'a Arc<Served<F>>,
    ctx: &'a ContextInternal,
    part: Part,
    /// What was recorded of an entry that is not complete.
    pieces: Pieces,
    shown: Shown,
    offers: Arc<Offers>,
    /// The interpreter, once something is to be done that is not recorded.
    live: Option<Live>,
    waits: Waits,
    /// The limits that were recorded with the first entry.
    limits: Option<PartLimits>,
    /// How many entries this part has, and how many bytes are in them.
    entries: usize,
    bytes: usize,
    /// How often the invocation was cancelled.
    cancelled: u64,
    /// Whether the interpreter is to come to a halt, as another part follows.
    suspended: bool,
    /// Whether no other part can follow.
    stays: bool,
    /// What the timer showed by which the execution goes on.
    due_by: Option<Timestamp>,
}

impl<F: Flow> Recorder<'_, F>
where
    F::Owned: Send + Sync,
{
    async fn run(&mut self) -> HandlerResult<Text> {
        loop {
            let entry = self.entry().await?;
            let (end, signals) = (entry.pass_end(), entry.signals().to_vec());
            self.part.recorded.add(entry);
            match end {
                None => {
                    if self.is_long() {
                        self.suspend();
                    }
                    continue;
                }
                Some(PassEnd::Waiting { until }) => {
                    self.show();
                    self.part.given.clear();
                    if !self.is_long() {
                        self.wait(until, &signals).await?;
                        continue;
                    }
                }
                Some(PassEnd::Suspended) => self.show(),
                // Ended, or stopped.
                Some(_) => {
                    self.show();
                    return self.end();
                }
            }
            self.let_go();
            if let Some(outcome) = self.next_part().await? {
                return Ok(outcome);
            }
            // No other part can take it over: it goes on here.
            if let Some(PassEnd::Waiting { until }) = end {
                self.wait(until, &signals).await?;
            }
        }
    }

    /// Returns the next entry: one that was recorded before, or what the interpreter does now.
    async fn entry(&mut self) -> Result<Entry, HandlerError> {
        loop {
            let text = match self.record().await? {
                Ok(Text(text)) => text,
                Err(error) if is_cancelled(&error) => {
                    self.is_cancelled().await;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            self.entries += 1;
            self.bytes += text.len();
            if self.live.is_some() {
                self.offers.recorded();
            }
            let text = match self.limits {
                Some(_) => text,
                None => {
                    let (limits, text) = PartLimits::split(&text)
                        .ok_or_else(|| self.misfit("the first entry of its journal is none"))?;
                    self.limits = Some(limits);
                    text.to_owned()
                }
            };
            let whole = self.pieces.add(text).map_err(|why| self.misfit(&why))?;
            if let Some(text) = whole {
                let entry = Entry::from_json(&text);
                let entry = entry.map_err(|error| self.misfit(&error.to_string()))?;
                self.shown.add(text);
                return Ok(entry);
            }
        }
    }

    /// Asks Restate for its next entry, and lets the interpreter go on meanwhile, in the same task: what it offers is the
    /// entry, if none is recorded.
    async fn record(&mut self) -> Result<Result<Text, TerminalError>, HandlerError> {
        // Whether Restate has no entry.
        let is_new = AtomicBool::new(false);
        let offers = Arc::clone(&self.offers);
        let limits = match self.limits {
            None => self.served.limits_of_parts.to_string(),
            Some(_) => String::new(),
        };
        let offer = async {
            is_new.store(true, Ordering::Relaxed);
            let offered = offers.next().await;
            Ok(Text(limits + &offered))
        };
        let ctx = self.ctx.clone();
        let mut entry = pin!(ctx.run(|| offer).name(self.part.name(F::TABLE.name)));
        let ended = poll_fn(|cx| {
            loop {
                if let Some(live) = &mut self.live
                    && let Err(why) = live.poll(cx)
                {
                    return Poll::Ready(Err(why));
                }
                if let Poll::Ready(entry) = entry.as_mut().poll(cx) {
                    return Poll::Ready(Ok(entry));
                }
                match &self.live {
                    None if is_new.load(Ordering::Relaxed) => match self.begin() {
                        Ok(live) => self.live = Some(live),
                        Err(why) => return Poll::Ready(Err(why)),
                    },
                    Some(live) if live.is_over() => {
                        return Poll::Ready(Err("it ended without a last record".to_owned()));
                    }
                    _ => return Poll::Pending,
                }
            }
        });
        ended.await.map_err(|why| self.misfit(&why))
    }

    /// Makes the interpreter, from what is recorded.
    fn begin(&mut self) -> Result<Live, String> {
        let state = self.part.recorded.state();
        let begin = Begin {
            id: &self.part.id,
            input: &self.part.input,
            state: state.map_err(|error| error.to_string())?,
            due_by: self.due_by.take(),
            asked: &self.part.asked,
            given: &self.part.given,
            suspended: self.suspended,
        };
        Ok(Live::new(self.served, &self.offers, begin))
    }

    /// The error of an execution that can't go on with this program. Restate tries again, and in the end lets the invocation
    /// pause, until somebody resumes it: with a program that fits, it goes on.
    fn misfit(&self, why: &str) -> HandlerError {
        let (id, flow) = (&self.part.id, F::TABLE.name);
        format!("the execution `{id}` of `{flow}` can't go on with this program: {why}").into()
    }

    async fn is_cancelled(&mut self) {
        self.cancelled += 1;
        self.entries += 2;
        let ask = asked(self.ctx).await;
        self.part.asked.push(ask);
        if let Some(live) = &self.live {
            live.ask(ask);
        }
    }

    fn is_long(&self) -> bool {
        // What it began with is sent each time, too, and is shown anew now and then.
        let begun_with = self.part.rows.as_ref().map_or(0, String::len);
        let is_longer = |limits: PartLimits| {
            self.entries >= limits.entries || self.bytes >= limits.bytes + 3 * begun_with
        };
        !self.stays && self.limits.is_some_and(is_longer)
    }

    fn suspend(&mut self) {
        self.suspended = true;
        if let Some(live) = &self.live {
            live.suspend();
        }
    }

    /// Shows callers how far it has come.
    fn show(&mut self) {
        if let Some(limits) = self.limits {
            self.entries += 1;
            self.bytes += self.shown.write(self.ctx, limits.entry);
        }
    }

    /// Waits for whatever comes first, and lets the interpreter go on.
    async fn wait(&mut self, until: Option<Timestamp>, signals: &[String]) -> HandlerResult<()> {
        if until.is_none() && signals.is_empty() {
            let why =
                "it waits for what only an engine can give it: a report, or the end of a child";
            return Err(self.misfit(why));
        }
        let first = (self.part.number > 1).then_some(&*self.part.id);
        self.entries += 2;
        match self.waits.until(self.ctx, first, until, signals).await? {
            Came::Time(time) => {
                // The timer is Restate's, whose clock may be ahead.
                if Timestamp::now() < time {
                    self.let_go();
                }
                self.due_by = Some(time);
            }
            Came::Signal(path, value) => {
                let value = steps_core::Json::parse(value);
                let value = value.map_err(|error| self.misfit(&error.to_string()))?;
                self.bytes += value.get().len();
                if let Some(live) = &self.live {
                    let sent = live.signals.send_json(&path, value.clone());
                    sent.map_err(|error| self.misfit(&error.to_string()))?;
                }
                self.part.given.push((path, value));
            }
            Came::Cancelled => self.is_cancelled().await,
            Came::Nothing => {}
        }
        if self.live.is_some() {
            self.offers.let_pass();
        }
        Ok(())
    }

    /// Lets the interpreter go: another one is made when it is needed.
    fn let_go(&mut self) {
        self.live = None;
        self.offers = Arc::new(Offers::new(self.served.limits_of_parts.entry));
    }

    /// Lets another part go on, if one can take over what is recorded, and returns the outcome: of the first part that of the
    /// execution, of another where it goes on.
    async fn next_part(&mut self) -> HandlerResult<Option<Text>> {
        self.suspended = false;
        let limits = self.limits.unwrap_or_default();
        let mut cancelled;
        let input = loop {
            cancelled = self.cancelled;
            let next = self.part.next();
            // It may be too large for a message; and it is recorded, because it must be the same on a replay.
            let input = if next.len() > limits.message {
                String::new()
            } else {
                next
            };
            let recorded = self.ctx.run(|| async move { Ok(Text(input)) });
            let recorded = recorded.name("next part");
            match recorded.await {
                Ok(Text(input)) => break input,
                Err(error) if is_cancelled(&error) => self.is_cancelled().await,
                Err(error) => return Err(error.into()),
            }
        };
        if input.is_empty() {
            tracing::warn!(
                execution = self.part.id,
                "it is too large to go on in another invocation: its journal will grow"
            );
            self.stays = true;
            return Ok(None);
        }
        self.waits.end(self.ctx);
        let number = self.part.number + 1;
        let key = names::part(&self.part.id, number);
        let invocation = loop {
            match send(self.ctx, &key, names::RUN, &input).await {
                Ok(invocation) => break invocation,
                Err(error) if is_cancelled(&error) => self.is_cancelled().await,
                Err(error) => return Err(error.into()),
            }
        };
        let next = Next {
            invocation,
            number,
            cancelled,
        };
        if self.part.number > 1 {
            return Ok(Some(next.write()));
        }
        let asked = self.part.asked.last().copied();
        let outcome = supervise(self.ctx, &self.part.id, next, self.cancelled, asked).await;
        Ok(Some(outcome?))
    }

    fn end(&self) -> HandlerResult<Text> {
        let Some(root) = self.part.recorded.root() else {
            return Err(self.misfit("it has ended, and has no root"));
        };
        self.ctx.set(names::ENDED, Text(root.status.to_string()));
        if root.status == Status::Done {
            let output = root.output.as_ref().map_or("null", steps_core::Json::get);
            return Ok(Text(output.to_owned()));
        }
        let state = self.part.recorded.state();
        let state = state.map_err(|error| self.misfit(&error.to_string()))?;
        let failure = Failure::of_ended::<F>(state.unwrap_or_default());
        Err(TerminalError::new_with_code(NOT_DONE, failure.to_string()).into())
    }
}

/// The code of an execution that has ended and is not done.
const NOT_DONE: u16 = 500;
