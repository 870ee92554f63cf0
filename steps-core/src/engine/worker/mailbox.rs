//! What has come for one execution while its turn runs, until the run has it.
//!
//! A request (stop, undo, suspend) is passed on at once. A signal is given to its step as soon as
//! that waits: during a pass where the step waits beside others that run, otherwise between two
//! passes. Before there is a run, and until the step waits, both are kept here.

use std::sync::{Arc, Mutex};

use super::turn_journal::TurnJournal;
use crate::{
    base::{json::Json, sync::lock},
    interpreter::{Request, RunCore},
    store::Message,
};

/// The messages of one turn. Its lock is taken before that of the journal, and before those of the
/// run.
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
    /// The greatest request that has come since the last pass.
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

    /// Takes a message. One that has come before is passed over. Returns `false` if the turn has
    /// ended, and has been told of: then the message has made the execution due again.
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
                // A step that waits beside one that runs need not wait for the end of that.
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

    /// Passes a request on to the run, now or when it begins.
    pub(crate) fn request(&self, request: Request) {
        lock(&self.contents).request(request);
    }

    /// Connects the run, and passes on what was requested before there was one.
    pub(crate) fn connect(&self, run: &Arc<RunCore>) {
        let mut contents = lock(&self.contents);
        if let Some(request) = contents.request {
            run.requests.send(request);
        }
        contents.run = Some(Arc::clone(run));
    }

    /// A pass begins: from now on a signal is given to a step that waits for it as soon as it comes.
    pub(crate) fn pass_begins(&self) {
        lock(&self.contents).in_pass = true;
    }

    /// No pass is under way: each signal that has come goes to its step, if that waits for it.
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

    /// Closes the mailbox at the end of the turn, and calls `tell` with whether a message came too
    /// late for it. No message comes between the two.
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
