//! What all requests share.

use std::sync::Arc;

use futures_util::future::{BoxFuture, Shared};
use steps::{Engine, engine::Filter};
use tokio::sync::Semaphore;

use crate::{
    access::{gate::Gate, token::Tokens},
    error::Refused,
    secrets::Secrets,
};

/// When the streams end.
pub(crate) type Until = Shared<BoxFuture<'static, ()>>;

/// How many pages may be kept up to date at once. Each looks at the store now and then.
const STREAMS: usize = 64;

pub(crate) struct App {
    pub(crate) engine: Engine,
    pub(crate) title: String,
    pub(crate) prefix: String,
    pub(crate) gate: Gate,
    /// Who may report on external tasks, and do nothing else, whomever the gate lets in.
    pub(crate) reporters: Tokens,
    pub(crate) secrets: Secrets,
    pub(crate) until: Option<Until>,
    pub(crate) streams: Arc<Semaphore>,
}

impl App {
    pub(crate) fn new(
        engine: Engine,
        title: String,
        prefix: String,
        gate: Gate,
        reporters: Tokens,
        secrets: Secrets,
        until: Option<Until>,
    ) -> Self {
        Self {
            engine,
            title,
            prefix,
            gate,
            reporters,
            secrets,
            until,
            streams: Arc::new(Semaphore::new(STREAMS)),
        }
    }
    /// Reads a filter, unless it asks for what is hidden.
    pub(crate) fn filter(&self, text: &str) -> Result<Filter, Refused> {
        let filter = Filter::parse(text)?;
        match self.secrets.asked_for(filter.conditions()) {
            None => Ok(filter),
            Some(field) => Err(Refused::forbidden(format!(
                "`{field}` is hidden, and can't be asked for"
            ))),
        }
    }
}
