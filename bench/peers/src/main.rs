//! The same ten steps on `steps` and on its peers, measured in one run on one machine: starts a
//! process for each measurement, in turns, and prints what came out as a table. `README.md` says
//! what is compared and what is not.

mod aims;
mod build;
mod cluster;
mod engines;
mod machine;
mod measure;
mod middle;
mod options;
mod postgres;
mod scratch;
mod server;
mod table;

use std::process::ExitCode;

use options::{Asked, Options};
use tokio::signal::unix::{SignalKind, signal};

/// Any error, to be shown to the person who runs the comparison.
type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T = (), E = Error> = std::result::Result<T, E>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let outcome = match options::read(std::env::args().skip(1)) {
        Ok(Asked::Help) => {
            print!("{}", options::USAGE);
            Ok(())
        }
        Ok(Asked::Run(options)) => until_signalled(&options).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A signal ends the comparison like an error: what it started is ended, its folder removed.
async fn until_signalled(options: &Options) -> Result {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        outcome = compare(options) => outcome,
        _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
        _ = terminate.recv() => Err("terminated".into()),
    }
}

async fn compare(options: &Options) -> Result {
    let entrants = engines::chosen(&options.only)?;
    let programs = build::workers(&entrants).await?;
    let scratch = scratch::Scratch::new(&options.dir)?;
    println!("{}", machine::described(scratch.path())?);
    let results = measure::in_turns(options, &entrants, &programs, &scratch).await?;
    print!("{}", table::of(&results));
    Ok(())
}
