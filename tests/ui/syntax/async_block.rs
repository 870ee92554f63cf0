use steps::prelude::*;

#[step]
async fn make(n: u32) -> Result<String, String> {
    Ok(n.to_string())
}

#[undo(make)]
async fn unmake(_n: u32, _made: &String) {}

#[flow]
async fn work(n: u32) -> Result<(), String> {
    steps! {
        first = make(n);
        other = async { make(n).await };
        last = make(n);
    }
    let _ = first;
    Ok(())
}

fn main() {
    drop(work(1));
    let _: Option<WorkState> = None;
    let _ = work::STEPS.first;
}
