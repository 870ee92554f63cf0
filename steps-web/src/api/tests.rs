//! The document says what the router does: each path, each method, each answer.

mod asked;

use std::{collections::BTreeSet, net::SocketAddr};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{Request, header},
};
use serde_json::{Value, json};
use steps::{External, RunLimits, prelude::*};
use tower::ServiceExt as _;

use self::asked::ASKED;
use super::{endpoints, openapi::DOCUMENT};
use crate::{acts::Kind, bulk::KINDS};

#[flow]
async fn approve(what: String) -> Result<bool, String> {
    steps! { yes = steps::signal::<bool>(); }
    let _ = what;
    Ok(yes)
}

#[step(external)]
async fn probe(cx: &Cx, image: &str) -> Result<External<u32>, String> {
    cx.log("probes");
    if image == "slow" {
        std::future::pending::<()>().await;
    }
    Ok(External::submitted())
}

#[flow]
async fn probe_image(image: String) -> Result<u32, String> {
    steps! { flaws = probe(cx, &image); }
    Ok(flaws)
}

fn document() -> Value {
    serde_json::from_str(DOCUMENT).unwrap()
}

/// Each operation: path, method, what is said of it.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            all.push((path.clone(), method.clone(), operation.clone()));
        }
    }
    all
}

#[test]
fn every_route_is_documented_and_nothing_else() {
    let document = document();
    let told: BTreeSet<_> = operations(&document)
        .into_iter()
        .map(|(path, method, _)| (path, method))
        .collect();
    let there: BTreeSet<_> = endpoints()
        .into_iter()
        .flat_map(|(path, methods, _)| {
            methods
                .iter()
                .map(move |it| (path.to_owned(), (*it).to_owned()))
        })
        .collect();
    assert_eq!(told, there);
}

#[test]
fn the_document_is_sound() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id.to_owned()), "{id} is there twice");
        assert!(operation["summary"].is_string(), "{path}");
        let none = Vec::new();
        let parameters = operation["parameters"].as_array().unwrap_or(&none);
        let of_path: BTreeSet<_> = parameters
            .iter()
            .filter(|it| it["in"] == "path")
            .map(|it| {
                assert_eq!(it["required"], true);
                format!("{{{}}}", it["name"].as_str().unwrap())
            })
            .collect();
        let in_path: BTreeSet<_> = path
            .split('/')
            .filter(|part| part.starts_with('{'))
            .map(str::to_owned)
            .collect();
        assert_eq!(of_path, in_path, "{path}");
        assert_eq!(
            operation["requestBody"].is_object(),
            method == "post",
            "{path}"
        );
        assert!(operation["responses"]["200"].is_object(), "{path}");
    }
    let acts = &document["paths"]["/executions/{id}/acts"]["post"]["requestBody"]["content"]["application/json"]
        ["schema"]["properties"]["act"]["enum"];
    let all: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(*acts, json!(all));
    let acts = &document["paths"]["/acts"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        ["properties"]["act"]["enum"];
    let many: Vec<_> = KINDS.iter().map(|kind| kind.name()).collect();
    assert_eq!(*acts, json!(many));
}

/// Checks a value against a schema, as far as the document uses schemas.
fn check(document: &Value, schema: &Value, value: &Value, place: &str) {
    if let Some(to) = schema["$ref"].as_str() {
        let to = document.pointer(to.trim_start_matches('#')).expect(to);
        return check(document, to, value, place);
    }
    let known = [
        "type",
        "enum",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "description",
        "format",
        "minimum",
        "maximum",
        "default",
    ];
    for key in schema.as_object().unwrap().keys() {
        assert!(
            known.contains(&&**key),
            "{place}: this check does not know `{key}`"
        );
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let fits = |kind: &&str| match *kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("{other}"),
    };
    assert!(
        kinds.is_empty() || kinds.iter().any(fits),
        "{place}: {value} is no {kinds:?}"
    );
    if let Some(all) = schema["enum"].as_array() {
        assert!(all.contains(value), "{place}: {value} is none of {all:?}");
    }
    if schema["format"] == "date-time" && value.is_string() {
        value
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .expect(place);
    }
    if let Some(fields) = value.as_object() {
        for name in schema["required"].as_array().into_iter().flatten() {
            assert!(
                fields.contains_key(name.as_str().unwrap()),
                "{place}: {name} is missing"
            );
        }
        for (name, value) in fields {
            let place = format!("{place}.{name}");
            match (&schema["properties"][name], &schema["additionalProperties"]) {
                (Value::Null, Value::Bool(false)) => panic!("{place} is not in the document"),
                (Value::Null, Value::Null) => {}
                (Value::Null, other) => check(document, other, value, &place),
                (own, _) => check(document, own, value, &place),
            }
        }
    }
    for item in value.as_array().into_iter().flatten() {
        if schema["items"].is_object() {
            check(document, &schema["items"], item, &format!("{place}[]"));
        }
    }
}

