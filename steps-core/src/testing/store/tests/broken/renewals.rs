//! Stores whose heartbeat goes wrong.

use super::{SOUND, Sound, Twist};
use crate::store::{ErrorKind, LeaseAfter, Renew, Renewal, Store, StoreError};

pub(super) const ALL: &[Twist] = &[
    Twist {
        what: "renews nothing",
        breaks: &["renew_puts_off"],
        renew: |_, renew| {
            let held = renew.held.iter().map(|_| Renewal::Held(Vec::new()));
            Box::pin(std::future::ready(Ok(held.collect())))
        },
        ..SOUND
    },
    Twist {
        what: "puts the end of a lease off with each write",
        breaks: &["only_a_renewal_puts_off"],
        write: |sound, write| {
            Box::pin(async move {
                let lease = super::writes::lease(&write);
                let keeps = write.then == LeaseAfter::Keep;
                let id = lease.and_then(|lease| sound.id(lease.key));
                let info = sound.info(&id.unwrap_or_default()).await;
                let written = sound.write(write).await?;
                if let (true, Some(lease), Some(info)) = (keeps, lease, info)
                    && info.due.is_some_and(|due| due > sound.now())
                {
                    let held = vec![(lease, i64::MAX)];
                    let lease = std::time::Duration::from_hours(2);
                    sound.renew(Renew::some(lease, held)).await?;
                }
                Ok(written)
            })
        },
        ..SOUND
    },
    Twist {
        what: "does not tell who held what is due",
        breaks: &["only_a_renewal_puts_off"],
        load: |sound, id| {
            Box::pin(async move {
                let mut saved = sound.load(id).await?;
                if let Some(saved) = &mut saved
                    && saved.info.due.is_some_and(|due| due <= sound.now())
                {
                    saved.info.worker = None;
                }
                Ok(saved)
            })
        },
        ..SOUND
    },
    Twist {
        what: "binds a variable for each lease",
        breaks: &["long_lists_are_taken"],
        renew: |sound, renew| {
            if renew.held.len() > 32_766 {
                let error = StoreError::new(ErrorKind::Other, "too many SQL variables");
                return Box::pin(std::future::ready(Err(error)));
            }
            sound.renew(renew)
        },
        ..SOUND
    },
    Twist {
        what: "renews what somebody else has taken",
        breaks: &["renew_says_what_is_lost", "lease_of_deleted_is_fenced"],
        renew: |sound, mut renew| {
            for (lease, _) in &mut renew.held {
                *lease = sound.instead(*lease);
            }
            sound.renew(renew)
        },
        ..SOUND
    },
    Twist {
        what: "renews what another process has taken",
        breaks: &["renew_says_what_is_lost"],
        renew: |sound, mut renew| {
            for (lease, _) in &mut renew.held {
                if sound.gave(*lease) {
                    *lease = sound.instead(*lease);
                }
            }
            sound.renew(renew)
        },
        ..SOUND
    },
    Twist {
        what: "does not renew a lease that has ended",
        breaks: &["renew_puts_off"],
        renew: |sound, renew| {
            Box::pin(async move {
                let mut late = Vec::new();
                for (lease, _) in &renew.held {
                    let info = sound.info(&sound.id(lease.key).unwrap_or_default()).await;
                    late.push(info.is_some_and(|info| info.due <= Some(sound.now())));
                }
                let answers = sound.renew(renew).await?.into_iter().zip(late);
                let answers =
                    answers.map(|(answer, late)| if late { Renewal::Lost } else { answer });
                Ok(answers.collect())
            })
        },
        ..SOUND
    },
    Twist {
        what: "answers renewals in the order of their keys",
        breaks: &["renew_says_what_is_lost", "renew_gives_messages"],
        renew: |sound, mut renew| {
            renew.held.sort_by_key(|(lease, _)| lease.key);
            sound.renew(renew)
        },
        ..SOUND
    },
    Twist {
        what: "wakes what rests by a heartbeat",
        breaks: &["renew_does_not_wake_what_rests"],
        renew: |sound, renew| Box::pin(wake(sound, renew)),
        ..SOUND
    },
    Twist {
        what: "gives all messages at each renewal",
        breaks: &["renew_gives_messages"],
        renew: |sound, mut renew| {
            for (_, seen) in &mut renew.held {
                *seen = 0;
            }
            sound.renew(renew)
        },
        ..SOUND
    },
];

async fn wake(sound: &Sound, renew: Renew) -> Result<Vec<Renewal>, StoreError> {
    let mut answers = sound.renew(renew.clone()).await?;
    for ((lease, _), answer) in renew.held.iter().zip(&mut answers) {
        let id = sound.id(lease.key).unwrap_or_default();
        if matches!(answer, Renewal::Lost)
            && sound.newest(&id) == Some(*lease)
            && sound.take(&id).await.is_some()
        {
            *answer = Renewal::Held(Vec::new());
        }
    }
    Ok(answers)
}
