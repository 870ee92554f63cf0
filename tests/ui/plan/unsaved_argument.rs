use steps::prelude::*;

struct Cloud;

struct Handle;

#[step]
async fn create(cloud: &Cloud, handle: &Handle) -> Result<u32, String> {
    let _ = (cloud, handle);
    Ok(1)
}

#[plan]
async fn provision(cloud: &Cloud) {
    steps! {
        create(cloud, handle: &Handle);
    }
}

fn main() {
    let _ = provision(&Cloud, provision::plan().build().unwrap());
}
