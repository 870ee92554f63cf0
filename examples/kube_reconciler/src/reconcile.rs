//! One pass for one object: it is loaded from the object's status, and saved there.

use std::{sync::Arc, time::Duration};

use kube::{
    Api, Client, Resource as _, ResourceExt as _,
    runtime::{
        controller::Action,
        events::{Event, EventType, Recorder},
        finalizer::{self, finalizer},
    },
};
use steps::{
    Cause, Outcome, Run, Status,
    state_store::{NotSaved, StateStoreError},
};

use crate::{
    cluster::{Cluster, Owner},
    database::Database,
    flow::make_database,
    status_store::{StatusStore, StatusStoreError},
};

/// As long as an object has this finalizer, what was made for it may be there.
pub const FINALIZER: &str = "example.com/undo";

/// After an error that may pass by itself.
const SOON: Duration = Duration::from_secs(5);

/// After an error that stays until somebody does something.
const LATER: Duration = Duration::from_mins(5);

/// What all passes share.
pub struct Context {
    client: Client,
    recorder: Recorder,
}

impl Context {
    /// With a client of the cluster in which the databases are made.
    pub fn new(client: Client) -> Self {
        let recorder = Recorder::new(client.clone(), "kube-reconciler".into());
        Self { client, recorder }
    }
}

/// Why a pass did not get to its end, or is not the last one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The state was not loaded or saved, or does not fit.
    #[error(transparent)]
    Pass(#[from] StateStoreError<StatusStoreError>),
    /// What was made is not all deleted yet, so the finalizer stays.
    #[error("what was made is not all deleted yet: to be continued in {0:?}")]
    Undoing(Duration),
    /// Something that was made can't be deleted.
    #[error("{0}")]
    Stuck(String),
    /// The finalizer could not be added or removed.
    #[error("{0}")]
    Finalizer(String),
}

/// Makes one pass for an object: towards what it asks for or, if it is to be deleted, back.
pub async fn reconcile(database: Arc<Database>, context: Arc<Context>) -> Result<Action, Error> {
    let namespace = database.namespace().unwrap_or_default();
    let api: Api<Database> = Api::namespaced(context.client.clone(), &namespace);
    let (api, context) = (&api, &*context);
    let ended = finalizer(api, FINALIZER, database, |event| async move {
        match event {
            finalizer::Event::Apply(database) => forward(api, &database, context).await,
            finalizer::Event::Cleanup(database) => back(api, &database, context).await,
        }
    });
    ended.await.map_err(|error| match error {
        finalizer::Error::ApplyFailed(error) | finalizer::Error::CleanupFailed(error) => error,
        other => Error::Finalizer(other.to_string()),
    })
}

/// The flow for an object, ready to run.
fn flow<'a>(cluster: &'a Cluster, database: &Database) -> Run<'a, make_database> {
    let owner = Owner {
        name: database.name_any(),
        uid: database.uid().unwrap_or_default(),
    };
    let id = owner.uid.clone();
    // Each save changes the object and so leads to another pass, which must not ask before its time.
    make_database(cluster, owner, database.spec.clone())
        .id(id)
        .keep_pauses()
}

async fn forward(
    api: &Api<Database>,
    database: &Database,
    context: &Context,
) -> Result<Action, Error> {
    let cluster = Cluster::new(
        context.client.clone(),
        database.namespace().unwrap_or_default(),
    );
    let store = StatusStore::new(api.clone(), database);
    let pass = flow(&cluster, database).stored_in(&store).advance().await?;
    match &pass.outcome {
        Outcome::Done(address) => {
            context
                .tell_new(database, Status::Done, "Made", Ok(address))
                .await;
        }
        Outcome::Failed(failure) => {
            let why = failure.to_string();
            context
                .tell_new(database, failure.status(), "Failed", Err(&why))
                .await;
        }
        Outcome::Waiting { .. } => {}
    }
    Ok(pass
        .requeue_after()
        .map_or_else(Action::await_change, Action::requeue))
}

/// Undoes what was made. The finalizer is removed when this returns `Ok`.
async fn back(
    api: &Api<Database>,
    database: &Database,
    context: &Context,
) -> Result<Action, Error> {
    let cluster = Cluster::new(
        context.client.clone(),
        database.namespace().unwrap_or_default(),
    );
    let store = StatusStore::new(api.clone(), database);
    // With the input that the flow began with, whatever the object says now.
    let run = flow(&cluster, database)
        .undo()
        .stored_in(&store)
        .with_saved_input();
    let pass = run.advance().await?;
    match &pass.outcome {
        Outcome::Waiting { .. } => Err(Error::Undoing(pass.requeue_after().unwrap_or(SOON))),
        Outcome::Failed(failure) if failure.status() == Status::Stuck => {
            let why = failure.to_string();
            context
                .tell_new(database, Status::Stuck, "Stuck", Err(&why))
                .await;
            Err(Error::Stuck(why))
        }
        Outcome::Failed(_) | Outcome::Done(_) => {
            context
                .tell(database, "Undone", Ok("all that was made is deleted"))
                .await;
            Ok(Action::await_change())
        }
    }
}

/// When to try again after an error.
pub fn error_policy(database: Arc<Database>, error: &Error, context: Arc<Context>) -> Action {
    let again = match error {
        Error::Undoing(after) => *after,
        // Another pass loads it again.
        Error::Pass(error) if error.is_conflict() => Duration::ZERO,
        Error::Pass(error) if stays(error) => {
            let text = error.to_string();
            tokio::spawn(async move {
                context.tell(&database, "CannotGoOn", Err(&text)).await;
            });
            LATER
        }
        Error::Stuck(_) => LATER,
        Error::Pass(_) | Error::Finalizer(_) => SOON,
    };
    Action::requeue(again)
}

/// Whether the error stays until the object or this program is changed.
fn stays(error: &StateStoreError<StatusStoreError>) -> bool {
    match error {
        StateStoreError::Unreadable { .. } => true,
        StateStoreError::Run(failure) => matches!(failure.cause, Cause::Misfit(_)),
        StateStoreError::NotSaved { why, .. } => matches!(why, NotSaved::TooLarge { .. }),
        _ => false,
    }
}

impl Context {
    /// Publishes an event if a pass has come to another status than the object had. After a crash it may be
    /// published again.
    async fn tell_new(
        &self,
        database: &Database,
        now: Status,
        reason: &str,
        what: Result<&str, &str>,
    ) {
        let before = database.status.as_ref().map_or("", |status| &*status.phase);
        if before != now.as_str() {
            self.tell(database, reason, what).await;
        }
    }

    /// Publishes an event of the object: `kubectl describe` shows it. That it can't be published stops nothing.
    async fn tell(&self, database: &Database, reason: &str, what: Result<&str, &str>) {
        let (type_, note) = match what {
            Ok(note) => (EventType::Normal, note),
            Err(note) => (EventType::Warning, note),
        };
        let event = Event {
            type_,
            reason: reason.to_owned(),
            // An event has room for 1 kB.
            note: Some(note.chars().take(250).collect()),
            action: "Reconcile".to_owned(),
            secondary: None,
        };
        if let Err(error) = self
            .recorder
            .publish(&event, &database.object_ref(&()))
            .await
        {
            tracing::warn!(%error, reason, "an event could not be published");
        }
    }
}
