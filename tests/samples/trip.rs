//! A trip: a flight and a hotel at once, then a car; if one can't be had, the others are cancelled.

use steps::{
    Status,
    prelude::*,
    testing::{Fault, Injected, Lab},
};

use crate::support::explored;

#[step]
async fn book(agency: &Lab, what: &str, to: &str) -> Result<String, Injected> {
    agency.act(what)?;
    Ok(format!("{what} to {to}"))
}

#[undo(book)]
async fn cancel(agency: &Lab, what: &str, _to: &str, _: &String) -> Result<(), Injected> {
    agency.undo(what)
}

#[flow(reversible)]
async fn trip(agency: &Lab, to: String) -> Result<[String; 3], Injected> {
    steps! {
        stay = parallel {
            flight = book(agency, "flight", &to);
            hotel  = book(agency, "hotel", &to);
        }
        car = book(agency, "car", &to);
    }
    Ok([stay.flight, stay.hotel, car])
}

#[tokio::test]
async fn all_three_are_booked() {
    let agency = Lab::new();
    let booked = trip(&agency, "Oslo".into()).await.unwrap();
    assert_eq!(booked, ["flight to Oslo", "hotel to Oslo", "car to Oslo"]);
}

#[tokio::test]
async fn without_a_car_nothing_is_booked() {
    let agency = Lab::new();
    agency.fault("car", Fault::FailBefore);
    let failure = trip(&agency, "Oslo".into()).await.unwrap_err();
    assert_eq!(
        (failure.step(), failure.status()),
        (Some("car"), Status::Undone)
    );
    assert!(agency.there().is_empty(), "{:?}", agency.texts());
}

#[tokio::test]
async fn whenever_it_dies() {
    let faults = explored!(trip("Oslo".into()));
    for fault in ["flight", "hotel", "car", "undo flight", "undo hotel"] {
        assert!(faults.contains(fault), "{faults:?}");
    }
}
