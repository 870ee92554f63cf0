//! Transactions that the steps of others work in.

use std::any::Any;

use super::prelude::*;
use crate::{
    base::{future::BoxFuture, json::Json},
    store::{Abandoned, InTransaction, StoreError, Transacted},
};

/// Changes nothing in the database, and has this to keep.
struct Keeps(Result<Option<Json>, Abandoned>);

impl InTransaction for Keeps {
    fn run<'t>(
        self: Box<Self>,
        _: &'t mut (dyn Any + Send),
    ) -> BoxFuture<'t, Result<Option<Json>, Abandoned>>
    where
        Self: 't,
    {
        Box::pin(std::future::ready(self.0))
    }
}

type Kept = Option<Option<Json>>;

impl Fixture {
    async fn transact(
        &self,
        lease: Lease,
        name: &str,
        output: Option<Json>,
    ) -> Result<Transacted, StoreError> {
        let work = Box::new(Keeps(Ok(output)));
        self.store.transact(lease, name.to_owned(), work).await
    }

    async fn commits(&self, lease: Lease, name: &str, output: Option<Json>) -> Outcome {
        let transacted = self.transact(lease, name, output).await?;
        same("a transaction", &transacted, &Transacted::Committed)
    }

    async fn found(&self, lease: Lease, name: &str) -> Outcome<Kept> {
        Ok(self.store.transacted(lease, name.to_owned()).await?)
    }
}

pub(in super::super) async fn transactions_are_kept(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    let (lease, other) = (fixture.held("a").await?, fixture.held("b").await?);
    let outputs = [
        ("of a text", Some(text("it's \u{e9}\n\"that\""))),
        ("of null", None),
        ("of much", Some(text(&"x".repeat(1 << 20)))),
        (&"of a long name ".repeat(400), Some(json("1.0"))),
    ];
    for (name, output) in &outputs {
        same("before", &fixture.found(lease, name).await?, &None)?;
        fixture.commits(lease, name, output.clone()).await?;
    }
    for (name, output) in outputs {
        let found = rival.found(lease, name).await?;
        same(name, &found, &Some(output))?;
        same(
            "of another execution",
            &fixture.found(other, name).await?,
            &None,
        )?;
    }
    same("of another name", &fixture.found(lease, "of").await?, &None)
}

pub(in super::super) async fn abandoned_transactions_leave_nothing(fixture: Fixture) -> Outcome {
    let lease = fixture.held("a").await?;
    let work = Box::new(Keeps(Err(Abandoned)));
    let transacted = fixture.store.transact(lease, "t".to_owned(), work).await?;
    same("one that is abandoned", &transacted, &Transacted::Abandoned)?;
    same("what it leaves", &fixture.found(lease, "t").await?, &None)?;
    fixture.commits(lease, "t", None).await?;
    same("made again", &fixture.found(lease, "t").await?, &Some(None))
}

pub(in super::super) async fn transactions_are_made_once(fixture: Fixture) -> Outcome {
    let lease = fixture.held("a").await?;
    fixture.commits(lease, "t", Some(text("first"))).await?;
    let again = fixture.transact(lease, "t", Some(text("second"))).await;
    fails("the same once more", again, ErrorKind::Exists)?;
    let found = fixture.found(lease, "t").await?;
    same("what is kept", &found, &Some(Some(text("first"))))
}

pub(in super::super) async fn transactions_are_fenced(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    fixture
        .create(Creation::new("a").held("maker", SHORT))
        .await
        .map(drop)?;
    fixture.lapse(SHORT).await?;
    let first = fixture.claim_one("first", "a").await?.lease;
    fixture.commits(first, "before", Some(text("b"))).await?;
    fixture.rest(first, Due::Now).await?;
    let given_back = fixture.transact(first, "t", None).await;
    fails(
        "under a lease that was given back",
        given_back,
        ErrorKind::Fenced,
    )?;
    let second = rival.claim_one("second", "a").await?.lease;
    let stale = fixture.transact(first, "t", None).await;
    fails(
        "under a lease that is not the newest",
        stale,
        ErrorKind::Fenced,
    )?;
    let asked = fixture.store.transacted(first, "before".to_owned()).await;
    fails("asked under such a lease", asked, ErrorKind::Fenced)?;
    same(
        "of the stale lease",
        &rival.found(second, "t").await?,
        &None,
    )?;
    let found = rival.found(second, "before").await?;
    same("from before", &found, &Some(Some(text("b"))))
}

pub(in super::super) async fn writes_end_transactions(fixture: Fixture) -> Outcome {
    let (lease, other) = (fixture.held("a").await?, fixture.held("b").await?);
    for name in ["done", "open"] {
        fixture.commits(lease, name, None).await?;
        fixture.commits(other, name, None).await?;
    }
    let ends = |lease: Lease| {
        let mut ends = write(lease, vec![step(1, "done")], LeaseAfter::Keep);
        ends.transactions = vec!["done".to_owned(), "unknown".to_owned()];
        ends
    };
    let stale = Lease {
        fence: lease.fence - 1,
        ..lease
    };
    fails(
        "a stale write",
        fixture.store.write(ends(stale)).await,
        ErrorKind::Fenced,
    )?;
    same(
        "after it",
        &fixture.found(lease, "done").await?,
        &Some(None),
    )?;
    fixture.write(ends(lease)).await?;
    same(
        "the one that ended",
        &fixture.found(lease, "done").await?,
        &None,
    )?;
    same(
        "one that did not",
        &fixture.found(lease, "open").await?,
        &Some(None),
    )?;
    same(
        "of another execution",
        &fixture.found(other, "done").await?,
        &Some(None),
    )
}
