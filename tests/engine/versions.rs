//! Two versions of a program at once: an execution that the newer one has begun is left to it by the
//! older one, unless that is told to take it.

use std::time::Duration;

use steps::{
    Status,
    engine::{Builder, EngineError, Filter},
};

use crate::support::{Db, World, is, on_each_store, wait_for};

/// The flow of a version, with its lines.
macro_rules! version {
    ($version:ident($world:ident, $id:ident) { $($lines:tt)* }) => {
        pub(crate) mod $version {
            use std::sync::Arc;

            #[allow(unused_imports, reason = "not each version uses all")]
            use super::{act, inner_empty, inner_new, inner_old};
            use crate::support::World;
            use steps::prelude::*;

            #[flow(name = "bill")]
            pub(crate) async fn bill($world: &Arc<World>, $id: String) -> Result<(), String> {
                steps! { $($lines)* }
                Ok(())
            }
        }
    };
}

use steps::prelude::*;

#[step]
async fn act(world: &World, id: &str, what: &str) -> Result<(), String> {
    world.act(None, format!("{id}.{what}")).await
}

mod inner_old {
    use super::*;

    #[flow(name = "inner")]
    pub(super) async fn inner(world: &std::sync::Arc<World>, id: String) -> Result<(), String> {
        steps! { ship = act(world, &id, "ship"); }
        Ok(())
    }
}

mod inner_empty {
    use super::*;

    #[flow(name = "inner")]
    pub(super) async fn inner(world: &std::sync::Arc<World>, id: String) -> Result<(), String> {
        steps! { thanks = act(world, &id, "thanks"); }
        Ok(())
    }
}

mod inner_new {
    use super::*;

    #[flow(name = "inner")]
    pub(super) async fn inner(world: &std::sync::Arc<World>, id: String) -> Result<(), String> {
        steps! {
            ship = act(world, &id, "ship");
            invoice = act(world, &id, "invoice");
        }
        Ok(())
    }
}

version!(v1(world, id) {
    ship = act(world, &id, "ship");
    pause = steps::sleep(std::time::Duration::from_millis(60));
});
version!(v2(world, id) {
    ship = act(world, &id, "ship");
    pause = steps::sleep(std::time::Duration::from_millis(60));
    invoice = act(world, &id, "invoice");
});
version!(v3(world, id) {
    ship = act(world, &id, "ship");
    pause = steps::sleep(std::time::Duration::from_millis(60));
    invoice = act(world, &id, "invoice");
    thanks = act(world, &id, "thanks");
});
version!(no_ship(world, id) {
    pause = steps::sleep(std::time::Duration::from_millis(60));
});
version!(moved(world, id) {
    pause = steps::sleep(std::time::Duration::from_millis(60));
    ship = act(world, &id, "ship");
});
version!(asked(world, id) {
    ship = act(world, &id, "ship");
    pause = steps::signal::<()>();
});
version!(renamed(world, id) {
    ship = act(world, &id, "ship");
    #[step(alias = "pause")]
    rest = steps::sleep(std::time::Duration::from_millis(60));
});

/// One that waits for a signal, with what comes then.
macro_rules! waiting {
    ($version:ident($world:ident, $id:ident, $go:ident) { $($lines:tt)* }) => {
        version!($version($world, $id) {
            $go = steps::signal::<bool>();
            $($lines)*
        });
    };
}

waiting!(short(world, id, go) {});
waiting!(group_empty(world, id, go) { all = { thanks = act(world, &id, "thanks"); } });
waiting!(loop_empty(world, id, go) { all = loop { thanks = act(world, &id, "thanks"); } until true });
waiting!(flow_empty(world, id, go) { all = flow inner_empty::inner(world, id.clone()); });
waiting!(group_old(world, id, go) {
    all = {
        ship = act(world, &id, "ship");
    }
});
waiting!(group_new(world, id, go) {
    all = {
        ship = act(world, &id, "ship");
        invoice = act(world, &id, "invoice");
    }
});
waiting!(parallel_old(world, id, go) { all = parallel { ship = act(world, &id, "ship"); } });
waiting!(parallel_new(world, id, go) { all = parallel { ship = act(world, &id, "ship"); invoice = act(world, &id, "invoice"); } });
waiting!(if_old(world, id, go) {
    all = if go {
        ship = act(world, &id, "ship");
    }
});
waiting!(if_new(world, id, go) {
    all = if go {
        ship = act(world, &id, "ship");
        invoice = act(world, &id, "invoice");
    }
});
waiting!(for_old(world, id, go) { all = for n in [1] by n { ship = act(world, &id, "ship"); } });
waiting!(for_new(world, id, go) { all = for n in [1] by n { ship = act(world, &id, "ship"); invoice = act(world, &id, "invoice"); } });
waiting!(loop_old(world, id, go) { all = loop { ship = act(world, &id, "ship"); } until true });
waiting!(loop_new(world, id, go) { all = loop { ship = act(world, &id, "ship"); invoice = act(world, &id, "invoice"); } until true });
waiting!(flow_old(world, id, go) { all = flow inner_old::inner(world, id.clone()); });
waiting!(flow_new(world, id, go) { all = flow inner_new::inner(world, id.clone()); });

