//! The cost of a durable step: `cargo xtask bench durable`, or `cargo bench --bench durable`.
//! `benches/README.md` says what each row compares.
//!
//! If SQLite alone can do the same work, it is the comparison: the same rows are committed without
//! the engine, in alternating turns, in the same file system, with the same settings. Words after
//! the command select topics: `cargo bench --bench durable -- rates`. With `--quick` the whole run
//! takes half a minute, and the figures are coarse.
#![expect(clippy::cast_precision_loss, reason = "counts that a float holds")]

mod bare;
mod child;
mod disk;
mod drive;
mod figures;
mod flows;
mod idle;
mod latency;
mod long;
mod process;
mod rates;
mod rounds;
mod syncs;
mod table;
mod takeup;

use std::process::ExitCode;

use tokio::runtime::Runtime;

use disk::Disk;
use table::Table;

/// Any error. It ends the run, because an unchecked figure is worthless.
type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T = (), E = Error> = std::result::Result<T, E>;

/// The common parts of all topics.
struct Bench {
    runtime: Runtime,
    disk: Disk,
    size: Size,
}

/// The amount of work to measure.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Size {
    Whole,
    Quick,
}

impl Size {
    fn pick<T>(self, whole: T, quick: T) -> T {
        match self {
            Self::Whole => whole,
            Self::Quick => quick,
        }
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Some(result) = child::run(&args) {
        return result;
    }
    let quick = args.iter().any(|arg| arg == "--quick");
    let words = args.into_iter().filter(|arg| !arg.starts_with("--"));
    let mut table = Table::new(words.collect());
    if !topics().iter().any(|(topic, _)| table.wants(topic)) {
        return Ok(());
    }
    let bench = Bench {
        runtime: Runtime::new()?,
        disk: Disk::new()?,
        size: if quick { Size::Quick } else { Size::Whole },
    };
    println!("In {}.\n", bench.disk);
    Table::head();
    let left = takeup::Left::prepare(&bench, &table)?;
    for (topic, rows) in topics() {
        if table.wants(topic) {
            rows(&bench, &mut table)?;
        }
    }
    left.rows(&bench, &mut table)?;
    table.finish()
}

type Rows = fn(&Bench, &mut Table) -> Result;

fn topics() -> [(&'static str, Rows); 7] {
    [
        ("rates", rates::rows),
        ("syncs", syncs::rows),
        ("long", long::rows),
        ("rounds", rounds::rows),
        ("latency", latency::rows),
        ("idle", idle::rows),
        // Prepared first, measured last: see `takeup::Left`.
        (takeup::TOPIC, |_, _| Ok(())),
    ]
}
