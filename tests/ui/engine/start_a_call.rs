use steps::{prelude::*, store::MemoryStore};

#[step]
async fn make(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[flow]
async fn work(n: u32) -> Result<u32, String> {
    steps! {
        make(n);
    }
    Ok(make)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let engine = Engine::with_store(MemoryStore::new())
        .serve(work::with())
        .start()
        .await?;
    let run = engine.start(work(5)).id("one").await?;
    assert_eq!(run.outcome().await?, 5);
    Ok(())
}
