use steps::prelude::*;

#[step]
async fn make(n: u32) -> Result<String, String> {
    Ok(n.to_string())
}

#[undo(make)]
async fn unmake(_n: u32, _made: &String) {}

#[step]
async fn join(a: &str, b: &str) -> Result<String, String> {
    Ok(format!("{a}{b}"))
}

struct Service;

impl Service {
    #[flow]
    async fn work(&self, n: u32) -> Result<String, String> {
        steps! {
            first = make(n);
        }
        Ok(first)
    }
}

fn main() {
    drop(Service);
}
