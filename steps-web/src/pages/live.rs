//! The streams that tell a page to look again: server-sent events without content. What has changed, the
//! page asks for as before, so that who may see it is asked, too.

use std::{
    convert::Infallible,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
    time::Duration,
};

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{FutureExt as _, stream::unfold};
use serde::Deserialize;
use steps::{Status, engine::Filter, store::ExecutionInfo};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};

use super::{extract::PageQuery, home, list};
use crate::{app::App, error::Refused};

/// How long a stream lasts. The browser asks for the next one then, and is asked who it is.
const LASTS: Duration = Duration::from_mins(1);

/// How often an execution is looked at, and how often a list.
const ONE: Duration = Duration::from_millis(500);
const LIST: Duration = Duration::from_secs(2);

/// A look takes at most one part of so many of the time.
const SHARE: u32 = 20;

/// While steps are at work, every so many looks the tree is read: a step's progress changes nothing else.
const TREE: u32 = 4;

/// After how long the browser asks again.
const RETRY: Duration = Duration::from_secs(2);

/// What is looked at: an execution, a page of a list, or the overview.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Asked {
    id: Option<String>,
    q: Option<String>,
    #[serde(default)]
    after: String,
}

pub(crate) async fn live(
    State(app): State<Arc<App>>,
    PageQuery(asked): PageQuery<Asked>,
) -> Response {
    let Ok(place) = Arc::clone(&app.streams).try_acquire_owned() else {
        let why = "too many pages are kept up to date";
        let mut response = (StatusCode::SERVICE_UNAVAILABLE, why).into_response();
        let headers = response.headers_mut();
        headers.insert(RETRY_AFTER, HeaderValue::from_static("30"));
        return response;
    };
    let follower = Follower {
        app,
        asked,
        seen: None,
        looks: 0,
        tree: 0,
        pause: Duration::ZERO,
        end: Instant::now() + LASTS,
        is_over: false,
        _place: place,
    };
    let events = unfold(follower, |mut follower| async move {
        let event = follower.next().await?;
        Some((Ok::<_, Infallible>(event), follower))
    });
    let keep = KeepAlive::new().interval(Duration::from_secs(15));
    Sse::new(events).keep_alive(keep).into_response()
}

struct Follower {
    app: Arc<App>,
    asked: Asked,
    /// What was seen last.
    seen: Option<u64>,
    looks: u32,
    /// The tree, as it was seen last while steps were at work.
    tree: u64,
    pause: Duration,
    end: Instant,
    is_over: bool,
    _place: OwnedSemaphorePermit,
}

/// What a look has found.
enum Found {
    Is(u64),
    /// It has ended, and is as it will be.
    Ended,
    Gone,
    Nothing,
}

impl Follower {
    async fn next(&mut self) -> Option<Event> {
        while !self.is_over {
            let wakes = Instant::now() + self.pause;
            if wakes > self.end || !self.sleep(wakes).await {
                return None;
            }
            let began = Instant::now();
            let found = self.look().await;
            let every = if self.asked.id.is_some() { ONE } else { LIST };
            self.pause = every.max(began.elapsed() * SHARE);
            self.looks += 1;
            let hello = || told("hello").retry(RETRY);
            match found {
                Found::Gone => {
                    self.is_over = true;
                    return Some(told("gone"));
                }
                Found::Ended => {
                    self.is_over = true;
                    return Some(told("over"));
                }
                Found::Is(now) => {
                    let before = self.seen.replace(now);
                    match before {
                        None => return Some(hello()),
                        Some(before) if before != now => return Some(told("change")),
                        Some(_) => {}
                    }
                }
                Found::Nothing if self.looks == 1 => return Some(hello()),
                Found::Nothing => {}
            }
        }
        None
    }

    /// Sleeps until then. Returns whether the stream goes on.
    async fn sleep(&self, until: Instant) -> bool {
        let sleep = tokio::time::sleep_until(until);
        match self.app.until.clone() {
            None => sleep.await,
            Some(end) => {
                if end.clone().now_or_never().is_some() {
                    return false;
                }
                tokio::select! {
                    () = sleep => {}
                    () = end => return false,
                }
            }
        }
        true
    }

    async fn look(&mut self) -> Found {
        let found = match self.asked.id.clone() {
            Some(id) => self.one(&id).await,
            None => self.list().await,
        };
        match found {
            Ok(found) => found,
            Err(error) if error.status == StatusCode::NOT_FOUND => Found::Gone,
            // The store may be busy: the next look tells.
            Err(error) => {
                tracing::debug!(why = error.why, "a page could not be kept up to date");
                Found::Nothing
            }
        }
    }

    async fn one(&mut self, id: &str) -> Result<Found, Refused> {
        let handle = self.app.engine.get(id).await?;
        let info = handle.info().await?;
        if info.status.is_final() && info.due.is_none() {
            return Ok(Found::Ended);
        }
        let mut hasher = DefaultHasher::new();
        hash(&info, &mut hasher);
        let works = matches!(info.status, Status::Running | Status::Undoing);
        if works && self.looks.is_multiple_of(TREE) {
            let mut of_tree = DefaultHasher::new();
            handle.tree().await?.to_json().hash(&mut of_tree);
            self.tree = of_tree.finish();
        }
        self.tree.hash(&mut hasher);
        let last = handle.log().tail(1).await?;
        last.first().map(|line| line.number).hash(&mut hasher);
        Ok(Found::Is(hasher.finish()))
    }

    async fn list(&self) -> Result<Found, Refused> {
        let mut hasher = DefaultHasher::new();
        let engine = &self.app.engine;
        let filter = match &self.asked.q {
            Some(q) => {
                let mut filter = self.app.filter(q)?;
                if !self.asked.after.is_empty() {
                    filter = filter.after(list::cursor(&self.asked.after)?);
                }
                filter.clone().limit(list::size(&filter))
            }
            None => {
                home::counts(&self.app).await?.hash(&mut hasher);
                Filter::new().limit(home::SHOWN)
            }
        };
        for info in engine.list(filter).await? {
            hash(&info, &mut hasher);
        }
        Ok(Found::Is(hasher.finish()))
    }
}

/// Takes in what a page shows of it. When its lease ends changes all the time.
fn hash(info: &ExecutionInfo, hasher: &mut DefaultHasher) {
    info.id.hash(hasher);
    info.status.hash(hasher);
    info.updated_at.hash(hasher);
    info.status_message.hash(hasher);
    info.error.hash(hasher);
    info.acts.len().hash(hasher);
    info.refused.is_some().hash(hasher);
    info.attrs.as_json().hash(hasher);
    info.worker.hash(hasher);
}

fn told(name: &str) -> Event {
    Event::default().event(name).data("1")
}
