//! A transfer between two banks: never twice, and given back if the other bank refuses.

use steps::{
    Status,
    clock::TestClock,
    prelude::*,
    testing::{Explorer, Fault, Injected, Lab},
};

/// The bank books a reference once.
#[step(retry(times = 2, every = "10s"))]
async fn withdraw(bank: &Lab, from: &str, cents: u64) -> Result<String, Injected> {
    bank.act(format!("{cents} from {from}"))?;
    Ok(format!("{from}-{cents}"))
}

/// Asks the bank, where its answer was lost.
#[verify(withdraw)]
async fn withdrawn(bank: &Lab, from: &str, cents: u64) -> Option<String> {
    let booked = bank.is_there(&format!("{cents} from {from}"));
    booked.then(|| format!("{from}-{cents}"))
}

#[undo(withdraw)]
async fn refund(bank: &Lab, from: &str, cents: u64, _booking: &String) -> Result<(), Injected> {
    bank.undo(format!("{cents} from {from}"))
}

#[step(retry(times = 2, every = "10s"))]
async fn deposit(bank: &Lab, to: &str, cents: u64, booking: &str) -> Result<String, Injected> {
    bank.act(format!("{cents} to {to}"))?;
    Ok(format!("{booking}-{to}"))
}

#[verify(deposit)]
async fn deposited(bank: &Lab, to: &str, cents: u64, booking: &str) -> Option<String> {
    let booked = bank.is_there(&format!("{cents} to {to}"));
    booked.then(|| format!("{booking}-{to}"))
}

#[flow]
async fn transfer(bank: &Lab, from: String, to: String, cents: u64) -> Result<String, Injected> {
    steps! {
        booking = withdraw(bank, &from, cents);
        #[pivot]
        receipt = deposit(bank, &to, cents, &booking);
    }
    Ok(receipt)
}

#[tokio::test]
async fn both_accounts_are_booked_once_whatever_is_lost() {
    let report = Explorer::new(Lab::clone, |bank| {
        transfer(bank, "ann".into(), "bob".into(), 500)
    })
    .once(["500 from ann", "500 to bob"])
    .explore()
    .await
    .unwrap();
    assert!(report.faults.contains("undo 500 from ann"), "{report:?}");
    assert!(report.faults.contains("500 to bob"), "{report:?}");
}

#[tokio::test]
async fn if_the_other_bank_refuses_the_money_is_given_back() {
    let bank = Lab::new();
    bank.fault("500 to bob", Fault::FailBefore);
    let clock = std::sync::Arc::new(bank.clock().clone());
    let run = transfer(&bank, "ann".into(), "bob".into(), 500).clock(clock);
    let failure = run.await.unwrap_err();
    assert_eq!(failure.status(), Status::Undone);
    assert_eq!(bank.texts(), ["500 from ann", "undo 500 from ann"]);
    assert_eq!(bank.clock().elapsed().as_secs(), 20);
}
