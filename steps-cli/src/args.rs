//! The command line. The options of `report` and `stats` are in `reports`, those of `pause`, `resume` and
//! `limits` in `limits`, that of `log` in `log`, and those of `schedules`, `changes` and `sweep` in `upkeep`.
#![expect(clippy::doc_markdown, reason = "this is the text of --help")]

mod limits;
mod log;
mod reports;
mod upkeep;

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use steps::{AsDuration as _, codec::Payload};

pub(crate) use limits::{Limits, Pause};
pub(crate) use log::Log;
pub(crate) use reports::{Form, Format, Report, Stats};
pub(crate) use upkeep::{ChangeAct, Changes, ScheduleAct, Schedules, Sweep, Web};

/// Looks at the executions of flows, and operates them: lists, trees, stop, undo, recover, signals.
///
/// It needs no code of the flows. What needs it, such as an undo, is asked for, and done by a service that
/// serves the flow.
#[derive(Debug, Parser)]
#[command(
    name = "steps",
    version,
    after_help = "\
Exit codes:
  0  done
  1  failed: the store or the system could not do it
  2  usage: an option, a filter or a value is wrong, or --yes is missing
  3  not found: the file, the execution or the step
  4  refused: not possible now, or not confirmed; nothing was changed
  5  looked at, and not all is well: damage, or an execution that ended otherwise than done"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The store, such as sqlite:steps.db or <postgres://user@host/database>; one that is missing is not created
    #[arg(long, global = true, env = "STEPS_DB", value_name = "URL")]
    pub(crate) db: Option<String>,

    /// The keys of a service that encrypts what it saves: a file that only its owner may write, and not all may read
    #[arg(long, global = true, env = "STEPS_KEY_FILE", value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,

    /// What that service binds its values to, by `Encryption::context`
    #[arg(long, global = true, env = "STEPS_KEY_CONTEXT", value_name = "TEXT")]
    pub(crate) key_context: Option<String>,

    /// The kinds of values that it encrypts, as input,output; filters find by the others [default: all]
    #[arg(
        long,
        global = true,
        env = "STEPS_ENCRYPTED",
        value_name = "KINDS",
        value_delimiter = ',',
        value_parser = crate::codec::kind
    )]
    pub(crate) encrypted: Vec<Payload>,

    /// The service compresses what it saves: read that also without keys, and write it so
    #[arg(
        long,
        global = true,
        env = "STEPS_COMPRESSED",
        value_parser = clap::builder::FalseyValueParser::new()
    )]
    pub(crate) compressed: bool,

    /// Bring a store of an older version up to date; a service of that version takes up nothing more
    #[arg(long, global = true)]
    pub(crate) upgrade: bool,

    /// Write JSON, for programs: one value, or one a line, as the command says
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// When to use colours; `auto` is on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: Color,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List executions, the newest first
    List(List),
    /// Count executions
    Count(Found),
    /// Show one execution: what is known of it, what operators did, and its tree
    Show(Show),
    /// Write what the steps of an execution have logged
    Log(Log),
    /// Report on one execution: what it did, its errors, and where its time went
    Report(Report),
    /// Statistics of a flow: how its executions and steps did, and how that was before
    Stats(Stats),
    /// Stop: no new step begins, and what was done stays
    Stop(Stop),
    /// Undo: what was done is taken back, last first, by a service that serves the flow
    Undo(Many),
    /// Recover: what failed or was stopped goes on, and what is done stays done
    Recover(Many),
    /// End pauses now: what sleeps, or waits for another attempt, goes on
    TryNow(Many),
    /// Begin again with a step; what comes after it is forgotten, and runs again
    RetryFrom(AtStep),
    /// Try the failed undos of a stuck rollback again
    RetryUndo(Many),
    /// Let a stuck rollback go on without the undo of this step; its effect stays
    SkipUndo(AtStep),
    /// Tell a stuck rollback that this step was undone by hand
    MarkUndone(AtStep),
    /// Send a value to a step that waits for a signal
    Signal(Signal),
    /// Pause a flow in all processes: none of its executions begins or goes on, and they may still be started
    Pause(Pause),
    /// Resume a flow that is paused
    Resume(Pause),
    /// Which flows are paused or limited; set how many executions of one go on at once, over all processes
    Limits(Limits),
    /// Delete executions that have ended, with all that is recorded of them
    Delete(Delete),
    /// Write executions as JSON lines, with all that is kept of them
    Export(Export),
    /// Make executions of a file of `export`
    Import(Import),
    /// Delete what has ended and is not kept: the newest are, or all for a time
    Sweep(Sweep),
    /// List the schedules; tell the next ticks of one, pause, resume or remove it
    Schedules(Schedules),
    /// List who is told of changes, and what waits; tell what fails, or forget one
    Changes(Changes),
    /// Serve a page and a JSON API for the store, until Ctrl-C or SIGTERM
    Web(Web),
    /// Read the whole store, and tell what of it is damaged or dangling
    #[command(after_help = "With --json: one value. The exit code is 5 if something was found.")]
    Check,
    /// Write a script by which a shell completes commands
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the manual page
    Man {
        /// Into this folder, with a page for each command
        folder: Option<PathBuf>,
    },
}

