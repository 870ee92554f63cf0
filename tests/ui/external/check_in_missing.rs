use steps::{External, prelude::*};

#[step(external)]
async fn scan(image: &str) -> Result<External<u32>, String> {
    let _ = image;
    Ok(External::submitted())
}

#[on_check_in(scan)]
async fn told(_image: &str) {}

#[flow]
async fn work(image: String) -> Result<u32, String> {
    steps! { flaws = scan(&image); }
    Ok(flaws)
}

fn main() {
    drop(work("nginx".into()));
    let _: Option<WorkState> = None;
}
