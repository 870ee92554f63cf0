//! The options of `log`.

use std::time::Duration;

use clap::Args;

use super::duration;

#[derive(Debug, Args)]
#[command(after_help = "\
What steps have logged with `Cx::log`, and what was kept of their `tracing`. The newest lines of each step are
kept; where some are missing between two, it is told how many.

With --json: one line a line.")]
pub(crate) struct Log {
    /// The execution
    pub(crate) id: String,

    /// The path of a step, such as create.vm: only its lines, and those of what is below it
    pub(crate) step: Option<String>,

    /// The newest lines, this many
    #[arg(long, short = 'n', value_name = "N")]
    pub(crate) tail: Option<usize>,

    /// Go on with what is logged from now on, until the execution has ended
    #[arg(long, short)]
    pub(crate) follow: bool,

    /// How often to look
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = duration, requires = "follow")]
    pub(crate) every: Duration,
}
