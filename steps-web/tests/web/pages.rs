//! Each page, with what is on it and with what it refuses.

use axum::{body::Body, http::header};
use steps_web::Web;

use crate::{
    site::{Site, engine, escaped, local},
    support::order,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_has_in_front_what_needs_somebody() {
    let site = Site::full().await;
    let page = site.get("/").await.is(200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let page = page.has(&[
        "Overview",
        "Stuck",
        "id=stuck",
        "Failed",
        "id=held",
        "Newest",
        "<h2>Counts",
    ]);
    let stuck = page.body.find("<h2>Stuck").unwrap();
    let newest = page.body.find("<h2>Newest").unwrap();
    assert!(stuck < newest);
    let empty = Site::empty(|web| web.title("Shop & Co")).await;
    empty.get("/").await.is(200).has(&[
        "Nothing is stuck",
        "There are no executions yet",
        "Shop &amp; Co",
    ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_has_what_its_filter_finds() {
    let site = Site::full().await;
    let all = site.get("/executions").await.is(200).has(&["8 executions"]);
    all.has(&["id=sent", "id=waiting", "too heavy,…", "ships book"]);
    site.get(&format!(
        "/executions?q={}",
        escaped("status={failed stuck}")
    ))
    .await
    .is(200)
    .has(&["2 executions", "id=held", "id=stuck"])
    .has_not(&["id=sent"]);
    site.get("/executions?q=label.zone%3Deu")
        .await
        .is(200)
        .has(&["1 execution", "id=sent"]);
    let wrong = site.get("/executions?q=stauts%3Dx").await.is(400);
    wrong.has(&["there is no key `stauts`", "stauts=x", "role=\"alert\""]);
    site.get("/executions?after=x")
        .await
        .is(400)
        .has(&["no place in a list"]);
    site.get("/executions?q=status%3Ddone,unfinished%3Dtrue")
        .await
        .is(400)
        .has(&["no execution can meet this filter"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_executions_come_page_by_page() {
    let engine = engine().await;
    let far: jiff::Timestamp = "2100-01-01T00:00:00Z".parse().unwrap();
    for number in 0..1000 {
        let id = format!("n-{number:04}");
        engine.start(order::input(1)).id(id).at(far).await.unwrap();
    }
    let site = Site::of(engine, |web| web);
    let mut seen = Vec::new();
    let mut path = "/executions?q=sort%3Did".to_owned();
    for page in 0..20 {
        let answer = site.get(&path).await.is(200).has(&["1000 executions"]);
        let rows = answer
            .body
            .split("<th scope=\"row\"><a href=\"/execution?id=")
            .skip(1);
        let ids = rows.map(|row| row.split('"').next().unwrap().to_owned());
        seen.extend(ids);
        assert_eq!(seen.len(), (page + 1) * 50);
        let next = answer.body.split("rel=\"next\" href=\"").nth(1);
        match next {
            Some(next) => path = next.split('"').next().unwrap().replace("&amp;", "&"),
            None => assert_eq!(page, 19, "there is no next page"),
        }
    }
    let all: Vec<String> = (0..1000).map(|number| format!("n-{number:04}")).collect();
    assert_eq!(seen, all);
    site.get("/executions?q=limit%3D1000")
        .await
        .is(200)
        .has(&["n-0999", "n-0500", "rel=\"next\""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_execution_is_whole_without_a_script() {
    let site = Site::full().await;
    let page = site.get("/execution?id=held").await.is(200);
    let page = page.has(&[
        "held",
        "✗",
        "failed",
        "too heavy,\nby far",
        "node-ship",
        "3 attempts",
        "ships anvil",
        "9007199254740993",
        "anvil",
        "packed anvil",
        "What you can do",
        "act-recover",
        "act-undo",
        "act-retry-from",
        "act-delete",
        "Timeline",
        "<svg",
        "between",
    ]);
    page.has_not(&[
        "act-signal",
        "act-stop\"",
        "act-skip-undo",
        "style=",
        "onclick",
        "http://",
        "https://",
    ]);
    let stuck = site.get("/execution?id=stuck").await.is(200);
    stuck.has(&[
        "act-mark-undone",
        "act-skip-undo",
        "act-retry-undo",
        "no earth",
        "undo failed",
        "class=\"bar undo\"",
    ]);
    let waiting = site.get("/execution?id=waiting").await.is(200);
    waiting.has(&[
        "act-signal",
        "for a signal",
        "<option value=\"approval\">",
        "act-stop",
    ]);
    let seen = site.get("/execution?id=seen").await.is(200);
    seen.has(&[
        "many",
        "node-many.left",
        "node-parts.3.seen",
        "bar wait",
        "class=\"node d2\"",
    ]);
    let sent = site.get("/execution?id=sent").await.is(200);
    sent.has(&["zone=eu", "label.%22zone%22%3D%22eu%22"]);
    site.get("/execution?id=nobody")
        .await
        .is(404)
        .has(&["there is no execution `nobody`"]);
    site.get("/execution")
        .await
        .is(400)
        .has(&["missing field `id`"]);
    site.get("/execution?id=").await.is(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_a_file() {
    let site = Site::full().await;
    for (format, kind, part) in [
        ("html", "text/html", "<!DOCTYPE html>"),
        ("markdown", "text/markdown", "parcel"),
        ("text", "text/plain", "parcel"),
        ("json", "application/json", "\"flow\""),
    ] {
        let path = format!("/execution/report?id=held&format={format}");
        let file = site.get(&path).await.is(200).has(&[part]);
        assert!(file.header("content-type").starts_with(kind));
        assert!(
            file.header("content-disposition")
                .starts_with("attachment; filename=\"report-held.")
        );
        assert!(
            file.header("content-security-policy")
                .contains("default-src 'none'")
        );
    }
    site.get("/execution/report?id=held&format=pdf")
        .await
        .is(400);
    site.get("/execution/report?id=nobody").await.is(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_have_charts() {
    let site = Site::full().await;
    site.get("/statistics")
        .await
        .is(200)
        .has(&["<option value=\"parcel\">", "flow=garden"]);
    let page = site.get("/statistics?flow=parcel&last=7d").await.is(200);
    page.has(&[
        "Hour by hour",
        "<svg class=\"chart\"",
        "ship",
        "The slowest",
        "id=held",
        "50.0 %",
    ]);
    let none = site.get("/statistics?flow=nobody").await.is(200);
    none.has(&["Nothing was created in that time"]);
    site.get("/statistics?flow=parcel&last=xyz")
        .await
        .is(400)
        .has(&["role=\"alert\""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn schedules_are_paused_resumed_and_removed() {
    let site = Site::full().await;
    site.get("/schedules").await.is(200).has(&[
        "nightly",
        "every 6h",
        "Pause nightly",
        "Remove nightly",
    ]);
    let act = async |act: &str| {
        let form = [("name", "nightly"), ("act", act)];
        let done = site.post("/schedules/act", &form).await.is(303);
        assert_eq!(
            done.header("location"),
            format!("/schedules?name=nightly&done={act}")
        );
    };
    act("pause").await;
    site.get("/schedules?name=nightly&done=pause")
        .await
        .is(200)
        .has(&["paused", "Resume nightly", "pause is done"]);
    act("resume").await;
    assert!(
        site.engine
            .get_schedule("nightly")
            .await
            .unwrap()
            .info()
            .await
            .unwrap()
            .next
            .is_some()
    );
    act("remove").await;
    site.get("/schedules")
        .await
        .is(200)
        .has(&["There are none"]);
    let form = [("name", "nightly"), ("act", "pause")];
    site.post("/schedules/act", &form).await.is(404);
    site.post("/schedules/act", &[("name", "nightly"), ("act", "x")])
        .await
        .is(422);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_page_is_said_to_be_none() {
    let site = Site::full().await;
    site.get("/nowhere")
        .await
        .is(404)
        .has(&["there is no such page"]);
    site.get("/execution/act")
        .await
        .is(405)
        .has(&["takes another method"]);
    site.get("/login")
        .await
        .is(404)
        .has(&["no login of its own"]);
    site.get("/api/nowhere")
        .await
        .is(404)
        .has(&["\"kind\":\"not_found\""]);
    site.get("/api/executions/held/acts")
        .await
        .is(405)
        .has(&["\"error\""]);
    let css = site.get("/assets/page.css").await.is(200);
    assert_eq!(css.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(css.header("cache-control"), "private, max-age=86400");
    site.get("/assets/page.js")
        .await
        .is(200)
        .has(&["EventSource"]);
    site.get("/assets/icon.svg").await.is(200);
    let body = "a".repeat(5 << 20);
    let large = local("POST", "/execution/act")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .body(Body::from(body))
        .unwrap();
    site.send(large).await.is(413);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_the_headers_that_bind_a_browser() {
    let site = Site::full().await;
    for path in [
        "/",
        "/execution?id=held",
        "/nowhere",
        "/assets/page.css",
        "/api/executions",
        "/api/x",
    ] {
        let answer = site.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("script-src 'self'") && policy.contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        if !path.starts_with("/assets") {
            assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_secret_is_nowhere() {
    let site = Site::full_with(|web| web.hide("number").hide_payloads_of("order")).await;
    site.get("/execution?id=held")
        .await
        .is(200)
        .has(&["(hidden)", "9007199254740993"])
        .has_not(&["card 4111"]);
    site.get("/api/executions/held")
        .await
        .is(200)
        .has(&["(hidden)"])
        .has_not(&["card 4111"]);
    site.get("/api/executions")
        .await
        .is(200)
        .has(&["(hidden)"])
        .has_not(&["card 4111"]);
    let waiting = site.get("/api/executions/waiting").await.is(200);
    waiting.has(&["\"input\":\"(hidden)\"", "\"output\":\"(hidden)\""]);
    for path in ["/executions", "/api/executions", "/api/count"] {
        let asked = format!("{path}?q={}", escaped("attrs.card.Number=~41"));
        site.get(&asked).await.is(403).has(&["is hidden, and can"]);
        // Nor for what is no secret elsewhere: it would tell of the flow of which all is hidden.
        let asked = format!("{path}?q={}", escaped("flow=order,attrs.big=[1~]"));
        site.get(&asked)
            .await
            .is(403)
            .has(&["`attrs.big` is hidden"]);
    }
    let site = Site::full_with(Web::hide_payloads).await;
    site.get("/execution?id=held").await.is(200).has_not(&[
        "card 4111",
        "packed anvil",
        "9007199254740993",
    ]);
    site.get("/executions?q=attrs.big%3D1").await.is(403);
}
