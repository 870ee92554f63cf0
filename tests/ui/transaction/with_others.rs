// mistakes: 5
use steps::prelude::*;

pub struct Connection;

#[step(transaction, poll(every = "1s"))]
async fn polls(_tx: &mut Connection) -> Result<Option<()>, String> {
    Ok(None)
}

#[step(transaction, volatile, readonly)]
async fn forgets(_tx: &mut Connection) -> Result<(), String> {
    Ok(())
}

#[step(transaction, blocking)]
fn blocks(_tx: &Connection) -> Result<(), String> {
    Ok(())
}

#[step(transaction = true)]
fn a_value(_tx: &Connection) -> Result<(), String> {
    Ok(())
}

fn main() {}
