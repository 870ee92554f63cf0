//! An API server in memory, in this process: as much of one as the controller uses.
//!
//! It keeps objects, raises `resourceVersion` and `generation`, refuses what is over an old version, keeps what has
//! finalizers until they are removed, and refuses what etcd would refuse. Tests look into it, and let something
//! happen at a write.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    future::pending,
    sync::{Arc, Mutex},
};

use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use kube::{Client, client::Body};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::watch::{Answer, Watchers};

/// What happens at a write of a status, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// The controller dies before the server has it.
    DiesBefore(usize),
    /// The controller dies after the server has it, and before it hears of it.
    DiesAfter(usize),
    /// Somebody puts a label on the object just before.
    Labelled(usize),
    /// Another controller has saved just before.
    OtherPass(usize),
    /// The object is deleted, finalizers and all, and one of its name is made just before.
    Replaced(usize),
    /// The server answers that it can't now.
    Unavailable(usize),
}

#[derive(Clone, Default)]
pub(crate) struct Api(Arc<Server>);

#[derive(Default)]
struct Server {
    objects: Mutex<Objects>,
    at: Mutex<Option<At>>,
    /// What may not be deleted.
    keeps: Mutex<Option<String>>,
    died: Notify,
    watchers: Watchers,
}

#[derive(Default)]
struct Objects {
    /// By path.
    all: BTreeMap<String, Value>,
    version: u64,
    status_writes: usize,
    /// Method and path of each write but those of statuses and events.
    log: Vec<String>,
    events: Vec<(String, String)>,
}

/// The most bytes of an object, as etcd has it.
const MAX_OBJECT: usize = 1_536 * 1024;

