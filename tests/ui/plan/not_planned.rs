use steps::{Plan, prelude::*};

#[step]
async fn create() -> Result<u32, String> {
    Ok(1)
}

#[flow]
async fn provision() -> Result<u32, String> {
    steps! {
        made = create();
    }
    Ok(made)
}

fn main() {
    let _ = provision();
    let _ = Plan::<provision>::from_json("{}");
}
