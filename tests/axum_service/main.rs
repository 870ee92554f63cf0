//! The example `axum_service`, run as a process and driven over HTTP.

#![cfg(unix)]

mod service;

use std::time::Duration;

use serde_json::{Value, json};
use steps_test_support::postgres::Server;

use service::Folder;

fn lamps(quantity: u32) -> Value {
    json!({ "customer": "ann", "product": "lamp", "quantity": quantity })
}

#[test]
fn an_order_goes_from_the_request_to_the_parcel() {
    let folder = Folder::new();
    let service = folder.start(&[]);
    let answer = service.order("a", &lamps(2));
    assert_eq!(answer.status, 202, "{}", answer.body);
    assert_eq!(answer.location.as_deref(), Some("/orders/order-a"));
    let order = service.until("order-a", "done");
    assert_eq!(order["parcel"], 1);
    assert_eq!(order["state"]["input"]["order"], lamps(2));
    assert_eq!(service.stock("lamp"), 8);
    assert_eq!(
        service.ledger(),
        json!([{"customer": "ann", "cents": 9800, "refunded": false}])
    );
}

#[test]
fn the_page_for_operators_is_nested_in_it() {
    let folder = Folder::new();
    let service = folder.start(&[]);
    assert_eq!(service.order("a", &lamps(2)).status, 202);
    service.until("order-a", "done");
    let found = service.get("/steps/api/executions/order-a");
    assert_eq!(found.body["execution"]["status"], "done");
    let page = service.get("/steps/execution?id=order-a");
    assert_eq!(page.status, 200);
    let other = service.request("GET", "/steps", &[("X-Forwarded-For", "203.0.113.9")], "");
    assert_eq!(other.status, 403);
}

#[test]
fn the_same_key_is_the_same_order() {
    let folder = Folder::new();
    let service = folder.start(&[]);
    for _ in 0..2 {
        let answer = service.order("a", &lamps(1));
        assert_eq!(
            (answer.status, answer.location.as_deref()),
            (202, Some("/orders/order-a"))
        );
        service.until("order-a", "done");
    }
    assert_eq!(service.order("a", &lamps(2)).status, 422);
    assert_eq!(service.order("b", &lamps(1)).status, 202);
    service.until("order-b", "done");
    // Two orders were charged, not one, and not three.
    assert_eq!(service.stock("lamp"), 8);
    assert_eq!(service.ledger().as_array().map(Vec::len), Some(2));
}

#[test]
fn an_expensive_order_waits_for_an_approval() {
    let folder = Folder::new();
    let service = folder.start(&[]);
    for (key, granted) in [("yes", true), ("no", false)] {
        let id = format!("order-{key}");
        assert_eq!(service.order(key, &lamps(3)).status, 202);
        let order = service.until(&id, "waiting");
        assert_eq!(order["waitsForApproval"], true);
        assert_eq!(service.list("?status=waiting&customer=ann"), [&*id]);
        let path = format!("/orders/{id}/approval");
        let answer = service.post(&path, &json!({"granted": granted, "by": "bob"}));
        assert_eq!(answer.status, 202, "{}", answer.body);
        service.until(&id, if granted { "done" } else { "undone" });
        let late = service.post(&path, &json!({"granted": true, "by": "bob"}));
        assert_eq!(late.status, 409, "{}", late.body);
    }
    assert_eq!(service.list("?status=undone"), ["order-no"]);
    assert_eq!(service.stock("lamp"), 7);
}

