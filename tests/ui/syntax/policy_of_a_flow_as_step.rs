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
async fn other(n: u32) -> Result<String, String> {
    steps! { only = make(n); }
    Ok(only)
}

#[flow]
async fn work(n: u32) -> Result<String, String> {
    steps! {
        first = make(n);
        #[step(timeout = "1s")]
        second = other(n);
        last = join(&first, &first);
    }
    Ok(last)
}

fn main() {
    drop(work(1));
    let _: Option<WorkState> = None;
    let _ = work::STEPS.first;
}
