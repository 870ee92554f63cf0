//! Executions that an older version of the program began, or a newer one. `tests/upgrades` has the pairs
//! of versions; these show what an engine makes of them.

use std::{sync::Arc, time::Duration};

use steps::{
    Cause, Flow, Signals, Status,
    compat::Misfit,
    engine::{Engine, Filter},
    prelude::*,
};

use crate::support::{World, failure, is, on_each_store, wait_for};

#[step]
async fn act(world: &World, name: &str) -> Result<String, String> {
    world.act(None, name.to_owned()).await?;
    Ok(name.to_owned())
}

#[undo(act)]
async fn take_back(world: &World, name: &str, _: &String) -> Result<(), String> {
    world.act(None, format!("undo {name}")).await
}

#[step]
async fn check(ok: bool) -> Result<(), String> {
    if ok {
        Ok(())
    } else {
        Err("turned down".to_owned())
    }
}

#[step]
async fn note(world: &World, text: &str) -> Result<(), String> {
    world.act(None, text.to_owned()).await
}

#[step(volatile)]
async fn in_memory(world: &World, name: &str) -> Result<String, String> {
    world.act(None, name.to_owned()).await?;
    Ok(name.to_owned())
}

macro_rules! version {
    ($name:ident($world:ident) { $($lines:tt)* }) => {
        mod $name {
            use super::*;
            #[flow(name = "f")]
            pub(super) async fn f($world: &World) -> Result<(), String> {
                steps! { $($lines)* }
                Ok(())
            }
        }
    };
}

/// Ends as if its process had been told to.
async fn end(engine: Engine) {
    engine.shutdown(Duration::from_secs(10)).await.unwrap();
}

/// Waits until an engine has refused the execution, and returns why.
async fn refused(engine: &Engine, id: &str) -> String {
    let execution = engine.get(id).await.unwrap();
    wait_for("a refusal", async || {
        execution.info().await.unwrap().refused.is_some()
    })
    .await;
    let listed = engine.list(Filter::new().incompatible()).await.unwrap();
    assert!(listed.iter().any(|info| info.id == id));
    execution.info().await.unwrap().refused.unwrap().why
}

#[flow]
async fn parcel(world: &World, n: u32) -> Result<(), String> {
    steps! { pack = act(world, "pack"); }
    let _ = (n, pack);
    Ok(())
}

#[flow]
async fn heavy_parcel(world: &World, n: u32, heavy: bool) -> Result<(), String> {
    steps! { pack = act(world, "pack"); }
    let _ = (n, heavy, pack);
    Ok(())
}

version!(one_input(world) {
    parcel = flow parcel(world, 1);
    paid = act(world, "pay");
    go = steps::signal::<bool>();
    check(go);
});
version!(two_inputs(world) {
    parcel = flow heavy_parcel(world, 1, false);
    paid = act(world, "pay");
    go = steps::signal::<bool>();
    check(go);
});

version!(numbers(world) {
    all = for i in [1_u32, 2] by i { x = act(world, &i.to_string()); }
    check(false);
});
version!(texts(world) {
    all = for i in ["1".to_owned(), "2".to_owned()] by i { x = act(world, i); }
    check(false);
});

version!(asks_bool(world) {
    a = act(world, "a");
    ok = steps::signal::<bool>();
    note(world, if ok { "yes" } else { "no" });
});
version!(asks_text(world) {
    a = act(world, "a");
    ok = steps::signal::<String>();
    note(world, &ok);
});

version!(disk_first(world) {
    disk = act(world, "disk");
    vm = act(world, "vm");
    go = steps::signal::<bool>();
    check(go);
});
version!(vm_first(world) {
    vm = act(world, "vm");
    disk = act(world, "disk");
    go = steps::signal::<bool>();
    check(go);
});
version!(with_late_line(world) {
    disk = act(world, "disk");
    #[optional] late = act(world, "late");
    vm = act(world, "vm");
    go = steps::signal::<bool>();
    check(go);
});

version!(plain(world) {
    log_in = act(world, "log in");
    go = steps::signal::<bool>();
    again = steps::signal::<bool>();
    check(again);
});
version!(volatile(world) {
    log_in = in_memory(world, "log in");
    go = steps::signal::<bool>();
    again = steps::signal::<bool>();
    check(again);
});

version!(old_name(world) {
    first = act(world, "a");
    go = steps::signal::<bool>();
});
version!(both_names(world) {
    #[step(alias = "second")] first = act(world, "a");
    go = steps::signal::<bool>();
});
version!(new_name(world) {
    #[step(alias = "first")] second = act(world, "a");
    go = steps::signal::<bool>();
});

