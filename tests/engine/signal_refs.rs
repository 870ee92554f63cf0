//! References to signals in nested flows, in items and in branches.

use steps::{SignalError, prelude::*};

use crate::{
    signals::{begun, refused},
    support::{World, act, on_each_store, wait_for},
};

/// A nested flow.
#[flow]
async fn approve(what: String) -> Result<bool, String> {
    steps! { decision = steps::signal::<bool>(); }
    let _ = what;
    Ok(decision)
}

#[flow]
async fn release(world: &World, hosts: Vec<String>) -> Result<u32, String> {
    steps! {
        begun(world);
        whole = flow approve("all".to_owned());
        way = if whole { yes = steps::signal::<u32>(); } else { no = steps::signal::<u32>(); }
        hosts = for host in hosts by host parallel {
            ok     = steps::signal::<u32>();
            nested = flow approve(host.clone());
        }
        last = act(cx, world, "last");
    }
    let _ = (way, last);
    Ok(hosts.iter().map(|host| host.ok).sum())
}

on_each_store! {
    async fn signals_reach_nested_flows_and_items_and_branches(db) {
        let world = World::new();
        world.closes("begun");
        let engine = db.engine().await.serve(release::with(world.clone())).start().await.expect("it starts");
        let hosts = ["a", "b.c", "*"].map(str::to_owned);
        let run = engine.start(release::input(hosts.into())).await.expect("it starts");
        world.saw("begun").await;
        // Before any of them is reached.
        run.signal(release::STEPS.hosts.ok.at("b.c"), &20).await.expect("it is kept");
        run.signal(release::STEPS.hosts.ok.any(), &1).await.expect("it is kept");
        run.signal(release::STEPS.hosts.ok.any(), &300).await.expect("it is kept");
        for _ in 0..3 {
            run.signal(release::STEPS.hosts.nested.decision.any(), &true).await.expect("it is kept");
        }
        run.signal(release::STEPS.way.then.yes, &1).await.expect("it is kept");
        run.signal(release::STEPS.whole.decision, &true).await.expect("it is kept");
        world.closes("last");
        world.opens();
        world.closes("last");
        world.saw("last").await;
        let (_, text) = refused(run.signal(release::STEPS.way.otherwise.no, &1).await);
        assert_eq!(text, "the step `way.no` can take no signal any more: `way` is done");
        let (_, text) = refused(run.signal(release::STEPS.hosts.ok.at("z"), &1).await);
        assert_eq!(text, "the step `hosts.z.ok` can take no signal any more: `hosts` is done");
        world.opens();
        assert_eq!(run.outcome().await.expect("done"), 321);
        let tree = run.tree().await.expect("it is there");
        assert!(tree.succeeded(r"hosts.\*.nested.decision"), "{}", tree.tree());
        assert!(tree.succeeded(&release::STEPS.hosts.nested.decision.at("*").path()));
        assert!(release::STEPS.whole.of(&tree).is_some() && release::STEPS.whole.decision.of(&tree).is_some());
    }

    async fn an_item_and_a_branch_that_there_are_not_are_said(db) {
        let world = World::new();
        let engine = db.engine().await.serve(release::with(world.clone())).start().await.expect("it starts");
        let run = engine.start(release::input(vec!["a".into()])).await.expect("it starts");
        run.signal(release::STEPS.whole.decision, &false).await.expect("it is kept");
        wait_for("the branch", async || run.tree().await.expect("it is there").proceeding("way.no")).await;
        let (_, text) = refused(run.signal(release::STEPS.way.then.yes, &1).await);
        assert_eq!(text, "the step `way.yes` can take no signal any more: `way` has gone the other way");
        run.signal(release::STEPS.way.otherwise.no, &1).await.expect("it waits");
        wait_for("the items", async || run.tree().await.expect("it is there").proceeding("hosts.a.ok")).await;
        let (error, text) = refused(run.signal(release::STEPS.hosts.ok.at("b"), &1).await);
        assert!(matches!(error, SignalError::NoItem { .. }), "{text}");
        assert_eq!(text, "the signal to `hosts.b.ok` was not sent: `hosts` has no item `b`");
        run.signal(release::STEPS.hosts.ok.at("a"), &1).await.expect("it waits");
        run.signal(release::STEPS.hosts.nested.decision.at("a"), &true).await.expect("it is kept");
        assert_eq!(run.outcome().await.expect("done"), 1);
    }
}
