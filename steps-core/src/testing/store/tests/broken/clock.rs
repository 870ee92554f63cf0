//! Stores that go by the wall clock where they should not, or not where they should.

use std::time::Duration;

use jiff::SignedDuration;

use super::{SOUND, Sound, Twist};
use crate::store::{Claim, Due, Renew, Store, Wait};

pub(super) const ALL: &[Twist] = &[
    Twist {
        what: "does not say when an execution was due",
        breaks: &["claim_order"],
        claim: |sound, claim| {
            Box::pin(async move {
                let mut claimed = sound.claim(claim).await?;
                for taken in &mut claimed.taken {
                    taken.was_due = None;
                }
                Ok(claimed)
            })
        },
        ..SOUND
    },
    Twist {
        what: "ends leases by the wall clock",
        breaks: &["setting_the_clock_ends_no_lease"],
        claim: |sound, claim| {
            Box::pin(async move {
                if sound.set_by() > SignedDuration::ZERO {
                    for lease in sound.all_newest() {
                        sound.rest(lease, Due::Now).await;
                    }
                }
                sound.claim(claim).await
            })
        },
        ..SOUND
    },
    Twist {
        what: "keeps leases for longer if the wall clock is set back",
        breaks: &["setting_the_clock_prolongs_no_lease"],
        claim: |sound, claim| {
            Box::pin(async move {
                if sound.set_by() < SignedDuration::ZERO {
                    let held = sound.all_newest().into_iter().map(|lease| (lease, 0));
                    let held = held.collect();
                    let lease = Duration::from_hours(1);
                    sound.renew(Renew::some(lease, held)).await?;
                }
                sound.claim(claim).await
            })
        },
        ..SOUND
    },
    Twist {
        what: "takes what is due for what waits, once the wall clock is set back",
        breaks: &["what_is_due_stays_due"],
        claim: |sound, claim| {
            Box::pin(async move {
                let mut claimed = sound.claim(claim).await?;
                if sound.set_by() < SignedDuration::ZERO {
                    for taken in claimed.taken.drain(..) {
                        let later = claimed.now + Duration::from_hours(24);
                        sound.rest(taken.lease, Due::At(later)).await;
                    }
                }
                Ok(claimed)
            })
        },
        ..SOUND
    },
    Twist {
        what: "has a wall clock that never goes back",
        breaks: &["waits_go_by_the_wall_clock"],
        claim: |sound, mut claim| {
            Box::pin(async move {
                if sound.set_by() < SignedDuration::ZERO {
                    claim.waited = all_waits(sound).await;
                }
                sound.claim(claim).await
            })
        },
        ..SOUND
    },
    Twist {
        what: "goes by its own clock alone",
        breaks: &["what_was_waited_for_is_due"],
        claim: |sound, claim| {
            let waited = Vec::new();
            sound.claim(Claim { waited, ..claim })
        },
        ..SOUND
    },
    Twist {
        what: "gives what was waited for, whatever it waits for now",
        breaks: &["what_was_waited_for_is_due"],
        claim: |sound, mut claim| {
            Box::pin(async move {
                let all = all_waits(sound).await;
                let keys = claim.waited.iter().map(|wait| wait.key);
                let keys: Vec<i64> = keys.collect();
                let waited = all.into_iter().filter(|wait| keys.contains(&wait.key));
                claim.waited = waited.collect();
                sound.claim(claim).await
            })
        },
        ..SOUND
    },
    Twist {
        what: "does not tell what waits",
        breaks: &["next_wait"],
        claim: |sound, claim| {
            Box::pin(async move {
                let mut claimed = sound.claim(claim).await?;
                claimed.next_wait = None;
                Ok(claimed)
            })
        },
        ..SOUND
    },
    Twist {
        what: "tells what waits for the time that was written last",
        breaks: &["next_wait"],
        claim: |sound, claim| {
            Box::pin(async move {
                let mut claimed = sound.claim(claim).await?;
                if claimed.next_wait.is_some() {
                    let all = all_waits(sound).await;
                    claimed.next_wait = all.into_iter().max_by_key(|wait| wait.key);
                }
                Ok(claimed)
            })
        },
        ..SOUND
    },
];

/// All that nobody holds and that will be due.
async fn all_waits(sound: &Sound) -> Vec<Wait> {
    let mut waits = Vec::new();
    for (key, id) in sound.all() {
        if let Some(info) = sound.info(&id).await
            && let Some(until) = info.due.filter(|_| info.worker.is_none())
        {
            waits.push(Wait { key, until });
        }
    }
    waits
}
