//! Answers of the API server in memory: whole ones, and those to a watch, which go on.

use std::{
    pin::Pin,
    sync::Mutex,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The body of an answer.
pub(super) enum Answer {
    Other(kube::client::Body),
    Watch(UnboundedReceiver<Bytes>),
}

impl Answer {
    pub(super) fn whole(value: &Value) -> Self {
        Self::Other(value.to_string().into_bytes().into())
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = kube::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, kube::Error>>> {
        match self.get_mut() {
            Self::Other(body) => Pin::new(body).poll_frame(cx),
            Self::Watch(lines) => {
                let line = lines.poll_recv(cx);
                line.map(|line| line.map(|line| Ok(Frame::data(line))))
            }
        }
    }
}

/// What became of the objects of the custom resource, and who is told of it.
#[derive(Default)]
pub(super) struct Watchers(Mutex<Told>);

#[derive(Default)]
struct Told {
    /// With the version of each.
    lines: Vec<(u64, Bytes)>,
    watchers: Vec<UnboundedSender<Bytes>>,
}

impl Watchers {
    /// Tells what has come after this version and what comes.
    pub(super) fn watch(&self, path: &str, after: u64) -> Answer {
        assert!(path.ends_with("/databases"), "{path}");
        let (sender, receiver) = unbounded_channel();
        let mut told = self.0.lock().unwrap();
        for (_, line) in told.lines.iter().filter(|(version, _)| *version > after) {
            sender.send(line.clone()).expect("the receiver is here");
        }
        told.watchers.push(sender);
        Answer::Watch(receiver)
    }

    pub(super) fn tell(&self, path: &str, version: u64, what: &str, object: &Value) {
        if path.contains("/databases") {
            let line = format!("{}\n", json!({ "type": what, "object": object }));
            let line = Bytes::from(line);
            let mut told = self.0.lock().unwrap();
            let watchers = &mut told.watchers;
            watchers.retain(|watcher| watcher.send(line.clone()).is_ok());
            told.lines.push((version, line));
        }
    }
}
