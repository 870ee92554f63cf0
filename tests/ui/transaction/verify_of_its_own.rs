use steps::prelude::*;

pub struct Connection;

#[step(transaction)]
async fn pay(_tx: &mut Connection, _guest: &str) -> Result<u32, String> {
    Ok(1)
}

#[verify(pay)]
async fn paid(_guest: &str) -> Option<u32> {
    None
}

#[flow]
async fn buy(guest: String) -> Result<u32, String> {
    steps! { price = pay(&guest); }
    Ok(price)
}

fn main() {}
