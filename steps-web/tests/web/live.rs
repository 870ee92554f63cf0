//! The streams that keep pages up to date.

use std::time::Duration;

use axum::{body::Body, http::header};
use futures_util::StreamExt as _;
use steps::Status;
use tokio::{sync::oneshot, time::timeout};
use tower::ServiceExt as _;

use crate::{
    site::{Site, local},
    support::until,
};

const WAIT: Duration = Duration::from_secs(20);

/// The events of a stream, one after the other.
struct Stream(axum::body::BodyDataStream);

impl Stream {
    async fn of(site: &Site, path: &str) -> Self {
        let request = local("GET", path).body(Body::empty()).unwrap();
        let response = site.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "text/event-stream"
        );
        Self(response.into_body().into_data_stream())
    }

    /// The name of the next event; none at the end.
    async fn next(&mut self) -> Option<String> {
        loop {
            let part = timeout(WAIT, self.0.next())
                .await
                .expect("something comes")?;
            let text = String::from_utf8(part.unwrap().to_vec()).unwrap();
            let name = text.lines().find_map(|line| line.strip_prefix("event: "));
            if let Some(name) = name {
                return Some(name.to_owned());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_tells_of_each_change_until_the_end() {
    let site = Site::full().await;
    let mut stream = Stream::of(&site, "/live?id=waiting").await;
    assert_eq!(stream.next().await.as_deref(), Some("hello"));
    let waiting = site.engine.get("waiting").await.unwrap();
    waiting.set_status_message("soon").await.unwrap();
    assert_eq!(stream.next().await.as_deref(), Some("change"));
    waiting.signal_path("approval", &true).await.unwrap();
    until(&waiting, Status::Done).await;
    loop {
        match stream.next().await.as_deref() {
            Some("change") => {}
            Some("over") => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(stream.next().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gone_is_said_to_be() {
    let site = Site::full().await;
    let mut stream = Stream::of(&site, "/live?id=later").await;
    assert_eq!(stream.next().await.as_deref(), Some("hello"));
    site.engine
        .get("later")
        .await
        .unwrap()
        .force_delete()
        .await
        .unwrap();
    assert_eq!(stream.next().await.as_deref(), Some("gone"));
    assert_eq!(stream.next().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_have_streams_too() {
    let site = Site::full().await;
    let mut list = Stream::of(&site, "/live?q=flow%3Dorder").await;
    let mut all = Stream::of(&site, "/live").await;
    assert_eq!(list.next().await.as_deref(), Some("hello"));
    assert_eq!(all.next().await.as_deref(), Some("hello"));
    site.engine
        .get("waiting")
        .await
        .unwrap()
        .stop_and_wait(WAIT)
        .await
        .unwrap();
    assert_eq!(list.next().await.as_deref(), Some("change"));
    assert_eq!(all.next().await.as_deref(), Some("change"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_ends_the_streams() {
    let (end, ended) = oneshot::channel::<()>();
    let site = Site::full_with(|web| web.until(async { drop(ended.await) })).await;
    let mut stream = Stream::of(&site, "/live?id=waiting").await;
    assert_eq!(stream.next().await.as_deref(), Some("hello"));
    end.send(()).unwrap();
    assert_eq!(stream.next().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_only_so_many_streams() {
    let site = Site::full().await;
    let mut open = Vec::new();
    for _ in 0..64 {
        open.push(Stream::of(&site, "/live?id=waiting").await);
    }
    let full = site.get("/live?id=waiting").await.is(503);
    assert_eq!(full.header("retry-after"), "30");
    open.pop();
    Stream::of(&site, "/live?id=waiting").await;
}
