//! A flow as a service of Restate: its handlers, as they are declared, and its options.

use std::{fmt, sync::Arc, time::Duration};

use restate_sdk::{
    discovery::{
        self, HandlerName, HandlerType, InputPayload, OutputPayload, ServiceName, ServiceType,
    },
    endpoint::{ContextInternal, ServiceOptions},
    service::{
        IntoServiceDefinition, Service as Handles, ServiceDefinition,
        macro_support::{ServiceBoxFuture, service_definition},
    },
};
use steps_core::{Flow, RunLimits, With};

use crate::handler::{handle, names};

/// A flow that is served.
pub(crate) struct Served<F: Flow> {
    pub(crate) flow: With<F>,
    pub(crate) limits: RunLimits,
    pub(crate) limits_of_parts: PartLimits,
}

/// When an execution goes on in another invocation, and how large a message may be. They are recorded with the first entry
/// of each invocation, because a replay must do the same by the same numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PartLimits {
    /// How many entries an invocation has before another one goes on.
    pub(crate) entries: usize,
    /// How many bytes are in them.
    pub(crate) bytes: usize,
    /// The most bytes of one entry.
    pub(crate) entry: usize,
    /// The most bytes of what goes on in another invocation.
    pub(crate) message: usize,
}

impl Default for PartLimits {
    fn default() -> Self {
        Self {
            entries: 1000,
            bytes: 1 << 20,
            entry: 8 << 20,
            // The server's own limit is 32 MiB, but invocations with messages of about that size never end. Besides the
            // values of a tree there is room for what else is in its rows.
            message: 27 << 20,
        }
    }
}

/// The most bytes that the values of a tree have together.
const TREE: usize = 24 << 20;

/// The form in which the handler records. Entries of another one are not read.
const FORM: &str = "!1";

impl fmt::Display for PartLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            entries,
            bytes,
            entry,
            message,
        } = self;
        writeln!(f, "{FORM} {entries} {bytes} {entry} {message}")
    }
}

impl PartLimits {
    /// Reads the limits that stand in front of a text, and returns the rest.
    pub(crate) fn split(text: &str) -> Option<(Self, &str)> {
        let (line, rest) = text.split_once('\n')?;
        let mut words = line.split(' ');
        if words.next() != Some(FORM) {
            return None;
        }
        let mut number = || words.next()?.parse().ok();
        let limits = Self {
            entries: number()?,
            bytes: number()?,
            entry: number()?,
            message: number()?,
        };
        Some((limits, rest))
    }
}

/// A flow, as a workflow of Restate: what [`serve`] returns, to be bound to an endpoint.
#[must_use = "it is served once it is bound to an endpoint"]
pub struct Service<F: Flow> {
    served: Served<F>,
    retention: Option<Duration>,
    abort_after: Duration,
    options: ServiceOptions,
}

impl<F: Flow> fmt::Debug for Service<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("flow", &F::TABLE.name)
            .field("retention", &self.retention)
            .field("abort_after", &self.abort_after)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// What an attempt without an end is given: longer than any server runs.
const NEVER: Duration = Duration::from_hours(24 * 365);

/// Serves a flow, together with the resources that it is lent, as a workflow of Restate.
///
/// Its name is the flow's, and the key of each of its workflows is the id of an execution.
///
/// ```no_run
/// use steps::prelude::*;
/// use steps_restate::sdk::{endpoint::Endpoint, http_server::HttpServer};
///
/// struct Greeting(&'static str);
///
/// #[step]
/// async fn say(greeting: &Greeting, name: &str) -> Result<String, String> {
///     Ok(format!("{}, {name}", greeting.0))
/// }
///
/// #[flow]
/// async fn greet(greeting: &Greeting, name: String) -> Result<String, String> {
///     steps! { said = say(greeting, &name); }
///     Ok(said)
/// }
///
/// # #[tokio::main]
/// # async fn main() {
/// let flow = greet::with(std::sync::Arc::new(Greeting("Hello")));
/// let endpoint = Endpoint::builder().bind(steps_restate::serve(flow)).build();
/// HttpServer::new(endpoint).listen_and_serve("0.0.0.0:9080".parse().unwrap()).await;
/// # }
/// ```
///
/// The flows of the children that it starts are to be served, too, by any service that the server knows: until they are,
/// Restate tries again.
///
/// # Panics
///
/// If its name is none that Restate takes: letters, digits and `_`, and a letter first.
pub fn serve<F: Flow>(flow: With<F>) -> Service<F> {
    Service {
        served: Served {
            flow,
            limits: RunLimits::DEFAULT.tree(TREE),
            limits_of_parts: PartLimits::default(),
        },
        retention: None,
        abort_after: NEVER,
        options: ServiceOptions::new(),
    }
}

impl<F: Flow> Service<F> {
    /// Limits the size of executions; by default [`RunLimits::DEFAULT`]. All values of one together have at most 24 MiB,
    /// whatever is set: the server takes messages of up to 32 MiB.
    pub fn limits(mut self, limits: RunLimits) -> Self {
        self.served.limits = limits.tree(limits.tree.min(TREE));
        self
    }

    /// How long Restate keeps the outcome and the tree of an execution that has ended; by default a day, the server's own
    /// default. After that, its id is free for another one.
    pub fn retention(mut self, time: Duration) -> Self {
        self.retention = Some(time);
        self
    }

