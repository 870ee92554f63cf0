use steps::prelude::*;

#[step]
async fn make(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[flow(name = "a", alias = "c", alias = "d", name = "b")]
async fn work(n: u32) -> Result<u32, String> {
    steps! {
        make(n);
    }
    Ok(make)
}

fn main() {
    drop(work(1));
}
