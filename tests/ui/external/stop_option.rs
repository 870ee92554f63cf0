use steps::{External, prelude::*};

#[step(external)]
async fn scan(image: &str) -> Result<External<u32>, String> {
    let _ = image;
    Ok(External::submitted())
}

#[stop(scan, before)]
async fn stop_scan(_image: &str) {}

#[flow]
async fn work(image: String) -> Result<u32, String> {
    steps! { flaws = scan(&image); }
    Ok(flaws)
}

fn main() {
    drop(work("nginx".into()));
    let _: Option<WorkState> = None;
}
