//! What the steps of an execution have logged, without what is hidden.

use serde::Deserialize;
use steps::{engine::Handle, log::LogLine};

use crate::{app::App, encoded, error::Refused};

/// How many lines are read, if nothing else is said.
const PAGE: usize = 100;

/// How many lines are read at most.
const MOST: usize = 1000;

/// Which lines are asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// The path of a step: its lines, and those of what is below it.
    pub(crate) step: Option<String>,
    /// Only lines behind this one, the oldest first; else the newest.
    pub(crate) after: Option<i64>,
    pub(crate) limit: Option<usize>,
}

/// Reads lines of the log of an execution of this flow, the oldest first.
pub(crate) async fn lines(
    app: &App,
    handle: &Handle,
    flow: &str,
    asked: &Asked,
) -> Result<Vec<LogLine>, Refused> {
    let limit = asked.limit.unwrap_or(PAGE).min(MOST);
    let mut log = match asked.after {
        Some(after) => handle.log().after(after).limit(limit),
        None => handle.log().tail(limit),
    };
    if let Some(step) = &asked.step {
        log = log.step(step);
    }
    let mut lines = log.await?;
    for line in &mut lines {
        encoded::of_str(&mut line.message);
    }
    app.secrets.of_log(flow, &mut lines);
    Ok(lines)
}
