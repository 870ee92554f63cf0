//! Starts executions, and asks for what an engine is asked for, through a Restate server.

mod error;
mod http;
mod report;

use std::{
    collections::BTreeMap,
    fmt,
    future::IntoFuture,
    marker::PhantomData,
    sync::Arc,
    time::{Duration, Instant},
};

use ::http::Method;
use futures_util::future::BoxFuture;
use restate_sdk::ingress::RequestExecutor;
use serde::{Serialize, de::DeserializeOwned};
use steps_core::{
    Failure, Flow, Input, Json, RunLimits, State, Status,
    typed::{AsSignalRef, FlowState},
};

use crate::handler::{names, query::codes};
pub use error::ClientError;
use http::{Answer, Server, encoded};

/// How long [`Execution::outcome`] tries to reach a server that does not answer.
const PATIENCE: Duration = Duration::from_mins(1);

/// A client of a Restate server, with the verbs of an [`Engine`](steps_core::Engine).
///
/// ```no_run
/// use steps::prelude::*;
///
/// #[flow]
/// async fn order(amount: u32) -> Result<u32, String> {
///     steps! { approved = steps::signal::<bool>(); }
///     Ok(if approved { amount } else { 0 })
/// }
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let restate = steps_restate::Client::new("http://restate:8080")?;
/// let run = restate.start(order::input(100)).id("order-42").await?;
/// run.signal(order::STEPS.approved, &true).await?;
/// assert_eq!(run.outcome().await?, 100);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    server: Arc<Server>,
}

impl Client {
    /// Creates a client of the server whose ingress has this address, such as `http://restate:8080`. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`ClientError::Url`]. For an address with `https`, see [`with_executor`](Self::with_executor).
    pub fn new(url: &str) -> Result<Self, ClientError> {
        Self::of(url, Server::plain(url))
    }

    /// Creates a client that sends its requests by an HTTP client of your own, as one with encryption: a
    /// `reqwest::Client` with the feature `reqwest-client` of `restate-sdk`, or whatever implements its `RequestExecutor`.
    ///
    /// # Errors
    ///
    /// [`ClientError::Url`].
    pub fn with_executor(url: &str, executor: impl RequestExecutor) -> Result<Self, ClientError> {
        Self::of(url, Server::with(url, executor))
    }

    /// Sends a token with each request, as Restate Cloud wants it.
    ///
    /// # Panics
    ///
    /// If the client was cloned before.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        let server = Arc::get_mut(&mut self.server).expect("a client that was not cloned yet");
        server.token(token.into());
        self
    }

    fn of(url: &str, server: Result<Server, String>) -> Result<Self, ClientError> {
        let server = server.map_err(|why| ClientError::Url {
            url: url.to_owned(),
            why,
        })?;
        Ok(Self {
            server: Arc::new(server),
        })
    }

    /// Starts an execution, once this is awaited: it is safe with the server then.
    pub fn start<F: Flow>(&self, input: Input<F>) -> Start<F> {
        Start {
            client: self.clone(),
            input,
            id: None,
        }
    }

    /// Returns the execution with this id. Whether there is one is not looked up.
    pub fn execution<F: Flow>(&self, id: impl Into<String>) -> Execution<F> {
        Execution {
            client: self.clone(),
            id: id.into(),
            invocation: None,
            existed: true,
            flow: PhantomData,
        }
    }
}

/// An execution that is to be started: what [`Client::start`] returns.
#[must_use = "nothing is started until it is awaited"]
#[allow(missing_debug_implementations)]
pub struct Start<F: Flow> {
    client: Client,
    input: Input<F>,
    id: Option<String>,
}

