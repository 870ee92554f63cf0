//! Group commit: the task that makes the writes that wait, as one statement for many executions.
//!
//! While one statement is under way, the writes that come wait for the next, so a group is as large as there are many
//! at once, and a write that comes alone goes alone. A write that has more than a statement for many takes, or that
//! the statement has left out, is made by itself in a transaction, beside the groups.

use std::{collections::HashSet, sync::Arc, time::Instant};

use steps_core::{
    store::{ErrorKind, Lease, StoreError, Target, Write, Written, bytes_of},
    telemetry,
};
use tokio::sync::{OwnedRwLockReadGuard, mpsc, oneshot};

use crate::{
    error::{Fail, Result, closed},
    ops::{make, put},
    server::{tidings::Tell, txn::Database},
};

/// The most writes of a group, and the most bytes of values.
const WRITES: usize = 256;
const BYTES: usize = 1 << 20;

/// A call that is being made: closing the store waits for it.
pub(crate) type UnderWay = OwnedRwLockReadGuard<()>;

/// What came of a write.
enum Done {
    Written(Written),
    /// The statement has left it out: it is to be made by itself.
    Left(Box<(Write, UnderWay)>),
}

struct Waiting {
    write: Write,
    under_way: UnderWay,
    answer: oneshot::Sender<Result<Done, StoreError>>,
}

/// Hands writes to the task.
#[derive(Debug)]
pub(crate) struct Writer(mpsc::Sender<Waiting>);

impl Writer {
    /// Starts the task. It ends with the writer.
    pub(crate) fn start(database: Arc<Database>) -> Self {
        let (sender, receiver) = mpsc::channel(2 * WRITES);
        tokio::spawn(run(database, receiver));
        Self(sender)
    }

    /// Makes a write with those of others. Gives it back if it is to be made by itself.
    pub(crate) async fn write(
        &self,
        database: &Arc<Database>,
        write: Write,
        under_way: UnderWay,
    ) -> Result<Result<Written, (Write, UnderWay)>, StoreError> {
        let is_plain = match &write.target {
            Target::New(new) => make::is_plain(new, &write),
            Target::Held(_) => put::is_plain(&write),
        };
        if !is_plain {
            return Ok(Err((write, under_way)));
        }
        let (answer, done) = oneshot::channel();
        let closed = || closed(&database.name);
        let waiting = Waiting {
            write,
            under_way,
            answer,
        };
        let sent = self.0.send(waiting).await;
        sent.map_err(|_| closed())?;
        Ok(match done.await.map_err(|_| closed())?? {
            Done::Written(written) => Ok(written),
            Done::Left(left) => Err(*left),
        })
    }
}

async fn run(database: Arc<Database>, mut queue: mpsc::Receiver<Waiting>) {
    let mut later: Option<Waiting> = None;
    loop {
        let first = match later.take() {
            Some(first) => first,
            None => match queue.recv().await {
                Some(first) => first,
                None => return,
            },
        };
        let mut group = Group::default();
        group.push(first);
        while group.has_room() {
            let Ok(next) = queue.try_recv() else { break };
            if group.has_of(&next.write) {
                later = Some(next);
                break;
            }
            group.push(next);
        }
        group.make(&database).await;
    }
}

/// Writes of different executions.
#[derive(Default)]
struct Group {
    held: Vec<(Lease, Waiting)>,
    new: Vec<Waiting>,
    keys: HashSet<i64>,
    ids: HashSet<String>,
    bytes: usize,
}

impl Group {
    fn has_room(&self) -> bool {
        self.held.len() + self.new.len() < WRITES && self.bytes < BYTES
    }

    /// Whether there is a write of the same execution.
    fn has_of(&self, write: &Write) -> bool {
        match &write.target {
            Target::New(new) => self.ids.contains(&new.id),
            Target::Held(lease) => self.keys.contains(&lease.key),
        }
    }

    fn push(&mut self, waiting: Waiting) {
        let nodes = waiting.write.nodes.iter();
        self.bytes += nodes.map(|row| bytes_of(&row.node)).sum::<usize>();
        match &waiting.write.target {
            Target::New(new) => {
                self.bytes += new.input.get().len();
                self.ids.insert(new.id.clone());
                self.new.push(waiting);
            }
            Target::Held(lease) => {
                self.keys.insert(lease.key);
                self.held.push((*lease, waiting));
            }
        }
    }

