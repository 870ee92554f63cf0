//! A signal takes values of its own type.

use steps::{Signals, prelude::*};

#[flow]
async fn work() -> Result<u32, String> {
    steps! { answer = steps::signal::<u32>(); }
    Ok(answer)
}

fn main() {
    let _ = Signals::new().send(work::STEPS.answer, &"yes".to_owned());
}
