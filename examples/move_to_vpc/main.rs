//! Moves instances into a VPC, one pass at a time, as a reconcile loop does: load the state, go on
//! from where it stopped, save the state, say when to come again.
//!
//! The names of the steps, and the form of the file with `--go-format`, are those of a Go program
//! that did this before; a file that it left in the middle of its work is taken over as it is.
//!
//! ```text
//! cargo run --example move_to_vpc -- --state move.json --dead 10.0.0.4,10.0.0.9
//! cargo run --example move_to_vpc -- --state move.json --fail chkNetwork
//! cargo run --example move_to_vpc -- --state move.json --recover
//! ```

#![allow(dead_code, reason = "its flow is not wired yet")]

mod env;
mod store;

use std::{net::IpAddr, path::PathBuf, process::ExitCode};

use clap::Parser;

use crate::env::Work;

const DONE: u8 = 0;
const FAILED: u8 = 1;
const BAD_INPUT: u8 = 2;
/// `EX_TEMPFAIL` of `sysexits.h`: try again later.
const NOT_YET: u8 = 75;

/// Makes one pass of moving an account's instances into a VPC.
///
/// Loads FILE if it is there, goes on from the first step that is not done, saves FILE and prints
/// the tree of steps.
#[derive(Parser)]
#[command(after_help = "\
Exit status: 0 done, 75 not yet (come again), 1 failed (come again with --recover), \
2 bad input or a FILE that can't be read or written; FILE is then left as it was.")]
struct Args {
    /// Where the state is kept between passes.
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// Make this step fail.
    #[arg(long, value_name = "STEP")]
    fail: Option<Work>,
    /// The addresses that don't answer yet; chkNetwork is done when there are none.
    #[arg(long, value_name = "IP,IP", value_delimiter = ',')]
    dead: Vec<IpAddr>,
    /// Clear the failure of the saved state first.
    #[arg(long)]
    recover: bool,
    /// Write FILE in the form that the Go program reads.
    #[arg(long)]
    go_format: bool,
    /// The account whose instances are moved.
    #[arg(long, value_name = "NAME", default_value = "acct-1")]
    account: String,
}

fn main() -> ExitCode {
    Args::parse();
    ExitCode::from(BAD_INPUT)
}
