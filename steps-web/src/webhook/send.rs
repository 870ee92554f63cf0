//! The request, and what its answer means.

use std::{error::Error as _, time::Duration};

use jiff::Timestamp;
use reqwest::{
    Response, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use steps::{
    engine::{ChangeFunction, NotTold, StatusChange},
    store::{BoxFuture, Change},
};

use super::{body, build::Webhook, sign::sign};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// How much of an answer is read.
const ANSWER: usize = 1024;

impl ChangeFunction for Webhook {
    fn call(&self, change: StatusChange) -> BoxFuture<'static, Result<(), BoxError>> {
        let hook = self.clone();
        Box::pin(async move { Ok(hook.send(&change).await?) })
    }
}

impl Webhook {
    /// Sends a change once.
    async fn send(&self, change: &Change) -> Result<(), NotTold> {
        let settings = &self.0;
        let body = body::of(change).map_err(NotTold::drop)?;
        let now = Timestamp::now();
        let (id, timestamp) = (change.key(), now.as_second());
        let mut request = settings
            .client
            .post(settings.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", timestamp);
        if !settings.secrets.is_empty() {
            let signature = sign(&settings.secrets, &id, timestamp, &body);
            request = request.header("webhook-signature", signature);
        }
        let passed = Duration::try_from(now.duration_since(change.at)).unwrap_or_default();
        let again = |why: String, pause: Duration| {
            if passed >= settings.give_up_after {
                return NotTold::drop(format!("{why}; it was sent for {passed:?}"));
            }
            NotTold::later(why, pause)
        };
        let response = match request.body(body).send().await {
            Ok(response) => response,
            Err(error) => return Err(again(self.text(error), Duration::ZERO)),
        };
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let pause = retry_after(&response);
        let answer = beginning(response).await;
        let why = format!("{} answers {status}{answer}", settings.url);
        Err(match status {
            StatusCode::GONE => NotTold::end(why),
            _ => again(why, pause),
        })
    }

    /// What went wrong on the way.
    fn text(&self, error: reqwest::Error) -> String {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            text = format!("{text}: {error}");
            source = error.source();
        }
        if self.0.url.scheme() == "https" && text.contains("scheme is not http") {
            text.push_str(
                "; for `https`, this program needs a TLS feature of `reqwest`: see the documentation \
                 of `Webhook`",
            );
        }
        text
    }
}

/// For how many seconds the receiver wants no more.
fn retry_after(response: &Response) -> Duration {
    let seconds = response.headers().get(RETRY_AFTER);
    let seconds = seconds.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Duration::from_secs(seconds.unwrap_or_default())
}

/// The beginning of an answer, for the log.
async fn beginning(mut response: Response) -> String {
    let mut answer = Vec::new();
    while answer.len() < ANSWER
        && let Ok(Some(chunk)) = response.chunk().await
    {
        answer.extend_from_slice(&chunk[..chunk.len().min(ANSWER - answer.len())]);
    }
    let text = String::from_utf8_lossy(&answer);
    let text = text.trim();
    if text.is_empty() {
        return String::new();
    }
    format!(": {}", text.escape_debug())
}