impl<F: Flow> Start<F> {
    /// Sets the execution's id, by default a new one. With the id of an execution that was started before, and that the
    /// server still knows, nothing is started: that execution is returned.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    async fn start(self) -> Result<Execution<F>, ClientError> {
        let flow = F::TABLE.name;
        let bad = |why| ClientError::Value { flow, why };
        let input = self.input.into_json();
        let input = input.map_err(|error| bad(format!("its input can't be saved: {error}")))?;
        let most = RunLimits::DEFAULT.payload;
        if input.get().len() > most {
            let bytes = input.get().len();
            return Err(bad(format!(
                "its input is {bytes} bytes of JSON, and the limit is {most}"
            )));
        }
        let id = self.id.unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
        let mut execution = self.client.execution::<F>(id);
        let path = execution.path(&format!("{}/send", names::RUN));
        let answer = execution.post(&path, input.get().to_owned()).await?;
        let fields: BTreeMap<String, Json> =
            serde_json::from_str(&answer).map_err(|error| execution.invalid(error))?;
        let field = |name| {
            fields
                .get(name)
                .and_then(|json| json.decode::<String>().ok())
        };
        execution.invocation = field("invocationId");
        execution.existed = field("status").is_some_and(|status| status == "PreviouslyAccepted");
        Ok(execution)
    }
}

impl<F: Flow> IntoFuture for Start<F> {
    type Output = Result<Execution<F>, ClientError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}

/// One execution, at a Restate server.
pub struct Execution<F: Flow> {
    client: Client,
    id: String,
    /// The invocation of its first part, if that is known.
    invocation: Option<String>,
    existed: bool,
    flow: PhantomData<fn() -> F>,
}

impl<F: Flow> Clone for Execution<F> {
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            id: self.id.clone(),
            invocation: self.invocation.clone(),
            existed: self.existed,
            flow: PhantomData,
        }
    }
}

