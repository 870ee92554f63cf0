use steps::prelude::*;

#[step]
async fn make(n: &str) -> Result<String, String> {
    Ok(n.to_string())
}

#[flow]
async fn work(names: Vec<&str>) -> Result<String, String> {
    steps! {
        all = for name in &names by name {
            make(name);
        }
    }
    Ok(all.len().to_string())
}

#[on_done(work)]
async fn told(_names: &Vec<String>, _out: &String) {}

fn main() {
    let _: Option<WorkState> = None;
    let _ = work::STEPS.all;
}
