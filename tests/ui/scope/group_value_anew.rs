// mistakes: 2
use steps::prelude::*;

fn fresh() -> usize {
    std::process::id() as usize
}

#[step]
async fn make(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[flow]
async fn work() -> Result<u32, String> {
    steps! {
        groups = for n in 0..3_u32 by n { made = make(n); }
        one = if let Some(group) = groups.get(fresh()) { last = make(group.made); }
        all = for group in groups.iter().skip(fresh()) by group.made { last = make(group.made); }
        fine = for group in groups.iter().skip(1) by group.made { last = make(group.made); }
    }
    Ok(fine.len().try_into().unwrap_or(0))
}

fn main() {
    drop(work());
    let _: Option<WorkState> = None;
    let _ = work::STEPS.one;
}
