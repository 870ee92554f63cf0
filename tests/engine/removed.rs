//! Two versions of a program at once, of which the newer one has removed, moved or changed lines: what it has
//! gone on with is left to it by the older one, which would run lines that it has no more.

use steps::{Status, engine::EngineError};

use crate::{
    support::{World, is, on_each_store},
    versions::{
        LEASE, asked, count, flow_empty, flow_old, group_empty, group_old, loop_empty, loop_old,
        moved, no_ship, open, short, v1, v2,
    },
};

/// The newer version begins an execution and ends; the older one is asked to go on, and refuses for the
/// line at this path, which the newer form has no more; then it is told to take it.
macro_rules! removed {
    ($db:expr, $old:ident, $new:ident, $path:literal) => {{
        let (db, world) = ($db, World::new());
        let serve_old = async || {
            let old = open(db).await.serve($old::bill::with(world.clone()));
            old.start().await.expect("it starts")
        };
        serve_old().await.shutdown(LEASE).await.expect("it ends");
        let new = open(db).await.serve($new::bill::with(world.clone()));
        let new = new.start().await.expect("it starts");
        let id = concat!(stringify!($new), "_removed");
        let run = new
            .start($new::bill::input(id.into()))
            .id(id)
            .await
            .expect("it starts");
        is(&run, Status::Waiting).await;
        drop(run);
        new.shutdown(LEASE).await.expect("it ends");

        let old = serve_old().await;
        let run = old.execution::<$old::bill>(id).await.expect("it is there");
        run.signal_path("go", &true).await.expect("it is kept");
        let error = run.outcome().await.expect_err("it is of a newer form");
        let EngineError::Incompatible { why, .. } = &error else {
            panic!("{error}")
        };
        let told = format!("without the line `{}`, which this program has", $path);
        assert!(why.contains(&told), "{why}");
        assert_eq!(world.log(), [""; 0]);
        drop(run);
        old.shutdown(LEASE).await.expect("it ends");

        let old = open(db)
            .await
            .serve($old::bill::with(world.clone()).take_newer());
        let old = old.start().await.expect("it starts");
        let run = old.get(id).await.expect("it is there");
        assert_eq!(run.ended().await.expect("done").status, Status::Done);
        assert_eq!(count(&world, "ship"), 1, "{id}");
        drop(run);
        old.shutdown(LEASE).await.expect("it ends");
    }};
}

on_each_store! {
    /// The older version ran the line that the newer one had no more.
    async fn a_line_that_a_newer_version_removed_is_not_run_by_the_older_one(db) {
        removed!(&db, group_old, short, "all");
    }

    async fn a_line_removed_at_any_depth_is_not_run_by_the_older_version(db) {
        removed!(&db, group_old, group_empty, "all.ship");
    }

    async fn a_line_removed_in_a_loop_is_not_run_by_the_older_version(db) {
        removed!(&db, loop_old, loop_empty, "all.*.ship");
    }

    async fn a_line_removed_in_a_nested_flow_is_not_run_by_the_older_version(db) {
        removed!(&db, flow_old, flow_empty, "all.ship");
    }

    /// Two versions at once: what the newer one begins is never billed a line that it has not.
    async fn a_step_removed_two_versions_at_once(db) {
        let world = World::new();
        let old = open(&db).await.serve(v2::bill::with(world.clone())).start().await.expect("it starts");
        let new = open(&db).await.serve(no_ship::bill::with(world.clone())).start().await.expect("it starts");
        let mut runs = Vec::new();
        for n in 0..20 {
            let id = format!("n{n}");
            runs.push(new.start(no_ship::bill::input(id.clone())).id(id).await.expect("it starts"));
            let id = format!("o{n}");
            old.start(v2::bill::input(id.clone())).id(id).await.expect("it starts");
        }
        for run in runs {
            run.outcome().await.expect("done");
        }
        let log = world.log();
        assert!(!log.iter().any(|done| done.starts_with('n')), "{log:?}");
    }

    /// It shipped before the pause that the newer version makes first.
    async fn a_line_that_a_newer_version_moved_is_not_run_where_it_was(db) {
        let world = World::new();
        drop(open(&db).await.serve(v1::bill::with(world.clone())).start().await.expect("it starts"));
        let new = open(&db).await.serve(moved::bill::with(world.clone())).start().await.expect("it starts");
        new.start(moved::bill::input("x".into())).id("x").after(LEASE / 4).await.expect("it starts");
        new.shutdown(LEASE).await.expect("it ends");
        let old = open(&db).await.serve(v1::bill::with(world.clone())).start().await.expect("it starts");
        let run = old.execution::<v1::bill>("x").await.expect("it is there");
        let error = run.outcome().await.expect_err("it is of a newer form");
        assert!(error.to_string().contains("with the line `ship` in another place"), "{error}");
        assert_eq!(world.log(), [""; 0]);
    }

    /// A line under the same name that waits for something else.
    async fn a_line_that_became_another_is_left_to_the_newer_version(db) {
        let world = World::new();
        drop(open(&db).await.serve(v1::bill::with(world.clone())).start().await.expect("it starts"));
        let new = open(&db).await.serve(asked::bill::with(world.clone())).start().await.expect("it starts");
        new.start(asked::bill::input("x".into())).id("x").after(LEASE / 4).await.expect("it starts");
        new.shutdown(LEASE).await.expect("it ends");
        let old = open(&db).await.serve(v1::bill::with(world.clone())).start().await.expect("it starts");
        let run = old.execution::<v1::bill>("x").await.expect("it is there");
        let error = run.outcome().await.expect_err("it is of a newer form");
        assert!(error.to_string().contains("`pause` as a `signal`, which is a `sleep` here"), "{error}");
        assert_eq!(world.log(), [""; 0]);
    }
}
