// mistakes: 4
use steps::prelude::*;

#[step]
async fn pair(_n: u32) -> Result<(&'static str, u32), String> {
    Ok(("one", 1))
}

#[step]
async fn maybe(name: &str) -> Result<Option<&str>, String> {
    Ok(Some(name))
}

#[step]
async fn two(a: &'static str) -> Result<[&'static str; 2], String> {
    Ok([a, "b"])
}

#[step]
async fn nested(_n: u32) -> Result<Vec<(u32, Option<&'static [u8]>)>, String> {
    Ok(Vec::new())
}

#[flow]
async fn work(n: u32) -> Result<u32, String> {
    steps! {
        first = pair(n);
        second = maybe("b");
        third = two("c");
        fourth = nested(n);
    }
    Ok(n)
}

fn main() {
    drop(work(1));
    let _: Option<WorkState> = None;
    let _ = work::STEPS.first;
}
