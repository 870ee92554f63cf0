//! The commands, each in a file.
//!
//! | file | commands |
//! |---|---|
//! | `find` | list, count |
//! | `show`, `watch` | show |
//! | `log` | log |
//! | `reports` | report, stats |
//! | `transfer` | export, import |
//! | `schedules` | schedules |
//! | `changes` | changes |
//! | `sweep` | sweep |
//! | `limits` | pause, resume, limits |
//! | `check` | check |
//! | `web` | web |
//! | `generate` | completions, man |
//! | `act` | what is done with executions: stop, undo, recover, delete and the like |

mod act;
mod changes;
mod check;
mod find;
mod generate;
mod limits;
mod log;
mod reports;
mod schedules;
mod show;
mod sweep;
mod transfer;
mod watch;
mod web;

use crate::{
    args::{Cli, Command},
    context::Context,
    error::Error,
    out::Out,
};

pub(crate) async fn run(cli: Cli, out: &Out) -> Result<(), Error> {
    match &cli.command {
        Command::Completions { shell } => return generate::completions(*shell),
        Command::Man { folder } => return generate::man(folder.as_deref()),
        _ => {}
    }
    let may_create = matches!(&cli.command, Command::Import(import) if import.create);
    let context = Context::open(&cli.global, may_create, out).await?;
    match cli.command {
        Command::List(list) => find::list(&context, list).await,
        Command::Count(found) => find::count(&context, found).await,
        Command::Show(show) => show::show(&context, show).await,
        Command::Log(args) => log::log(&context, args).await,
        Command::Report(report) => reports::report(&context, report).await,
        Command::Stats(stats) => reports::stats(&context, stats).await,
        Command::Export(export) => transfer::export(&context, export).await,
        Command::Import(import) => transfer::import(&context, import).await,
        Command::Sweep(sweep) => sweep::sweep(&context, sweep).await,
        Command::Schedules(args) => schedules::schedules(&context, args).await,
        Command::Changes(args) => changes::changes(&context, args).await,
        Command::Web(args) => web::web(&context, args).await,
        Command::Pause(pause) => limits::pause(&context, pause).await,
        Command::Resume(resume) => limits::resume(&context, resume).await,
        Command::Limits(args) => limits::limits(&context, args).await,
        Command::Check => check::check(&context).await,
        command => act::run(&context, command).await,
    }
}
