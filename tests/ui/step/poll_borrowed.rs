use steps::prelude::*;

#[step(poll(every = "1s"))]
async fn ask(name: &str) -> Result<&str, String> {
    Ok(name)
}

#[flow]
async fn work() -> Result<(), String> {
    steps! {
        ask("a");
    }
    drop(ask);
    Ok(())
}

fn main() {
    drop(work());
}
