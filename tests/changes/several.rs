//! Several processes with the same function.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use steps::{
    engine::{Filter, OnChange},
    prelude::*,
    sqlite::SqliteStore,
    store::Store,
    testing::{Cut, CutStore},
};

use crate::{
    stores::on_server,
    support::{Db, Told, nothing_waits, on_each_store, other},
};

on_each_store! {
    async fn two_processes_tell_each_change_once(db) {
        let told = Told::default();
        let mut engines = Vec::new();
        for _ in 0..2 {
            let engine = db.engine().await
                .serve(other::with())
                .on_execution_change("both", OnChange::new(), told.function());
            engines.push(engine.start().await.unwrap());
        }
        for n in 0..40 {
            let engine = &engines[n % 2];
            engine.start(other::input()).id(format!("e{n}")).await.unwrap();
        }
        let done = async || engines[0].count(Filter::new().status(Status::Done)).await.unwrap();
        while done().await < 40 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        nothing_waits(&engines[0]).await;
        let mut of: HashMap<String, Vec<Status>> = HashMap::new();
        let mut keys = HashSet::new();
        for change in told.all() {
            assert!(keys.insert(change.key()), "told once: {change:?}");
            of.entry(change.execution).or_default().push(change.to);
        }
        assert_eq!(of.len(), 40);
        for (id, statuses) in of {
            assert_eq!(statuses.last(), Some(&Status::Done), "{id}");
            assert!(statuses.contains(&Status::Running), "{id}: {statuses:?}");
        }
        for engine in engines {
            engine.shutdown(Duration::from_secs(5)).await.unwrap();
        }
    }

    async fn another_process_tells_when_one_dies(db) {
        match &db {
            Db::Memory(store) => dies(&db, store.reopen()).await,
            Db::Sqlite(folder) => {
                let url = format!("sqlite:{}", folder.path().join("steps.db").display());
                dies(&db, SqliteStore::open(&url).await.unwrap()).await;
            }
            Db::Postgres(schema) => dies(&db, on_server(schema).await).await,
        }
    }
}

async fn dies(db: &Db, store: impl Store) {
    let (first, second) = (Told::default(), Told::default());
    let on = || OnChange::new().status(Status::Done);
    // The calls that count of this store: the duty, and what is settled.
    let cut = CutStore::new(store).cut_at(Some(Cut::Before(2)));
    let dying = Engine::with_store(cut.clone())
        .on_execution_change("both", on(), first.function())
        .lease(Duration::from_secs(1));
    let dying = dying.start().await.unwrap();
    let runs = db
        .engine()
        .await
        .serve(other::with())
        .start()
        .await
        .unwrap();
    let run = runs.start(other::input()).id("a").await.unwrap();
    run.outcome().await.unwrap();
    cut.struck().await;
    assert_eq!(first.lines(1).await, ["a running > done"]);
    drop(dying);
    let engine = db.engine().await;
    let engine = engine.on_execution_change("both", on(), second.function());
    let engine = engine.start().await.unwrap();
    assert_eq!(second.lines(1).await, ["a running > done"]);
    // Told again with the same key.
    assert_eq!(second.all()[0].key(), first.all()[0].key());
    nothing_waits(&engine).await;
}
