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

#[plan]
async fn provision(cloud: Cloud) {
    steps! {
        create(cloud, spec: &Spec);
    }
}

fn main() {
    let _ = provision(Cloud, provision::plan().build().unwrap());
}
