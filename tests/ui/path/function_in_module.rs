use steps::prelude::*;

mod jobs {
    pub async fn plain(n: u32) -> Result<String, String> {
        Ok(n.to_string())
    }
}

#[step]
async fn join(a: &str, b: &str) -> Result<String, String> {
    Ok(format!("{a}{b}"))
}

#[flow]
async fn work(n: u32) -> Result<String, String> {
    steps! {
        first = join("a", "b");
        group = { second = jobs::plain(n); }
        third = join(&first, &group.second);
    }
    Ok(first)
}

fn main() {
    drop(work(1));
    let _: Option<WorkState> = None;
    let _ = work::STEPS.first;
}
