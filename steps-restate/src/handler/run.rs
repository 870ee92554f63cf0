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
    Flow,
    journal::{Entry, PassEnd},
};

use super::{
    child,
    family::Family,
    live::{Begin, Live},
    names,
    part::Part,
    requests::{asked, is_cancelled},
    shown::Shown,
    tasks::{self, Tasks},
    waits::{Came, Waits, What},
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
    let mut part = Part::read(meta.key, input.0)?;
    let mut tasks = Tasks::default();
    tasks.note(ctx, &mut part);
    if let Some(parent) = &part.parent {
        ctx.set(names::PARENT, Text(parent.clone()));
    }
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
        tasks,
        family: Family::default(),
        limits: None,
        entries: 0,
        bytes: 0,
        cancelled: 0,
        unheard: false,
        suspended: false,
        stays: false,
        due_by: None,
    };
    recorder.run().await
}

pub(super) struct Recorder<'a, F: Flow> {
    served: &'a Arc<Served<F>>,
    pub(super) ctx: &'a ContextInternal,
    pub(super) part: Part,
    /// What was recorded of an entry that is not complete.
    pieces: Pieces,
    shown: Shown,
    offers: Arc<Offers>,
    /// The interpreter, once something is to be done that is not recorded.
    pub(super) live: Option<Live>,
    pub(super) waits: Waits,
    tasks: Tasks,
    pub(super) family: Family,
    /// The limits that were recorded with the first entry.
    pub(super) limits: Option<PartLimits>,
    /// How many entries this part has, and how many bytes are in them.
    pub(super) entries: usize,
    pub(super) bytes: usize,
    /// How often the invocation was cancelled.
    pub(super) cancelled: u64,
    /// Whether it was since the last pass began, which may have looked for requests before that.
    unheard: bool,
    /// Whether the interpreter is to come to a halt, as another part follows.
    pub(super) suspended: bool,
    /// Whether no other part can follow.
    pub(super) stays: bool,
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
            let children = entry.children().to_vec();
            self.part.recorded.add(entry);
            self.start_children(children);
            self.tasks.note(self.ctx, &mut self.part);
            if end.is_some() {
                self.settle_children().await?;
            }
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
            reports: &self.part.reports,
            children: self.known_children(),
            suspended: self.suspended,
        };
        Ok(Live::new(self.served, &self.offers, begin))
    }

    /// The error of an execution that can't go on with this program. Restate tries again, and in the end lets the invocation
    /// pause, until somebody resumes it: with a program that fits, it goes on.
    pub(super) fn misfit(&self, why: &str) -> HandlerError {
        let (id, flow) = (&self.part.id, F::TABLE.name);
        format!("the execution `{id}` of `{flow}` can't go on with this program: {why}").into()
    }

    pub(super) async fn is_cancelled(&mut self) {
        self.cancelled += 1;
        self.unheard = true;
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

    /// Waits for whatever comes first that the interpreter waits for, and lets it go on.
    async fn wait(&mut self, until: Option<Timestamp>, signals: &[String]) -> HandlerResult<()> {
        let first = (self.part.number > 1).then(|| self.part.id.clone());
        loop {
            self.ask_children().await?;
            if self.unheard {
                break;
            }
            let mut whats: Vec<_> = signals.iter().cloned().map(What::Signal).collect();
            let Part {
                recorded, received, ..
            } = &self.part;
            whats.extend(tasks::awaited(recorded, received));
            whats.extend(self.awaited_of_children());
            if until.is_none() && whats.is_empty() {
                return Err(self.misfit("it waits for nothing that can come"));
            }
            self.entries += 2;
            let waits = &mut self.waits;
            let came = waits
                .until(self.ctx, first.as_deref(), until, &whats)
                .await?;
            if self.take(came).await? {
                break;
            }
        }
        self.unheard = false;
        if self.live.is_some() {
            self.offers.let_pass();
        }
        Ok(())
    }

    /// Takes what has come. Returns whether the interpreter can go on by it.
    async fn take(&mut self, came: Came) -> HandlerResult<bool> {
        match came {
            Came::Time(time) => {
                // The timer is Restate's, whose clock may be ahead.
                if Timestamp::now() < time {
                    self.let_go();
                }
                self.due_by = Some(time);
            }
            Came::It(What::Signal(path), value) => self.signal(path, value)?,
            Came::It(What::Report(task, number), report) => self.report(task, number, &report),
            Came::It(What::End(id), end) => return Ok(self.child_ended(&id, end)),
            Came::It(What::Back(id), answer) => {
                return Ok(self.child_taken_back(id, child::taken_back(&answer)));
            }
            Came::Failed(What::Back(id), why) => {
                return Ok(self.child_taken_back(id, Err(why)));
            }
            Came::Failed(What::End(id), why) => {
                return Ok(self.child_ended(&id, child::lost(&why)));
            }
            Came::Cancelled => self.is_cancelled().await,
            Came::Failed(What::Signal(_) | What::Report(..), _) | Came::Nothing => {}
        }
        Ok(true)
    }

    fn signal(&mut self, path: String, value: String) -> HandlerResult<()> {
        let value = steps_core::Json::parse(value);
        let value = value.map_err(|error| self.misfit(&error.to_string()))?;
        self.bytes += value.get().len();
        if let Some(live) = &self.live {
            let sent = live.signals.send_json(&path, value.clone());
            sent.map_err(|error| self.misfit(&error.to_string()))?;
        }
        self.part.given.push((path, value));
        Ok(())
    }

    fn report(&mut self, task: String, number: usize, text: &str) {
        self.bytes += text.len();
        self.part.received.insert(task.clone(), number + 1);
        let Some((id, report)) = tasks::read(&self.part.id, &task, text) else {
            return;
        };
        if let Some(live) = &self.live {
            // It counts if the step can take it.
            let _ = live.signals.report(&id, report.clone());
        }
        self.part.reports.push((task, report));
    }

    /// Lets the interpreter go: another one is made when it is needed.
    fn let_go(&mut self) {
        self.live = None;
        self.offers = Arc::new(Offers::new(self.served.limits_of_parts.entry));
    }
}