    async fn make(self, database: &Arc<Database>) {
        let Self { held, new, .. } = self;
        if !held.is_empty() {
            let done = put_all(database, &held).await;
            answer(held.into_iter().map(|(_, waiting)| waiting), done);
        }
        if !new.is_empty() {
            let done = make_all(database, &new).await;
            answer(new.into_iter(), done);
        }
    }
}

/// Tells each what came of its write; `None` is one that was left out.
fn answer(waiting: impl Iterator<Item = Waiting>, done: Result<Vec<Option<Written>>, StoreError>) {
    let (written, error) = match done {
        Ok(written) => (written, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    let mut written = written.into_iter();
    for waiting in waiting {
        let Waiting {
            write,
            under_way,
            answer,
        } = waiting;
        let done = match (&error, written.next().flatten()) {
            (Some(error), _) => Err(error.clone()),
            (None, Some(written)) => Ok(Done::Written(written)),
            (None, None) => Ok(Done::Left(Box::new((write, under_way)))),
        };
        // Whoever has asked may not wait any more.
        drop(answer.send(done));
    }
}

async fn put_all(
    database: &Arc<Database>,
    held: &[(Lease, Waiting)],
) -> Result<Vec<Option<Written>>, StoreError> {
    let writes = held.iter().map(|(lease, waiting)| (*lease, &waiting.write));
    let writes: Vec<(Lease, &Write)> = writes.collect();
    let begun = Instant::now();
    let rows = async {
        let statement = put::statement(database, &writes, put::LeaveOut::Watched)?;
        let rows = database.commit_alone(statement).await?;
        put::answer(&rows)
    };
    let done = left_if_refused(rows.await, database)?;
    let written = writes.iter().map(|(lease, _)| match done.get(&lease.key) {
        Some(true) => Some(Written::Recalled),
        Some(false) => Some(Written::Kept),
        None => None,
    });
    let written: Vec<Option<Written>> = written.collect();
    told(&written, writes.iter().map(|(_, write)| *write), begun);
    Ok(written)
}

/// Tells whoever counts them of the writes that one commit has kept.
fn told<'w>(written: &[Option<Written>], writes: impl Iterator<Item = &'w Write>, begun: Instant) {
    let kept = written.iter().zip(writes);
    let kept = kept.filter(|(written, _)| written.is_some());
    let rows = kept.map(|(_, write)| put::rows_of(write));
    let (count, rows) = rows.fold((0, 0), |(count, sum), rows| (count + 1, sum + rows));
    if count > 0 {
        telemetry::committed(count, rows as u64, begun.elapsed());
    }
}

async fn make_all(
    database: &Arc<Database>,
    new: &[Waiting],
) -> Result<Vec<Option<Written>>, StoreError> {
    let makings = new
        .iter()
        .filter_map(|waiting| match &waiting.write.target {
            Target::New(new) => Some(make::Making {
                new,
                write: &waiting.write,
                gate: None,
            }),
            Target::Held(_) => None,
        });
    let makings: Vec<make::Making<'_>> = makings.collect();
    let begun = Instant::now();
    let rows = async {
        let statement = make::statement(database, &makings, make::Whom::Free, Tell::Listeners)?;
        let rows = database.commit_alone(statement).await?;
        make::answer(&rows)
    };
    let done = left_if_refused(rows.await, database)?;
    let written = (0..makings.len()).map(|n| {
        let key = done.get(&n).copied();
        key.map(|key| Written::Created(Lease { key, fence: 1 }))
    });
    let written: Vec<Option<Written>> = written.collect();
    told(&written, makings.iter().map(|making| making.write), begun);
    Ok(written)
}

/// If the server refuses a statement for one of the writes in it, it has made none: then each is made by itself, and
/// fails alone. Where the connection was lost, that is not known.
fn left_if_refused<T: Default>(done: Result<T>, database: &Database) -> Result<T, StoreError> {
    match done {
        Ok(done) => Ok(done),
        Err(fail) => {
            let was_answered = fail.code().is_some() || matches!(fail, Fail::Store(_));
            let error = fail.of(&database.name);
            match error.kind() {
                ErrorKind::Busy | ErrorKind::Rejected | ErrorKind::Other if was_answered => {
                    Ok(T::default())
                }
                _ => Err(error),
            }
        }
    }
}
