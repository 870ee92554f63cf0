//! Stores that let a worker's leases end together, and go wrong with it.

use std::time::Duration;

use super::{SOUND, Sound, Twist};
use crate::store::{Lease, Message, Renew, Renewal, Store as _, StoreError};

pub(super) const ALL: &[Twist] = &[
    Twist {
        what: "puts off what a heartbeat left out",
        breaks: &["heartbeat_puts_off_all"],
        renew: |sound, renew| {
            Box::pin(async move {
                let answers = sound.renew(renew.clone()).await?;
                if renew.all_of.is_some() {
                    renew_others(sound, &renew, renew.lease).await?;
                }
                Ok(answers)
            })
        },
        ..SOUND
    },
    Twist {
        what: "renews all leases with one",
        breaks: &["renewal_of_some_is_theirs"],
        renew: |sound, renew| {
            Box::pin(async move {
                let answers = sound.renew(renew.clone()).await?;
                if renew.all_of.is_none() {
                    renew_others(sound, &renew, renew.lease).await?;
                }
                Ok(answers)
            })
        },
        ..SOUND
    },
    Twist {
        what: "gives a message by one heartbeat",
        breaks: &["heartbeat_gives_messages"],
        renew: |sound, mut renew| {
            Box::pin(async move {
                if renew.all_of.is_some() && sound.calls() > 3 {
                    for (_, seen) in &mut renew.held {
                        *seen = i64::MAX;
                    }
                }
                sound.renew(renew).await
            })
        },
        ..SOUND
    },
    Twist {
        what: "does not say what a heartbeat has lost",
        breaks: &["heartbeat_says_what_is_lost"],
        renew: |sound, renew| {
            Box::pin(async move {
                let is_all = renew.all_of.is_some();
                let mut answers = sound.renew(renew).await?;
                for answer in &mut answers {
                    if is_all && matches!(answer, Renewal::Lost) {
                        *answer = Renewal::Held(Vec::new());
                    }
                }
                Ok(answers)
            })
        },
        ..SOUND
    },
    Twist {
        what: "wakes nobody whose worker has had a heartbeat",
        breaks: &["what_had_a_heartbeat_is_given_back"],
        send: |sound, message| {
            Box::pin(async move {
                let id = message.id.clone();
                let is_stop = message.message == Message::Stop;
                let held = sound.newest(&id);
                let receipt = sound.send(message).await?;
                if let (true, Some(held)) = (is_stop, held) {
                    asleep(sound, &id, held).await;
                }
                Ok(receipt)
            })
        },
        ..SOUND
    },
];

async fn renew_others(sound: &Sound, renew: &Renew, lease: Duration) -> Result<(), StoreError> {
    let renewed: Vec<Lease> = renew.held.iter().map(|(lease, _)| *lease).collect();
    let others = sound.all_newest().into_iter();
    let others = others.filter(|lease| !renewed.contains(lease));
    let others = others.map(|lease| (lease, i64::MAX)).collect();
    sound.renew(Renew::some(lease, others)).await?;
    Ok(())
}

/// Lets what rests wait for ever, whatever has come.
async fn asleep(sound: &Sound, id: &str, held: Lease) {
    if sound.newest(id) == Some(held)
        && let Some(taken) = sound.take(id).await
    {
        sound.rest(taken.lease, crate::store::Due::Never).await;
    }
}
