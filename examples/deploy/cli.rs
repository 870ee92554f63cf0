//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, value_parser};

use crate::site::{Step, Trouble};

/// Deploys releases of this very program into a folder: stops the old server, switches the link,
/// starts the new one, and goes back where that fails.
///
/// Without --root it shows that in a temporary folder: release 1, then 2, then a broken 3, after
/// which 2 is back. It ends by itself and leaves nothing behind.
///
/// With --root each deployment is kept in a database. One that was cut off, at whatever moment, goes
/// on when the same command is given again: to its end, or back to where it began.
#[derive(Debug, Parser)]
#[command(
    name = "deploy",
    override_usage = "deploy [OPTIONS]",
    after_help = "\
Exit status: 0 deployed; 1 failed and taken back; 2 bad input, or a database that can't be used; \
3 a step could not be taken back (mend what is wrong, and give the same command again, or \
--skip-undo); 4 interrupted (the same command goes on).",
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

    /// The SQLite file that keeps the deployments [default: DIR/deploy.db]
    #[arg(long, value_name = "FILE")]
    pub(crate) db: Option<PathBuf>,

    /// Let this step fail after its effect; without --root, that of release 3
    #[arg(long, value_name = "STEP")]
    pub(crate) fail_at: Option<Step>,

    /// `kill -9` this program right after the effect of this step
    #[arg(long, value_name = "STEP", requires = "root")]
    pub(crate) kill_at: Option<Step>,

    /// `kill -9` this program right after this step was taken back
    #[arg(long, value_name = "STEP", requires = "root")]
    pub(crate) kill_at_undo: Option<Step>,

    /// Go on with a rollback that got stuck at this step, and leave the step as it is
    #[arg(long, value_name = "STEP", requires = "root", conflicts_with_all = [
        "version", "tarball", "broken",
    ])]
    pub(crate) skip_undo: Option<Step>,

    /// Stop the server in DIR, and do nothing else
    #[arg(long, requires = "root", conflicts_with_all = [
        "version", "tarball", "broken", "db", "fail_at", "kill_at", "kill_at_undo", "skip_undo",
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
            kill_at: self.kill_at,
            kill_at_undo: self.kill_at_undo,
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