impl<F: Flow> fmt::Debug for Execution<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Execution")
            .field("flow", &F::TABLE.name)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl<F: Flow> Execution<F> {
    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether there was an execution with this id already when it was to be started.
    pub fn existed(&self) -> bool {
        self.existed
    }

    /// Gives a value to a step that waits for it, or will: it is kept, even if the execution has not been started. A step
    /// takes one signal in its life. Inside a `for` or a `loop`, say which item or round is meant, as by `.at(…)`.
    ///
    /// # Errors
    ///
    /// [`ClientError::Signal`] if the step was given another value before, or there is no such step in the form of the flow
    /// that is served; [`ClientError::Ended`].
    pub async fn signal<T: Serialize + DeserializeOwned + 'static>(
        &self,
        step: impl AsSignalRef<T>,
        value: &T,
    ) -> Result<(), ClientError> {
        let path = step.path();
        let value = Json::encode(value).map_err(|error| ClientError::Value {
            flow: F::TABLE.name,
            why: format!("the signal to `{path}` can't be saved as JSON: {error}"),
        })?;
        self.signal_json(&path, &value).await
    }

    /// Gives a value to the step at a path, as [`signal`](Self::signal) does.
    ///
    /// # Errors
    ///
    /// As of [`signal`](Self::signal).
    pub async fn signal_json(&self, path: &str, value: &Json) -> Result<(), ClientError> {
        let path = Json::encode(path).map_err(|error| self.invalid(error))?;
        let body = format!(r#"{{"path":{path},"value":{value}}}"#);
        self.post(&self.path(names::SIGNAL), body).await.map(drop)
    }

    /// Has it undone: what runs ends, and what was done is taken back, last first. The outcome is a failure then. Once the
    /// flow's `#[pivot]` is done, this has no effect.
    ///
    /// # Errors
    ///
    /// [`ClientError::Unknown`] if it has not begun; [`ClientError::Ended`].
    pub async fn undo(&self) -> Result<(), ClientError> {
        self.ask(names::UNDO).await
    }

    /// Stops it: what runs ends, and what was done stays. It can't go on later.
    ///
    /// # Errors
    ///
    /// As of [`undo`](Self::undo).
    pub async fn stop(&self) -> Result<(), ClientError> {
        self.ask(names::STOP).await
    }

    async fn ask(&self, what: &str) -> Result<(), ClientError> {
        let body = self.invocation.clone().unwrap_or_default();
        self.post(&self.path(what), body).await.map(drop)
    }

    /// Returns its tree as it was when it last began to wait, or at its end; `None` if that was never yet.
    ///
    /// # Errors
    ///
    /// [`ClientError::Unknown`] if it has not begun.
    pub async fn state(&self) -> Result<Option<FlowState<F::Fields>>, ClientError> {
        Ok(self.tree().await?.map(FlowState::from))
    }

    async fn tree(&self) -> Result<Option<State>, ClientError> {
        let text = self.post(&self.path(names::STATE), String::new()).await?;
        if text == "null" {
            return Ok(None);
        }
        State::from_json(&text)
            .map(Some)
            .map_err(|error| self.invalid(error))
    }

    /// Waits until it has ended, and returns the flow's output. It may be called again, in any process, for as long as the
    /// server keeps it.
    ///
    /// # Errors
    ///
    /// [`ClientError::Failed`] where it ended otherwise: failed, undone, stuck or stopped. [`ClientError::Unreachable`] if
    /// the server does not answer for a minute.
    pub async fn outcome(&self) -> Result<F::Output, ClientError> {
        let (flow, id) = (F::TABLE.name, encoded(&self.id));
        let path = format!("/restate/workflow/{flow}/{id}/attach");
        let mut pause = Duration::from_millis(50);
        let mut reached = Instant::now();
        let (status, body) = loop {
            let begun = Instant::now();
            match self
                .client
                .server
                .ask(Method::GET, &path, String::new())
                .await
            {
                Ok(answer) => break answer,
                Err(why) => {
                    if begun.elapsed() > Duration::from_secs(1) {
                        reached = Instant::now();
                    }
                    if reached.elapsed() > PATIENCE {
                        return Err(self.unreachable(why));
                    }
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(2));
                }
            }
        };
        if status == 200 {
            let output = (F::OUTPUT.decode)(&body);
            return output.map_err(|error| self.invalid(format!("its output: {error}")));
        }
        // How it failed is in its tree.
        if status != codes::UNKNOWN
            && let Ok(Some(state)) = self.tree().await
            && state.status.is_final()
            && state.status != Status::Done
        {
            return Err(ClientError::Failed {
                id: self.id.clone(),
                failure: Box::new(Failure::of_ended::<F>(state)),
            });
        }
        Err(self.refused(status, &body))
    }

    /// The path of a handler.
    fn path(&self, handler: &str) -> String {
        format!("/{}/{}/{handler}", F::TABLE.name, encoded(&self.id))
    }

    async fn post(&self, path: &str, body: String) -> Result<String, ClientError> {
        let answer: Result<Answer, String> = self.client.server.post(path, body).await;
        match answer.map_err(|why| self.unreachable(why))? {
            (200..300, body) => Ok(body),
            (status, body) => Err(self.refused(status, &body)),
        }
    }

    fn refused(&self, status: u16, body: &str) -> ClientError {
        let fields: Option<BTreeMap<String, Json>> = serde_json::from_str(body).ok();
        let message = fields.and_then(|mut fields| fields.remove("message")?.decode().ok());
        let why: String = message.unwrap_or_else(|| body.to_owned());
        let (id, flow) = (self.id.clone(), F::TABLE.name);
        match status {
            codes::UNKNOWN => ClientError::Unknown { id, flow, why },
            codes::ENDED => ClientError::Ended { id },
            codes::GIVEN | codes::BAD => ClientError::Signal { id, why },
            _ => ClientError::Refused { id, status, why },
        }
    }

    fn unreachable(&self, why: String) -> ClientError {
        let id = self.id.clone();
        ClientError::Unreachable { id, why }
    }

    fn invalid(&self, why: impl fmt::Display) -> ClientError {
        let (id, why) = (self.id.clone(), why.to_string());
        ClientError::InvalidValue { id, why }
    }
}
