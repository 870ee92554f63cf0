use steps::prelude::*;

#[step]
async fn make(n: u32) -> Result<String, String> {
    Ok(n.to_string())
}

#[undo(make)]
async fn unmake(_n: u32, _made: &String) {}

#[flow]
async fn work(n: Result<u32, u32>) -> Result<(), String> {
    steps! {
        way = match n {
            some = Ok(n) | Err(n) if n > 1 => make(n);
            none = _ => {}
        }
    }
    let _ = way;
    Ok(())
}

fn main() {
    drop(work(Ok(1)));
    let _: Option<WorkState> = None;
    let _ = work::STEPS.way;
}
