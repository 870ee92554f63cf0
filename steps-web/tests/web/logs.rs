//! What steps have logged: on the page of an execution, and by the API.

use crate::site::{Site, escaped};

const HELD: &str = "/execution?id=held";

#[tokio::test(flavor = "multi_thread")]
async fn what_a_step_has_logged_is_on_the_page_of_its_execution() {
    let site = Site::full().await;
    let page = site.get(HELD).await.is(200);
    page.has(&[
        "The newest 3 lines",
        "loads &lt;anvil&gt; on the train",
        "id=held&amp;step=ship",
    ])
    .has_not(&["<anvil>"]);
    let of = |step: &str| format!("{HELD}&step={}", escaped(step));
    let one = site.get(&of("ship")).await.is(200);
    one.has(&["The newest 3 lines", "show all"]);
    let other = site.get(&of("packed")).await.is(200);
    other.has(&["Nothing is logged.", "show all"]);
    let hostile = site.get(&of("<script>")).await.is(200);
    hostile.has_not(&["<script>x", "<code><script>"]);
    site.get("/execution?id=waiting")
        .await
        .is(200)
        .has(&["Nothing is logged."]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_read_page_by_page() {
    let site = Site::full().await;
    let first = site.get("/api/executions/held/log?limit=1").await.is(200);
    let first: serde_json::Value = serde_json::from_str(&first.body).unwrap();
    let line = &first["lines"][0];
    assert_eq!(line["attempt"], 3, "the newest");
    let all = site
        .get("/api/executions/held/log?after=0&limit=1")
        .await
        .is(200);
    let all: serde_json::Value = serde_json::from_str(&all.body).unwrap();
    let oldest = &all["lines"][0];
    assert_eq!(
        (&oldest["attempt"], &oldest["step"]),
        (&1.into(), &"ship".into())
    );
    let rest = format!("/api/executions/held/log?after={}", oldest["number"]);
    let rest: serde_json::Value =
        serde_json::from_str(&site.get(&rest).await.is(200).body).unwrap();
    assert_eq!(rest["lines"].as_array().map(Vec::len), Some(2));
    site.get("/api/executions/held/log?limt=1")
        .await
        .is(400)
        .has(&["limt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_flow_with_hidden_payloads_has_logged_is_hidden() {
    for site in [
        Site::full_with(|web| web.hide_payloads_of("parcel")).await,
        Site::full_with(steps_web::Web::hide_payloads).await,
    ] {
        for path in [HELD, "/api/executions/held/log"] {
            site.get(path)
                .await
                .is(200)
                .has(&["(hidden)"])
                .has_not(&["on the train"]);
        }
    }
}
