// mistakes: 5
use steps::prelude::*;

#[step]
async fn make(n: &str) -> Result<String, String> {
    Ok(n.to_string())
}

#[flow]
async fn pair(given: (&str, u32)) -> Result<String, String> {
    steps! {
        first = make(given.0);
    }
    Ok(first)
}

#[flow]
async fn maybe(given: Option<&str>) -> Result<String, String> {
    steps! {
        first = make(given.unwrap_or("none"));
    }
    Ok(first)
}

#[flow]
async fn two(given: [&str; 2]) -> Result<String, String> {
    steps! {
        first = make(given[0]);
    }
    Ok(first)
}

#[flow]
async fn gives(n: u32) -> Result<(String, &str), String> {
    steps! {
        first = make(&n.to_string());
    }
    Ok((first, "two"))
}

#[flow]
async fn long(given: (&'static str, u32)) -> Result<String, String> {
    steps! {
        first = make(given.0);
    }
    Ok(first)
}

fn main() {
    drop(pair(("one".to_owned(), 1)));
    let _: Option<PairState> = None;
    let _ = two::STEPS.first;
    drop(gives(1));
}
