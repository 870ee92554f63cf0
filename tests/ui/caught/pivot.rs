use steps::prelude::*;

#[step]
async fn make(n: u32) -> Result<String, String> {
    Ok(n.to_string())
}

#[undo(make)]
async fn unmake(_n: u32, _made: &String) {}

#[step]
async fn note(text: &str) -> Result<(), String> {
    let _ = text;
    Ok(())
}

#[flow]
async fn work(n: u32) -> Result<(), String> {
    steps! {
        #[pivot]
        #[caught]
        made = make(n);
    }
    let _ = made;
    Ok(())
}

fn main() {
    drop(work(1));
    let _: Option<WorkState> = None;
    let _ = work::STEPS.made;
}
