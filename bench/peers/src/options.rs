//! The command line.

use std::{path::PathBuf, str::FromStr, time::Duration};

use crate::Result;

pub(crate) const USAGE: &str = "\
cargo run --release -- [OPTION VALUE]…

  --seconds S        for how long executions are begun, in each measurement (3)
  --executions N     so many executions in each measurement, in place of --seconds
  --rounds N         how often everything is measured, in turns (3)
  --concurrency LIST how many executions at once (1 and 50; on Postgres, steps and bare rows also 64)
  --only LIST        engines: steps, duroxide, duroxide-tuned, durare, cano, bare-postgres,
                     steps-postgres, dbos, underway, underway-tuned (all)
  --dir FOLDER       where the databases are; must be on a disk, not in memory (/var/tmp)
  --help             this text
";

/// What the command line asks for.
pub(crate) enum Asked {
    Help,
    Run(Options),
}

/// How to measure.
pub(crate) struct Options {
    pub(crate) time: Duration,
    pub(crate) executions: Option<u64>,
    pub(crate) rounds: u32,
    /// `None`: what each engine is measured with.
    pub(crate) concurrency: Option<Vec<u64>>,
    pub(crate) only: Vec<String>,
    pub(crate) dir: PathBuf,
}

pub(crate) fn read(mut args: impl Iterator<Item = String>) -> Result<Asked> {
    let mut options = Options {
        time: Duration::from_secs(3),
        executions: None,
        rounds: 3,
        concurrency: None,
        only: Vec::new(),
        dir: PathBuf::from("/var/tmp"),
    };
    while let Some(name) = args.next() {
        if name == "--help" {
            return Ok(Asked::Help);
        }
        let mut value = || args.next().ok_or_else(|| format!("{name} needs a value"));
        match name.as_str() {
            "--seconds" => options.time = Duration::try_from_secs_f64(parsed(&name, &value()?)?)?,
            "--executions" => options.executions = Some(parsed(&name, &value()?)?),
            "--rounds" => options.rounds = parsed(&name, &value()?)?,
            "--concurrency" => {
                let list = value()?;
                let list = list.split(',').map(|one| parsed(&name, one));
                options.concurrency = Some(list.collect::<Result<_>>()?);
            }
            "--only" => options.only = value()?.split(',').map(str::to_owned).collect(),
            "--dir" => options.dir = PathBuf::from(value()?),
            _ => return Err(format!("no option `{name}`\n\n{USAGE}").into()),
        }
    }
    let none_at_once = options
        .concurrency
        .as_ref()
        .is_some_and(|list| list.contains(&0));
    let nothing = options.rounds == 0 || options.executions == Some(0) || none_at_once;
    if nothing {
        return Err("with 0 rounds, executions or at once there is nothing to measure".into());
    }
    Ok(Asked::Run(options))
}

fn parsed<T: FromStr>(name: &str, value: &str) -> Result<T> {
    value
        .parse()
        .map_err(|_| format!("{name} can't be `{value}`").into())
}
