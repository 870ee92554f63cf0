//! What a webhook needs, and what can't be.

use std::{fmt, sync::Arc, time::Duration};

use reqwest::{Client, Url, redirect};
use steps::AsDuration;

use super::sign::Secret;

/// A function that is told of changes, and posts each to a URL, as [Standard Webhooks] has it.
///
/// * The body is JSON: `{"type": "execution.done", "timestamp": "…", "data": {"execution": "req-42", …}}`, with the
///   `key`, the flow, the status before and after, the error, and of a step its name, path and attempts.
/// * The headers `webhook-id`, which is the change's key and the same for each repeat, `webhook-timestamp` and
///   `webhook-signature`, an HMAC-SHA256 over these two and the body, by each secret.
/// * An answer from 200 to 299 ends it. `410 Gone` ends the whole subscription, until
///   [`forget_changes`](steps::Engine::forget_changes). All else, also a redirect, which is not followed, and no answer within
///   20 seconds, lets it be sent again, after the [pauses](steps::engine::OnChange::pauses) of its
///   registration, or what a `Retry-After` says in seconds, for 3 days since the change.
/// * No more than a kilobyte of an answer is read, and no proxy is used.
///
/// ```no_run
/// use steps::{Engine, Status, engine::OnChange, prelude::*};
/// use steps_web::Webhook;
///
/// # async fn engine() -> Result<(), Box<dyn std::error::Error>> {
/// let hook = Webhook::new("http://shop.internal/hooks/orders")
///     .secret(std::env::var("SHOP_HOOK_SECRET")?)
///     .build()?;
/// let on = OnChange::new().flow_name("order").status(Status::Done).pauses("5s", "1h");
/// let engine = Engine::open("sqlite:orders.db").await?
///     .on_execution_change("shop", on, hook)
///     .start().await?;
/// # Ok(())
/// # }
/// ```
///
/// **For `https`** the program chooses how TLS is done, by a feature of the client in its own `Cargo.toml`, such
/// as `reqwest = { version = "0.13", default-features = false, features = ["rustls"] }`. Without one, each
/// delivery fails and says so.
///
/// [Standard Webhooks]: https://www.standardwebhooks.com
#[derive(Clone)]
pub struct Webhook(pub(super) Arc<Settings>);

pub(super) struct Settings {
    pub(super) url: Url,
    pub(super) secrets: Vec<Secret>,
    pub(super) give_up_after: Duration,
    pub(super) client: Client,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Webhook")
            .field(&self.0.url.as_str())
            .finish()
    }
}

/// A webhook that is being put together.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `.build()`"]
pub struct NewWebhook {
    url: String,
    secrets: Vec<String>,
    is_signed: bool,
    timeout: Result<Duration, String>,
    give_up_after: Result<Duration, String>,
}

impl Webhook {
    /// Begins a webhook to this URL.
    #[expect(
        clippy::new_ret_no_self,
        reason = "what it makes is checked when all is said"
    )]
    pub fn new(url: impl Into<String>) -> NewWebhook {
        NewWebhook {
            url: url.into(),
            secrets: Vec::new(),
            is_signed: true,
            timeout: Ok(Duration::from_secs(20)),
            give_up_after: Ok(Duration::from_hours(72)),
        }
    }
}

impl NewWebhook {
    /// Signs each request by this secret: base64 of 24 to 512 random bytes, with or without `whsec_` before it, such
    /// as `openssl rand -base64 32` makes. Called again, each request has one more signature, so that a secret can
    /// be changed without a gap.
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secrets.push(secret.into());
        self
    }

    /// Signs no request: for a receiver that knows its senders otherwise.
    pub fn unsigned(mut self) -> Self {
        self.is_signed = false;
        self
    }

    /// How long one request may take, by default `"20s"`. The [time of a call](steps::engine::OnChange::timeout)
    /// bounds it, too.
    pub fn timeout(mut self, time: impl AsDuration) -> Self {
        self.timeout = time.as_duration().map_err(|error| error.to_string());
        self
    }

    /// How long a change is sent since it happened, by default `"3d"`. Then it is given up, which is an error in
    /// the log.
    pub fn give_up_after(mut self, time: impl AsDuration) -> Self {
        self.give_up_after = time.as_duration().map_err(|error| error.to_string());
        self
    }

    /// Checks all that was said.
    ///
    /// # Errors
    ///
    /// Where the URL is none of `http` or `https`, or holds a password; where there is no secret, or one that can
    /// be guessed; where a time is none.
    pub fn build(self) -> Result<Webhook, WebhookError> {
        let wrong = |why: String| WebhookError {
            url: shown(&self.url),
            why,
        };
        let url = Url::parse(&self.url).map_err(|error| wrong(format!("it is no URL: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("it is neither `http` nor `https`".to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            let why = "a user or a password in it would be told in logs: use the signature";
            return Err(wrong(why.to_owned()));
        }
        match (self.is_signed, self.secrets.is_empty()) {
            (true, true) => {
                let why = "it has no secret: set one by `.secret(…)`, or say `.unsigned()`";
                return Err(wrong(why.to_owned()));
            }
            (false, false) => {
                let why = "it is `.unsigned()`, and has a secret: only one of them can be";
                return Err(wrong(why.to_owned()));
            }
            _ => {}
        }
        let secrets = self.secrets.iter().map(|secret| Secret::read(secret));
        let secrets = secrets.collect::<Result<_, _>>();
        let secrets = secrets.map_err(|why| wrong(format!("a secret can't be: {why}")))?;
        let timeout = self.timeout.clone().map_err(wrong)?;
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(timeout)
            .user_agent(concat!("steps-webhook/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| wrong(error.to_string()))?;
        Ok(Webhook(Arc::new(Settings {
            url,
            secrets,
            give_up_after: self.give_up_after.clone().map_err(wrong)?,
            client,
        })))
    }
}

/// A webhook can't be as it was said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the webhook to `{url}`: {why}")]
pub struct WebhookError {
    url: String,
    why: String,
}

/// A URL without what is before an `@`.
fn shown(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        (None, Some((_, host))) => format!("…@{host}"),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn what_can_be_no_webhook_is_told_why() {
        let new = |url: &str| Webhook::new(url).secret(SECRET);
        for (hook, says) in [
            (new("shop"), "it is no URL"),
            (new("ftp://shop/"), "neither `http` nor `https`"),
            (new("http://ann:hush@shop/"), "password"),
            (Webhook::new("http://shop/"), "it has no secret"),
            (new("http://shop/").unsigned(), "only one of them"),
            (new("http://shop/").secret("c2hvcnQ="), "5 bytes"),
            (new("http://shop/").timeout("soon"), "`soon`"),
            (new("http://shop/").give_up_after("x"), "no duration"),
        ] {
            let error = hook.build().unwrap_err().to_string();
            assert!(error.contains(says) && !error.contains("hush"), "{error}");
        }
        assert!(new("https://shop/hook").secret(SECRET).build().is_ok());
        assert!(Webhook::new("http://shop/").unsigned().build().is_ok());
    }
}
