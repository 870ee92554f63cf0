//! The options of `report` and `stats`, and the forms in which they write.

use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::duration;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    #[default]
    Text,
    Json,
    Markdown,
    Html,
}

/// How and where it is written.
#[derive(Debug, Args)]
pub(crate) struct Form {
    /// The form; html is a page that needs nothing else, and --json is --format json [default: text]
    #[arg(long, value_enum, value_name = "FORM")]
    pub(crate) format: Option<Format>,

    /// Into this file, which must not be there, instead of to standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
What is under way is counted up to now.

With --json: one value, which is that of `Report::json`.")]
pub(crate) struct Report {
    /// The execution
    pub(crate) id: String,

    #[command(flatten)]
    pub(crate) form: Form,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Of the executions that were created in that time, and, to compare, in the same length of time before it. \
A TIME is such as 2026-01-31 or 2026-01-31T18:30:00Z, which is UTC where no zone is given.

With --json: one value, which is that of `Statistics::json`.")]
pub(crate) struct Stats {
    /// The flow
    pub(crate) flow: String,

    /// Of executions that were created from this time on
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) since: Option<Timestamp>,

    /// Of executions that were created before this time [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) until: Option<Timestamp>,

    /// Of those that were created in this length of time before the end, such as 7d
    #[arg(
        long,
        value_name = "SPAN",
        default_value = "1d",
        value_parser = duration,
        conflicts_with = "since"
    )]
    pub(crate) last: Duration,

    /// Look at the steps of so many executions at most, of each of the two times [default: 10000]
    #[arg(long, value_name = "N")]
    pub(crate) sample: Option<usize>,

    /// Tell of so many of the slowest executions [default: 10]
    #[arg(long, value_name = "N")]
    pub(crate) slowest: Option<usize>,

    #[command(flatten)]
    pub(crate) form: Form,
}

/// Returns a moment; a day is its beginning.
fn moment(text: &str) -> Result<Timestamp, String> {
    let text = text.trim();
    let utc = |time: DateTime| Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp());
    let moment = text.parse().ok();
    let moment = moment.or_else(|| text.parse().ok().and_then(utc));
    moment.ok_or_else(|| {
        "a time is such as 2026-01-31 or 2026-01-31T18:30:00Z, which is UTC where no zone is given".to_owned()
    })
}
