use steps::prelude::*;

#[step]
async fn make(n: u32) -> Result<String, String> {
    Ok(n.to_string())
}

#[flow]
async fn work(n: u32) -> Result<String, String> {
    steps! {
        first = make(n);
        #[deadline("1d")]
        second = steps::signal::<u32>().within("2d");
    }
    Ok(first)
}

fn main() {
    drop(work(1));
    let _: Option<WorkState> = None;
    let _ = work::STEPS.first;
}
