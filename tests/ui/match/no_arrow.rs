use steps::prelude::*;

#[step]
async fn make(n: u32) -> Result<String, String> {
    Ok(n.to_string())
}

#[undo(make)]
async fn unmake(_n: u32, _made: &String) {}

#[flow]
async fn work(n: Option<u32>) -> Result<(), String> {
    steps! {
        way = match n {
            some = Some(n) { made = make(n); }
            none = None => {}
        }
    }
    let _ = way;
    Ok(())
}

fn main() {
    drop(work(None));
    let _: Option<WorkState> = None;
    let _ = work::STEPS.way;
}
