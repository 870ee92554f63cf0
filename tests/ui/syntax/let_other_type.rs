// mistakes: 2
use steps::prelude::*;

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Id(u32);

impl Id {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

#[step]
async fn make(id: &Id) -> Result<u32, String> {
    Ok(id.0)
}

#[flow]
async fn work(n: u32) -> Result<u32, String> {
    steps! {
        let id = Id::read("7");
        let more: u64 = n;
        last = make(&Id(1));
    }
    Ok(last)
}

fn main() {
    drop(work(1));
    let _: Option<WorkState> = None;
    let _ = work::STEPS.id;
}
