//! A plan that is cut off at each point, in memory and on a store.

use std::{sync::Arc, time::Duration};

use steps::{
    Plan,
    prelude::*,
    store::{MemoryStore, StoreError},
    testing::{Explorer, Injected, Lab},
};

#[step]
async fn act(lab: &Lab, name: &str, after: Option<String>) -> Result<String, Injected> {
    lab.clock().sleep(Duration::from_millis(3)).await;
    lab.act(name)?;
    lab.clock().sleep(Duration::from_millis(3)).await;
    Ok(format!("{name} after {}", after.unwrap_or_default()))
}

#[undo(act)]
async fn act_back(
    lab: &Lab,
    name: &str,
    after: Option<String>,
    output: &String,
) -> Result<(), Injected> {
    assert_eq!(
        *output,
        format!("{name} after {}", after.unwrap_or_default())
    );
    lab.undo(name)
}

#[step]
async fn charge(lab: &Lab, name: &str) -> Result<String, Injected> {
    lab.act(name)?;
    Ok(format!("charged {name}"))
}

#[undo(charge)]
async fn refund(lab: &Lab, name: &str, _: &String) -> Result<(), Injected> {
    lab.undo(name)
}

#[verify(charge)]
async fn charged(lab: &Lab, name: &str) -> Option<String> {
    lab.is_there(name).then(|| format!("charged {name}"))
}

#[plan]
async fn work(lab: &Lab) {
    steps! {
        act(lab, name: &str, after: Option<String>);
        charge(lab, name: &str);
        pause = steps::sleep(time: &str);
    }
}

/// All forms: in order, at once, a mark, what one gives to another.
fn all() -> Plan<work> {
    let mut plan = work::plan();
    let a = plan.step("a", work::act("a", None));
    let b = plan.parallel("p", |p| {
        let b = p.in_order("q", |q| {
            let b = q.step("b", work::act("b", &a));
            q.step("c", work::charge("c"));
            b
        });
        p.step("pause", work::pause("1m"));
        b
    });
    plan.optional("d", work::act("d", None));
    plan.step("e", work::act("e", &b));
    plan.build().expect("it is one")
}

#[tokio::test]
async fn in_memory() {
    let report = Explorer::new(Lab::clone, |lab| work(lab, all()))
        .once(["c"])
        .concurrent()
        .explore()
        .await
        .unwrap();
    assert!(report.cuts > 500, "{report:?}");
    for fault in ["e", "undo a", "undo b"] {
        assert!(report.faults.contains(fault), "{fault}: {report:?}");
    }
    for end in ["done", "stuck", "undone"] {
        assert!(report.ends.contains(end), "{end}: {report:?}");
    }
}

#[tokio::test]
async fn on_an_engine() {
    let explorer = Explorer::engine(|lab| work::with(lab.clone()), || work::input(all()));
    let explorer = explorer.once(["c"]).concurrent();
    let make = |lab: &Lab| MemoryStore::with_clock(Arc::new(lab.clock().clone()));
    let reopen = async |store: &MemoryStore| Ok::<_, StoreError>(store.reopen());
    let report = explorer.explore_on(make, reopen).await.unwrap();
    assert_eq!(report.missed, 0, "{report:?}");
    assert!(report.faults.contains("e"), "{report:?}");
    assert!(report.ends.contains("undone"), "{report:?}");
}
