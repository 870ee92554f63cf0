//! Runs scenarios one after the other, named and filtered as `cargo test` does with tests.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    process::ExitCode,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use tempfile::TempDir;

/// A scenario's name, and itself.
pub(crate) type Scenario = (&'static str, fn(Size));

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// How many kills the largest scenario makes.
    pub(crate) kills: u64,
    pub(crate) seed: u64,
}

impl Size {
    fn from_env() -> Self {
        let number = |name: &str| {
            let text = std::env::var(name).ok()?;
            let number = text.parse();
            Some(number.unwrap_or_else(|_| panic!("{name}={text}: it has to be a number")))
        };
        let now = || {
            let since = SystemTime::now().duration_since(UNIX_EPOCH);
            u64::from(since.map_or(1, |since| since.subsec_nanos()))
        };
        Self {
            kills: number("STEPS_KILLS").unwrap_or(200),
            seed: number("STEPS_SEED").unwrap_or_else(now),
        }
    }
}

/// Runs those that the arguments of `cargo test` name.
pub(crate) fn run(args: &[String], scenarios: &[Scenario]) -> ExitCode {
    let has = |flag: &str| args.iter().any(|arg| arg == flag);
    // Options of a test harness say nothing here, but those with a value have it behind them.
    let mut filters = Vec::new();
    let mut skipped = Vec::new();
    let mut words = args.iter();
    while let Some(word) = words.next() {
        match &**word {
            "--skip" => skipped.extend(words.next()),
            "--test-threads" | "--format" | "--color" | "--logfile" | "-Z" => drop(words.next()),
            option if option.starts_with('-') => {}
            _ => filters.push(word),
        }
    }
    let wanted = |name: &str| {
        let exact = has("--exact");
        let meets = |filter: &&String| name == &***filter || (!exact && name.contains(&***filter));
        (filters.is_empty() || filters.iter().any(meets)) && !skipped.iter().any(meets)
    };
    let wanted = scenarios.iter().filter(|(name, _)| wanted(name));
    if has("--list") {
        wanted.for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    if has("--ignored") {
        return ExitCode::SUCCESS;
    }
    let size = Size::from_env();
    let mut failed = Vec::new();
    for (name, scenario) in wanted {
        println!(
            "{name}: STEPS_KILLS={} STEPS_SEED={}",
            size.kills, size.seed
        );
        let begin = Instant::now();
        let good = catch_unwind(AssertUnwindSafe(|| scenario(size))).is_ok();
        let result = if good { "ok" } else { "FAILED" };
        println!("test {name} ... {result} ({:.1?})", begin.elapsed());
        if !good {
            failed.push(*name);
        }
    }
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("failed: {}", failed.join(", "));
    ExitCode::FAILURE
}

/// A folder for one round. After a failure it stays, for those who look.
pub(crate) struct Folder(Option<TempDir>);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("steps-kill-").tempdir();
        Self(Some(folder.expect("a temporary folder can be made")))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.as_ref().expect("it is there until the end").path()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(folder) = self.0.take()
        {
            println!(
                "the database and the log are in {}",
                folder.keep().display()
            );
        }
    }
}
