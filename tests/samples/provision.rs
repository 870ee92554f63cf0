//! A machine is ordered and waited for; its names, disks and users follow. All of it is taken back if
//! a part can't be had; what is only nice to have may fail.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use steps::{
    Status,
    clock::TestClock,
    prelude::*,
    testing::{Fault, Injected, Lab},
};

use crate::support::explored;

#[derive(Clone, Serialize, Deserialize)]
struct Order {
    name: String,
    users: Vec<String>,
}

/// What is made, and unmade, by its name.
#[step(retry(times = 2, every = "5s"))]
async fn create(cloud: &Lab, what: &str) -> Result<String, Injected> {
    cloud.act(what)?;
    Ok(what.to_owned())
}

#[undo(create)]
async fn delete(cloud: &Lab, what: &str, _: &String) -> Result<(), Injected> {
    cloud.undo(what)
}

/// The address, once the machine has booted.
#[step(readonly, poll(every = "10s", times = 30))]
async fn address(cx: &Cx, _cloud: &Lab, _vm: &str) -> Result<Option<String>, Injected> {
    Ok((cx.attempt() > 3).then(|| "10.0.0.7".to_owned()))
}

#[flow]
async fn provision(cloud: &Lab, order: Order) -> Result<String, Injected> {
    steps! {
        vm = create(cloud, &order.name);
        address(cx, cloud, &vm);
        around = parallel {
            dns  = create(cloud, &format!("dns of {address}"));
            disk = create(cloud, "disk");
            #[optional]
            graph = create(cloud, "graph");
        }
        users = for user in &order.users by user parallel(4) {
            account = create(cloud, &format!("user {user}"));
        }
    }
    let _ = (vm, around, users);
    Ok(address)
}

fn order(users: &[&str]) -> Order {
    Order {
        name: "vm".into(),
        users: users.iter().map(|user| user.to_string()).collect(),
    }
}

#[tokio::test]
async fn a_graph_is_not_worth_a_machine() {
    let cloud = Lab::new();
    cloud.fault("graph", Fault::FailBefore);
    let run = provision(&cloud, order(&["ann", "bob"])).clock(Arc::new(cloud.clock().clone()));
    assert_eq!(run.await.unwrap(), "10.0.0.7");
    let there = ["disk", "dns of 10.0.0.7", "user ann", "user bob", "vm"];
    assert!(cloud.there().iter().eq(there), "{:?}", cloud.there());
    // Three polls; the graph is tried twice more, beside the others.
    assert_eq!(cloud.clock().elapsed().as_secs(), 3 * 10 + 2 * 5);
}

#[tokio::test]
async fn without_one_of_its_users_there_is_no_machine() {
    let cloud = Lab::new();
    cloud.fault("user bob", Fault::FailBefore);
    let run = provision(&cloud, order(&["ann", "bob"])).clock(Arc::new(cloud.clock().clone()));
    let failure = run.await.unwrap_err();
    assert_eq!(
        (failure.step(), failure.status()),
        (Some("users.bob.account"), Status::Undone)
    );
    assert!(cloud.there().is_empty(), "{:?}", cloud.texts());
}

#[tokio::test]
async fn whenever_it_dies() {
    let faults = explored!(provision(order(&["ann"])));
    for fault in ["vm", "graph", "undo disk", "user ann", "undo vm"] {
        assert!(faults.contains(fault), "{faults:?}");
    }
}
