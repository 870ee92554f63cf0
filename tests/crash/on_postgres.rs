//! A schema on a `PostgreSQL` server whose clock is that of a lab, so that what waits for days is explored in no time: its
//! one function that tells the time is replaced, and reads what each call has written before.

use sqlx::{AssertSqlSafe, PgPool, postgres::PgPoolOptions};
use steps::{
    clock::TestClock as _,
    postgres::{PostgresOptions, PostgresStore},
    store::{
        Acquire, Acquired, BoxFuture, Change, ChangeQuery, Claim, Claimed, Duty, DutyQuery,
        DutySet, ErrorKind, ExecutionInfo, ExecutionQuery, FlowClaim, FlowLimited, Form, LimitFlow,
        LimitedFlow, LogQuery, MessageReceipt, NewLines, NoteChange, Notes, Renew, Renewal,
        SendMessage, SetDuty, Settled, Store, StoreError, StoredExecution, StoredLog, Subscription,
        SubscriptionInfo, Write, Written,
    },
    testing::FakeClock,
};
use steps_test_support::postgres::{Server, schema};
use tokio::sync::{Mutex, OnceCell};

/// A schema, which the trials of a test share.
pub(crate) struct Schema {
    name: String,
    pool: OnceCell<PgPool>,
}

impl Schema {
    pub(crate) fn new() -> Self {
        Self {
            name: schema(),
            pool: OnceCell::new(),
        }
    }

    /// Opens it, with this clock.
    pub(crate) async fn open(&self, clock: &FakeClock) -> Result<LabStore, StoreError> {
        let pool = self.pool.get_or_try_init(async || self.make().await);
        let pool = pool.await?.clone();
        let options = PostgresOptions::from_pool(pool.clone()).schema(&self.name);
        Ok(LabStore {
            store: options.open().await?,
            pool,
            set: format!("UPDATE \"{}\".lab SET clock = $1", self.name),
            clock: clock.clone(),
            shows: Mutex::default(),
        })
    }

    /// Makes the tables, and the clock.
    async fn make(&self) -> Result<PgPool, StoreError> {
        let pool = PgPoolOptions::new().max_connections(4);
        let pool = pool
            .connect(&Server::shared().url())
            .await
            .map_err(of_sql)?;
        let options = PostgresOptions::from_pool(pool.clone()).schema(&self.name);
        options.open().await?.close().await?;
        let schema = &self.name;
        let sql = format!(
            "CREATE TABLE \"{schema}\".lab (clock bigint NOT NULL);
             INSERT INTO \"{schema}\".lab VALUES (0);
             CREATE OR REPLACE FUNCTION \"{schema}\".nanoseconds() RETURNS bigint LANGUAGE sql VOLATILE AS
                 'SELECT clock FROM \"{schema}\".lab'"
        );
        let made = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&pool).await;
        made.map_err(of_sql)?;
        Ok(pool)
    }
}

fn of_sql(error: sqlx::Error) -> StoreError {
    StoreError::new(ErrorKind::Other, "the lab's clock").with_source(error)
}

/// The store of a process. Its server's clock is set to the lab's before each call, and the lab's does not jump while a
/// call is under way. It hears nothing of other stores, as a lab's engines do not ask for what they leave.
#[derive(Debug)]
pub(crate) struct LabStore {
    store: PostgresStore,
    pool: PgPool,
    set: String,
    clock: FakeClock,
    /// One at a time, so that the clock is not set back.
    shows: Mutex<()>,
}

impl LabStore {
    async fn show(&self) -> Result<(), StoreError> {
        let _alone = self.shows.lock().await;
        let now = i64::try_from(self.clock.now().as_nanosecond()).expect("it is before 2262");
        let set = sqlx::query(AssertSqlSafe(self.set.clone())).bind(now);
        set.execute(&self.pool).await.map_err(of_sql)?;
        Ok(())
    }
}

/// Passes calls on.
macro_rules! calls {
    ($($call:ident($($arg:ident: $type:ty),*) -> $answer:ty;)*) => {$(
        fn $call(&self, $($arg: $type),*) -> BoxFuture<'_, Result<$answer, StoreError>> {
            Box::pin(async move {
                let _under_way = self.clock.hold();
                self.show().await?;
                self.store.$call($($arg),*).await
            })
        }
    )*};
}

impl Store for LabStore {
    calls! {
        write(write: Write) -> Written;
        claim(claim: Claim) -> Claimed;
        acquire(acquire: Acquire) -> Acquired;
        renew(renew: Renew) -> Vec<Renewal>;
        send(message: SendMessage) -> MessageReceipt;
        annotate(id: String, changes: Vec<NoteChange>) -> Option<Notes>;
        duty(name: String) -> Option<Duty>;
        duties(query: DutyQuery) -> Vec<Duty>;
        set_duty(set: SetDuty) -> DutySet;
        subscribe(subscription: Subscription) -> ();
        unsubscribe(name: String) -> bool;
        end_subscription(name: String, why: String) -> bool;
        subscriptions() -> Vec<SubscriptionInfo>;
        changes(query: ChangeQuery) -> Vec<Change>;
        settle(settled: Settled) -> ();
        limited_flows() -> Vec<LimitedFlow>;
        limit_flow(limit: LimitFlow) -> FlowLimited;
        log(lines: NewLines) -> ();
        logged(query: LogQuery) -> Option<StoredLog>;
        keep_form(form: Form) -> i64;
        form(number: i64) -> Option<Form>;
        forget_refusals(flows: Vec<FlowClaim>) -> ();
        load(id: String) -> Option<StoredExecution>;
        load_open(id: String) -> Option<StoredExecution>;
        list(query: ExecutionQuery) -> Vec<ExecutionInfo>;
        count(query: ExecutionQuery) -> u64;
        delete(query: ExecutionQuery) -> u64;
        close() -> ();
    }
}
