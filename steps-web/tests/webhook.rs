//! Outgoing webhooks, to a server on loopback that fails as told.
#![cfg(feature = "webhook")]

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use steps::{
    Engine,
    engine::{OnChange, Subscribed},
    prelude::*,
};
use steps_web::Webhook;

/// 24 bytes, all `7`.
const SECRET: &str = "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH";

#[flow]
async fn job(n: u32) -> Result<u32, String> {
    steps! { let twice: u32 = 2 * n; }
    Ok(twice)
}

/// What a server was sent.
#[derive(Clone)]
struct Request {
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

#[derive(Clone)]
struct Server {
    requests: Arc<Mutex<Vec<Request>>>,
    /// Which answers it gives, one after the other, and then `204 No Content`.
    answers: Arc<Mutex<Vec<Answer>>>,
    url: String,
}

#[derive(Clone, Copy)]
enum Answer {
    Status(u16),
    RetryAfter(u16, &'static str),
    Redirect,
    Hang,
    Long,
}

async fn answer(State(server): State<Server>, headers: HeaderMap, body: Bytes) -> Response {
    let headers = headers.iter().map(|(name, value)| {
        let value = value.to_str().unwrap().to_owned();
        (name.to_string(), value)
    });
    server.requests.lock().unwrap().push(Request {
        headers: headers.collect(),
        body: body.to_vec(),
    });
    let next = {
        let mut answers = server.answers.lock().unwrap();
        (!answers.is_empty()).then(|| answers.remove(0))
    };
    let status = |code| StatusCode::from_u16(code).unwrap();
    match next {
        None => StatusCode::NO_CONTENT.into_response(),
        Some(Answer::Status(code)) => (status(code), "as the test wants").into_response(),
        Some(Answer::RetryAfter(code, after)) => {
            (status(code), [(header::RETRY_AFTER, after)]).into_response()
        }
        Some(Answer::Redirect) => {
            let to = format!("{}/other", server.url);
            (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response()
        }
        Some(Answer::Hang) => std::future::pending().await,
        Some(Answer::Long) => (status(500), "x".repeat(1 << 20)).into_response(),
    }
}

impl Server {
    async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            requests: Arc::default(),
            answers: Arc::new(Mutex::new(answers.into_iter().collect())),
            url: format!("http://{}", listener.local_addr().unwrap()),
        };
        let app = Router::new()
            .route("/hook", post(answer))
            .route("/other", post(answer))
            .with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        server
    }

    fn hook(&self) -> steps_web::NewWebhook {
        Webhook::new(format!("{}/hook", self.url)).secret(SECRET)
    }

    fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

/// Runs an execution, and returns the subscription when this is so of it.
async fn until(hook: Webhook, is_so: impl Fn(&Subscribed) -> bool) -> (Engine, Subscribed) {
    let on = OnChange::new().status(Status::Done).pauses("5ms", "50ms");
    let engine = Engine::open("memory:").await.unwrap();
    let engine = engine
        .serve(job::with())
        .on_execution_change("hook", on, hook);
    let engine = engine.start().await.unwrap();
    let run = engine.start(job::input(1)).id("req-42").await.unwrap();
    run.outcome().await.unwrap();
    let begun = std::time::Instant::now();
    loop {
        let mut all = engine.subscriptions().await.unwrap();
        let it = all.pop().unwrap();
        if is_so(&it) {
            return (engine, it);
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{it:#?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn is_told(it: &Subscribed) -> bool {
    it.info.waiting == 0
}

#[tokio::test]
async fn a_change_is_sent_signed_and_again_until_it_is_taken() {
    use Answer::{Hang, Long, Redirect, RetryAfter, Status};
    let answers = [
        Status(500),
        Status(404),
        Redirect,
        RetryAfter(503, "1"),
        RetryAfter(429, "soon"),
        Long,
        Hang,
    ];
    let failures = answers.len();
    let server = Server::start(answers).await;
    let hook = server.hook().timeout("200ms").build().unwrap();
    until(hook, is_told).await;
    let requests = server.requests();
    assert_eq!(requests.len(), failures + 1, "one more than it has failed");
    let id = &requests[0].headers["webhook-id"];
    for request in &requests {
        assert_eq!(&request.headers["webhook-id"], id);
        assert_eq!(request.headers["content-type"], "application/json");
        assert_eq!(request.body, requests[0].body);
        let timestamp = &request.headers["webhook-timestamp"];
        let mut mac = Hmac::<Sha256>::new_from_slice(&[7; 24]).unwrap();
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(&request.body);
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        assert_eq!(
            request.headers["webhook-signature"],
            format!("v1,{signature}")
        );
    }
    let body: serde_json::Value = serde_json::from_slice(&requests[0].body).unwrap();
    assert_eq!(body["type"], "execution.done");
    assert_eq!(body["data"]["execution"], "req-42");
    assert_eq!(body["data"]["key"], **id);
}

#[tokio::test]
async fn what_an_answer_says_is_told_shortened() {
    let server = Server::start([Answer::Long]).await;
    let hook = server.hook().build().unwrap();
    let is_failed = |it: &Subscribed| it.info.failed == 1;
    let on = OnChange::new().status(Status::Done).pauses("1m", "1m");
    let engine = Engine::open("memory:").await.unwrap();
    let engine = engine
        .serve(job::with())
        .on_execution_change("hook", on, hook);
    let engine = engine.start().await.unwrap();
    engine.start(job::input(1)).id("req-42").await.unwrap();
    let begun = std::time::Instant::now();
    let it = loop {
        let it = engine.subscriptions().await.unwrap().pop().unwrap();
        if is_failed(&it) {
            break it;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{it:#?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    };
    let failure = it.failing[0].failure.as_deref().unwrap();
    let says = format!("{}/hook answers 500 Internal Server Error: xxx", server.url);
    assert!(failure.starts_with(&says), "{failure}");
    assert!(failure.len() < 1200, "{}", failure.len());
}

#[tokio::test]
async fn gone_ends_it_for_ever() {
    let server = Server::start([Answer::Status(500), Answer::Status(410)]).await;
    let hook = server.hook().build().unwrap();
    let (engine, it) = until(hook, |it| it.info.ended.is_some()).await;
    let why = it.info.ended.as_deref().unwrap();
    assert!(why.contains("410 Gone: as the test wants"), "{why}");
    assert_eq!((server.requests().len(), it.info.waiting), (2, 0));
    engine
        .start(job::input(2))
        .id("req-43")
        .await
        .unwrap()
        .outcome()
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn it_is_given_up_after_its_time() {
    let server = Server::start([Answer::Status(500); 1000]).await;
    let hook = server.hook().give_up_after("30ms").build().unwrap();
    until(hook, is_told).await;
    let sent = server.requests().len();
    assert!((2..1000).contains(&sent), "{sent}");
}

#[tokio::test]
async fn nobody_there_and_no_tls_are_failures_that_say_so() {
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    for (scheme, says) in [("http", "refused"), ("https", "needs a TLS feature")] {
        let hook = Webhook::new(format!("{scheme}://{address}/hook")).secret(SECRET);
        let (_, it) = until(hook.build().unwrap(), |it| it.info.failed == 1).await;
        let failure = it.failing[0].failure.as_deref().unwrap();
        assert!(failure.contains(says), "{failure}");
    }
}

#[tokio::test]
async fn two_secrets_sign_twice_and_none_not_at_all() {
    let server = Server::start([]).await;
    let both = server.hook().secret("CAgICAgICAgICAgICAgICAgICAgICAgI");
    until(both.build().unwrap(), is_told).await;
    let unsigned = Webhook::new(format!("{}/hook", server.url)).unsigned();
    until(unsigned.build().unwrap(), is_told).await;
    let requests = server.requests();
    let signatures = requests[0].headers["webhook-signature"].split(' ').count();
    assert_eq!(signatures, 2);
    assert!(!requests[1].headers.contains_key("webhook-signature"));
}
