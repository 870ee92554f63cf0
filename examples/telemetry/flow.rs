//! An order: what is told of it is the point here, so its steps do nothing.

use std::{
    io::{Error, ErrorKind},
    time::Duration,
};

use steps::{prelude::*, signal};

#[step]
async fn reserve(article: &str) -> Result<String, Error> {
    tracing::info!(article, "reserved");
    Ok(format!("shelf of {article}"))
}

#[undo(reserve)]
async fn put_back(article: &str, shelf: &String) -> Result<(), Error> {
    tracing::info!(article, shelf, "put back");
    Ok(())
}

/// The bank is busy at the first attempt, and refuses cards of `nobody`.
#[step(retry(times = 3, every = "10ms", when = is_busy))]
async fn charge(cx: &Cx, customer: &str) -> Result<(), Error> {
    tokio::time::sleep(Duration::from_millis(5)).await;
    match (cx.attempt(), customer) {
        (1, _) => Err(Error::new(ErrorKind::ResourceBusy, "the bank is busy")),
        (_, "nobody") => Err(Error::other("the card was declined")),
        _ => Ok(()),
    }
}

fn is_busy(error: &Error) -> bool {
    error.kind() == ErrorKind::ResourceBusy
}

#[step]
async fn ship(shelf: &str) -> Result<(), Error> {
    tracing::info!(shelf, "shipped");
    Ok(())
}

#[flow]
pub(crate) async fn order(customer: String, article: String) -> Result<(), Error> {
    steps! {
        shelf = reserve(&article);
        charge(cx, &customer);
        packed = signal::<()>();
        ship(&shelf);
    }
    Ok(())
}
