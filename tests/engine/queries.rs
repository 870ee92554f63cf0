//! Filters that contradict themselves, names with their aliases, and labels at a second start.

use std::collections::BTreeMap;

use jiff::Timestamp;
use steps::{
    Status, Trigger,
    engine::{EngineError, Filter},
    prelude::*,
    store::{Column, Cursor, ExecutionInfo},
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

    async fn queries_as_text_list_count_stop_recover_and_delete(db) {
        let engine = db.engine().await.serve(since::ship::with()).start().await.expect("it starts");
        for (id, tenant) in [("a", "acme"), ("b", "zeta"), ("c", "acme")] {
            let start = engine.start(since::ship::input()).id(id);
            let run = start.attrs(BTreeMap::from([("tenant", tenant)])).trigger(Trigger::Event).await;
            is(&run.expect("it starts"), Status::Waiting).await;
        }
        let parse = |text: &str| Filter::parse(text).expect("a filter");
        let ids = async |text: &str| -> String {
            let found = engine.list(parse(text)).await.expect("a list");
            found.into_iter().map(|info| info.id).collect()
        };
        assert_eq!(ids("attrs.tenant=acme,flow=ship").await, "ca");
        assert_eq!(ids("trigger=event,sort=id,limit=2").await, "ab");
        assert_eq!(ids("attrs.tenant={acme zeta},status=done").await, "");
        let acme = parse("status=waiting,attrs.tenant=acme");
        assert_eq!(engine.stop_where(acme.clone()).await.expect("a number"), 2);
        for id in ["a", "c"] {
            is(&engine.get(id).await.expect("it is there"), Status::Stopped).await;
        }
        assert_eq!(engine.stop_where(acme).await.expect("a number"), 0);
        // What can't be recovered is passed over.
        let limited = parse("attrs.tenant=~A,sort=id,limit=2");
        assert_eq!(engine.recover_where(limited).await.expect("a number"), 1);
        is(&engine.get("a").await.expect("it is there"), Status::Waiting).await;
        assert_eq!(engine.count(parse("unfinished=true")).await.expect("a number"), 2);
        assert_eq!(engine.undo_where(parse("id=a")).await.expect("a number"), 1);
        is(&engine.get("a").await.expect("it is there"), Status::Undone).await;
        assert_eq!(engine.delete_where(parse("unfinished=false,sort=id,limit=1")).await.expect("a number"), 1);
        assert_eq!(ids("").await, "cb");
    }

    async fn queries_sorted_pages_outlive_what_stood_there(db) {
        let engine = db.engine().await.serve(job::with(World::new())).start().await.expect("it starts");
        for (id, priority) in [("a", 1), ("b", 0), ("c", 1), ("d", 0), ("e", 2)] {
            let run = engine.start(job::input(id.into())).id(id).priority(priority).await.expect("it starts");
            run.outcome().await.expect("done");
        }
        let filter = || Filter::new().descending(Column::Priority).limit(2);
        let first = engine.list(filter()).await.expect("a list");
        let ids = |page: &[ExecutionInfo]| page.iter().map(|info| info.id.clone()).collect::<String>();
        assert_eq!(ids(&first), "ec");
        engine.get("c").await.expect("it is there").delete().await.expect("it has ended");
        let second = engine.list(filter().after(&first[1])).await.expect("a list");
        assert_eq!(ids(&second), "ad");
        // The place as text, as a web page hands it out, in a filter that is a text itself.
        let place = second[1].cursor().to_string();
        let text = filter().after(place.parse::<Cursor>().expect("a place")).to_string();
        let third = engine.list(Filter::parse(&text).expect("a filter")).await.expect("a list");
        assert_eq!(ids(&third), "b");
        let other = Filter::new().after(&second[1]);
        let error = engine.list(other).await.expect_err("it is of another order");
        assert!(error.to_string().contains("a list in another order"), "{error}");
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
