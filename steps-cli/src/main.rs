//! The program `steps`: looks at the executions in a store and operates them, without the code of their
//! flows. The README has every command; `args` is the command line, `commands` what it does.
#![forbid(unsafe_code)]

mod args;
mod codec;
mod commands;
mod confirm;
mod context;
mod error;
mod line;
mod out;
mod store;
mod text;

use std::process::ExitCode;

use clap::Parser;

use args::Cli;
use error::{Code, Error};
use out::Out;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let out = Out::new(&cli.global);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(commands::run(cli, &out)),
        Err(error) => Err(Error::new(Code::Failed, format!("no runtime: {error}"))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read this has seen enough.
        Err(error) if error.is_closed_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            out.error(&error);
            error.code.into()
        }
    }
}
