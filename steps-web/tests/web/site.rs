//! A router with executions behind it, and requests to it.

use std::{fmt::Write as _, net::SocketAddr};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{HeaderMap, Request, StatusCode, header},
    response::Response,
};
use steps::prelude::*;
use steps_web::Web;
use tower::ServiceExt as _;

use crate::support::{fill_all, served};

pub(crate) struct Site {
    pub(crate) engine: Engine,
    pub(crate) router: Router,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 64 << 20).await.unwrap();
        Self {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self
    }

    /// Checks that each of these is on the page.
    #[track_caller]
    pub(crate) fn has(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.body.contains(part), "{part:?} is not in {}", self.body);
        }
        self
    }

    #[track_caller]
    pub(crate) fn has_not(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(!self.body.contains(part), "{part:?} is in {}", self.body);
        }
        self
    }

    pub(crate) fn header(&self, name: impl AsRef<str>) -> &str {
        let value = self.headers.get(name.as_ref());
        value.map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) async fn engine() -> Engine {
    served(Engine::open("memory:").await.unwrap())
        .start()
        .await
        .unwrap()
}

impl Site {
    /// A site for this machine, with an execution in each status.
    pub(crate) async fn full() -> Self {
        Self::full_with(|web| web).await
    }

    pub(crate) async fn full_with(web: impl FnOnce(Web) -> Web) -> Self {
        let engine = engine().await;
        fill_all(&engine).await;
        Self::of(engine, web)
    }

    /// A site without executions.
    pub(crate) async fn empty(web: impl FnOnce(Web) -> Web) -> Self {
        Self::of(engine().await, web)
    }

    pub(crate) fn of(engine: Engine, web: impl FnOnce(Web) -> Web) -> Self {
        let router = web(steps_web::router(engine.clone())).build().unwrap();
        Self { engine, router }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        send(&self.router, request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(local("GET", path).body(Body::empty()).unwrap())
            .await
    }

    /// Sends a form as a browser does from the page itself.
    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.send(posted(path, form)).await
    }
}

pub(crate) async fn send(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    Answer::of(response).await
}

/// A request from this machine.
pub(crate) fn local(method: &str, path: &str) -> axum::http::request::Builder {
    let peer: SocketAddr = "127.0.0.1:50000".parse().unwrap();
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "127.0.0.1:8080")
        .extension(ConnectInfo(peer))
}

/// A form that the page itself has sent.
pub(crate) fn posted(path: &str, form: &[(&str, &str)]) -> Request<Body> {
    local("POST", path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .header(header::ORIGIN, "http://127.0.0.1:8080")
        .body(Body::from(encoded(form)))
        .unwrap()
}

pub(crate) fn encoded(form: &[(&str, &str)]) -> String {
    let pairs = form
        .iter()
        .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// A text as it stands in an address.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        write!(out, "%{byte:02X}").unwrap();
    }
    out
}
