//! What the measured processes share, one for each engine: the job they are given, the load they
//! put on their engine, the checks, and the report they leave. An engine only implements
//! [`Engine`]; the process that starts the jobs and compares the reports is `peers`.

mod job;
mod load;
mod processor;
mod report;
mod serve;

use std::future::Future;

pub use job::{Job, Tuning};
pub use report::{Report, Setting};
pub use serve::serve;

/// Any error, to be shown to the person who runs the comparison.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
/// A result with [`Error`].
pub type Result<T = (), E = Error> = std::result::Result<T, E>;

/// How many steps the flow has. Each gives one more than what it was given.
pub const STEPS: u64 = 10;

/// How an execution ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// With this value, which is then checked.
    Gave(u64),
    /// The engine itself failed it, though no step did. It is counted apart, and its steps are not.
    GivenUp,
}

/// One engine, open on the store that its job names.
pub trait Engine: Sized + Send + Sync + 'static {
    /// Opens the store, and has the engine ready to run the flow.
    fn open(job: &Job) -> impl Future<Output = Result<Self>> + Send;

    /// How many executions one call of [`execute`](Self::execute) stands for, of those that the job has at
    /// once: more than one only where they are no engine's, and one caller makes the rows of all of them.
    fn together(_job: &Job) -> u64 {
        1
    }

    /// Runs the flow of [`STEPS`] steps from `start`, durably, and says how it ended once the
    /// engine has said so.
    fn execute(&self, start: u64) -> impl Future<Output = Result<Outcome>> + Send;

    /// How many ended steps the store holds, counted in the store itself.
    fn recorded(&self) -> impl Future<Output = Result<u64>> + Send;

    /// What the store says of its own durability, read back from it.
    fn settings(&self) -> impl Future<Output = Result<Vec<Setting>>> + Send;

    /// Ends the engine in an orderly way.
    fn close(self) -> impl Future<Output = Result> + Send;
}
