//! Filters that contradict themselves, names with their aliases, and labels at a second start.

use jiff::Timestamp;
use steps::{
    Status,
    engine::{EngineError, Filter},
    prelude::*,
};

use crate::support::{World, is, job, on_each_store};

mod before {
    use super::*;
    #[flow]
    pub(super) async fn ship() -> Result<u32, String> {
        steps! { s = steps::signal::<u32>(); }
        Ok(s)
    }
}

mod since {
    use super::*;
    #[flow(name = "dispatch", alias = "ship")]
    pub(super) async fn ship() -> Result<u32, String> {
        steps! { s = steps::signal::<u32>(); }
        Ok(s)
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

on_each_store! {
    async fn queries_that_contradict_themselves_are_errors(db) {
        let world = World::new();
        let engine = db.engine().await.serve(job::with(world.clone())).start().await.expect("it starts");
        let run = engine.start(job::input("x".into())).label("a", "1").await.expect("it starts");
        is(&run, Status::Done).await;
        let all = Filter::new;
        for (filter, why) in [
            (all().status(Status::Done).unfinished(), "it is `unfinished()`, and done"),
            (all().unfinished().status(Status::Done).status(Status::Stuck), "done or stuck"),
            (all().status(Status::Running).ended(), "it is `ended()`, and running"),
            (all().ended().unfinished(), "it is both `ended()` and `unfinished()`"),
            (all().ended_within(at(0)..at(9)).unfinished(), "both `ended_within(…)` and"),
            (all().status(Status::Waiting).ended_within(at(0)..at(9)), "and waiting"),
            (all().status(Status::Skipped), "only steps are ever skipped"),
            (all().label("a", "1").label("a", "2"), "`a` can't be both \"1\" and \"2\""),
            (all().created(at(9)..at(0)), "which is before that"),
            (all().created(at(0)..at(5)).created(at(5)..at(9)), "both from"),
            (all().ended_within(at(0)..at(5)).ended_within(at(7)..at(9)), "both from"),
        ] {
            let error = |error: EngineError| {
                assert!(matches!(error, EngineError::Filter { .. }), "{error}");
                assert!(error.to_string().contains(why), "{error}");
            };
            error(engine.list(filter.clone()).await.expect_err(why));
            error(engine.count(filter.clone()).await.expect_err(why));
            error(engine.force_delete_where(filter.clone()).await.expect_err(why));
            error(engine.delete_where(filter).await.expect_err(why));
        }
        for filter in [
            all().status(Status::Done).ended(),
            all().ended().status(Status::Stuck).status(Status::Done),
            all().label("a", "1").label("a", "1"),
            all().ended_within(at(0)..Timestamp::MAX).status(Status::Done),
            all().created(at(0)..Timestamp::MAX).created(at(1)..Timestamp::MAX),
        ] {
            assert_eq!(engine.count(filter.clone()).await.expect("it is sound"), 1, "{filter:?}");
        }
        let running = all().unfinished().status(Status::Running);
        assert_eq!(engine.count(running).await.expect("it is sound"), 0);
    }

    async fn queries_by_a_name_find_what_is_saved_under_its_aliases(db) {
        let old = db.engine().await.serve(before::ship::with()).start().await.expect("it starts");
        old.start(before::ship::input()).id("old").await.expect("it starts");
        old.shutdown(std::time::Duration::from_secs(5)).await.expect("it ends");
        let engine = db.engine().await.serve(since::ship::with()).start().await.expect("it starts");
        engine.start(since::ship::input()).id("new").await.expect("it starts");
        for name in ["dispatch", "ship"] {
            let found = engine.list(Filter::new().flow_name(name)).await.expect("it is sound");
            let ids: Vec<_> = found.iter().map(|info| &*info.id).collect();
            assert_eq!(ids, ["new", "old"], "{name}");
            let count = engine.count(Filter::new().flow_name(name)).await.expect("it is sound");
            assert_eq!(count, 2, "{name}");
        }
        let none = Filter::new().flow_name("nothing");
        assert_eq!(engine.count(none).await.expect("it is sound"), 0);
    }

    async fn queries_other_labels_at_a_second_start_are_told(db) {
        let world = World::new();
        let engine = db.engine().await.serve(job::with(world.clone())).start().await.expect("it starts");
        let start = || engine.start(job::input("x".into())).id("x");
        start().label("project", "atlas").label("by", "me").await.expect("it starts");
        let error = start().label("project", "zeus").label("by", "me").label("host", "a").await;
        let error = error.expect_err("it has others");
        assert!(matches!(error, EngineError::OtherLabels { .. }), "{error}");
        assert_eq!(
            error.to_string(),
            "execution `x` was started with other labels: it has no `host`, which is \"a\" here, \
             `project` is \"atlas\" there, and \"zeus\" here; start this one under another id, \
             or without them"
        );
        start().label("project", "atlas").await.expect("it has that one");
        start().await.expect("it is the same").outcome().await.expect("done");
        assert_eq!(world.log(), ["x.a", "x.b", "x.c"]);
    }
}
