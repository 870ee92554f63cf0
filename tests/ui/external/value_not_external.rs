use steps::prelude::*;

#[step(external)]
async fn scan(image: &str, cx: &Cx) -> Result<u32, String> {
    let _ = (image, cx.task_id());
    Ok(3)
}

#[flow]
async fn work(image: String) -> Result<u32, String> {
    steps! { flaws = scan(&image, cx); }
    Ok(flaws)
}

fn main() {
    drop(work("nginx".into()));
    let _: Option<WorkState> = None;
}
