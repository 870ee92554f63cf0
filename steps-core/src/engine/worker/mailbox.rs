//! The messages that arrive for one execution during its turn, until its run gets them.
//!
//! A request (stop, undo, suspend) is passed on at once. A signal is given to its step as soon as
//! the step waits for it: during a pass if other steps still run beside the waiting one, otherwise
//! between two passes. Both are kept here until there is a run and, for a signal, until its step
//! waits.

use std::sync::{Arc, Mutex};

use super::turn_journal::TurnJournal;
use crate::{
    base::{json::Json, sync::lock},
    interpreter::{Request, RunCore},
    store::Message,
};

/// The messages of one turn. Its lock is taken before the locks of the journal and of the run.
pub(crate) struct Mailbox {
    journal: Arc<TurnJournal>,
    contents: Mutex<Contents>,
}

#[derive(Default)]
struct Contents {
    /// The run, once there is one.
    run: Option<Arc<RunCore>>,
    /// Signals whose steps do not wait for them yet: number, path, value.
    signals: Vec<(i64, String, Json)>,
    /// The greatest request since the last pass.
    request: Option<Request>,
    /// Whether a pass is under way.
    in_pass: bool,
    /// Whether a signal was given to its step since the pass began.
    signal_given: bool,
    /// Whether the turn has ended.
    closed: bool,
}

impl Mailbox {
    pub(crate) fn new(journal: Arc<TurnJournal>) -> Self {
        Self {
            journal,
            contents: Mutex::default(),
        }
    }

    /// Takes a message; a message that arrived before is ignored. Returns `false` if the turn has
    /// ended and its end was reported. In this case the message has made the execution due again.
    pub(crate) fn deliver(&self, number: i64, message: Message) -> bool {
        let mut contents = lock(&self.contents);
        if contents.closed {
            return false;
        }
        if !self.journal.message_came(number) {
            return true;
        }
        match message {
            Message::Signal { path, value } => {
                // During a pass, the waiting step gets it now and does not wait for the steps that
                // run beside it.
                let run = contents.run.as_ref().filter(|_| contents.in_pass);
                if run.is_some_and(|run| run.signal(&path, &value)) {
                    self.journal.signal_given(number);
                    contents.signal_given = true;
                } else {
                    contents.signals.push((number, path, value));
                }
            }
            Message::Stop => {
                self.journal.request_came(number, message);
                contents.request(Request::Stop);
            }
            Message::Undo => {
                self.journal.request_came(number, message);
                contents.request(Request::Undo);
            }
        }
        true
    }

    /// Passes a request to the run, now or when the run begins.
    pub(crate) fn request(&self, request: Request) {
        lock(&self.contents).request(request);
    }

    /// Connects the run, and passes on the request that arrived before it.
    pub(crate) fn connect(&self, run: &Arc<RunCore>) {
        let mut contents = lock(&self.contents);
        if let Some(request) = contents.request {
            run.requests.send(request);
        }
        contents.run = Some(Arc::clone(run));
    }

    /// A pass begins: from now on a waiting step gets its signal as soon as the signal arrives.
    pub(crate) fn pass_begins(&self) {
        lock(&self.contents).in_pass = true;
    }

    /// No pass is running: each signal that has arrived goes to its step, if the step waits for it.
    /// Returns whether another pass has something to do.
    pub(crate) fn pass_ended(&self, run: &RunCore) -> bool {
        let mut contents = lock(&self.contents);
        contents.in_pass = false;
        self.journal.looked_at_messages();
        let before = contents.signals.len();
        contents.signals.retain(|(number, path, value)| {
            let given = run.signal(path, value);
            if given {
                self.journal.signal_given(*number);
            }
            !given
        });
        let given = std::mem::take(&mut contents.signal_given);
        let requested = contents.request.take().is_some();
        requested || given || contents.signals.len() < before
    }

    /// Closes the mailbox at the end of the turn, and calls `tell` with whether a message arrived
    /// too late for the turn. No message is accepted between the two.
    pub(crate) fn close(&self, tell: impl FnOnce(bool)) {
        let mut contents = lock(&self.contents);
        contents.closed = true;
        tell(self.journal.has_late_message());
    }
}

impl Contents {
    fn request(&mut self, request: Request) {
        self.request = self.request.max(Some(request));
        if let Some(run) = &self.run {
            run.requests.send(request);
        }
    }
}
