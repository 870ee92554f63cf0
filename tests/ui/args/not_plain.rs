// mistakes: 13
use std::sync::atomic::{AtomicU32, Ordering};

use steps::prelude::*;

static NEXT: AtomicU32 = AtomicU32::new(0);

fn fresh() -> u32 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn add(n: u32) -> u32 {
    n + fresh()
}

struct Uuid(u32);

impl Uuid {
    fn new() -> Self {
        Self(fresh())
    }
    fn new_v4() -> Self {
        Self::new()
    }
}

struct Cloud {
    ids: AtomicU32,
}

#[step]
async fn make(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[step]
async fn name(name: String) -> Result<String, String> {
    Ok(name)
}

#[flow]
async fn part(n: u32) -> Result<u32, String> {
    steps! { last = make(n); }
    Ok(last)
}

#[flow]
async fn work(cloud: &Cloud, given: Option<u32>) -> Result<u32, String> {
    steps! {
        function = make(fresh());
        inside = make(given.map_or(7, |n| n + fresh()));
        named = make(given.unwrap_or_else(fresh));
        of_type = make(Uuid::new_v4().0);
        new = make(Uuid::new().0);
        of_static = make(NEXT.load(Ordering::Relaxed));
        of_lent = make(cloud.ids.fetch_add(1, Ordering::Relaxed));
        in_text = name(format!("vm-{}", fresh()));
        clock = name(format!("{:?}", std::time::SystemTime::now()));
        block = make({ let n = add(1); n + 1 });
        pause = steps::sleep(std::time::Duration::from_secs(u64::from(fresh())));
        nested = flow part(fresh());
        waited = make(part(1).await.unwrap());
        fine = name(format!("{}-{}", String::from("a"), given.map(|n| n.pow(2)).unwrap_or_default()));
    }
    Ok(fine.len().try_into().unwrap_or(0))
}

fn main() {
    drop(work(&Cloud { ids: AtomicU32::new(0) }, None));
    let _: Option<WorkState> = None;
    let _ = work::STEPS.fine;
}
