use steps::prelude::*;

type Flaws = Result<Report, String>;

#[derive(serde::Serialize, serde::Deserialize)]
struct Report {
    flaws: u32,
}

#[step(external)]
async fn scan() -> Flaws {
    Ok(Report { flaws: 3 })
}

#[flow]
async fn work() -> Result<u32, String> {
    steps! { report = scan(); }
    let _ = report;
    Ok(1)
}

fn main() {
    drop(work());
    let _: Option<WorkState> = None;
}
