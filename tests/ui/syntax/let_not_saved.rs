use steps::prelude::*;

struct Open {
    n: u32,
}

#[step]
async fn make(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[flow]
async fn work(n: u32) -> Result<u32, String> {
    steps! {
        let open = Open { n };
        last = make(open.n);
    }
    Ok(last)
}

fn main() {
    drop(work(1));
    let _: Option<WorkState> = None;
    let _ = work::STEPS.open;
}
