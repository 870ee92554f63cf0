//! The task that renews the leases of the running turns, and delivers the messages that other
//! processes have stored.

use std::sync::Arc;

use super::{engine_core::EngineCore, mailbox::Arrival, trouble::Trouble};
use crate::{
    base::telemetry,
    interpreter::Request,
    store::{Renew, Renewal},
};

/// Renews each lease three times within its duration, and one for which the store tells of messages at once.
pub(crate) async fn heartbeat(core: Arc<EngineCore>) {
    let trouble = Trouble::default();
    let mut beat = Box::pin(tokio::time::sleep(core.lease / 3));
    loop {
        let asked = core.heard.until(&mut beat).await;
        let mut held = core.running.leased();
        match &asked {
            // Messages have come for these.
            Some(ids) => held.retain(|(_, turn)| ids.contains(&*turn.journal.id)),
            None => {
                beat = Box::pin(tokio::time::sleep(core.lease / 3));
                core.schedule.count_over(core.clock.moment());
            }
        }
        if held.is_empty() {
            continue;
        }
        let renew = Renew {
            lease: core.lease,
            held: held
                .iter()
                .map(|(lease, turn)| (*lease, turn.journal.newest_listed()))
                .collect(),
            all_of: asked.is_none().then(|| core.worker.clone()),
        };
        let renewals = match core.store.renew(renew).await {
            Ok(renewals) => {
                trouble.worked("the leases are renewed");
                renewals
            }
            Err(error) => {
                telemetry::store_failed("renew");
                trouble.failed("the leases can't be renewed", None, &error);
                if asked.is_none() {
                    beat = Box::pin(tokio::time::sleep(core.lease / 10));
                }
                continue;
            }
        };
        for ((lease, turn), renewal) in held.into_iter().zip(renewals) {
            match renewal {
                Renewal::Held(messages) => {
                    for (number, message) in messages {
                        turn.mailbox.deliver(number, message, Arrival::Listed);
                    }
                }
                // The turn has ended meanwhile.
                Renewal::Lost if turn.journal.releases() => {}
                Renewal::Lost => {
                    core.lost_lease(&turn.journal, lease);
                    turn.mailbox.request(Request::Suspend);
                }
            }
        }
    }
}
