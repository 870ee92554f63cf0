//! Reports on external tasks: who may send them, what is answered, what the page shows of them.

use std::net::SocketAddr;

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, header},
};
use serde_json::json;
use steps::{RunLimits, TaskId, prelude::*};
use steps_web::{Access, WebError};

use crate::{
    site::{Answer, Site, send},
    support::{probe_image, served, until},
};

const ANN: &str = "anns-token-of-32-letters-0123456";
const BO: &str = "bos-token-of-32-letters-01234567";
const SCANNER: &str = "scanners-token-of-32-letters-012";

/// A request from another machine.
fn asked(method: &str, path: &str, token: &str, body: &str) -> Request<Body> {
    let peer: SocketAddr = "203.0.113.1:5".parse().unwrap();
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "ops.example")
        .extension(ConnectInfo(peer));
    if !token.is_empty() {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if method == "POST" {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

async fn report(router: &Router, task: &str, token: &str, body: &str) -> Answer {
    let path = format!("/api/tasks/{task}/report");
    send(router, asked("POST", &path, token, body)).await
}

/// Starts an execution, and returns the id of its task.
async fn submitted(engine: &Engine, id: &str, image: &str, status: Status) -> TaskId {
    let run = engine.start(probe_image::input(image.into())).id(id);
    let run = run.await.unwrap();
    until(&run, status).await;
    loop {
        let tree = run.tree().await.unwrap();
        if let Some(task) = tree.get("flaws").and_then(|step| step.task.as_ref()) {
            return task.id.clone();
        }
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reporter_reports_and_does_nothing_else() {
    let site = Site::empty(|web| {
        let web = web.token("ann", ANN).reader_token("bo", BO);
        web.reporter_token("scanner", SCANNER)
    })
    .await;
    let task = submitted(&site.engine, "one", "nginx", Status::Waiting).await;
    let to = |token, body| report(&site.router, task.as_str(), token, body);
    let running = r#"{"revision":1,"status":"running","checkIn":{"layers":3,"token":"hush"}}"#;
    let one = site.engine.get("one").await.unwrap();
    let before = one.info().await.unwrap().updated_at;
    let taken = to(SCANNER, running).await.is(200);
    assert_eq!(
        taken.body,
        json!({"task": task, "result": "taken"}).to_string()
    );

    let seen = "/execution?id=one";
    let page = loop {
        let page = send(&site.router, asked("GET", seen, BO, "")).await.is(200);
        if page.body.contains("Last check-in") {
            break page;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    };
    page.has(&[
        "its task is running",
        task.as_str(),
        "Revision",
        "&quot;layers&quot;: 3",
        &format!("POST /api/tasks/{task}/report"),
    ])
    .has_not(&["hush"]);
    // By this a page that is open knows that it is another one.
    assert!(one.info().await.unwrap().updated_at > before);
    let one = asked("GET", "/api/executions/one", BO, "");
    let one = send(&site.router, one).await.is(200);
    one.has(&["\"revision\":1", "\"checkIn\":{\"layers\":3"])
        .has_not(&["hush"]);

    to(SCANNER, running)
        .await
        .is(200)
        .has(&["\"result\":\"stale\""]);
    to(SCANNER, "{").await.is(400).has(&["this is no report"]);
    to(SCANNER, r#"{"revision":1,"status":"over"}"#)
        .await
        .is(400)
        .has(&["`over`", "\"usage\""]);
    to(SCANNER, r#"{"revision":1,"status":"done","output":"x"}"#)
        .await
        .is(400)
        .has(&["flaws", "u32"]);
    to("", running).await.is(401);
    to("a-token-that-nobody-has-0123456", running).await.is(401);
    to(BO, running).await.is(403).has(&["change nothing"]);
    for path in ["/api/executions", "/api/executions/one"] {
        send(&site.router, asked("GET", path, SCANNER, ""))
            .await
            .is(401);
    }
    let acts = "/api/executions/one/acts";
    let stop = asked("POST", acts, SCANNER, r#"{"act":"stop"}"#);
    send(&site.router, stop).await.is(401);
    send(&site.router, asked("GET", "/", SCANNER, ""))
        .await
        .is(303);
    report(&site.router, "order-7", SCANNER, running)
        .await
        .is(400)
        .has(&["no id of an external task"]);

    // An operator may, too: somebody who has done it by hand.
    to(ANN, r#"{"revision":2,"status":"done","output":3}"#)
        .await
        .is(200);
    let run = site.engine.get("one").await.unwrap();
    assert_eq!(run.ended().await.unwrap().status, Status::Done);
    to(
        SCANNER,
        r#"{"revision":3,"status":"failed","error":"late"}"#,
    )
    .await
    .is(410)
    .has(&["\"gone\"", "has ended"]);
    let unknown = format!("{}.nobody", "0".repeat(32));
    report(&site.router, &unknown, SCANNER, running)
        .await
        .is(410)
        .has(&["no such task"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_come_in_beside_whatever_guards_the_page() {
    let failed = r#"{"revision":1,"status":"failed","error":"no disk"}"#;
    // The page is for this machine alone, and reports come from elsewhere.
    let site = Site::empty(|web| web.reporter_token("scanner", SCANNER)).await;
    let task = submitted(&site.engine, "one", "nginx", Status::Waiting).await;
    send(&site.router, asked("GET", "/", SCANNER, ""))
        .await
        .is(403);
    report(&site.router, task.as_str(), BO, failed)
        .await
        .is(403);
    report(&site.router, task.as_str(), SCANNER, failed)
        .await
        .is(200);
    let run = site.engine.get("one").await.unwrap();
    let ended = run.ended().await.unwrap();
    assert!(ended.error.unwrap().contains("no disk"));

    // The service's own function says who comes in.
    let site = Site::empty(|web| {
        let web = web.auth(async |request| match request.headers.get("x-user") {
            Some(name) if name == "robot" => Access::reporter("robot"),
            _ => Access::denied(),
        });
        web.reporter_token("scanner", SCANNER)
    })
    .await;
    let task = submitted(&site.engine, "one", "nginx", Status::Waiting).await;
    let as_robot = |method, path: &str| {
        let mut request = asked(method, path, "", r#"{"revision":1,"status":"running"}"#);
        request
            .headers_mut()
            .insert("x-user", "robot".parse().unwrap());
        request
    };
    let path = format!("/api/tasks/{task}/report");
    send(&site.router, as_robot("POST", &path)).await.is(200);
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/api/executions"),
        ("POST", "/api/executions/one/acts"),
    ] {
        send(&site.router, as_robot(method, path))
            .await
            .is(403)
            .has(&["may report on external tasks, and do nothing else"]);
    }
    report(&site.router, task.as_str(), BO, failed)
        .await
        .is(403);
    report(&site.router, task.as_str(), SCANNER, failed)
        .await
        .is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_taken_now_is_to_be_sent_again() {
    let limits = RunLimits::DEFAULT.signals(1);
    let engine = served(Engine::open("memory:").await.unwrap()).limits(limits);
    let engine = engine.start().await.unwrap();
    let site = Site::of(engine, |web| web.reporter_token("scanner", SCANNER));
    // Its function has not returned, so nothing takes the reports.
    let task = submitted(&site.engine, "slow", "slow", Status::Running).await;
    let to = |body| report(&site.router, task.as_str(), SCANNER, body);
    to(r#"{"revision":1,"status":"running"}"#).await.is(200);
    let full = to(r#"{"revision":2,"status":"running"}"#).await.is(503);
    assert_eq!(full.header(header::RETRY_AFTER), "5");
    full.has(&["report again later"]);
    let large = format!(r#"{{"revision":3,"error":"{}"}}"#, "x".repeat(5 << 20));
    to(&large).await.is(413);
    let path = format!("/api/tasks/{task}/report");
    let mut form = asked("POST", &path, SCANNER, "revision=1");
    let kind = "application/x-www-form-urlencoded".parse().unwrap();
    form.headers_mut().insert(header::CONTENT_TYPE, kind);
    send(&site.router, form).await.is(415);
    site.engine
        .get("slow")
        .await
        .unwrap()
        .force_stop()
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reporters_token_can_not_be_guessed_nor_be_one_of_the_page() {
    let engine = Engine::open("memory:")
        .await
        .unwrap()
        .start()
        .await
        .unwrap();
    let web = || steps_web::router(engine.clone());
    let short = web().reporter_token("scanner", "short").build::<()>();
    assert!(matches!(short, Err(WebError::ShortToken { .. })));
    let same = web().token("ann", ANN).reporter_token("scanner", ANN);
    assert!(matches!(
        same.build::<()>(),
        Err(WebError::SameToken { .. })
    ));
}