on_each_store! {
    /// It was found when the rollback got there: the undo of what came after was called for ever.
    async fn upg_undo_again(db) {
        let world = World::new();
        let one = db.engine().await.serve(one_input::f::with(Arc::clone(&world))).start().await.unwrap();
        let run = one.start(one_input::f::input()).id("o").await.unwrap();
        is(&run, Status::Waiting).await;
        end(one).await;

        let two = db.engine().await.serve(two_inputs::f::with(Arc::clone(&world))).start().await.unwrap();
        let run = two.execution::<two_inputs::f>("o").await.unwrap();
        run.signal(two_inputs::f::STEPS.go, &false).await.unwrap();
        let why = refused(&two, "o").await;
        assert!(why.contains("`parcel` does not fit: its saved input can't be read: field `heavy` is missing"), "{why}");
        assert_eq!(world.log(), ["pack", "pay"]);
        end(two).await;

        let one = db.engine().await.serve(one_input::f::with(Arc::clone(&world))).start().await.unwrap();
        let run = one.execution::<one_input::f>("o").await.unwrap();
        assert_eq!(failure(run.outcome().await).status(), Status::Undone);
        assert_eq!(world.log(), ["pack", "pay", "undo pay", "undo pack"]);
    }

    async fn upg_for_items_inside(db) {
        let world = World::new();
        world.closes("undo 1");
        let one = db.engine().await.lease(Duration::from_millis(300)).serve(numbers::f::with(Arc::clone(&world))).start().await.unwrap();
        one.start(numbers::f::input()).id("x").await.unwrap();
        world.saw("undo 1").await;
        drop(one);

        let before = world.log();
        let two = db.engine().await.lease(Duration::from_millis(300)).serve(texts::f::with(Arc::clone(&world))).start().await.unwrap();
        let why = refused(&two, "x").await;
        assert!(why.contains("`all` does not fit: its items can't be read: invalid type: integer `1`"), "{why}");
        assert_eq!(world.log(), before);
        end(two).await;

        world.opens();
        let one = db.engine().await.serve(numbers::f::with(Arc::clone(&world))).start().await.unwrap();
        let run = one.execution::<numbers::f>("x").await.unwrap();
        assert_eq!(failure(run.outcome().await).status(), Status::Undone);
        assert_eq!(world.log(), ["1", "2", "undo 2", "undo 1", "undo 1"]);
    }

    /// A newer process signals, and an older one works: the value is for one that can read it.
    async fn upg_signal_type(db) {
        let world = World::new();
        let old = db.engine().await.serve(asks_bool::f::with(Arc::clone(&world))).start().await.unwrap();
        let run = old.start(asks_bool::f::input()).id("x").await.unwrap();
        is(&run, Status::Waiting).await;
        let web = db.engine().await.start().await.unwrap();
        let sent = web.execution::<asks_text::f>("x").await.unwrap();
        sent.signal(asks_text::f::STEPS.ok, &"by ann".to_owned()).await.unwrap();
        let why = refused(&old, "x").await;
        assert!(why.contains("`ok` does not fit: the signal that was sent to it is no `bool`"), "{why}");
        assert_eq!(run.status().await.unwrap(), Status::Waiting);
        end(old).await;

        let new = db.engine().await.serve(asks_text::f::with(Arc::clone(&world))).start().await.unwrap();
        new.execution::<asks_text::f>("x").await.unwrap().outcome().await.unwrap();
        assert_eq!(world.log(), ["a", "by ann"]);
    }

    /// It waits in the inbox, before anybody waits for it.
    async fn upg_signal_type_of_a_signal_that_came_first(db) {
        let world = World::new();
        let web = db.engine().await.start().await.unwrap();
        web.start(asks_text::f::input()).id("x").await.unwrap();
        let sent = web.execution::<asks_text::f>("x").await.unwrap();
        sent.signal(asks_text::f::STEPS.ok, &"by ann".to_owned()).await.unwrap();
        let old = db.engine().await.serve(asks_bool::f::with(Arc::clone(&world))).start().await.unwrap();
        refused(&old, "x").await;
        assert_eq!(world.log(), ["a"]);
        end(old).await;
        let new = db.engine().await.serve(asks_text::f::with(Arc::clone(&world))).start().await.unwrap();
        new.execution::<asks_text::f>("x").await.unwrap().outcome().await.unwrap();
        assert_eq!(world.log(), ["a", "by ann"], "what was done before the refusal is not done again");
    }

    async fn upg_moved(db) {
        let world = World::new();
        let one = db.engine().await.serve(disk_first::f::with(Arc::clone(&world))).start().await.unwrap();
        let run = one.start(disk_first::f::input()).id("x").await.unwrap();
        is(&run, Status::Waiting).await;
        end(one).await;
        // Each process has it from the store anew.
        for _ in 0..2 {
            let two = db.engine().await.serve(vm_first::f::with(Arc::clone(&world))).start().await.unwrap();
            two.get("x").await.unwrap().signal_path("other", &1).await.ok();
            end(two).await;
        }
        let two = db.engine().await.serve(vm_first::f::with(Arc::clone(&world))).start().await.unwrap();
        let run = two.execution::<vm_first::f>("x").await.unwrap();
        run.signal(vm_first::f::STEPS.go, &false).await.unwrap();
        assert_eq!(failure(run.outcome().await).status(), Status::Undone);
        assert_eq!(world.log(), ["disk", "vm", "undo vm", "undo disk"]);
    }

    async fn a_late_optional_line_is_undone_by_when_it_ran(db) {
        let world = World::new();
        let one = db.engine().await.serve(disk_first::f::with(Arc::clone(&world))).start().await.unwrap();
        let run = one.start(disk_first::f::input()).id("x").await.unwrap();
        is(&run, Status::Waiting).await;
        end(one).await;
        let two = db.engine().await.serve(with_late_line::f::with(Arc::clone(&world))).start().await.unwrap();
        let run = two.execution::<with_late_line::f>("x").await.unwrap();
        run.signal(with_late_line::f::STEPS.go, &false).await.unwrap();
        assert_eq!(failure(run.outcome().await).status(), Status::Undone);
        assert_eq!(world.log(), ["disk", "vm", "late", "undo late", "undo vm", "undo disk"]);
    }

    /// It was called again each time that the execution was taken up.
    async fn upg_to_volatile(db) {
        let world = World::new();
        let one = db.engine().await.serve(plain::f::with(Arc::clone(&world))).start().await.unwrap();
        let run = one.start(plain::f::input()).id("x").await.unwrap();
        is(&run, Status::Waiting).await;
        end(one).await;
        for go in [volatile::f::STEPS.go, volatile::f::STEPS.again] {
            let two = db.engine().await.serve(volatile::f::with(Arc::clone(&world))).start().await.unwrap();
            let run = two.execution::<volatile::f>("x").await.unwrap();
            run.signal(go, &true).await.unwrap();
            wait_for("the signal", async || {
                let tree = run.tree().await.unwrap();
                tree.get(&go.path()).is_some_and(|node| node.status == Status::Done)
            }).await;
            end(two).await;
        }
        assert_eq!(world.log(), ["log in"]);
    }

    /// A name that is to change is known to every process before any writes it.
    async fn an_alias_is_deployed_in_two_steps_and_rolled_back(db) {
        let world = World::new();
        macro_rules! deploy {
            ($version:ident) => {
                db.engine().await.serve($version::f::with(Arc::clone(&world))).start().await.unwrap()
            };
        }
        let old = deploy!(old_name);
        let run = old.start(old_name::f::input()).id("first").await.unwrap();
        is(&run, Status::Waiting).await;
        end(old).await;
        // The first step: the new name is known. The second: it is written.
        end(deploy!(both_names)).await;
        let new = deploy!(new_name);
        let run = new.start(new_name::f::input()).id("second").await.unwrap();
        is(&run, Status::Waiting).await;
        end(new).await;
        // Back.
        let back = deploy!(both_names);
        for id in ["first", "second"] {
            let run = back.execution::<both_names::f>(id).await.unwrap();
            run.signal(both_names::f::STEPS.go, &true).await.unwrap();
            run.outcome().await.unwrap();
        }
        assert_eq!(world.log(), ["a", "a"]);
    }
}

