//! Answers of the API server: whole ones, and those to a watch, which go on.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Mutex,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The body of an answer.
pub(crate) enum Answer {
    Whole(Option<Bytes>),
    Watch(UnboundedReceiver<Bytes>),
}

impl Answer {
    pub(crate) fn whole(value: &Value) -> Self {
        Self::Whole(Some(value.to_string().into()))
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let data = match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take()),
            Self::Watch(lines) => lines.poll_recv(cx),
        };
        data.map(|data| data.map(|data| Ok(Frame::data(data))))
    }
}

/// Who watches the objects of the custom resource.
#[derive(Default)]
pub(crate) struct Watchers(Mutex<Vec<UnboundedSender<Bytes>>>);

impl Watchers {
    pub(crate) fn watch(&self, path: &str) -> Answer {
        assert!(path.ends_with("/databases"), "{path}");
        let (sender, receiver) = unbounded_channel();
        self.0.lock().unwrap().push(sender);
        Answer::Watch(receiver)
    }

    pub(crate) fn tell(&self, path: &str, what: &str, object: &Value) {
        if path.contains("/databases") {
            let line = format!("{}\n", json!({ "type": what, "object": object }));
            let mut watchers = self.0.lock().unwrap();
            watchers.retain(|watcher| watcher.send(line.clone().into()).is_ok());
        }
    }
}
