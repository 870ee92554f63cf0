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

mod env;
mod flow;
mod store;

use std::{
    error::Error,
    net::IpAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use steps::{Outcome, State, state::GoForm};

use crate::{
    env::{Env, Work},
    flow::move_to_vpc,
};

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

#[tokio::main]
async fn main() -> ExitCode {
    match pass(Args::parse()).await {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("move_to_vpc: {error}");
            ExitCode::from(BAD_INPUT)
        }
    }
}

/// Loads, advances, saves. Gives the exit status.
async fn pass(args: Args) -> Result<u8, Box<dyn Error>> {
    let env = Env::new(args.fail, args.dead);
    let mut flow = move_to_vpc(&env, args.account);
    if let Some(mut state) = load(&args.state)? {
        if args.recover {
            state.recover()?;
        }
        flow = flow.resume(state);
    } else if args.recover {
        let file = args.state.display();
        return Err(format!("there is nothing to recover: {file} is not there").into());
    }

    let advance = flow.advance().await?;

    let state = advance.state.state();
    let json = if args.go_format {
        state.to_go_json(GoForm::Err)
    } else {
        state.to_json_pretty()
    };
    store::save(&args.state, &json)
        .map_err(|error| format!("can't write {}: {error}", args.state.display()))?;
    println!("{}", state.tree());
    Ok(match &advance.outcome {
        Outcome::Done(()) => DONE,
        Outcome::Failed(failure) => {
            println!("failed: {failure}");
            FAILED
        }
        Outcome::Waiting { .. } => {
            let pause = advance.requeue_after().unwrap_or_default();
            println!("not yet: come again in {:.1} s", pause.as_secs_f64());
            NOT_YET
        }
    })
}

fn load(file: &Path) -> Result<Option<State>, String> {
    let text =
        store::load(file).map_err(|error| format!("can't read {}: {error}", file.display()))?;
    text.map(|text| State::from_json(&text))
        .transpose()
        .map_err(|error| format!("{} is no state of this flow: {error}", file.display()))
}