#[test]
fn upg_signal_type_is_in_the_fingerprint() {
    const BOOL: u64 = asks_bool::f::FINGERPRINT;
    const TEXT: u64 = asks_text::f::FINGERPRINT;
    assert_ne!(BOOL, TEXT);
}

#[tokio::test]
async fn upg_signal_type_in_memory() {
    let (world, signals) = (World::new(), Signals::new());
    let text = "by ann".to_owned();
    signals.send(asks_text::f::STEPS.ok, &text).unwrap();
    let failed = asks_bool::f(&world).signals(&signals).await.unwrap_err();
    assert!(
        matches!(failed.cause, Cause::Misfit(Misfit::Tree(_))),
        "{failed}"
    );
    assert!(failed.to_string().contains("is no `bool`"), "{failed}");
    assert_eq!(signals.untaken(), ["ok"]);
    // Nothing is lost: one that can read it goes on.
    let state = (*failed.state).clone();
    asks_text::f(&world)
        .resume(state)
        .signals(&signals)
        .await
        .unwrap();
    assert_eq!(world.log(), ["a", "by ann"]);

    // One that a state was given.
    let mut state = asks_text::f(&world).advance().await.unwrap().state;
    state.signal(asks_text::f::STEPS.ok, &text).unwrap();
    let saved = state.state().clone();
    let failed = asks_bool::f(&world)
        .resume(saved.clone())
        .await
        .unwrap_err();
    assert!(
        failed
            .to_string()
            .contains("the signal that it was given can't be read"),
        "{failed}"
    );
    assert_eq!(*failed.state, saved);
    asks_text::f(&world).resume(saved).await.unwrap();
}