pub(crate) const LEASE: Duration = Duration::from_millis(400);

pub(crate) async fn open(db: &Db) -> Builder {
    db.engine()
        .await
        .lease(LEASE)
        .poll(Duration::from_millis(20))
}

/// How often an effect of this name happened.
pub(crate) fn count(world: &World, what: &str) -> usize {
    let log = world.log();
    let suffix = format!(".{what}");
    log.iter().filter(|done| done.ends_with(&suffix)).count()
}

/// The newer version begins an execution and ends; the older one is asked to go on, and refuses for
/// the line at this path; then the newer one does, with each effect once.
macro_rules! added {
    ($db:expr, $old:ident, $new:ident, $path:literal) => {{
        let (db, world) = ($db, World::new());
        let old = open(db)
            .await
            .serve($old::bill::with(world.clone()))
            .start()
            .await
            .expect("it starts");
        old.shutdown(LEASE).await.expect("it ends");
        let new = open(db)
            .await
            .serve($new::bill::with(world.clone()))
            .start()
            .await
            .expect("it starts");
        let id = concat!(stringify!($new));
        let run = new
            .start($new::bill::input(id.into()))
            .id(id)
            .await
            .expect("it starts");
        is(&run, Status::Waiting).await;
        drop(run);
        new.shutdown(LEASE).await.expect("it ends");

        let old = open(db)
            .await
            .serve($old::bill::with(world.clone()))
            .start()
            .await
            .expect("it starts");
        let run = old.execution::<$old::bill>(id).await.expect("it is there");
        run.signal_path("go", &true).await.expect("it is kept");
        let error = run.outcome().await.expect_err("it is of a newer form");
        let EngineError::Incompatible { why, .. } = &error else {
            panic!("{error}")
        };
        assert!(why.contains(&format!("the line `{}`", $path)), "{why}");
        assert!(why.contains("bill::with(…).take_newer()"), "{why}");
        let found = old
            .list(Filter::new().incompatible())
            .await
            .expect("a list");
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(world.log(), [""; 0]);
        drop(run);
        old.shutdown(LEASE).await.expect("it ends");

        let new = open(db)
            .await
            .serve($new::bill::with(world.clone()))
            .start()
            .await
            .expect("it starts");
        let run = new.execution::<$new::bill>(id).await.expect("it is there");
        run.outcome().await.expect("done");
        assert_eq!(
            [count(&world, "ship"), count(&world, "invoice")],
            [1, 1],
            "{id}"
        );
        drop(run);
        new.shutdown(LEASE).await.expect("it ends");
    }};
}