/// An approval that nobody would read is refused, in JSON.
#[test]
fn an_approval_of_what_does_not_wait_is_refused() {
    let folder = Folder::new();
    let service = folder.start(&["--packing", "60000"]);
    let approval = json!({"granted": true, "by": "bob"});
    let refused = |id: &str, status: u16| {
        let answer = service.post(&format!("/orders/{id}/approval"), &approval);
        assert_eq!(answer.status, status, "{}", answer.body);
        assert!(answer.body["error"].is_string(), "{}", answer.body);
    };
    // A cheap one needs none.
    assert_eq!(service.order("cheap", &lamps(1)).status, 202);
    service.until_step("order-cheap", "parcel", "running");
    refused("order-cheap", 409);
    refused("order-unknown", 404);
    // A second approval comes too late.
    assert_eq!(service.order("dear", &lamps(3)).status, 202);
    service.until("order-dear", "waiting");
    let path = "/orders/order-dear/approval";
    assert_eq!(service.post(path, &approval).status, 202);
    refused("order-dear", 409);
}

#[test]
fn a_cancelled_order_is_undone() {
    let folder = Folder::new();
    let service = folder.start(&[]);
    assert_eq!(service.order("a", &lamps(3)).status, 202);
    service.until("order-a", "waiting");
    assert_eq!(service.stock("lamp"), 7);
    assert_eq!(
        service.request("DELETE", "/orders/order-a", &[], "").status,
        202
    );
    service.until("order-a", "undone");
    assert_eq!(service.stock("lamp"), 10);
    assert_eq!(
        service.request("DELETE", "/orders/order-a", &[], "").status,
        409
    );
}

#[test]
fn an_order_that_was_sent_is_not_cancelled() {
    let folder = Folder::new();
    let service = folder.start(&[]);
    assert_eq!(service.order("a", &lamps(2)).status, 202);
    service.until("order-a", "done");
    let answer = service.request("DELETE", "/orders/order-a", &[], "");
    assert_eq!(answer.status, 409);
    let error = answer.body["error"].as_str().expect("an error as JSON");
    assert!(error.ends_with("its pivot `sent` is done"), "{error}");
    assert_eq!(service.list("?status=done"), ["order-a"]);
    assert_eq!(
        service.ledger(),
        json!([{"customer": "ann", "cents": 9800, "refunded": false}])
    );
}

#[test]
fn bad_requests_are_told() {
    let folder = Folder::new();
    let service = folder.start(&[]);
    let order = lamps(1).to_string();
    let json = ("Content-Type", "application/json");
    assert_eq!(
        service.request("POST", "/orders", &[json], &order).status,
        400
    );
    assert_eq!(service.order("a", &json!({"customer": "ann"})).status, 422);
    let unknown = json!({"customer": "ann", "product": "moon", "quantity": 1});
    assert_eq!(service.order("a", &unknown).status, 422);
    assert_eq!(service.get("/orders/order-a").status, 404);
    let answer = service.get("/orders?status=fine");
    assert_eq!(answer.status, 400);
    assert!(
        answer.body["error"]
            .as_str()
            .is_some_and(|why| why.contains("waiting"))
    );
    assert_eq!(service.order(&"k".repeat(300), &lamps(1)).status, 400);
    // Whatever is refused, by whomever, is refused in JSON.
    let key = ("Idempotency-Key", "a");
    for (method, path, headers, body, status) in [
        ("POST", "/orders", &[json, key][..], "{", 400),
        ("POST", "/orders", &[json, key], "{}", 422),
        ("POST", "/orders", &[key], &order, 415),
        ("POST", "/orders/order-a/approval", &[json], "{}", 422),
        ("GET", "/orders?status=done&status=done", &[], "", 400),
        ("GET", "/order", &[], "", 404),
        ("PUT", "/orders", &[], "", 405),
    ] {
        let answer = service.request(method, path, headers, body);
        assert_eq!(answer.status, status, "{method} {path} {body}");
        let why = answer.body["error"].as_str();
        assert!(why.is_some_and(|why| !why.is_empty()), "{method} {path}");
    }
    assert_eq!(service.list(""), Vec::<String>::new());
}

