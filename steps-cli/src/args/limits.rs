//! The options of `pause`, `resume` and `limits`.

use std::time::Duration;

use clap::Args;
use steps::AsDuration as _;

use super::By;

#[derive(Debug, Args)]
#[command(after_help = "With --json: one value, with `changed`.")]
pub(crate) struct Pause {
    /// The flow, by the name that its executions are listed under
    pub(crate) flow: String,

    #[command(flatten)]
    pub(crate) by: By,
}

#[derive(Debug, Args)]
#[command(after_help = "\
An execution goes on from when it begins until it ends, also while it waits; one that is left out begins when \
there is room. The limits that are given take the place of all that the flow had, and count until --none, \
whatever its service says.

With --json: one flow a line; of one that is set, one value, with `changed`.")]
pub(crate) struct Limits {
    /// The flow; without one, all that are paused or limited, or were
    pub(crate) flow: Option<String>,

    /// At most N go on at once
    #[arg(long, value_name = "N", requires = "flow", value_parser = at_least_one())]
    pub(crate) at_once: Option<u32>,

    /// At most N of those with one value of a label
    #[arg(long, value_name = "LABEL=N", requires = "flow", value_parser = per)]
    pub(crate) per: Option<(String, u32)>,

    /// At most N begin in a time, evenly: 100/60s
    #[arg(long, value_name = "N/TIME", requires = "flow", value_parser = rate)]
    pub(crate) rate: Option<(u32, Duration)>,

    /// So many of them may begin together, if none did for a while
    #[arg(long, value_name = "N", requires = "rate", value_parser = at_least_one())]
    pub(crate) burst: Option<u32>,

    /// No limits, until a service sets its own as it starts
    #[arg(long, requires = "flow", conflicts_with_all = ["at_once", "per", "rate"])]
    pub(crate) none: bool,

    #[command(flatten)]
    pub(crate) by: By,
}

fn at_least_one() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..)
}

fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number| *number > 0)
}

fn per(text: &str) -> Result<(String, u32), String> {
    let parts = text.rsplit_once('=').filter(|(name, _)| !name.is_empty());
    let parts = parts.and_then(|(name, most)| Some((name.to_owned(), number(most)?)));
    parts.ok_or_else(|| "it is LABEL=N with a number from 1 on, such as tenant=2".to_owned())
}

fn rate(text: &str) -> Result<(u32, Duration), String> {
    let parts = text.split_once('/');
    let parts = parts.and_then(|(starts, time)| {
        let time = time.as_duration().ok().filter(|time| !time.is_zero())?;
        Some((number(starts)?, time))
    });
    parts.ok_or_else(|| "it is N/TIME with a number from 1 on, such as 100/60s".to_owned())
}
