//! The options of `schedules`, `changes`, `sweep` and `web`: what a store is kept in order with.

use std::{net::SocketAddr, time::Duration};

use clap::{
    Args, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use steps::Status;

use super::{Found, duration};

#[derive(Debug, Args)]
#[command(after_help = "With --json: one schedule a line; of what is done with one, one value.")]
pub(crate) struct Schedules {
    #[command(subcommand)]
    pub(crate) act: Option<ScheduleAct>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ScheduleAct {
    /// Tell its next ticks, before they come, in UTC
    Next {
        /// The schedule
        name: String,

        /// So many, at most 1000
        #[arg(
            long,
            short = 'n',
            value_name = "N",
            default_value_t = 5,
            value_parser = clap::value_parser!(u16).range(1..=1000)
        )]
        count: u16,
    },
    /// Start nothing until it is resumed
    Pause {
        /// The schedule
        name: String,
    },
    /// Go on with the next tick
    Resume {
        /// The schedule
        name: String,
    },
    /// Remove it for good; what it has started stays
    Remove {
        /// The schedule
        name: String,

        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
#[command(
    after_help = "With --json: one function, or one change, a line; of what is forgotten, one value."
)]
pub(crate) struct Changes {
    #[command(subcommand)]
    pub(crate) act: Option<ChangeAct>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ChangeAct {
    /// Tell the changes that it was told in vain, why, and when they are told again: at most 20
    Failing {
        /// The function
        name: String,
    },
    /// Keep no more changes for it, and delete what it was not told
    Forget {
        /// The function
        name: String,

        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
What the filter finds and has ended is deleted, but for the newest N of it, those that have not ended included, \
and for what ended within TIME. With both, what either keeps is kept. What is stuck stays, unless the filter \
names that status; and so does a child, as long as the execution that has started it is there.

With --json: one value with `rule`, and `deleted` or `would_delete`.")]
#[group(id = "kept", required = true, multiple = true, args = ["newest", "for_time"])]
pub(crate) struct Sweep {
    #[command(flatten)]
    pub(crate) found: Found,

    /// Only of this flow; several: of any of them
    #[arg(long, value_name = "NAME")]
    pub(crate) flow: Vec<String>,

    /// Only with this label; several must all be there
    #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
    pub(crate) label: Vec<(String, String)>,

    /// Only in this status; several: in any of them
    #[arg(long, value_name = "STATUS", value_parser = status())]
    pub(crate) status: Vec<Status>,

    /// Keep the newest N of what is found, by creation; 0 keeps none that has ended
    #[arg(long, value_name = "N")]
    pub(crate) newest: Option<usize>,

    /// Keep so many of each value of this label; what has no such label stays
    #[arg(long, value_name = "LABEL", requires = "newest")]
    pub(crate) per: Option<String>,

    /// Keep each for this time after its end, such as 30d
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub(crate) for_time: Option<Duration>,

    /// Only tell how many would be deleted
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Without a token, it is only for this machine: it listens on loopback, and refuses what a proxy passes on and what \
asks for it by another name than localhost. With --token, whoever has the token comes in, and what they do is \
recorded under --by. Without TLS, others on the way can read the token: use a proxy with TLS in front of another \
address than loopback.

With --json: one value, `listening`, when it does.")]
pub(crate) struct Web {
    /// The address and the port; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8474")]
    pub(crate) listen: SocketAddr,

    /// The token that lets somebody in, of at least 16 bytes; better by the environment
    #[arg(
        long,
        env = "STEPS_WEB_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    pub(crate) token: Option<String>,

    /// The token that lets a program report on external tasks, and do nothing else; better by the environment
    #[arg(
        long,
        env = "STEPS_WEB_REPORTER_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    pub(crate) reporter_token: Option<String>,

    /// Under whose name acts are recorded [default: the user]
    #[arg(long = "by", env = "STEPS_BY", value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Only to look: nothing can be changed. It needs a token
    #[arg(long, requires = "token")]
    pub(crate) read_only: bool,

    /// What a proxy in front removes from the path, such as /ops
    #[arg(long, value_name = "PATH")]
    pub(crate) prefix: Option<String>,

    /// Hide the values of fields with this name, beside `password`, `token` and the like
    #[arg(long, value_name = "FIELD")]
    pub(crate) hide: Vec<String>,

    /// Hide all inputs, outputs and attributes
    #[arg(long)]
    pub(crate) hide_payloads: bool,
}

fn label(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let (name, value) = parts.ok_or("a label is NAME=VALUE, such as zone=eu")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// The statuses of what may be deleted.
fn status() -> impl TypedValueParser<Value = Status> {
    let over = [
        Status::Done,
        Status::Failed,
        Status::Undone,
        Status::Stopped,
        Status::Stuck,
    ];
    PossibleValuesParser::new(over.map(Status::as_str))
        .try_map(|name| Status::from_name(&name).ok_or("there is no such status"))
}
