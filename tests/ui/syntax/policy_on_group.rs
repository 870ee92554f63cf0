// mistakes: 6
use steps::prelude::*;

#[step]
async fn make(n: u32) -> Result<String, String> {
    Ok(n.to_string())
}

#[undo(make)]
async fn unmake(_n: u32, _made: &String) {}

#[step]
async fn join(a: &str, b: &str) -> Result<String, String> {
    Ok(format!("{a}{b}"))
}

#[flow]
async fn work(n: u32) -> Result<String, String> {
    steps! {
        first = make(n);
        #[step(retry(times = 2), name = "two")]
        second = {
            a = make(n);
        }
        #[step(timeout = "1s")]
        third = parallel {
            a = make(n);
        }
        #[step(poll(every = "1s"), timeout = "1s")]
        fourth = if n > 1 {
            a = make(n);
        }
        #[step(timeout = "1s")]
        fifth = for item in 0..n by item {
            a = make(item);
        }
        #[step(retry(times = 2))]
        sixth = loop {
            a = make(n);
        } until a.len() > 1;
        last = join(&first, &first);
    }
    Ok(last)
}

fn main() {
    drop(work(1));
    let _: Option<WorkState> = None;
    let _ = work::STEPS.first;
}