type Answered = Result<Value, (StatusCode, &'static str, String)>;

fn refused(code: u16, reason: &'static str, message: impl Into<String>) -> Answered {
    Err((
        StatusCode::from_u16(code).expect("a code"),
        reason,
        message.into(),
    ))
}

impl Api {
    /// A client whose network is this server.
    pub(crate) fn client(&self) -> Client {
        let api = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let api = api.clone();
            async move { Ok::<_, Infallible>(api.answer(request).await) }
        });
        Client::new(service, "default")
    }

    pub(crate) fn at(&self, at: At) {
        *self.0.at.lock().unwrap() = Some(at);
        self.0.objects.lock().unwrap().status_writes = 0;
    }

    pub(crate) fn nothing_happens(&self) {
        *self.0.at.lock().unwrap() = None;
    }

    /// Runs until the controller dies at a write.
    pub(crate) async fn until_death<T>(&self, run: impl Future<Output = T>) {
        tokio::select! {
            _ = run => panic!("it should have died at a write"),
            () = self.0.died.notified() => {}
            () = tokio::time::sleep(std::time::Duration::from_mins(1)) => panic!("it hangs"),
        }
        self.nothing_happens();
    }

    /// Refuses to delete this object; with `None`, nothing.
    pub(crate) fn keep(&self, path: Option<&str>) {
        *self.0.keeps.lock().unwrap() = path.map(str::to_owned);
    }

    pub(crate) fn get(&self, path: &str) -> Option<Value> {
        self.0.objects.lock().unwrap().all.get(path).cloned()
    }

    /// Changes an object as another client would.
    pub(crate) fn change(&self, path: &str, change: impl FnOnce(&mut Value)) {
        let mut objects = self.0.objects.lock().unwrap();
        let mut object = objects
            .all
            .get(path)
            .expect("there is such an object")
            .clone();
        change(&mut object);
        objects.put(path, object).expect("it is not too large");
        drop(objects);
        self.0
            .watchers
            .tell(path, "MODIFIED", &self.get(path).unwrap_or_default());
    }

    /// The paths of all objects.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.0.objects.lock().unwrap().all.keys().cloned().collect()
    }

    /// How often a status was to be written since [`at`](Self::at), or since the beginning.
    pub(crate) fn status_writes(&self) -> usize {
        self.0.objects.lock().unwrap().status_writes
    }

    /// Takes what was written apart from statuses and events.
    pub(crate) fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.0.objects.lock().unwrap().log)
    }

    /// The reasons and notes of all events.
    pub(crate) fn events(&self) -> Vec<(String, String)> {
        self.0.objects.lock().unwrap().events.clone()
    }

    async fn answer(&self, request: Request<Body>) -> Response<Answer> {
        let (head, body) = request.into_parts();
        let body = body
            .collect()
            .await
            .expect("the body of a request")
            .to_bytes();
        let path = head.uri.path().to_owned();
        if head
            .uri
            .query()
            .is_some_and(|query| query.contains("watch=true"))
        {
            return Response::new(self.0.watchers.watch(&path));
        }
        let body: Value = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&body).expect("JSON")
        };
        let is_status = path.ends_with("/status") && head.method == Method::PATCH;
        let mut at = None;
        if is_status {
            let mut objects = self.0.objects.lock().unwrap();
            objects.status_writes += 1;
            let number = objects.status_writes;
            at = self.0.at.lock().unwrap().map(|at| (at, number));
        }
        let object = path.strip_suffix("/status").unwrap_or(&path);
        match at {
            Some((At::DiesBefore(n), number)) if n == number => self.die().await,
            Some((At::Labelled(n), number)) if n == number => self.change(object, |it| {
                it["metadata"]["labels"]["seen"] = json!("yes");
            }),
            Some((At::OtherPass(n), number)) if n == number => self.change(object, |it| {
                let execution = &mut it["status"]["execution"];
                if execution.is_null() {
                    // It has not come far.
                    *execution = json!({ "state": r#"{"name":"make_database"}"#, "revision": 0 });
                }
                execution["revision"] = json!(execution["revision"].as_i64().unwrap_or(0) + 1);
            }),
            Some((At::Replaced(n), number)) if n == number => self.change(object, |it| {
                it["metadata"]["uid"] = json!("another");
                it["status"] = Value::Null;
            }),
            _ => {}
        }
        let answered = match at {
            Some((At::Unavailable(n), number)) if n == number => {
                refused(503, "ServiceUnavailable", "not now")
            }
            _ => self.act(&head.method, &path, &head.headers, &body),
        };
        if let Some((At::DiesAfter(n), number)) = at
            && n == number
        {
            self.die().await;
        }
        match answered {
            Ok(value) => Response::new(Answer::whole(&value)),
            Err((code, reason, message)) => {
                let status = json!({
                    "kind": "Status", "apiVersion": "v1", "status": "Failure",
                    "code": code.as_u16(), "reason": reason, "message": message,
                });
                let mut response = Response::new(Answer::whole(&status));
                *response.status_mut() = code;
                response
            }
        }
    }

    async fn die(&self) {
        self.0.died.notify_one();
        pending::<()>().await;
    }

    fn act(
        &self,
        method: &Method,
        path: &str,
        headers: &http::HeaderMap,
        body: &Value,
    ) -> Answered {
        let (object, is_status) = match path.strip_suffix("/status") {
            Some(object) => (object, true),
            None => (path, false),
        };
        let mut objects = self.0.objects.lock().unwrap();
        if !is_status && method != Method::GET && !path.contains("/events") {
            objects.log.push(format!("{method} {path}"));
        }
        let (answered, told) = match *method {
            Method::GET => (objects.get(path), None),
            Method::POST => (objects.create(path, body), Some("ADDED")),
            Method::DELETE if self.0.keeps.lock().unwrap().as_deref() == Some(object) => (
                refused(403, "Forbidden", format!("{object} may not be deleted")),
                None,
            ),
            Method::DELETE => (objects.delete(object, body), Some("MODIFIED")),
            Method::PATCH => {
                let kind = headers["content-type"].to_str().unwrap_or_default();
                (
                    objects.patch(object, kind, body, is_status),
                    Some("MODIFIED"),
                )
            }
            _ => (refused(405, "MethodNotAllowed", method.as_str()), None),
        };
        let is_gone = !objects.all.contains_key(object);
        drop(objects);
        if let (Ok(value), Some(told)) = (&answered, told) {
            let told = if told == "MODIFIED" && is_gone {
                "DELETED"
            } else {
                told
            };
            self.0.watchers.tell(path, told, value);
        }
        answered
    }
}

