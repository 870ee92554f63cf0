// mistakes: 3
//! What is made of `prev` in a loop that lets rounds go has to be recorded.

use steps::prelude::*;

#[step]
async fn make(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[step(volatile)]
async fn connect(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[flow]
async fn other(n: u32) -> Result<u32, String> {
    steps! {
        a = make(n);
    }
    Ok(a)
}

#[flow]
async fn looks() -> Result<u32, String> {
    steps! {
        rounds = loop keep 3 {
            n = make(1);
            inner = if let Some(before) = prev {
                m = make(before.n);
            }
        }
    }
    Ok(rounds.n)
}

#[flow]
async fn nested() -> Result<u32, String> {
    steps! {
        rounds = loop keep 3 {
            inner = flow other(prev.map_or(0, |prev| prev.inner));
        }
    }
    Ok(rounds.inner)
}

#[flow]
async fn volatile() -> Result<u32, String> {
    steps! {
        rounds = loop keep 3 {
            inner = connect(prev.map_or(0, |prev| prev.inner));
        }
    }
    Ok(rounds.inner)
}

fn main() {
    drop(looks());
    drop(nested());
    drop(volatile());
}
