//! The children of an execution: what the recorder does with what the interpreter has recorded of them.
//!
//! A child is a workflow of its own, whose key is the child's id. It is sent for right after the entry that says so, by a
//! command of Restate's own journal, and so just once. Its end is asked for by a handler on its side, `joined`, that answers
//! when it has come; and it is taken back by another one, `take_back`. Both are asked between passes only: while steps run,
//! nothing is waited for besides their records.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use restate_sdk::{
    context::InvocationHandle,
    errors::{HandlerResult, TerminalError},
};
use steps_core::{
    Children, Flow, Json,
    journal::{ChildStart, ChildWait},
};

use super::{
    child, names,
    part::{self, Child},
    requests::is_cancelled,
    run::Recorder,
    supervise::To,
    waits::What,
};

/// What is known of the children besides [`Part::children`](super::part::Part): it is asked for anew by another part.
#[derive(Default)]
pub(super) struct Family {
    /// Those that were sent for, and whose invocations are not known yet.
    sent: BTreeMap<String, (ChildStart, Sent)>,
    /// What came of taking them back.
    taken_back: BTreeMap<String, Result<(), String>>,
}

type Sent = BoxFuture<'static, Result<InvocationHandle, TerminalError>>;

impl<F: Flow> Recorder<'_, F>
where
    F::Owned: Send + Sync,
{
    /// Sends for the children that an entry starts.
    pub(super) fn start_children(&mut self, children: Vec<ChildStart>) {
        for start in children {
            let sent = self.send_for(&start);
            let child = Child {
                flow: start.flow.clone(),
                invocation: String::new(),
                end: None,
            };
            self.part.children.insert(start.id.clone(), child);
            self.family.sent.insert(start.id.clone(), (start, sent));
        }
    }

    fn send_for(&mut self, start: &ChildStart) -> Sent {
        self.entries += 1;
        self.bytes += start.input.get().len();
        let to = To {
            flow: &start.flow,
            key: &start.id,
            handler: names::RUN,
        };
        let input = part::of_child(&self.part.id, &start.input);
        // A replay may send another delay: Restate keeps the first.
        let delay = start.begins.map(|begins| {
            let left = begins.duration_since(Timestamp::now());
            Duration::try_from(left).unwrap_or_default()
        });
        to.send(self.ctx, input, delay).into_future()
    }

    /// Waits until the invocations of the children that were sent for are known. Nothing of the execution runs.
    pub(super) async fn settle_children(&mut self) -> HandlerResult<()> {
        while let Some((id, (start, mut sent))) = self.family.sent.pop_first() {
            let invocation = loop {
                match sent.await {
                    Ok(invocation) => break invocation.invocation_id().to_owned(),
                    Err(error) if is_cancelled(&error) => {
                        self.is_cancelled().await;
                        sent = self.send_for(&start);
                    }
                    Err(error) => return Err(error.into()),
                }
            };
            if let Some(child) = self.part.children.get_mut(&id) {
                child.invocation = invocation;
            }
        }
        Ok(())
    }

    /// Asks for what is to be told of children, as far as that was not done: how each has ended, and of those that are to be
    /// taken back, that they are.
    pub(super) async fn ask_children(&mut self) -> HandlerResult<()> {
        let mut asked = Vec::new();
        for what in self.awaited_of_children() {
            if !self.waits.has(&what)
                && let Some((to, input)) = self.question(&what)
            {
                let sent = to.send(self.ctx, input, None).into_future();
                self.entries += 2;
                asked.push((what, sent));
            }
        }
        for (what, mut sent) in asked {
            loop {
                match sent.await {
                    Ok(invocation) => {
                        let invocation = invocation.invocation_id().to_owned();
                        self.waits.attach(self.ctx, what, invocation);
                        break;
                    }
                    Err(error) if is_cancelled(&error) => {
                        self.is_cancelled().await;
                        let Some((to, input)) = self.question(&what) else {
                            break;
                        };
                        sent = to.send(self.ctx, input, None).into_future();
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    fn question<'a>(&'a self, what: &'a What) -> Option<(To<'a>, String)> {
        let (id, handler) = match what {
            What::End(id) => (id, names::JOINED),
            What::Back(id) => (id, names::TAKE_BACK),
            What::Signal(_) | What::Report(..) => return None,
        };
        let Child {
            flow, invocation, ..
        } = self.part.children.get(id)?;
        let to = To {
            flow,
            key: id,
            handler,
        };
        Some((to, child::asked(&self.part.id, invocation)))
    }

    /// Returns what is waited for of the children: the ends of all, so that they are here when they are joined.
    pub(super) fn awaited_of_children(&self) -> Vec<What> {
        let children = self.part.children.iter();
        let go_on = children.filter(|(_, child)| child.end.is_none());
        let ends = go_on.map(|(id, _)| What::End(id.clone()));
        let backs = self.part.recorded.children().filter_map(|wait| match wait {
            ChildWait::TakenBack(id) if self.is_to_be_taken_back(&id) => Some(What::Back(id)),
            _ => None,
        });
        ends.chain(backs).collect()
    }

    fn is_to_be_taken_back(&self, id: &str) -> bool {
        self.part.children.contains_key(id) && !self.family.taken_back.contains_key(id)
    }

    /// A child has ended. Returns whether the interpreter waits for that.
    pub(super) fn child_ended(&mut self, id: &str, answer: String) -> bool {
        let end = Json::parse(answer).or_else(|why| Json::parse(child::lost(&why.to_string())));
        let Ok(end) = end else {
            return false;
        };
        if let Some(live) = &self.live {
            tell_end(&live.children, id, &end);
        }
        self.bytes += end.get().len();
        if let Some(child) = self.part.children.get_mut(id) {
            child.end = Some(end);
        }
        self.is_awaited(&ChildWait::End(id.to_owned()))
    }

    /// A child is taken back, or can't be. Returns whether the interpreter waits for that.
    pub(super) fn child_taken_back(&mut self, id: String, result: Result<(), String>) -> bool {
        if let Some(live) = &self.live {
            live.children.taken_back(&id, result.clone());
        }
        self.family.taken_back.insert(id.clone(), result);
        self.is_awaited(&ChildWait::TakenBack(id))
    }

    fn is_awaited(&self, wait: &ChildWait) -> bool {
        self.part.recorded.children().any(|other| other == *wait)
    }

    /// Returns the children as an interpreter is to know them.
    pub(super) fn known_children(&self) -> Children {
        let known = Children::new();
        for (id, child) in &self.part.children {
            known.started(id);
            if let Some(end) = &child.end {
                tell_end(&known, id, end);
            }
        }
        for (id, result) in &self.family.taken_back {
            known.taken_back(id, result.clone());
        }
        known
    }
}

fn tell_end(children: &Children, id: &str, end: &Json) {
    match child::end(end) {
        Ok(output) => children.done(id, output),
        Err(why) => children.failed(id, why),
    }
}
