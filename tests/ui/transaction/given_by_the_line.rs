use steps::prelude::*;

pub struct Connection;

#[step(transaction)]
async fn reserve(_tx: &mut Connection, _guest: &str) -> Result<u32, String> {
    Ok(1)
}

#[flow]
async fn book(connection: &Connection, guest: String) -> Result<u32, String> {
    steps! { seat = reserve(connection, &guest); }
    Ok(seat)
}

fn main() {}
