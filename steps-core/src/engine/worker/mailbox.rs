//! The messages that arrive for one execution during its turn, until its run gets them.
//!
//! A request (stop, undo, suspend) is passed on at once, or kept here until there is a run. A signal
//! goes to the run's queue, from which its step takes it: when the step begins to wait; during a
//! pass, if other steps still run beside the waiting one; or between two passes.

use std::sync::{Arc, Mutex};

use super::turn_journal::TurnJournal;
use crate::{
    base::sync::lock,
    interpreter::{QueuedReport, Request, RunCore, Signal, SignalQueue},
    model::{signal::Target, task::TaskReport},
    store::{Message, Queue},
};

/// The messages of one turn. Its lock is taken before the locks of the journal and of the run.
pub(crate) struct Mailbox {
    journal: Arc<TurnJournal>,
    /// The signals that no step has taken.
    pub(super) signals: Arc<SignalQueue>,
    contents: Mutex<Contents>,
}

/// How a message arrives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// With all others that were sent before it: by a claim or a renewal. It need not say that it
    /// replaced others: the store refuses that a signal is taken that is not there any more.
    Listed,
    /// From its sender in this process.
    Direct(Queue),
}

#[derive(Default)]
struct Contents {
    /// The run, once there is one.
    run: Option<Arc<RunCore>>,
    /// The requests since the last pass.
    requests: Vec<Request>,
    /// The children that ended before there was a run.
    ended_children: Vec<String>,
    /// Whether the turn has ended.
    closed: bool,
    /// Whether a child has ended since the last pass.
    has_child_news: bool,
    /// Whether the execution has gone on since this turn's last write.
    goes_on: bool,
}

impl Mailbox {
    pub(crate) fn new(journal: Arc<TurnJournal>) -> Self {
        Self {
            journal,
            signals: Arc::default(),
            contents: Mutex::default(),
        }
    }

    /// Takes a message; a message that arrived before is ignored. Returns `false` if the turn has
    /// ended and its end was reported. In this case the message has made the execution due again.
    pub(crate) fn deliver(&self, number: i64, message: Message, arrival: Arrival) -> bool {
        let mut contents = lock(&self.contents);
        if contents.closed {
            return false;
        }
        if !self
            .journal
            .message_came(number, arrival == Arrival::Listed)
        {
            return true;
        }
        match message {
            Message::Signal { path, value } => {
                let signal = Signal {
                    number: Some(number),
                    target: Target::parse(&path),
                    value,
                };
                match arrival {
                    Arrival::Direct(Queue::Replace) => self.signals.replace(signal),
                    Arrival::Direct(Queue::Behind(_)) | Arrival::Listed => {
                        self.signals.push(signal);
                    }
                }
                if let Some(run) = &contents.run {
                    run.requests.signal_came();
                }
            }
            Message::Report { task, report } => {
                let report = TaskReport::from_json(report.get()).ok();
                let reports = &self.signals.reports;
                reports.push(QueuedReport::new(Some(number), task, report));
                if let Some(run) = &contents.run {
                    run.requests.signal_came();
                }
            }
            Message::Stop => {
                self.journal.request_came(number, message);
                contents.request(Request::Stop);
            }
            Message::ChildEnded { child } => {
                self.journal.child_news_came(number);
                contents.child_ended(child);
            }
            Message::Undo => {
                self.journal.request_came(number, message);
                contents.request(Request::Undo);
            }
        }
        true
    }

    /// Takes in that a child has ended in this process, before the message that says so comes.
    pub(crate) fn child_ended(&self, child: &str) {
        lock(&self.contents).child_ended(child.to_owned());
    }

    /// Passes a request to the run, now or when the run begins.
    pub(crate) fn request(&self, request: Request) {
        lock(&self.contents).request(request);
    }

    /// Returns the run, once there is one.
    pub(super) fn run(&self) -> Option<Arc<RunCore>> {
        lock(&self.contents).run.clone()
    }

    /// Connects the run, and passes on the requests that arrived before it.
    pub(crate) fn connect(&self, run: &Arc<RunCore>) {
        let contents = &mut *lock(&self.contents);
        for request in &contents.requests {
            run.requests.send(*request);
        }
        for child in contents.ended_children.drain(..) {
            run.child_ended(child);
        }
        contents.run = Some(Arc::clone(run));
    }

    /// No pass is running: each signal that has arrived goes to its step, if the step waits for it.
    /// Returns whether another pass has something to do.
    pub(crate) fn pass_ended(&self, run: &RunCore) -> bool {
        let mut contents = lock(&self.contents);
        self.journal.looked_at_messages();
        let given = run.deliver() | run.was_given();
        let requested = !contents.requests.is_empty();
        contents.requests.clear();
        requested || given || std::mem::take(&mut contents.has_child_news)
    }

    /// Notes that the execution goes on after this turn, whose end is then no end of the execution.
    pub(super) fn goes_on(&self) {
        lock(&self.contents).goes_on = true;
    }

    /// Closes the mailbox at the end of the turn, and calls `tell` with whether the execution goes on:
    /// a message arrived too late for the turn, or somebody has changed it since. No message is
    /// accepted between the two.
    pub(crate) fn close(&self, tell: impl FnOnce(bool)) {
        let mut contents = lock(&self.contents);
        contents.closed = true;
        tell(contents.goes_on || self.journal.has_late_message());
    }
}

impl Contents {
    fn child_ended(&mut self, child: String) {
        self.has_child_news = true;
        match &self.run {
            Some(run) => run.child_ended(child),
            None => self.ended_children.push(child),
        }
    }

    fn request(&mut self, request: Request) {
        self.requests.push(request);
        if let Some(run) = &self.run {
            run.requests.send(request);
        }
    }
}
