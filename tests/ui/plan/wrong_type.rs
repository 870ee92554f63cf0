use serde::{Deserialize, Serialize};
use steps::prelude::*;

struct Cloud;

#[derive(Serialize, Deserialize)]
struct Spec {
    gb: u32,
}

#[step]
async fn create(cloud: &Cloud, spec: &Spec) -> Result<u32, String> {
    let _ = cloud;
    Ok(spec.gb)
}

#[derive(Serialize, Deserialize)]
struct Other;

#[plan]
async fn provision(cloud: &Cloud) {
    steps! {
        create(cloud, spec: &Other);
    }
}

fn main() {
    let mut plan = provision::plan();
    plan.step("a", provision::create(Other));
    let _ = provision(&Cloud, plan.build().unwrap());
}