/// Which executions: FILTER is such as status={failed stuck},started=[2026-01-01~],attrs.project=atlas
#[derive(Debug, Args)]
pub(crate) struct Found {
    /// Such as status={failed stuck} or label.zone=eu; several must all be met
    #[arg(value_name = "FILTER")]
    pub(crate) filter: Vec<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
With --json: one execution a line. Its `cursor` is what --after takes.

Keys of a FILTER: id, flow, status, trigger, status_message, error, worker, priority, created, started,
updated, ended, label.NAME, attrs.PATH, incompatible, unfinished, sort, limit, after. Values: a word,
~part, [from~to], {one two}, \"in quotes\". An unknown key is an error.")]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) found: Found,

    /// At most this many [default: 100]
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,

    /// All, in pages
    #[arg(long, conflicts_with = "limit")]
    pub(crate) all: bool,

    /// After this place: the next page
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<String>,

    /// By these columns, the largest first with -: --sort=-ended,flow
    #[arg(
        long,
        value_name = "COLUMNS",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    pub(crate) sort: Vec<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
With --json: one value with `execution`, `input`, `acts` and `tree`; with --watch one a line, for each
change. With --watch, the exit code is 0 if the execution has ended `done`, and 5 otherwise.")]
pub(crate) struct Show {
    /// The execution
    pub(crate) id: String,

    /// Follow it until it has ended
    #[arg(long, short)]
    pub(crate) watch: bool,

    /// How often to look
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = duration, requires = "watch")]
    pub(crate) every: Duration,
}

/// Who does it, and why.
#[derive(Debug, Args)]
pub(crate) struct By {
    /// Who does it, as recorded [default: the user]
    #[arg(long = "by", env = "STEPS_BY", value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Why, as recorded
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,

    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
}

/// Which executions to do something with.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Targets {
    /// The executions
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,

    /// All that this filter finds; those that are in no status for it are passed over
    #[arg(long = "where", value_name = "FILTER")]
    pub(crate) filter: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "With --json: one line for each execution.")]
pub(crate) struct Many {
    #[command(flatten)]
    pub(crate) targets: Targets,

    #[command(flatten)]
    pub(crate) by: By,
}

#[derive(Debug, Args)]
#[command(after_help = "With --json: one line for each execution.")]
pub(crate) struct Stop {
    #[command(flatten)]
    pub(crate) targets: Targets,

    /// Wait until it has come to rest, for at most this time
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) wait: Option<Duration>,

    /// At once, whoever holds it: the effect of a step that runs may happen and not be recorded
    #[arg(long, conflicts_with = "wait")]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) by: By,
}

#[derive(Debug, Args)]
#[command(
    after_help = "With --json: one line for each execution; with --where, one value with how many."
)]
pub(crate) struct Delete {
    #[command(flatten)]
    pub(crate) targets: Targets,

    /// Also what has not ended, whoever holds it; the effects of its steps stay
    #[arg(long)]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) by: By,
}

#[derive(Debug, Args)]
#[command(after_help = "With --json: one value.")]
pub(crate) struct AtStep {
    /// The execution
    pub(crate) id: String,

    /// The path of the step, such as create.vm or hosts.10.switch
    pub(crate) step: String,

    #[command(flatten)]
    pub(crate) by: By,
}

#[derive(Debug, Args)]
#[command(after_help = "With --json: one value.")]
pub(crate) struct Signal {
    /// The execution
    pub(crate) id: String,

    /// The path of the step; in place of a key, * is whichever item or round waits
    pub(crate) step: String,

    /// The value, as JSON: true, 5, '"a text"', '{"by":"ann"}'; - reads it from standard input
    #[arg(allow_hyphen_values = true)]
    pub(crate) value: String,

    /// In place of those that were sent and not taken
    #[arg(long)]
    pub(crate) replace: bool,

    #[command(flatten)]
    pub(crate) by: By,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Each execution is as it was at one moment: its tree, input, labels, attributes, acts and inbox. The first line
has the version of the form, and the last the number of executions.")]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) found: Found,

    /// Into this file, which must not be there, instead of to standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The whole file is read first: if a line is wrong, or an execution is there already, nothing is imported. Then
each execution is made in one write, whole or not at all. With --json: one value, `imported` and `skipped`.")]
pub(crate) struct Import {
    /// The file; - reads standard input
    pub(crate) file: String,

    /// Leave those that are there already as they are
    #[arg(long)]
    pub(crate) skip_existing: bool,

    /// Make the store if it is missing
    #[arg(long)]
    pub(crate) create: bool,

    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    text.as_duration().map_err(|error| error.to_string())
}