on_each_store! {
    /// 9 of 20 were missing.
    async fn a_step_added_at_the_end_two_versions_at_once(db) {
        let world = World::new();
        let old = open(&db).await.serve(v1::bill::with(world.clone())).start().await.expect("it starts");
        let new = open(&db).await.serve(v2::bill::with(world.clone())).start().await.expect("it starts");
        let mut runs = Vec::new();
        for n in 0..20 {
            let id = format!("n{n}");
            runs.push(new.start(v2::bill::input(id.clone())).id(id).await.expect("it starts"));
            let id = format!("o{n}");
            old.start(v1::bill::input(id.clone())).id(id).await.expect("it starts");
        }
        for run in runs {
            run.outcome().await.expect("done");
        }
        for n in 0..20 {
            old.get(format!("o{n}")).await.expect("it is there").ended().await.expect("done");
        }
        let invoices = world.log();
        let invoices = invoices.iter().filter(|done| done.starts_with('n') && done.ends_with(".invoice"));
        assert_eq!(invoices.count(), 20);
        assert_eq!(count(&world, "ship"), 40);
    }

    async fn a_line_added_at_any_depth_is_not_left_out_by_the_older_version(db) {
        added!(&db, group_old, group_new, "all.invoice");
    }

    async fn a_line_added_in_parallel_is_not_left_out_by_the_older_version(db) {
        added!(&db, parallel_old, parallel_new, "all.invoice");
    }

    async fn a_line_added_in_an_if_is_not_left_out_by_the_older_version(db) {
        added!(&db, if_old, if_new, "all.invoice");
    }

    async fn a_line_added_in_a_for_is_not_left_out_by_the_older_version(db) {
        added!(&db, for_old, for_new, "all.*.invoice");
    }

    async fn a_line_added_in_a_loop_is_not_left_out_by_the_older_version(db) {
        added!(&db, loop_old, loop_new, "all.*.invoice");
    }

    async fn a_line_added_in_a_nested_flow_is_not_left_out_by_the_older_version(db) {
        added!(&db, flow_old, flow_new, "all.invoice");
    }

    /// Going back for good: the older version takes what the newer one has begun, as it is told to.
    async fn going_back_takes_newer_executions_by_name(db) {
        let world = World::new();
        let serve = async || open(&db).await.serve(short::bill::with(world.clone()).take_newer());
        serve().await.start().await.expect("it starts").shutdown(LEASE).await.expect("it ends");
        let new = open(&db).await.serve(group_new::bill::with(world.clone())).start().await.expect("it starts");
        let run = new.start(group_new::bill::input("x".into())).id("x").await.expect("it starts");
        is(&run, Status::Waiting).await;
        drop(run);
        new.shutdown(LEASE).await.expect("it ends");
        let old = serve().await.start().await.expect("it starts");
        let run = old.execution::<short::bill>("x").await.expect("it is there");
        run.signal_path("go", &true).await.expect("it is kept");
        run.outcome().await.expect("done");
        assert_eq!(world.log(), [""; 0]);
    }

    /// What the newest has taken up once is not gone on with by one that is older.
    async fn of_three_versions_the_newest_that_worked_on_it_counts(db) {
        let world = World::new();
        let one = open(&db).await.serve(v1::bill::with(world.clone())).start().await.expect("it starts");
        let two = open(&db).await.serve(v2::bill::with(world.clone())).start().await.expect("it starts");
        let three = open(&db).await.serve(v3::bill::with(world.clone())).start().await.expect("it starts");
        let run = one.start(v1::bill::input("one".into())).id("one").await.expect("it starts");
        let form = run.info().await.expect("it is there").form;
        run.ended().await.expect("done");
        for id in ["two", "three"] {
            if id == "two" {
                two.start(v2::bill::input(id.into())).id(id).await.expect("it starts");
            } else {
                three.start(v3::bill::input(id.into())).id(id).await.expect("it starts");
            }
            let info = one.get(id).await.expect("it is there").ended().await.expect("done");
            assert!(info.form > form, "{id}: {info:?}");
        }
        let log = world.log();
        let has = |done: &str| log.iter().filter(|other| *other == done).count();
        assert_eq!(["two.invoice", "three.invoice", "three.thanks"].map(has), [1, 1, 1], "{log:?}");
    }

    /// What an older version began the newer may go on with; and from then on it is the newer one's.
    async fn the_newer_version_raises_what_it_takes_up(db) {
        let world = World::new();
        let old = open(&db).await.serve(short::bill::with(world.clone())).start().await.expect("it starts");
        let run = old.start(short::bill::input("x".into())).id("x").await.expect("it starts");
        is(&run, Status::Waiting).await;
        let first = run.info().await.expect("it is there").form;
        drop(run);
        old.shutdown(LEASE).await.expect("it ends");
        let new = open(&db).await.serve(group_new::bill::with(world.clone())).start().await.expect("it starts");
        let run = new.execution::<group_new::bill>("x").await.expect("it is there");
        run.signal_path("go", &true).await.expect("it is kept");
        run.outcome().await.expect("done");
        assert!(run.info().await.expect("it is there").form > first);
        assert_eq!(world.log(), ["x.ship", "x.invoice"]);
    }

    /// A line under another name is the same line, whichever of the two has the alias.
    async fn a_line_that_is_only_renamed_keeps_nobody_away(db) {
        let world = World::new();
        let old = open(&db).await.serve(v1::bill::with(world.clone())).start().await.expect("it starts");
        drop(old);
        let new = open(&db).await.serve(renamed::bill::with(world.clone())).start().await.expect("it starts");
        let lead = Duration::from_millis(200);
        new.start(renamed::bill::input("x".into())).id("x").after(lead).await.expect("it starts");
        new.shutdown(LEASE).await.expect("it ends");
        let old = open(&db).await.serve(v1::bill::with(world.clone())).start().await.expect("it starts");
        old.get("x").await.expect("it is there").ended().await.expect("done");
        assert_eq!(world.log(), ["x.ship"]);
    }

    /// Who only starts executions may be of another version than who runs them.
    async fn an_execution_started_by_a_newer_program_is_run_by_a_newer_one(db) {
        let world = World::new();
        let worker = open(&db).await.serve(v1::bill::with(world.clone())).start().await.expect("it starts");
        let web = open(&db).await.start().await.expect("it starts");
        web.start(v2::bill::input("x".into())).id("x").await.expect("it starts");
        // Also in a process that serves another version itself.
        worker.start(v2::bill::input("y".into())).id("y").await.expect("it starts");
        wait_for("both are left", async || {
            worker.count(Filter::new().incompatible()).await.expect("a count") == 2
        })
        .await;
        // Who waits there is told when nobody has taken it up for a lease.
        let run = web.execution::<v2::bill>("x").await.expect("it is there");
        let error = run.outcome().await.expect_err("nobody takes it up");
        assert!(matches!(error, EngineError::Incompatible { .. }), "{error}");
        assert_eq!(world.log(), [""; 0]);
        let _new = open(&db).await.serve(v2::bill::with(world.clone())).start().await.expect("it starts");
        for id in ["x", "y"] {
            let ended = worker.get(id).await.expect("it is there").ended().await.expect("done");
            assert_eq!(ended.status, Status::Done);
        }
        assert_eq!(count(&world, "invoice"), 2);
    }
}
