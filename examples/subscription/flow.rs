//! The life of a subscription: the flow and its steps.
//!
//! A step runs again if the process died in the middle of it, so each hands the shop its idempotency
//! key, and the shop does the same thing only once.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use steps::prelude::*;

use crate::shop::{Customer, Shop, ShopError};

/// What is due next, if nobody cancels until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Due {
    /// In so many days.
    days: u32,
    what: What,
    /// Which month is to be paid for; the free one is 0.
    month: u32,
    /// How often the card was declined for it.
    declined: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum What {
    /// A letter: the free month ends in three days.
    Letter,
    Payment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Settled {
    Yes,
    /// The card was declined.
    No,
}

impl Due {
    const FIRST: Self = Self {
        days: 27,
        what: What::Letter,
        month: 0,
        declined: 0,
    };

    fn then(self, settled: Option<Settled>) -> Self {
        let payment = Self {
            what: What::Payment,
            ..self
        };
        match (self.what, settled) {
            (What::Letter, _) => Self {
                days: 3,
                month: 1,
                ..payment
            },
            (What::Payment, Some(Settled::No)) => Self {
                days: 3,
                declined: self.declined + 1,
                ..payment
            },
            (What::Payment, _) => Self {
                days: 30,
                month: self.month + 1,
                declined: 0,
                ..payment
            },
        }
    }

    /// Whether there is no fourth attempt.
    fn was_the_last(self, settled: Settled) -> bool {
        settled == Settled::No && self.declined == 2
    }
}

/// Each round waits for somebody who cancels, and no longer than until something is due. Returns why the
/// subscription ended.
#[flow]
pub(crate) async fn subscription(
    shop: &Shop,
    customer: Customer,
    day: Duration,
) -> Result<String, ShopError> {
    steps! {
        welcome = write(shop, &customer, "welcome", &cx.idempotency_key());
        periods = loop {
            let due: Due = match prev {
                None => Due::FIRST,
                Some(last) => last.due.then(last.end.as_ref().map(|end| end.settled)),
            };
            cancelled = steps::signal::<String>().within(day * due.days);
            end = if cancelled.is_none() {
                settled = settle(shop, &customer, due, &cx.idempotency_key());
            }
        } until cancelled.is_some()
            || end.as_ref().is_some_and(|end| due.was_the_last(end.settled));
        let reason: String = match &periods.cancelled {
            Some(reason) => reason.clone(),
            None => "no payment".to_owned(),
        };
        goodbye = write(shop, &customer, &format!("goodbye: {reason}"), &cx.idempotency_key());
    }
    let ((), ()) = (welcome, goodbye);
    Ok(reason)
}

#[step(retry(times = 5, every = "1s", backoff = 2.0), blocking)]
fn write(shop: &Shop, customer: &Customer, letter: &str, key: &str) -> Result<(), ShopError> {
    shop.enter(key, &format!("{} is told: {letter}", customer.name))
}

/// What is due at the end of a period.
#[step(retry(times = 5, every = "1s", backoff = 2.0), blocking)]
fn settle(shop: &Shop, customer: &Customer, due: Due, key: &str) -> Result<Settled, ShopError> {
    let (name, month) = (&customer.name, due.month);
    if due.what == What::Letter {
        shop.enter(key, &format!("{name} is told: the free month ends soon"))?;
        return Ok(Settled::Yes);
    }
    if customer.declined_from.is_some_and(|from| month >= from) {
        shop.enter(
            key,
            &format!("{name} is told: your card was declined for month {month}"),
        )?;
        return Ok(Settled::No);
    }
    shop.enter(key, &format!("{name} pays for month {month}"))?;
    Ok(Settled::Yes)
}
