//! Starts inside the user's own transaction, and the call of the store beneath them.

use std::{any::Any, sync::Arc};

use sqlx::{Connection as _, PgConnection};
use steps_core::{
    Flow,
    engine::{EngineError, Execution, Start},
    store::{ErrorKind, Target, Write, Written},
};

use crate::{
    error::{Fail, Result},
    ops,
    server::txn::{Database, Txn},
};
/// How often it is tried again to write where another transaction came into the way.
const TRIES: u32 = 5;

/// Starting executions in a transaction of the service's own: see [`within`](Self::within).
///
/// The trait is in the prelude of the crate `steps`, with its feature `postgres`.
pub trait StartWithin: Sized {
    /// The handle of an execution.
    type Execution;

    /// Starts the execution in this transaction of the database that the engine has its store in: **it exists if, and
    /// only if, that commits**. Then it is due, and an engine that serves its flow, in whichever process, hears of it
    /// at once. What is set at the start goes with it. The handle is for the time after the commit: before, nobody else
    /// finds the execution.
    ///
    /// ```no_run
    /// use steps::{Engine, prelude::*};
    /// use steps_postgres::{PostgresStore, StartWithin};
    ///
    /// #[step]
    /// async fn pack(order: i64) -> Result<(), String> {
    ///     println!("packing order {order}");
    ///     Ok(())
    /// }
    ///
    /// #[flow]
    /// async fn fulfil(order: i64) -> Result<(), String> {
    ///     steps! { packed = pack(order); }
    ///     Ok(packed)
    /// }
    ///
    /// # async fn order() -> Result<(), Box<dyn std::error::Error>> {
    /// let pool = sqlx::PgPool::connect("postgres://app@db.internal/app").await?;
    /// let store = PostgresStore::new(pool.clone()).await?;
    /// let engine = Engine::with_store(store).serve(fulfil::with()).start().await?;
    ///
    /// let mut tx = pool.begin().await?;
    /// let insert = "INSERT INTO orders DEFAULT VALUES RETURNING id";
    /// let order: i64 = sqlx::query_scalar(insert).fetch_one(&mut *tx).await?;
    /// let id = format!("order-{order}");
    /// let run = engine.start(fulfil::input(order)).id(id).within(&mut tx).await?;
    /// tx.commit().await?;
    /// run.outcome().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// * The transaction has to be begun by sqlx, with its own `begin`, and be
    ///   [`READ COMMITTED`](https://www.postgresql.org/docs/current/transaction-iso.html), as it is by default. On a
    ///   connection without one, the start is a transaction by itself.
    /// * If it fails, the transaction is as it was before, and may go on.
    /// * If an execution has the id already, it is as with any start: that one is given back if its flow and input are
    ///   the same, and the error says what differs otherwise. If another transaction has started it and has not ended
    ///   yet, this one waits for its end; so it does for the same [key](Start::singleton).
    /// * Do it last, and commit soon: until then whoever sets the flow's limits waits, and, if somebody is told of
    ///   changes, whoever writes one.
    /// * If this process does not serve the flow, the first start of it in the process asks for the number of its form,
    ///   on a connection of the store's own: a pool that the transaction is from must have another one.
    ///
    /// # Errors
    ///
    /// As of any start; [`EngineError::InvalidValue`] with
    /// [`IfTaken::Stop`](steps_core::engine::IfTaken::Stop) and `Undo`, as nothing can be waited for inside a
    /// transaction; and [`ErrorKind::Rejected`] by a store that is none of this crate, or a transaction of another
    /// isolation level.
    fn within(
        self,
        transaction: &mut PgConnection,
    ) -> impl Future<Output = Result<Self::Execution, EngineError>> + Send;
}

impl<F: Flow> StartWithin for Start<'_, F> {
    type Execution = Execution<F>;

    async fn within(self, transaction: &mut PgConnection) -> Result<Execution<F>, EngineError> {
        self.write_within(transaction).await
    }
}

/// Makes the write that creates an execution in a transaction that somebody else has begun, as a part of it that
/// succeeds or fails by itself.
pub(crate) async fn write(
    database: &Arc<Database>,
    transaction: &mut (dyn Any + Send),
    write: &Write,
) -> Result<Written> {
    let Some(connection) = transaction.downcast_mut::<PgConnection>() else {
        let message = format!(
            "{}: executions are started within transactions of sqlx on this database only",
            database.name
        );
        return Err(Fail::new(ErrorKind::Rejected, message));
    };
    if matches!(write.target, Target::Held(_)) {
        let message = "only what creates an execution is written in another transaction";
        return Err(Fail::new(ErrorKind::Rejected, message));
    }
    let mut tries = 1;
    loop {
        let begun = connection.begin().await?;
        let mut txn = Txn::within(database, begun).await?;
        let done = match ops::write::write(&mut txn, write).await {
            Ok(written) => txn.commit().await.map(|()| written),
            Err(fail) => {
                txn.roll_back().await;
                Err(fail)
            }
        };
        match done {
            Err(fail) if fail.is_conflict() && tries < TRIES => tries += 1,
            done => return done,
        }
    }
}
