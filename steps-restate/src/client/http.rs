//! Requests to a Restate server.

use std::{
    fmt::{self, Write},
    future::Future,
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use http::{Method, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client as Hyper, connect::HttpConnector},
    rt::TokioExecutor,
};
use restate_sdk::ingress::RequestExecutor;

/// How long an answer may take that is not waited for.
const ANSWER: Duration = Duration::from_secs(30);

/// An answer: its status and its body.
pub(super) type Answer = (u16, String);

/// An executor of requests, without its type.
trait Executor: Send + Sync {
    fn execute(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, String>>;
}

impl<E: RequestExecutor> Executor for E {
    fn execute(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, String>> {
        let answer = RequestExecutor::execute(self, request);
        answer
            .map(|answer| answer.map_err(|error| chain(&error)))
            .boxed()
    }
}

/// The one that is used if none is given: HTTP/1 without encryption.
struct Plain(Hyper<HttpConnector, Full<Bytes>>);

impl Executor for Plain {
    fn execute(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, String>> {
        async move {
            let answer = self.0.request(request.map(Full::new)).await;
            let (head, body) = answer.map_err(|error| chain(&error))?.into_parts();
            let body = body.collect().await.map_err(|error| chain(&error))?;
            Ok(Response::from_parts(head, body.to_bytes()))
        }
        .boxed()
    }
}

/// An error with its sources.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

/// A server.
pub(super) struct Server {
    base: String,
    executor: Box<dyn Executor>,
    token: Option<String>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

impl Server {
    /// A server that is reached without encryption.
    pub(super) fn plain(url: &str) -> Result<Self, String> {
        let (base, scheme) = check(url)?;
        if scheme != "http" {
            let why = "for `https`, give a client of your own to `Client::with_executor`";
            return Err(why.to_owned());
        }
        let executor = Plain(Hyper::builder(TokioExecutor::new()).build_http());
        Ok(Self {
            base,
            executor: Box::new(executor),
            token: None,
        })
    }

    pub(super) fn with(url: &str, executor: impl RequestExecutor) -> Result<Self, String> {
        Ok(Self {
            base: check(url)?.0,
            executor: Box::new(executor),
            token: None,
        })
    }

    pub(super) fn token(&mut self, token: String) {
        self.token = Some(token);
    }

    /// Asks, and waits for the answer for as long as it takes.
    pub(super) fn ask(
        &self,
        method: Method,
        path: &str,
        body: String,
    ) -> impl Future<Output = Result<Answer, String>> + Send {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base));
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Bytes::from(body));
        async move {
            let request = request.map_err(|error| error.to_string())?;
            let answer = self.executor.execute(request).await?;
            let text = String::from_utf8_lossy(answer.body()).into_owned();
            Ok((answer.status().as_u16(), text))
        }
    }

    /// Sends a request that is answered at once.
    pub(super) async fn post(&self, path: &str, body: String) -> Result<Answer, String> {
        let answer = tokio::time::timeout(ANSWER, self.ask(Method::POST, path, body)).await;
        answer.unwrap_or_else(|_| Err(format!("not within {ANSWER:?}")))
    }
}

fn check(url: &str) -> Result<(String, String), String> {
    let uri: Uri = url
        .parse()
        .map_err(|error: http::uri::InvalidUri| error.to_string())?;
    let (Some(scheme), Some(_)) = (uri.scheme_str(), uri.authority()) else {
        return Err("write `http://`, the host and the port".to_owned());
    };
    Ok((url.trim_end_matches('/').to_owned(), scheme.to_owned()))
}

/// Writes a part of a path.
pub(super) fn encoded(text: &str) -> String {
    let mut written = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                written.push(char::from(byte));
            }
            // Writing to memory can't fail.
            _ => drop(write!(written, "%{byte:02X}")),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_any_text_is_one_part_of_a_path() {
        assert_eq!(encoded("req-42~2"), "req-42~2");
        assert_eq!(encoded("a/b ?ä"), "a%2Fb%20%3F%C3%A4");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in ["", "restate:8080", "/x", "https://restate:8080"] {
            assert!(Server::plain(url).is_err(), "{url}");
        }
        assert_eq!(
            Server::plain("http://r:8080/").unwrap().base,
            "http://r:8080"
        );
    }
}
