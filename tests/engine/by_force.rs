//! What no program takes up, or holds and does not let go: an operator gets rid of it by force.

use steps::{
    Status,
    engine::{EngineError, Filter},
    prelude::*,
};

use crate::{
    operator::{LONG, in_status},
    support::{World, asks, failure, is, job, on_each_store},
};

on_each_store! {
    async fn claim_get_rid_of_what_nobody_serves(db) {
        let engine = db.engine().await.start().await.expect("it starts");
        let run = engine.start(asks::input("x".into())).id("x").await.expect("it starts");
        let error = run.delete().await.expect_err("it is pending").to_string();
        assert!(error.contains("or delete it with `force_delete`"), "{error}");
        assert_eq!(run.force_stop().await.expect("by force"), Status::Stopped);
        let info = run.ended().await.expect("it has ended");
        assert_eq!(info.error.as_deref(), Some("stopped by force"));
        assert_eq!(run.force_stop().await.expect("it is stopped"), Status::Stopped);
        let told = failure(run.outcome().await);
        assert_eq!(told.to_string(), "flow `asks` was stopped by force");

        // It goes on, if somebody serves it.
        run.recover().await.expect("it was stopped");
        let info = run.info().await.expect("it is there");
        assert_eq!((info.status, info.error), (Status::Pending, None));
        let world = World::new();
        let other = db.engine().await.serve(asks::with(world.clone())).start().await.expect("it starts");
        let there = other.execution::<asks>("x").await.expect("it is there");
        there.signal(asks::STEPS.answer, &5).await.expect("it is kept");
        assert_eq!(there.outcome().await.expect("done"), 5);

        let next = engine.start(asks::input("y".into())).id("y").await.expect("it starts");
        other.shutdown(LONG).await.expect("it ends");
        next.force_delete().await.expect("by force");
        assert!(matches!(engine.get("y").await, Err(EngineError::Unknown { .. })));
    }

    async fn claim_get_rid_of_what_fits_no_program(db) {
        let old = db.engine().await.serve(old::pay::with()).start().await.expect("it starts");
        for id in ["v", "w", "x", "y", "z"] {
            let run = old.start(old::pay::input()).id(id).await.expect("it starts");
            is(&run, Status::Waiting).await;
        }
        old.shutdown(LONG).await.expect("it ends");
        let engine = db.engine().await.serve(new::pay::with()).start().await.expect("it starts");
        for id in ["v", "w", "x", "y", "z"] {
            let run = engine.execution::<new::pay>(id).await.expect("it is there");
            run.signal(new::pay::STEPS.s, &1).await.expect("it is kept");
            let outcome = run.outcome().await.expect_err("it does not fit");
            assert!(matches!(outcome, EngineError::Incompatible { .. }), "{outcome}");
            let ended = run.ended().await.expect_err("it does not fit");
            assert_eq!(ended.to_string(), outcome.to_string());
            let mut watch = run.watch();
            let now = watch.next().await.expect("it is there").expect("it can be read");
            assert_eq!(now.state.state().status, Status::Waiting);
            let watched = watch.next().await.expect("an error").expect_err("it does not fit");
            assert_eq!(watched.to_string(), outcome.to_string());
            assert!(watch.next().await.is_none(), "nothing comes after it");
        }
        let run = engine.get("x").await.expect("it is there");
        let stopped = run.stop_and_wait(LONG).await.expect_err("it does not fit");
        assert!(matches!(stopped, EngineError::Incompatible { .. }), "{stopped}");
        run.delete().await.expect_err("it has not ended");
        assert_eq!(run.force_stop().await.expect("by force"), Status::Stopped);
        assert_eq!(run.ended().await.expect("it has ended").status, Status::Stopped);
        run.delete().await.expect("it has ended");

        let unfit = Filter::new().incompatible();
        // Of the flow's program nothing is left but this one, which serves nothing.
        let operator = db.engine().await.start().await.expect("it starts");
        let run = operator.get("v").await.expect("it is there");
        assert_eq!(run.abandon("ticket 7").await.expect("by force"), Status::Stopped);
        assert_eq!(operator.abandon_where(unfit.clone().limit(1), "ticket 8").await.expect("by force"), 1);
        let abandoned = operator.list(Filter::new().status(Status::Stopped)).await.expect("a list");
        let errors: Vec<_> = abandoned.iter().filter_map(|info| info.error.as_deref()).collect();
        assert_eq!(errors.len(), 2, "{abandoned:?}");
        for error in errors {
            let told = error.starts_with("abandoned: ticket ") && error.contains("; it was incompatible: ");
            assert!(told && error.contains("does not fit"), "{error}");
        }
        assert!(abandoned.iter().all(|info| info.done_at.is_some() && info.refused.is_none()));
        assert_eq!(operator.delete_where(Filter::new().status(Status::Stopped)).await.expect("they ended"), 2);

        assert_eq!(engine.delete_where(unfit.clone()).await.expect("the store works"), 0);
        assert_eq!(engine.force_delete_where(unfit.clone().limit(1)).await.expect("by force"), 1);
        assert_eq!(engine.force_delete_where(unfit).await.expect("by force"), 1);
        assert_eq!(engine.count(Filter::new()).await.expect("the store works"), 0);
    }

    /// Its holder is another process: what that writes afterwards is refused.
    async fn what_a_holder_writes_after_a_forced_stop_is_refused(db) {
        let (world, operators) = (World::new(), db.engine().await);
        let holder = db.engine().await.lease(LONG).serve(job::with(world.clone())).start().await.expect("it starts");
        let operator = operators.start().await.expect("it starts");
        in_status(&holder, &world, "running", "x").await;

        let run = operator.get("x").await.expect("it is there");
        assert_eq!(run.force_stop().await.expect("by force"), Status::Stopped);
        let info = run.info().await.expect("it is there");
        assert!(info.error.is_some_and(|error| error.starts_with("stopped by force while the worker")));
        world.opens();
        // `b` runs to its end there; its record is refused, and `c` does not begin.
        holder.drain().await;
        let state = run.tree().await.expect("it is there");
        assert_eq!(state.status, Status::Stopped);
        assert_eq!(state.get("b").expect("it has begun").status, Status::Running);
        assert_eq!(world.log(), ["x.a", "x.b"]);

        let next = db.engine().await.serve(job::with(world.clone())).start().await.expect("it starts");
        run.recover().await.expect("it was stopped");
        let there = next.execution::<job>("x").await.expect("it is there");
        assert_eq!(there.outcome().await.expect("done"), "x.a x.b x.c");
        assert_eq!(world.log(), ["x.a", "x.b", "x.b", "x.c"]);
    }

    async fn a_rollback_that_was_stopped_by_force_goes_on_with_a_retry(db) {
        let world = World::new();
        let engine = db.engine().await.serve(job::with(world.clone())).start().await.expect("it starts");
        let run = in_status(&engine, &world, "undoing", "x").await;
        assert_eq!(run.force_stop().await.expect("by force"), Status::Stuck);
        let there = engine.execution::<job>("x").await.expect("it is there");
        let failed = failure(there.outcome().await).to_string();
        assert!(failed.contains("failed at `c`"), "{failed}");
        assert!(failed.contains("its rollback failed at `(the rollback)`: stopped by force"), "{failed}");
        world.mends();
        world.opens();
        run.retry_undo().await.expect("it is stuck");
        is(&run, Status::Undone).await;
        assert_eq!(
            world.log(),
            ["x.a", "x.b", "x.c", "undo x.b", "undo x.b", "undo x.a"]
        );
        let undone = failure(there.outcome().await);
        assert_eq!((undone.step(), undone.undo_failed().len()), (Some("c"), 0));
    }
}

#[step]
async fn one() -> Result<u32, String> {
    Ok(1)
}

mod old {
    use super::*;
    #[flow]
    pub(super) async fn pay() -> Result<u32, String> {
        steps! { a = one(); s = steps::signal::<u32>(); }
        Ok(a + s)
    }
}

mod new {
    use super::*;
    #[flow]
    pub(super) async fn pay() -> Result<u32, String> {
        steps! { b = one(); s = steps::signal::<u32>(); }
        Ok(b + s)
    }
}