const TOKEN: &str = "a-token-that-nobody-guesses";

async fn answer(
    router: &Router,
    method: &str,
    path: &str,
    body: Option<&str>,
    token: bool,
) -> (u16, String, String) {
    let peer: SocketAddr = "203.0.113.1:5".parse().unwrap();
    let kind = if body == Some("FORM") {
        "text/plain"
    } else {
        "application/json"
    };
    let body = match body {
        Some("LARGE") => format!("\"{}\"", "a".repeat(5 << 20)),
        body => body.unwrap_or_default().to_owned(),
    };
    let mut request = Request::builder()
        .method(&*method.to_uppercase())
        .uri(format!("/api{path}"))
        .header(header::HOST, "ops.example")
        .extension(ConnectInfo(peer));
    if method == "post" {
        request = request.header(header::CONTENT_TYPE, kind);
    }
    if token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {TOKEN}"));
    }
    let request = request.body(Body::from(body)).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let kind = response.headers()[header::CONTENT_TYPE]
        .to_str()
        .unwrap()
        .to_owned();
    let body = to_bytes(response.into_body(), 64 << 20).await.unwrap();
    (status, kind, String::from_utf8(body.to_vec()).unwrap())
}

/// Starts an execution with an external task, and returns the id of that.
async fn submitted(engine: &Engine, image: &str) -> String {
    let run = engine
        .start(probe_image::input(image.into()))
        .id(image)
        .await
        .unwrap();
    loop {
        let tree = run.tree().await.unwrap();
        if let Some(task) = tree.get("flaws").and_then(|step| step.task.as_ref()) {
            return task.id.to_string();
        }
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_documented_answer_comes_and_is_as_documented() {
    let limits = RunLimits::DEFAULT.signals(1);
    let engine = Engine::open("memory:")
        .await
        .unwrap()
        .serve(approve::with())
        .serve(probe_image::with())
        .limits(limits)
        .start()
        .await
        .unwrap();
    for id in ["one", "two"] {
        let run = engine
            .start(approve::input("x".into()))
            .id(id)
            .label("a", "b");
        let run = run.attrs(json!({"n": 1})).await.unwrap();
        while run.status().await.unwrap() != Status::Waiting {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    }
    let [task, slow] = [
        submitted(&engine, "nginx").await,
        submitted(&engine, "slow").await,
    ];
    engine
        .schedule("nightly", approve::input("x".into()))
        .every("6h")
        .await
        .unwrap();
    let tokens = crate::router(engine.clone())
        .token("ann", TOKEN)
        .build()
        .unwrap();
    let local: Router = crate::router(engine).build().unwrap();
    let document = document();
    let mut left = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        for status in operation["responses"].as_object().unwrap().keys() {
            left.insert((id.to_owned(), status.clone()));
        }
        let path = path.replace("{id}", "one").replace("{name}", "nightly");
        let path = path.replace("{task}", &task);
        for (router, status) in [(&tokens, 401), (&local, 403)] {
            let body = (method == "post").then_some("{}");
            let (found, kind, text) = answer(router, &method, &path, body, false).await;
            assert_eq!((found, &*kind), (status, "application/json"), "{path}");
            let error = &document["components"]["schemas"]["Error"];
            check(
                &document,
                error,
                &serde_json::from_str(&text).unwrap(),
                &path,
            );
            left.remove(&(id.to_owned(), status.to_string()));
        }
    }
    for it in ASKED {
        let all = operations(&document);
        let (_, method, operation) = all
            .iter()
            .find(|(_, _, one)| one["operationId"] == it.operation)
            .unwrap();
        let path = it.path.replace("TASK", &task).replace("SLOW", &slow);
        let (status, kind, text) = answer(&tokens, method, &path, it.body, true).await;
        assert_eq!(status, it.status, "{}: {text}", it.path);
        let mut told = &operation["responses"][status.to_string()];
        if let Some(to) = told["$ref"].as_str() {
            told = document.pointer(to.trim_start_matches('#')).unwrap();
        }
        let kind = kind.split(';').next().unwrap();
        let schema = &told["content"][kind]["schema"];
        assert!(
            schema.is_object(),
            "{}: {kind} is not documented for {status}",
            it.path
        );
        check(
            &document,
            schema,
            &serde_json::from_str(&text).unwrap(),
            it.path,
        );
        left.remove(&(it.operation.to_owned(), status.to_string()));
    }
    assert_eq!(
        left,
        BTreeSet::new(),
        "these answers are documented, and did not come"
    );
}
