// mistakes: 4
use steps::prelude::*;

pub struct Connection;

#[step(transaction)]
async fn nothing_at_all() -> Result<(), String> {
    Ok(())
}

#[step(transaction)]
async fn not_exclusive(_tx: &Connection, _guest: &str) -> Result<(), String> {
    Ok(())
}

#[step(transaction)]
fn by_value(_guest: u32) -> Result<(), String> {
    Ok(())
}

#[step]
async fn reserve(_guest: u32) -> Result<(), String> {
    Ok(())
}

#[undo(reserve, transaction)]
async fn release(_guest: u32, _reserved: &()) -> Result<(), String> {
    Ok(())
}

fn main() {}
