use steps::prelude::*;

#[step]
async fn make(n: u32) -> Result<String, String> {
    Ok(n.to_string())
}

#[undo(make)]
async fn unmake(_n: u32, _made: &String) {}

struct Handle(u32);

#[flow]
async fn work(n: Option<u32>) -> Result<(), String> {
    steps! {
        way = match Handle(n.unwrap_or(0)) {
            one = Handle(1) => {}
            none = _ => {}
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
