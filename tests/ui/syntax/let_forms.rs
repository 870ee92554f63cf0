// mistakes: 8
use steps::prelude::*;

#[step]
async fn make(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[flow]
async fn work(n: u32) -> Result<u32, String> {
    steps! {
        let (a, b): (u32, u32) = (n, n);
        let Some(c) = n.checked_add(1) else { return };
        let mut d = n as u64;
        let e = ;
        let f: u32 = n + 1
        #[pivot]
        let g: u32 = n;
        #[step(retry(times = 2))]
        let h: u32 = n;
        let i: u32 =
        last = make(n);
    }
    Ok(last)
}

fn main() {
    drop(work(1));
    let _: Option<WorkState> = None;
    let _ = work::STEPS.last;
}
