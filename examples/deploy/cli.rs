//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, value_parser};

use crate::site::{Step, Trouble};

/// Deploys releases of this very program into a folder: stops the old server, switches the link,
/// starts the new one, and goes back where that fails.
///
/// Without --root it shows that in a temporary folder: release 1, then 2, then a broken 3, after
/// which 2 is back. It ends by itself and leaves nothing behind.
#[derive(Debug, Parser)]
#[command(
    name = "deploy",
    override_usage = "deploy [OPTIONS]",
    after_help = "Exit status: 0 deployed, 1 failed and taken back, 2 bad input.",
    args_conflicts_with_subcommands = true
)]
pub(crate) struct Cli {
    /// The folder to deploy to; created if it is missing
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,

    /// The number of the release [default: that of the tarball, or one more than the current]
    #[arg(long, value_name = "N", requires = "root", value_parser = value_parser!(u32).range(1..))]
    pub(crate) version: Option<u32>,

    /// Deploy this tarball, such as one in DIR/tarballs, instead of packing this program
    #[arg(long, value_name = "FILE", requires = "root")]
    pub(crate) tarball: Option<PathBuf>,

    /// Pack a release whose health check never turns good
    #[arg(long, requires = "root", conflicts_with = "tarball")]
    pub(crate) broken: bool,

    /// Keep the state of the deployment in this file; one in it that was cut off goes on
    #[arg(long, value_name = "FILE", requires = "root")]
    pub(crate) state: Option<PathBuf>,

    /// Let this step fail after its effect; without --root, that of release 3
    #[arg(long, value_name = "STEP")]
    pub(crate) fail_at: Option<Step>,

    /// End this program right after the effect of this step, as if it had crashed
    #[arg(
        long,
        value_name = "STEP",
        requires = "state",
        conflicts_with = "fail_at"
    )]
    pub(crate) crash_at: Option<Step>,

    /// Stop the server in DIR, and do nothing else
    #[arg(long, requires = "root", conflicts_with_all = [
        "version", "tarball", "broken", "state", "fail_at", "crash_at",
    ])]
    pub(crate) stop: bool,

    /// Let servers end themselves after so long [default: never; without --root, 600]
    #[arg(long, value_name = "SECONDS", value_parser = value_parser!(u64).range(1..))]
    pub(crate) max_life: Option<u64>,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

impl Cli {
    pub(crate) fn trouble(&self) -> Trouble {
        Trouble {
            fail_at: self.fail_at,
            crash_at: self.crash_at,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// What the unpacked program of a release runs
    #[command(hide = true)]
    Serve {
        root: PathBuf,
        #[arg(long)]
        max_life: Option<u64>,
    },
}
