use steps::prelude::*;

#[step]
async fn create(name: Option<&str>) -> Result<u32, String> {
    let _ = name;
    Ok(1)
}

#[plan]
async fn provision() {
    steps! {
        create(name: Option<&str>);
    }
}

fn main() {
    let _ = provision(provision::plan().build().unwrap());
}
