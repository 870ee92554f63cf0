// mistakes: 2
use steps::{External, prelude::*};

#[step(external, poll(every = "1s"))]
async fn asked() -> Result<External<u32>, String> {
    Ok(External::submitted())
}

#[step(external, volatile)]
async fn forgotten() -> Result<External<u32>, String> {
    Ok(External::submitted())
}

#[flow]
async fn work() -> Result<u32, String> {
    steps! {
        a = asked();
        b = forgotten();
    }
    Ok(a + b)
}

fn main() {
    drop(work());
    let _: Option<WorkState> = None;
}
