//! Hearing what other stores of the schema tell: a connection of its own that listens, and is made again when it is
//! lost.
//!
//! Behind a pooler that lends a connection for a transaction only, a `LISTEN` succeeds and nothing is ever heard. And
//! where the network is cut, nobody says so. So the listener counts on what it hears only when it has heard itself,
//! through a connection of the pool, and asks that again from time to time.

use std::{
    convert::Infallible,
    hash::{BuildHasher, Hasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::stream;
use sqlx::postgres::{PgListener, PgPoolOptions};
use steps_core::store::{ErrorKind, Notice, Notices};
use tokio::{
    sync::broadcast::{self, error::RecvError},
    task::AbortHandle,
    time::Instant,
};

use crate::{
    error::{Fail, Result},
    server::{tidings, txn::Database},
};

/// How many notices may wait for whoever takes them in. Whoever has missed some is told.
const MOST: usize = 1024;

/// How often the listener asks whether it still hears, and how long the answer may take.
const BETWEEN: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(5);

/// The pauses before the connection is made again: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_mins(1));

/// Hears what other stores tell, from when somebody wants to know.
pub(crate) struct Listener {
    heard: Arc<Heard>,
    task: Mutex<Option<AbortHandle>>,
}

struct Heard {
    /// Those who take notices in; `None` when the store is closed.
    to: Mutex<Option<broadcast::Sender<Notice>>>,
    listens: Mutex<bool>,
}

impl Default for Listener {
    fn default() -> Self {
        let (sender, _) = broadcast::channel(MOST);
        Self {
            heard: Arc::new(Heard {
                to: Mutex::new(Some(sender)),
                listens: Mutex::new(false),
            }),
            task: Mutex::default(),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.end();
    }
}

impl Listener {
    /// Returns what is heard from now on.
    pub(crate) fn notices(&self, database: &Arc<Database>) -> Notices {
        // No change of it can come between the two.
        let listens = lock(&self.heard.listens);
        let receiver = lock(&self.heard.to)
            .as_ref()
            .map(broadcast::Sender::subscribe);
        let first = listens.then_some(Notice::Listening);
        drop(listens);
        if receiver.is_some() {
            lock(&self.task).get_or_insert_with(|| {
                let (database, heard) = (Arc::clone(database), Arc::clone(&self.heard));
                tokio::spawn(run(database, heard)).abort_handle()
            });
        }
        Box::pin(stream::unfold((first, receiver), next))
    }

    /// Ends it, and the notices of all.
    pub(crate) fn end(&self) {
        lock(&self.heard.to).take();
        if let Some(task) = lock(&self.task).take() {
            task.abort();
        }
    }
}

type Following = (Option<Notice>, Option<broadcast::Receiver<Notice>>);

async fn next((first, receiver): Following) -> Option<(Notice, Following)> {
    let mut receiver = receiver?;
    if let Some(first) = first {
        return Some((first, (None, Some(receiver))));
    }
    let notice = match receiver.recv().await {
        Ok(notice) => notice,
        // Whoever has missed some looks for what is there, as in the beginning.
        Err(RecvError::Lagged(_)) => Notice::Listening,
        Err(RecvError::Closed) => return None,
    };
    Some((notice, (None, Some(receiver))))
}

impl Heard {
    fn pass_on(&self, notice: Notice) {
        if let Some(to) = &*lock(&self.to) {
            // There may be nobody at the moment.
            drop(to.send(notice));
        }
    }

    fn listens(&self, now: bool) {
        let mut listens = lock(&self.listens);
        if now {
            self.pass_on(Notice::Listening);
        } else if *listens {
            self.pass_on(Notice::Deaf);
        }
        *listens = now;
    }
}

async fn run(database: Arc<Database>, heard: Arc<Heard>) {
    let mut pause = PAUSES.0;
    loop {
        // Whatever it was, it comes to the same.
        let Err(_) = listen(&database, &heard).await;
        if *lock(&heard.listens) {
            pause = PAUSES.0;
        }
        heard.listens(false);
        tokio::time::sleep(pause).await;
        pause = (2 * pause).min(PAUSES.1);
    }
}

/// Listens until that fails.
async fn listen(database: &Database, heard: &Heard) -> Result<Infallible> {
    // Not one of the pool's, which may have few, and are the service's own.
    let options = database.pool.connect_options();
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .acquire_timeout(PATIENCE)
        .connect_lazy_with((*options).clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.ignore_pool_close_event(true);
    listener.eager_reconnect(false);
    let own = format!("steps_{:016x}", RandomState::new().build_hasher().finish());
    listener.listen_all([&*database.schema, &*own]).await?;
    let mut asked = false;
    loop {
        let ask = sqlx::query("SELECT pg_notify($1, '')").bind(&own);
        ask.execute(&database.pool).await?;
        let answer = Instant::now() + PATIENCE;
        let hear = hear_itself(&mut listener, &own, heard);
        tokio::time::timeout_at(answer, hear)
            .await
            .unwrap_or_else(|_| Err(deaf(database)))?;
        if !asked {
            asked = true;
            heard.listens(true);
        }
        let again = Instant::now() + BETWEEN;
        let hear = hear_others(&mut listener, heard);
        if let Ok(failed) = tokio::time::timeout_at(again, hear).await {
            return failed;
        }
    }
}

/// Hears others until it hears itself.
async fn hear_itself(listener: &mut PgListener, own: &str, heard: &Heard) -> Result<()> {
    while hear_one(listener, heard).await? != own {}
    Ok(())
}

async fn hear_others(listener: &mut PgListener, heard: &Heard) -> Result<Infallible> {
    loop {
        hear_one(listener, heard).await?;
    }
}

/// Passes on the next notification, and returns its channel.
async fn hear_one(listener: &mut PgListener, heard: &Heard) -> Result<String> {
    // It would connect again by itself, and not say what it has missed.
    let notification = listener.try_recv().await?;
    let notification =
        notification.ok_or_else(|| Fail::new(ErrorKind::Busy, "the connection was lost"))?;
    if let Some(notice) = tidings::read(notification.payload()) {
        heard.pass_on(notice);
    }
    Ok(notification.channel().to_owned())
}

fn deaf(database: &Database) -> Fail {
    let message = format!(
        "{}: what was sent by `NOTIFY` is not heard; a pooler may be in between",
        database.name
    );
    Fail::new(ErrorKind::Busy, message)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
