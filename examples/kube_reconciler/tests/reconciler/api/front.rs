//! What stands between the controller and the server: it counts and writes down what the controller asks for, and
//! lets something happen at a write of a status.

use std::{future::pending, sync::Arc};

use http::{Method, Request, Response, StatusCode};
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{Api, DATABASE, Part};

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

impl At {
    fn number(self) -> usize {
        match self {
            Self::DiesBefore(number)
            | Self::DiesAfter(number)
            | Self::Labelled(number)
            | Self::OtherPass(number)
            | Self::Replaced(number)
            | Self::Unavailable(number) => number,
        }
    }
}

#[derive(Default)]
pub(super) struct Front {
    pub(super) at: Option<At>,
    /// Told when the controller dies at that write.
    pub(super) died: Arc<Notify>,
    /// What may not be deleted.
    pub(super) keeps: Option<Part>,
    pub(super) status_writes: usize,
    /// Method and path of each write that the server has made, but those of statuses and events.
    pub(super) log: Vec<String>,
}

impl Front {
    /// Counts a request. Returns what happens at it.
    fn see(&mut self, path: &str) -> Option<At> {
        if !path.ends_with("/status") {
            return None;
        }
        self.status_writes += 1;
        self.at.filter(|at| at.number() == self.status_writes)
    }

    fn keeps(&self, method: &Method, path: &str) -> bool {
        let kept = |part: Part| path.ends_with(&part.to_string());
        method == Method::DELETE && self.keeps.is_some_and(kept)
    }
}

impl Api {
    /// Answers a request of the controller.
    pub(crate) async fn answer(
        &self,
        request: Request<Body>,
    ) -> Result<Response<Body>, kube::Error> {
        let path = request.uri().path();
        let (happens, died, is_kept) = {
            let mut front = self.front();
            let happens = front.see(path);
            let is_kept = front.keeps(request.method(), path);
            (happens, front.died.clone(), is_kept)
        };
        if is_kept {
            return Ok(refusal(
                StatusCode::FORBIDDEN,
                "Forbidden",
                &format!("{path} may not be deleted"),
            ));
        }
        match happens {
            Some(At::DiesBefore(_)) => die(&died).await,
            Some(At::Labelled(_)) => {
                let label = |it: &mut Value| it["metadata"]["labels"]["seen"] = json!("yes");
                self.change(DATABASE, label).await;
            }
            Some(At::OtherPass(_)) => self.change(DATABASE, save_as_another).await,
            Some(At::Replaced(_)) => self.replace(DATABASE).await,
            Some(At::Unavailable(_)) => {
                let code = StatusCode::SERVICE_UNAVAILABLE;
                return Ok(refusal(code, "ServiceUnavailable", "not now"));
            }
            Some(At::DiesAfter(_)) | None => {}
        }
        // What was sent gets there, also if who has sent it is gone by then.
        let sent = tokio::spawn(self.clone().send(request));
        let answer = sent.await.expect("no panic");
        if let Some(At::DiesAfter(_)) = happens {
            die(&died).await;
        }
        answer
    }

    async fn send(self, request: Request<Body>) -> Result<Response<Body>, kube::Error> {
        let path = request.uri().path();
        let written = request.method() != Method::GET
            && !path.ends_with("/status")
            && !path.contains("/events");
        let line = written.then(|| format!("{} {path}", request.method()));
        let answer = self.controller().send(request).await?;
        if answer.status().is_success() {
            self.front().log.extend(line);
        }
        Ok(answer)
    }
}

async fn die(died: &Notify) {
    died.notify_one();
    pending::<()>().await;
}

/// What another controller leaves in the object.
fn save_as_another(object: &mut Value) {
    let execution = &mut object["status"]["execution"];
    if execution.is_null() {
        // It has not come far.
        *execution = json!({ "state": r#"{"name":"make_database"}"#, "revision": 0 });
    }
    execution["revision"] = json!(execution["revision"].as_i64().unwrap_or(0) + 1);
}

/// The answer of a server that refuses something.
pub(crate) fn refusal(code: StatusCode, reason: &str, message: &str) -> Response<Body> {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure",
        "code": code.as_u16(), "reason": reason, "message": message,
    });
    let mut response = Response::new(Body::from(status.to_string().into_bytes()));
    *response.status_mut() = code;
    response
}
