//! One execution of a key, on several engines.

use std::time::Duration;

use steps::{
    Status,
    engine::{EngineError, Filter, IfTaken},
    store::ErrorKind,
};

use crate::support::{Db, World, asks, held, is, job, on_each_store};

async fn serve(db: &Db, world: &std::sync::Arc<World>) -> steps::Engine {
    let engine = db.engine().await.poll(Duration::from_millis(20));
    let engine = engine
        .serve(asks::with(world.clone()))
        .serve(job::with(world.clone()));
    let engine = engine.serve(held::with(world.clone()));
    engine.start().await.expect("it starts")
}

on_each_store! {
    async fn a_second_one_of_a_key_is_refused_and_told_who_has_it(db) {
        let world = World::new();
        let (engine, front) = (serve(&db, &world).await, serve(&db, &world).await);
        let start = |id: &str| front.start(asks::input(id.into())).id(id).singleton("k");
        let first = engine.start(asks::input("a".into())).id("a").singleton("k").await.expect("it starts");
        assert_eq!(first.info().await.expect("it is there").singleton.as_deref(), Some("k"));
        for _ in 0..2 {
            match start("b").await {
                Err(EngineError::Taken { id, flow, key, by }) => {
                    assert_eq!((&*id, &*flow, &*key, &*by), ("b", "asks", "k", "a"));
                }
                other => panic!("it is refused, and was not: {other:?}"),
            }
        }
        start("b").at(jiff::Timestamp::MAX).await.expect_err("also later");
        // The same start once more.
        let again = front.start(asks::input("a".into())).id("a").singleton("k");
        assert_eq!(again.await.expect("it is there").id(), "a");
        front.start(job::input("j".into())).singleton("k").await.expect("of another flow");
        first.signal(asks::STEPS.answer, &1).await.expect("it is kept");
        first.outcome().await.expect("done");
        let second = start("b").await.expect("the key is free");
        second.undo().await.expect("it is asked");
        assert_eq!(second.ended().await.expect("it ends").status, Status::Undone);
        start("c").await.expect("the key is free");
        let bad = front.start(asks::input("x".into())).singleton("a\nb").await;
        assert!(matches!(bad, Err(EngineError::InvalidValue { .. })), "{bad:?}");
    }

    async fn one_that_is_there_is_given_back_or_replaced(db) {
        let world = World::new();
        let engine = serve(&db, &world).await;
        let start = |id: &str| engine.start(asks::input(id.into())).id(id).singleton("k");
        let first = start("a").if_taken(IfTaken::Stop).await.expect("it starts");
        is(&first, Status::Waiting).await;
        let same = start("b").if_taken(IfTaken::Skip).await.expect("it is there");
        assert_eq!(same.id(), "a");
        let second = start("b").if_taken(IfTaken::Stop).await.expect("it starts");
        assert_eq!((second.id(), first.status().await.expect("it is there")), ("b", Status::Stopped));
        is(&second, Status::Waiting).await;
        let third = start("c").if_taken(IfTaken::Undo).await.expect("it starts");
        assert_eq!((third.id(), second.status().await.expect("it is there")), ("c", Status::Undone));
        assert!(world.log().contains(&"undo b.a".to_owned()));
        let all = Filter::new().flow::<asks>();
        assert_eq!(engine.count(all).await.expect("it counts"), 3);
    }

    async fn of_many_that_start_at_once_one_does(db) {
        let world = World::new();
        let engines = [serve(&db, &world).await, serve(&db, &world).await];
        let mut starts = Vec::new();
        for n in 0..20 {
            let engine = engines[n % 2].clone();
            starts.push(tokio::spawn(async move {
                let start = engine.start(asks::input(format!("{n}"))).singleton("k");
                start.if_taken(IfTaken::Skip).await.expect("one or the other").id().to_owned()
            }));
        }
        let mut ids = Vec::new();
        for start in starts {
            ids.push(start.await.expect("nobody panics"));
        }
        ids.dedup();
        assert_eq!(ids.len(), 1, "{ids:?}");
        let all = Filter::new().flow::<asks>();
        assert_eq!(engines[0].count(all).await.expect("it counts"), 1);
    }

    async fn what_is_retried_needs_its_key_again(db) {
        let world = World::new();
        world.breaks("a.b");
        let engine = serve(&db, &world).await;
        let start = |id: &str| engine.start(held::input(id.into())).id(id).singleton("k");
        let first = start("a").await.expect("it starts");
        assert_eq!(first.ended().await.expect("it ends").status, Status::Failed);
        world.closes("b.a");
        let second = start("b").await.expect("the key is free");
        world.saw("b.a").await;
        let refused = first.recover().await.expect_err("the key is taken");
        match &refused {
            EngineError::Store(error) => assert_eq!(error.kind(), ErrorKind::Taken),
            other => panic!("it is taken, and was not: {other:?}"),
        }
        let told = refused.to_string();
        assert!(["`a`", "`k`", "`b`"].iter().all(|part| told.contains(part)), "{told}");
        let info = first.info().await.expect("it is there");
        assert_eq!((info.status, info.worker, info.due), (Status::Failed, None, None));
        // Its rollback needs no key.
        first.undo().await.expect("it is asked");
        assert_eq!(first.ended().await.expect("it ends").status, Status::Undone);
        world.opens();
        second.outcome().await.expect("done");
    }
}