    /// How long Restate lets an attempt of a step go on without hearing from it, beyond its `inactivity-timeout`, before it
    /// cuts it off and runs it again elsewhere. By default for ever, since Restate can't know how long a step takes; it
    /// notices by the connection when a service is gone. Set it to the longest `timeout` of the flow's steps, if all have
    /// one, for services that may hang.
    pub fn abort_after(mut self, time: Duration) -> Self {
        self.abort_after = time;
        self
    }

    /// After how many entries, or bytes in them, an execution goes on in another invocation, between two steps; by default
    /// 1,000 and 1 MiB. Restate sends all entries of an invocation whenever it wakes.
    pub fn part(mut self, entries: usize, bytes: usize) -> Self {
        let limits = &mut self.served.limits_of_parts;
        (limits.entries, limits.bytes) = (entries.max(1), bytes.max(1));
        self
    }

    /// How many bytes one entry of Restate's journal may have; what is larger is recorded as several. By default 8 MiB, which
    /// is also the most: the server takes messages of up to 32 MiB.
    pub fn entry(mut self, bytes: usize) -> Self {
        self.served.limits_of_parts.entry = bytes.clamp(1024, PartLimits::default().entry);
        self
    }

    /// Sets other options of the service, such as Restate's retries of an invocation.
    pub fn options(mut self, options: ServiceOptions) -> Self {
        self.options = options;
        self
    }
}

/// The dispatcher that the SDK calls.
struct Dispatcher<F: Flow>(Arc<Served<F>>);

impl<F: Flow> Handles for Dispatcher<F>
where
    F::Owned: Send + Sync,
{
    type Future = ServiceBoxFuture;

    fn handle(&self, ctx: ContextInternal) -> ServiceBoxFuture {
        Box::pin(handle(Arc::clone(&self.0), ctx))
    }
}

impl<F: Flow> IntoServiceDefinition for Service<F>
where
    F::Owned: Send + Sync,
{
    fn into_service_definition(self) -> ServiceDefinition {
        let declared = declared::<F>(self.retention, self.abort_after);
        let dispatcher = Dispatcher(Arc::new(self.served));
        service_definition(dispatcher, declared).options(self.options)
    }
}

fn millis(time: Duration) -> u64 {
    time.as_millis().try_into().unwrap_or(u64::MAX)
}

fn declared<F: Flow>(retention: Option<Duration>, abort_after: Duration) -> discovery::Service {
    let table = F::TABLE;
    let name = ServiceName::try_from(table.name.to_owned());
    let name = name.unwrap_or_else(|error| {
        panic!(
            "`{}` can't be the name of a service of Restate: {error}",
            table.name
        )
    });
    let mut run = handler(
        names::RUN,
        HandlerType::Workflow,
        "Runs the flow. The input is an object with a field for each parameter.",
    );
    run.abort_timeout = Some(millis(abort_after));
    run.workflow_completion_retention = retention.map(millis);
    // It reads no value, and Restate need not send them.
    run.enable_lazy_state = Some(true);
    let shared = |name, documentation| handler(name, HandlerType::Shared, documentation);
    // They read what is there when they ask for it, and not when they begin.
    let late = |mut handler: discovery::Handler| {
        handler.enable_lazy_state = Some(true);
        handler
    };
    let private = |name| {
        let what = "For the flow itself, and for the one that has started it.";
        let mut handler = late(shared(name, what));
        handler.ingress_private = Some(true);
        handler
    };
    discovery::Service {
        ty: ServiceType::Workflow,
        name,
        handlers: vec![
            run,
            shared(
                names::SIGNAL,
                "Sends a signal: an object with its `path` and its `value`.",
            ),
            late(shared(
                names::REPORT,
                "Reports on an external task: an object with its id as `task` and the `report`.",
            )),
            shared(names::UNDO, "Undoes what was done, and ends the execution."),
            shared(names::STOP, "Stops the execution where it is."),
            shared(
                names::STATE,
                "Returns the tree as it was when the flow last began to wait.",
            ),
            private(names::SIGNALLED),
            private(names::JOINED),
            private(names::TAKE_BACK),
        ],
        documentation: Some(format!("The flow `{}`.", table.name)),
        metadata: [(
            "steps.fingerprint".to_owned(),
            format!("{:016x}", F::FINGERPRINT),
        )]
        .into(),
        abort_timeout: None,
        inactivity_timeout: None,
        journal_retention: None,
        idempotency_retention: None,
        enable_lazy_state: None,
        ingress_private: None,
        retry_policy_initial_interval: None,
        retry_policy_max_interval: None,
        retry_policy_max_attempts: None,
        retry_policy_exponentiation_factor: None,
        retry_policy_on_max_attempts: None,
    }
}

fn handler(name: &str, ty: HandlerType, documentation: &str) -> discovery::Handler {
    discovery::Handler {
        name: HandlerName::try_from(name).expect("a name of this file"),
        input: Some(InputPayload {
            content_type: Some("*/*".to_owned()),
            json_schema: None,
            required: Some(false),
        }),
        output: Some(OutputPayload {
            content_type: Some("application/json".to_owned()),
            json_schema: None,
            set_content_type_if_empty: Some(true),
        }),
        ty: Some(ty),
        documentation: Some(documentation.to_owned()),
        metadata: std::collections::HashMap::default(),
        abort_timeout: None,
        inactivity_timeout: None,
        journal_retention: None,
        idempotency_retention: None,
        workflow_completion_retention: None,
        enable_lazy_state: None,
        ingress_private: None,
        retry_policy_initial_interval: None,
        retry_policy_max_interval: None,
        retry_policy_max_attempts: None,
        retry_policy_exponentiation_factor: None,
        retry_policy_on_max_attempts: None,
    }
}
