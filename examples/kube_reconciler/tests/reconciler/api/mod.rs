//! What the tests hold: an API server with a namespace for one test, the client of a controller, in whose way
//! something can happen, and what a user would see and change.
//!
//! | module | has |
//! |---|---|
//! | `front` | what happens at a request of the controller |
//! | `part` | the objects that tests look at |
//! | `process` | a controller that is a process of its own, which can be killed |

mod front;
mod part;
mod process;

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use http::{Method, Request};
use kube::Client;
use serde_json::{Value, json};

use crate::server::Server;
use front::Front;

pub(crate) use front::{At, refusal};
pub(crate) use part::{DATABASE, PARTS, Part, SECRET, SERVER, SERVICE, VOLUME};
pub(crate) use process::Process;

#[derive(Clone)]
pub(crate) struct Api(Arc<Inner>);

struct Inner {
    server: Server,
    front: Mutex<Front>,
}

/// Waits until it is so.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_mins(2), wait).await;
    waited.unwrap_or_else(|_| panic!("after two minutes not yet: {what}"));
}

impl Api {
    pub(crate) async fn start() -> Self {
        Self(Arc::new(Inner {
            server: Server::start().await,
            front: Mutex::default(),
        }))
    }

    /// A client of the controller.
    pub(crate) fn client(&self) -> Client {
        let api = self.clone();
        let service = tower::service_fn(move |request| {
            let api = api.clone();
            async move { api.answer(request).await }
        });
        Client::new(service, self.namespace())
    }

    /// A client of somebody who may do everything, in whose way nothing is.
    pub(crate) fn user(&self) -> Client {
        self.0.server.user.clone()
    }

    /// What the server lets the controller do, with nothing in the way.
    pub(crate) fn controller(&self) -> &Client {
        &self.0.server.controller
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.0.server.namespace
    }

    fn front(&self) -> MutexGuard<'_, Front> {
        self.0.front.lock().unwrap()
    }

    /// Counts the writes of statuses anew, and lets something happen at one.
    pub(crate) fn at(&self, at: At) {
        let mut front = self.front();
        front.at = Some(at);
        front.died = Arc::default();
        front.status_writes = 0;
    }

    pub(crate) fn nothing_happens(&self) {
        self.front().at = None;
    }

    /// Refuses to let this object be deleted; with `None`, nothing.
    pub(crate) fn keep(&self, part: Option<Part>) {
        self.front().keeps = part;
    }

    /// How often a status was to be written since [`at`](Self::at), or since the beginning.
    pub(crate) fn status_writes(&self) -> usize {
        self.front().status_writes
    }

    /// Takes what the controller has written apart from statuses and events.
    pub(crate) fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.front().log)
    }

    /// Runs until the controller dies at a write.
    pub(crate) async fn until_death<T>(&self, run: impl Future<Output = T>) {
        let ended = self.unless_it_dies(run).await;
        assert!(ended.is_none(), "it should have died at a write");
        self.nothing_happens();
    }

    /// Runs to the end, or returns `None` if the controller dies at a write.
    pub(crate) async fn unless_it_dies<T>(&self, run: impl Future<Output = T>) -> Option<T> {
        let died = self.front().died.clone();
        tokio::select! {
            () = died.notified() => None,
            ended = run => Some(ended),
            () = tokio::time::sleep(Duration::from_mins(2)) => panic!("it hangs"),
        }
    }

    /// A request of somebody who may do everything.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Value, kube::Error> {
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        let request = Request::builder().method(method).uri(path);
        let request = request.header("content-type", "application/json");
        let request = request.body(body).expect("a request");
        self.user().request(request).await
    }

    pub(crate) async fn get(&self, part: Part) -> Option<Value> {
        let path = part.path(self.namespace());
        match self.ask(Method::GET, &path, &Value::Null).await {
            Ok(object) => Some(object),
            Err(kube::Error::Api(status)) if status.is_not_found() => None,
            Err(error) => panic!("{path}: {error}"),
        }
    }

    /// Changes an object as another client would, which tries again if somebody else has changed it meanwhile.
    pub(crate) async fn change(&self, part: Part, change: impl Fn(&mut Value)) {
        loop {
            match self.try_to_change(part, &change).await {
                Ok(()) => return,
                Err(kube::Error::Api(status)) if status.is_conflict() => {}
                Err(error) => panic!("{part}: {error}"),
            }
        }
    }

    async fn try_to_change(
        &self,
        part: Part,
        change: impl Fn(&mut Value),
    ) -> Result<(), kube::Error> {
        let before = self.get(part).await.expect("there is such an object");
        let mut object = before.clone();
        change(&mut object);
        let path = part.path(self.namespace());
        if object["status"] != before["status"] {
            let path = format!("{path}/status");
            let put = self.ask(Method::PUT, &path, &object).await?;
            // Each of the two writes has its part of the object, and leaves the other one.
            object["metadata"]["resourceVersion"] = put["metadata"]["resourceVersion"].clone();
        }
        let rest = |object: &Value| {
            let mut object = object.clone();
            object["status"] = Value::Null;
            object["metadata"]["resourceVersion"] = Value::Null;
            object
        };
        if rest(&object) != rest(&before) {
            self.ask(Method::PUT, &path, &object).await?;
        }
        Ok(())
    }

    /// Deletes an object, finalizers and all, and makes another one of its name.
    pub(crate) async fn replace(&self, part: Part) {
        self.change(part, |object| {
            object["metadata"]["finalizers"] = json!([]);
        })
        .await;
        let object = self.get(part).await.expect("it is there");
        let path = part.path(self.namespace());
        let deleted = self.ask(Method::DELETE, &path, &Value::Null).await;
        deleted.expect("it is deleted");
        let mut new = object.clone();
        let metadata = &object["metadata"];
        new["metadata"] = json!({ "name": metadata["name"], "labels": metadata["labels"] });
        new["status"] = Value::Null;
        let list = part.list(self.namespace());
        let made = self.ask(Method::POST, &list, &new).await;
        let made = made.expect("another one is made");
        assert_ne!(made["metadata"]["uid"], metadata["uid"]);
    }

    /// Kind and name of all objects of the kinds that matter.
    pub(crate) async fn parts(&self) -> Vec<String> {
        let mut all = Vec::new();
        for part in PARTS {
            for item in self.list(&part.list(self.namespace())).await {
                let name = item["metadata"]["name"].as_str().expect("a name");
                all.push(format!("{}/{name}", part.plural()));
            }
        }
        all
    }

    /// The reasons and notes of all events, the oldest first.
    pub(crate) async fn events(&self) -> Vec<(String, String)> {
        let events = self.event_objects().await;
        let text = |event: &Value, field: &str| event[field].as_str().unwrap_or("").to_owned();
        let events = events.iter();
        events
            .map(|event| (text(event, "reason"), text(event, "note")))
            .collect()
    }

    /// All events, the oldest first.
    pub(crate) async fn event_objects(&self) -> Vec<Value> {
        let namespace = self.namespace();
        let path = format!("/apis/events.k8s.io/v1/namespaces/{namespace}/events");
        let mut events = self.list(&path).await;
        events.sort_by_key(|event| event["eventTime"].as_str().map(str::to_owned));
        events
    }

    async fn list(&self, path: &str) -> Vec<Value> {
        let mut list = self
            .ask(Method::GET, path, &Value::Null)
            .await
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        serde_json::from_value(list["items"].take()).expect("a list")
    }
}