impl Objects {
    /// Keeps an object with a new version.
    fn put(&mut self, path: &str, mut object: Value) -> Answered {
        if object.to_string().len() > MAX_OBJECT {
            return refused(500, "", "etcdserver: request is too large");
        }
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let before = self.all.get(path);
        let generation = object["metadata"]["generation"].as_i64().unwrap_or(0);
        if before.is_none_or(|before| before["spec"] != object["spec"]) {
            object["metadata"]["generation"] = json!(generation + 1);
        }
        let finalizers = object["metadata"]["finalizers"].as_array();
        let is_kept = finalizers.is_some_and(|finalizers| !finalizers.is_empty());
        if object["metadata"]["deletionTimestamp"].is_string() && !is_kept {
            self.all.remove(path);
        } else {
            self.all.insert(path.to_owned(), object.clone());
        }
        Ok(object)
    }

    fn get(&self, path: &str) -> Answered {
        if let Some(object) = self.all.get(path) {
            return Ok(object.clone());
        }
        // A list, if the last part is the name of a kind of objects.
        if path.ends_with("/databases") {
            let items = self.all.iter().filter(|(it, _)| it.contains("/databases/"));
            let items: Vec<_> = items.map(|(_, object)| object).collect();
            let version = self.version.to_string();
            return Ok(json!({ "metadata": { "resourceVersion": version }, "items": items }));
        }
        refused(404, "NotFound", format!("{path} not found"))
    }

    fn create(&mut self, path: &str, body: &Value) -> Answered {
        if path.contains("/events") {
            let text = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
            self.events.push((text("reason"), text("note")));
            return Ok(body.clone());
        }
        let name = body["metadata"]["name"].as_str().expect("a name");
        let path = format!("{path}/{name}");
        if self.all.contains_key(&path) {
            return refused(409, "AlreadyExists", format!("{path} already exists"));
        }
        let mut object = body.clone();
        object["metadata"]["uid"] = json!(format!("uid-{}", self.version + 1));
        object["metadata"]["namespace"] = json!("default");
        self.put(&path, object)
    }

    fn delete(&mut self, path: &str, body: &Value) -> Answered {
        let Some(object) = self.all.get(path) else {
            return refused(404, "NotFound", format!("{path} not found"));
        };
        let mut object = object.clone();
        let uid = &body["preconditions"]["uid"];
        if !uid.is_null() && *uid != object["metadata"]["uid"] {
            return refused(
                409,
                "Conflict",
                "the uid in the precondition is another one",
            );
        }
        object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        self.put(path, object)
    }

    fn patch(&mut self, path: &str, kind: &str, change: &Value, is_status: bool) -> Answered {
        let Some(before) = self.all.get(path) else {
            return refused(404, "NotFound", format!("{path} not found"));
        };
        let mut object = before.clone();
        if kind.starts_with("application/json-patch") {
            // A server takes a field that is not there for `null` in a test.
            let metadata = object["metadata"].as_object_mut().expect("metadata");
            metadata.entry("finalizers").or_insert(Value::Null);
            let by: json_patch::Patch = serde_json::from_value(change.clone()).expect("a patch");
            if let Err(error) = json_patch::patch(&mut object, &by) {
                return refused(422, "Invalid", error.to_string());
            }
        } else {
            assert_eq!(kind, "application/merge-patch+json");
            json_patch::merge(&mut object, change);
        }
        let over = &object["metadata"]["resourceVersion"];
        if *over != before["metadata"]["resourceVersion"] {
            return refused(409, "Conflict", "the object has been modified");
        }
        // Each of the two has its part of the object, and leaves the other one.
        let mut kept = before.clone();
        if is_status {
            kept["status"] = object["status"].take();
            object = kept;
        } else {
            object["status"] = kept["status"].take();
        }
        self.put(path, object)
    }
}
