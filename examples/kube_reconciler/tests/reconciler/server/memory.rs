//! An API server in memory, in this process: as much of one as the controller and the tests use.
//!
//! It keeps objects, raises `resourceVersion` and `generation`, refuses what is over an old version, keeps what has
//! finalizers until they are removed, and refuses what etcd would refuse.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex},
};

use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use kube::{Client, client::Body};
use serde_json::{Value, json};

use super::{
    Server,
    watch::{Answer, Watchers},
};
use crate::api::refusal;

pub(super) fn server() -> Server {
    let memory = Arc::<Memory>::default();
    let service = tower::service_fn(move |request| {
        let memory = memory.clone();
        async move { Ok::<_, Infallible>(memory.answer(request).await) }
    });
    let namespace = "default".to_owned();
    let user = Client::new(service, &*namespace);
    Server {
        controller: user.clone(),
        user,
        namespace,
    }
}

#[derive(Default)]
struct Memory {
    objects: Mutex<Objects>,
    watchers: Watchers,
}

#[derive(Default)]
struct Objects {
    /// By path.
    all: BTreeMap<String, Value>,
    version: u64,
}

/// The most bytes of an object, as etcd has it.
const MAX_OBJECT: usize = 1_536 * 1024;

type Answered = Result<Value, (StatusCode, &'static str, String)>;

fn refused(code: StatusCode, reason: &'static str, message: impl Into<String>) -> Answered {
    Err((code, reason, message.into()))
}

fn not_found(path: &str) -> Answered {
    refused(
        StatusCode::NOT_FOUND,
        "NotFound",
        format!("{path} not found"),
    )
}

fn conflict(message: &str) -> Answered {
    refused(StatusCode::CONFLICT, "Conflict", message)
}

impl Memory {
    async fn answer(&self, request: Request<Body>) -> Response<Answer> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.expect("the body of a request");
        let body = body.to_bytes();
        let path = head.uri.path();
        let query = head.uri.query().unwrap_or_default();
        if query.split('&').any(|part| part == "watch=true") {
            let mut parts = query.split('&');
            let after = parts.find_map(|part| part.strip_prefix("resourceVersion="));
            let after = after.and_then(|after| after.parse().ok()).unwrap_or(0);
            return Response::new(self.watchers.watch(path, after));
        }
        let body: Value = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&body).expect("JSON")
        };
        let kind = head.headers.get("content-type");
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        match self.act(&head.method, path, kind, &body) {
            Ok(value) => Response::new(Answer::whole(&value)),
            Err((code, reason, message)) => refusal(code, reason, &message).map(Answer::Other),
        }
    }

    fn act(&self, method: &Method, path: &str, kind: &str, body: &Value) -> Answered {
        let (object, is_status) = match path.strip_suffix("/status") {
            Some(object) => (object, true),
            None => (path, false),
        };
        let mut objects = self.objects.lock().unwrap();
        let (answered, told) = match *method {
            Method::GET => return objects.get(path),
            Method::POST => (objects.create(path, body), "ADDED"),
            Method::DELETE => (objects.delete(object, body), "MODIFIED"),
            Method::PATCH => (objects.patch(object, kind, body, is_status), "MODIFIED"),
            Method::PUT => (objects.replace(object, body, is_status), "MODIFIED"),
            _ => {
                let code = StatusCode::METHOD_NOT_ALLOWED;
                return refused(code, "MethodNotAllowed", method.as_str());
            }
        };
        if let Ok(value) = &answered {
            let is_gone = told == "MODIFIED" && !objects.all.contains_key(object);
            let told = if is_gone { "DELETED" } else { told };
            self.watchers.tell(path, objects.version, told, value);
        }
        answered
    }
}

impl Objects {
    /// Keeps an object with a new version.
    fn put(&mut self, path: &str, mut object: Value) -> Answered {
        // As a server writes it.
        let text = object.to_string();
        let escaped = text.matches(['<', '>', '&']).count() * 5;
        let escaped = escaped + text.matches(['\u{2028}', '\u{2029}']).count() * 3;
        if text.len() + escaped > MAX_OBJECT {
            let code = StatusCode::INTERNAL_SERVER_ERROR;
            return refused(code, "", "etcdserver: request is too large");
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
        // A list, if the name of a kind of objects is what follows the namespace.
        let mut parts = path.rsplit('/');
        if parts.nth(2) == Some("namespaces") {
            let of_kind = format!("{path}/");
            let items = self.all.iter().filter(|(it, _)| it.starts_with(&of_kind));
            let items: Vec<_> = items.map(|(_, object)| object).collect();
            let version = self.version.to_string();
            return Ok(json!({ "metadata": { "resourceVersion": version }, "items": items }));
        }
        not_found(path)
    }

    fn create(&mut self, path: &str, body: &Value) -> Answered {
        let name = body["metadata"]["name"].as_str().expect("a name");
        let namespace = path.rsplit('/').nth(1).expect("a namespace");
        let path = format!("{path}/{name}");
        if self.all.contains_key(&path) {
            let message = format!("{path} already exists");
            return refused(StatusCode::CONFLICT, "AlreadyExists", message);
        }
        let mut object = body.clone();
        object["metadata"]["uid"] = json!(format!("uid-{}", self.version + 1));
        object["metadata"]["namespace"] = json!(namespace);
        self.put(&path, object)
    }

    fn delete(&mut self, path: &str, body: &Value) -> Answered {
        let Some(object) = self.all.get(path) else {
            return not_found(path);
        };
        let mut object = object.clone();
        let uid = &body["preconditions"]["uid"];
        if !uid.is_null() && *uid != object["metadata"]["uid"] {
            return conflict("the uid in the precondition is another one");
        }
        object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        self.put(path, object)
    }

    fn patch(&mut self, path: &str, kind: &str, change: &Value, is_status: bool) -> Answered {
        let Some(before) = self.all.get(path) else {
            return not_found(path);
        };
        let mut object = before.clone();
        if kind.starts_with("application/json-patch") {
            // A server takes a field that is not there for `null` in a test.
            let metadata = object["metadata"].as_object_mut().expect("metadata");
            metadata.entry("finalizers").or_insert(Value::Null);
            let by: json_patch::Patch = serde_json::from_value(change.clone()).expect("a patch");
            if let Err(error) = json_patch::patch(&mut object, &by) {
                let code = StatusCode::UNPROCESSABLE_ENTITY;
                return refused(code, "Invalid", error.to_string());
            }
        } else {
            assert_eq!(kind, "application/merge-patch+json");
            json_patch::merge(&mut object, change);
        }
        self.replace(path, &object, is_status)
    }

    fn replace(&mut self, path: &str, by: &Value, is_status: bool) -> Answered {
        let Some(before) = self.all.get(path) else {
            return not_found(path);
        };
        let (mut kept, mut object) = (before.clone(), by.clone());
        if object["metadata"]["resourceVersion"] != kept["metadata"]["resourceVersion"] {
            return conflict("the object has been modified");
        }
        // Each of the two has its part of the object, and leaves the other one.
        if is_status {
            kept["status"] = object["status"].take();
            object = kept;
        } else {
            object["status"] = kept["status"].take();
        }
        self.put(path, object)
    }
}