/// `GET /` tells a newcomer what to send, and it works as told.
#[test]
fn what_the_first_page_tells_to_send_works() {
    let folder = Folder::new();
    let service = folder.start(&["--approve-from", "5000"]);
    let page = service.get("/");
    assert_eq!(page.body["approvalFromCents"], 5000);
    assert_eq!(page.body["products"].as_array().unwrap().len(), 3);
    let request = |name: &str| page.body["requests"][name]["body"].clone();
    assert_eq!(service.order("1", &request("POST /orders")).status, 202);
    service.until("order-1", "waiting");
    let approval = request("POST /orders/{id}/approval");
    assert_eq!(
        service.post("/orders/order-1/approval", &approval).status,
        202
    );
    service.until("order-1", "done");
}

/// Killed while a parcel is packed: the payment before it is not made again, and the order that
/// waited still waits.
#[test]
fn the_executions_may_be_in_a_database() {
    let db = format!("{}&schema=orders", Server::shared().url());
    let folder = Folder::new();
    let slow = ["--db", &db, "--packing", "60000", "--lease", "1000"];
    let service = folder.start(&slow);
    assert_eq!(service.order("a", &lamps(2)).status, 202);
    service.until_step("order-a", "parcel", "running");
    service.kill();
    let service = folder.start(&["--db", &db, "--lease", "1000"]);
    let order = service.until("order-a", "done");
    let parcel = &order["state"]["states"].as_array().expect("steps")[4];
    assert_eq!(parcel["attempts"], 2, "{parcel}");
    assert_eq!(service.stock("lamp"), 8);
    assert_eq!(service.ledger().as_array().map(Vec::len), Some(1));
    assert!(!folder.has("orders.db"));
}

#[test]
fn after_kill_9_the_orders_go_on() {
    let folder = Folder::new();
    let service = folder.start(&["--packing", "60000"]);
    assert_eq!(service.order("waits", &lamps(3)).status, 202);
    assert_eq!(service.order("packs", &lamps(1)).status, 202);
    service.until("order-waits", "waiting");
    service.until_step("order-packs", "parcel", "running");
    service.kill();

    let service = folder.start(&[]);
    service.until("order-packs", "done");
    assert_eq!(service.list("?status=waiting"), ["order-waits"]);
    let answer = service.post(
        "/orders/order-waits/approval",
        &json!({"granted": true, "by": "bob"}),
    );
    assert_eq!(answer.status, 202);
    service.until("order-waits", "done");
    assert_eq!(service.stock("lamp"), 6);
    assert_eq!(service.ledger().as_array().map(Vec::len), Some(2));
}

/// The step at work ends, nothing else begins, and the next start need not wait for a lease.
#[test]
fn sigterm_ends_it_within_its_grace_and_nothing_is_lost() {
    let folder = Folder::new();
    let service = folder.start(&["--packing", "1500", "--lease", "600000"]);
    assert_eq!(service.order("packs", &lamps(1)).status, 202);
    service.until_step("order-packs", "parcel", "running");
    let (code, took) = service.terminate();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(10), "{took:?}");

    let service = folder.start(&["--lease", "600000"]);
    let order = service.until("order-packs", "done");
    let parcel = &order["state"]["states"].as_array().expect("steps")[4];
    assert_eq!(parcel["name"], "parcel");
    assert_eq!(parcel.get("attempts"), None, "it ran again: {parcel}");
}

/// A step that does not end in time is cut off, as by a crash. Its thread may still be at work, so its lease
/// is not given back, and ends by itself.
#[test]
fn a_step_that_outlasts_the_grace_runs_again() {
    let folder = Folder::new();
    let service = folder.start(&["--packing", "60000", "--grace", "300", "--lease", "2000"]);
    assert_eq!(service.order("packs", &lamps(1)).status, 202);
    service.until_step("order-packs", "parcel", "running");
    let (code, took) = service.terminate();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(10), "{took:?}");

    let service = folder.start(&["--lease", "2000"]);
    service.until("order-packs", "done");
    assert_eq!(service.ledger().as_array().map(Vec::len), Some(1));
}
