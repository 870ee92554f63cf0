//! The idempotency keys of steps and undos: the same for each attempt of one doing, and another for
//! each other doing.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use steps::{Engine, State, Status, prelude::*};

use crate::support::{is, on_each_store};

/// As payment services do it: a key that was seen gets the old answer, and nothing is booked.
#[derive(Default)]
struct Bank {
    seen: Mutex<HashMap<String, u32>>,
    balance: Mutex<i64>,
    keys: Mutex<Vec<String>>,
    /// How many of the next calls fail.
    failures: Mutex<u32>,
}

impl Bank {
    fn book(&self, key: String, amount: i64) -> Result<u32, String> {
        self.keys.lock().unwrap().push(key.clone());
        let mut failures = self.failures.lock().unwrap();
        if *failures > 0 {
            *failures -= 1;
            return Err("no answer".into());
        }
        let mut seen = self.seen.lock().unwrap();
        let next = u32::try_from(seen.len()).unwrap() + 1;
        Ok(*seen.entry(key).or_insert_with(|| {
            *self.balance.lock().unwrap() += amount;
            next
        }))
    }

    fn balance(&self) -> i64 {
        *self.balance.lock().unwrap()
    }

    fn fails(&self, times: u32) {
        *self.failures.lock().unwrap() = times;
    }

    fn take_keys(&self) -> Vec<String> {
        std::mem::take(&mut *self.keys.lock().unwrap())
    }
}

#[step(retry(times = 1, every = "1ms"))]
async fn charge(bank: &Bank, cx: &Cx, key: &str, amount: u32) -> Result<u32, String> {
    assert_eq!(cx.idempotency_key(), key);
    bank.book(cx.idempotency_key(), amount.into())
}

#[undo(charge, retry(times = 1, every = "1ms"))]
async fn refund(bank: &Bank, cx: &Cx, key: &str, amount: u32, _: &u32) -> Result<(), String> {
    // The argument is still the key of what is undone.
    assert_eq!(cx.idempotency_key(), format!("{key}~undo"));
    bank.book(cx.idempotency_key(), -i64::from(amount))
        .map(drop)
}

#[flow]
async fn bill(bank: &Bank, amount: u32) -> Result<u32, String> {
    steps! { receipt = charge(bank, cx, &cx.idempotency_key(), amount); }
    Ok(receipt)
}

#[flow(on_failure = "hold")]
async fn held(bank: &Bank, amount: u32) -> Result<u32, String> {
    steps! { receipt = charge(bank, cx, &cx.idempotency_key(), amount); }
    Ok(receipt)
}

async fn engine(db: &crate::support::Db, bank: &Arc<Bank>) -> Engine {
    let builder = db.engine().await.serve(bill::with(bank.clone()));
    let builder = builder.serve(held::with(bank.clone()));
    builder.start().await.expect("it starts")
}

on_each_store! {
    async fn key_after_undo_is_another(db) {
        let bank = Arc::new(Bank::default());
        let engine = engine(&db, &bank).await;
        bank.fails(1);
        let run = engine.start(bill::input(10)).id("march").await.expect("it starts");
        run.outcome().await.expect("paid");
        assert_eq!(bank.balance(), 10);
        let keys = bank.take_keys();
        assert_eq!(keys[0], keys[1], "each attempt has the same key");

        bank.fails(1);
        run.undo().await.expect("it is undone");
        is(&run, Status::Undone).await;
        assert_eq!(bank.balance(), 0);
        let undo = bank.take_keys();
        assert_eq!((&undo[0], &undo[1]), (&format!("{}~undo", keys[0]), &undo[0]));

        // Paid again, by its retry, too; taken back again, and paid anew from a step.
        bank.fails(1);
        run.recover().await.expect("it goes on");
        run.outcome().await.expect("paid");
        assert_eq!(bank.balance(), 10);
        let again = bank.take_keys();
        assert!(again[0] == again[1] && again[0] != keys[0], "{again:?}");
        run.undo().await.expect("it is undone");
        is(&run, Status::Undone).await;
        assert_eq!(bank.balance(), 0);
        run.recover().await.expect("it goes on");
        run.outcome().await.expect("paid");
        run.retry_from(bill::STEPS.receipt).await.expect("it is there");
        run.outcome().await.expect("paid");
        assert_eq!(bank.balance(), 20);
    }

    async fn key_of_another_execution_of_the_same_id_is_another(db) {
        let bank = Arc::new(Bank::default());
        let engine = engine(&db, &bank).await;
        for paid in 1..=2 {
            let run = engine.start(bill::input(10)).id("april").await.expect("it starts");
            run.outcome().await.expect("paid");
            // Started again, it is the same.
            engine.start(bill::input(10)).id("april").await.expect("it is there");
            assert_eq!(bank.balance(), 10 * paid);
            run.delete().await.expect("it has ended");
        }
        // One that is started later, too.
        let soon = std::time::Duration::from_millis(1);
        let run = engine.start(bill::input(10)).id("april").after(soon).await.expect("it starts");
        run.outcome().await.expect("paid");
        assert_eq!(bank.balance(), 30);
    }

    async fn key_after_a_held_failure_is_the_same(db) {
        let bank = Arc::new(Bank::default());
        let engine = engine(&db, &bank).await;
        bank.fails(2);
        let run = engine.start(held::input(10)).id("may").await.expect("it starts");
        assert_eq!(crate::support::failure(run.outcome().await).status(), Status::Failed);
        run.recover().await.expect("it goes on");
        run.outcome().await.expect("paid");
        let keys = bank.take_keys();
        assert!(keys.len() == 3 && keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    }
}

/// What an earlier version saved goes on under the key that it had.
#[tokio::test]
async fn keys_of_steps_that_are_under_way_in_old_states_stay() {
    let bank = Bank::default();
    let state = State::from_json(
        r#"{"name":"bill","id":"june","input":{"amount":10},"startedAt":"2026-01-01T00:00:00Z","kind":"flow","states":[
            {"name":"receipt","startedAt":"2026-01-01T00:00:00Z","attempts":1}]}"#,
    )
    .expect("a state");
    bill::resume(&bank, state)
        .expect("it fits")
        .await
        .expect("paid");
    assert_eq!(bank.take_keys(), ["june/receipt"]);
}

/// An effect that an operator let be is met again under its key.
#[tokio::test]
async fn key_after_a_skipped_undo_is_the_same() {
    let bank = Bank::default();
    let (_, state) = bill(&bank, 10).id("july").with_state().await.expect("paid");
    bank.fails(2);
    let stuck = bill(&bank, 10)
        .resume(state)
        .undo()
        .await
        .expect_err("it is stuck");
    let mut state = State::clone(&stuck.state);
    state.skip_undo("receipt").expect("it is stuck");
    let undone = bill(&bank, 10)
        .resume(state)
        .await
        .expect_err("it is undone");
    let mut state = State::clone(&undone.state);
    assert_eq!(state.status, Status::Undone);
    assert!(!state.tree().to_string().contains('↺'));
    state.recover().expect("it was undone");
    bill(&bank, 10).resume(state).await.expect("it was paid");
    assert_eq!(bank.balance(), 10);
}
