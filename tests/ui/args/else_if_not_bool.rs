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
        yes = if n > 1 {
            a = make(n);
        } else if n {
            b = make(n);
        }
        last = join(&first, &first);
    }
    Ok(first)
}

fn main() {
    drop(work(1));
    let _: Option<WorkState> = None;
    let _ = work::STEPS.first;
}
