//! The commands, each in a file.
//!
//! | file | commands |
//! |---|---|
//! | `find` | list, count |
//! | `show`, `watch` | show |
//! | `act` | what is done with executions: stop, undo, recover, delete and the like |

mod act;
mod find;
mod show;
mod watch;

use crate::{
    args::{Cli, Command},
    context::Context,
    error::Error,
    out::Out,
};

pub(crate) async fn run(cli: Cli, out: &Out) -> Result<(), Error> {
    let context = Context::open(&cli.global, out).await?;
    match cli.command {
        Command::List(list) => find::list(&context, list).await,
        Command::Count(found) => find::count(&context, found).await,
        Command::Show(show) => show::show(&context, show).await,
        command => act::run(&context, command).await,
    }
}
