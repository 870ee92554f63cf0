//! Why a call of the client failed.

use steps_core::Failure;

/// Why a call of the client failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The address is none.
    #[error("`{url}` is no address of a Restate server: {why}")]
    Url {
        /// The address.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The input or the value of a signal can't be sent.
    #[error("`{flow}`: {why}")]
    Value {
        /// The flow.
        flow: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The server did not answer. Whether it has taken in what was asked is not known; all calls may be made again.
    #[error("the Restate server did not answer for execution `{id}`: {why}")]
    Unreachable {
        /// The execution.
        id: String,
        /// What happened.
        why: String,
    },
    /// There is no such execution, or it has not begun; or the server knows no such flow, as no service with it is registered.
    #[error("execution `{id}` of `{flow}` is not known: {why}")]
    Unknown {
        /// The execution.
        id: String,
        /// The flow.
        flow: &'static str,
        /// What the server said.
        why: String,
    },
    /// It has ended, and can be asked for nothing more.
    #[error("execution `{id}` has ended")]
    Ended {
        /// The execution.
        id: String,
    },
    /// The signal was not sent.
    #[error("execution `{id}`: {why}")]
    Signal {
        /// The execution.
        id: String,
        /// Why not.
        why: String,
    },
    /// The report on an external task is wrong, and nothing was changed.
    #[error("execution `{id}`: {why}")]
    Report {
        /// The execution.
        id: String,
        /// What is wrong: as [`ReportError`](steps_core::ReportError) says it.
        why: String,
    },
    /// The execution has ended, and is not done: it failed, was undone or stopped, or is stuck.
    #[error("execution `{id}`: {failure}")]
    Failed {
        /// The execution.
        id: String,
        /// How it failed, with its tree.
        failure: Box<Failure>,
    },
    /// The server refused, or the invocation was ended in another way than by its flow, as by a kill.
    #[error("execution `{id}`: the server says ({status}): {why}")]
    Refused {
        /// The execution.
        id: String,
        /// The status of the answer.
        status: u16,
        /// What the server said.
        why: String,
    },
    /// What the server has of it can't be read in this program.
    #[error("execution `{id}`: {why}")]
    InvalidValue {
        /// The execution.
        id: String,
        /// What can't be read.
        why: String,
    },
}
