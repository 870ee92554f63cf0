//! The guide: from ten lines to the whole language.
//!
//! | page | topics |
//! |---|---|
//! | [`first_flow`] | a step, a flow, its input and its resources, an undo |
//! | [`language`] | groups, `parallel`, `if`, `for`, `loop`, nested flows; values and their scope |
//! | [`data_flow`] | lines of a `parallel` that use each other's values |
//! | [`choice`] | `race`, `#[caught]`; time limits and decisions |
//! | [`plans`] | trees of steps that are made at run time, from a file or in Rust |
//! | [`policies`] | retry, timeout, poll, blocking, volatile, readonly |
//! | [`rollback`] | undo, verify, observe, pivot, optional, atomic, reversible, hold, stuck |
//! | [`transactions`] | steps whose effect is in the store's own database: exactly once |
//! | [`resuming`] | passes, the state as JSON and typed, recovering, a changed program |
//! | [`reconciling`] | the state in a column, a file or an object of your own, pass by pass; a Kubernetes controller |
//! | [`durable`] | the engine: starting, finding, stopping and undoing executions; several processes; shutdown |
//! | [`concurrency`] | how much goes on at once, over all processes: limits, rates, one of a key, pausing a flow, priorities |
//! | [`schedules`] | executions that are started at times: cron, intervals; missed and overlapping ticks, clock changes |
//! | [`changes`] | functions that are told of changes, at least once; webhooks |
//! | [`queries`] | attributes and labels of executions; filters in code and as text; what they cost |
//! | [`command_line`] | the program `steps`: looking at executions and operating them from a shell |
//! | [`web`] | a page in a browser, and a JSON API: in a service, and for a file |
//! | [`stores`] | in memory, a file, a database: which one for what, and which promise holds on which |
//! | [`sqlite`] | the engine's file: settings, queries, errors |
//! | [`postgres`] | a database that several machines share: the service's own pool, what happens when the server is away |
//! | [`restate`] | the same flows on Restate, a distributed engine: how, and what differs |
//! | [`waiting`] | sleep and signals |
//! | [`external_tasks`] | steps that somebody else runs and reports on |
//! | [`children`] | executions that a flow starts, and waits for: `start` and `join` |
//! | [`watching`] | events, labels, journals |
//! | [`logs`] | what a step logs, kept with its execution |
//! | [`reports`] | what an execution did and where its time went; statistics of a flow |
//! | [`telemetry`] | metrics, traces that lead through all processes, the log |
//! | [`retention`] | how long executions are kept; sweeps |
//! | [`secrets`] | values that are encrypted or compressed in the store; keys, and how they are changed |
//! | [`limits`] | panics, threads, cancelling, limits |
//! | [`testing`] | steps and flows in tests, without waiting |
//! | [`operating`] | what needs somebody, and what to do about it |
//! | [`from_harbor`] | coming from the execution and task manager of a registry: each of its promises |
//! | [`from_go`] | reading the state of the Go library |
//!
//! The modules hold only these pages, whose examples are run as tests.

#[doc = include_str!("first_flow.md")]
pub mod first_flow {}
#[doc = include_str!("language.md")]
pub mod language {}
#[doc = include_str!("data_flow.md")]
pub mod data_flow {}
#[doc = include_str!("choice.md")]
pub mod choice {}
#[doc = include_str!("plans.md")]
pub mod plans {}
#[doc = include_str!("policies.md")]
pub mod policies {}
#[doc = include_str!("rollback.md")]
pub mod rollback {}
#[doc = include_str!("transactions.md")]
pub mod transactions {}
#[doc = include_str!("resuming.md")]
pub mod resuming {}
#[doc = include_str!("reconciling.md")]
pub mod reconciling {}
#[doc = include_str!("durable.md")]
pub mod durable {}
#[doc = include_str!("concurrency.md")]
pub mod concurrency {}
#[cfg(feature = "cron")]
#[doc = include_str!("schedules.md")]
pub mod schedules {}
#[doc = include_str!("changes.md")]
pub mod changes {}
#[doc = include_str!("queries.md")]
pub mod queries {}
#[doc = include_str!("command_line.md")]
pub mod command_line {}
#[doc = include_str!("web.md")]
pub mod web {}
#[doc = include_str!("stores.md")]
pub mod stores {}
#[doc = include_str!("sqlite.md")]
pub mod sqlite {}
#[doc = include_str!("postgres.md")]
pub mod postgres {}
#[doc = include_str!("restate.md")]
pub mod restate {}
#[doc = include_str!("waiting.md")]
pub mod waiting {}
#[doc = include_str!("external_tasks.md")]
pub mod external_tasks {}
#[doc = include_str!("children.md")]
pub mod children {}
#[doc = include_str!("watching.md")]
pub mod watching {}
#[cfg(all(feature = "metrics", feature = "opentelemetry"))]
#[doc = include_str!("telemetry.md")]
pub mod telemetry {}
#[doc = include_str!("reports.md")]
pub mod reports {}
#[doc = include_str!("logs.md")]
pub mod logs {}
#[doc = include_str!("retention.md")]
pub mod retention {}
#[doc = include_str!("secrets.md")]
pub mod secrets {}
#[doc = include_str!("limits.md")]
pub mod limits {}
#[doc = include_str!("testing.md")]
pub mod testing {}
#[doc = include_str!("from_go.md")]
pub mod from_go {}
#[doc = include_str!("operating.md")]
pub mod operating {}
#[doc = include_str!("from_harbor.md")]
pub mod from_harbor {}
