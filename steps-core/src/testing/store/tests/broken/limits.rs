//! Stores that pause and limit flows wrong.

use super::{SOUND, Sound, Twist};
use crate::store::{FlowLimits, LimitFlow, LimitedFlow, NewLimits, Store, StoreError};

pub(super) const ALL: &[Twist] = &[
    Twist {
        what: "changes what is kept of a flow whatever its revision",
        breaks: &["limits_come_back"],
        limit_flow: |sound, mut limit| {
            Box::pin(async move {
                let all = sound.limited_flows().await?;
                let there = all.iter().find(|it| it.flow == limit.flow);
                limit.revision = there.map(|it| it.revision);
                sound.limit_flow(limit).await
            })
        },
        ..SOUND
    },
    Twist {
        what: "pauses nothing",
        breaks: &["limits_come_back", "nobody_is_given_what_is_paused"],
        limit_flow: |sound, mut limit| {
            limit.to.is_paused = false;
            sound.limit_flow(limit)
        },
        ..SOUND
    },
    Twist {
        what: "does not limit how many go on at once",
        breaks: &[
            "limits_come_back",
            "no_more_begin_than_may_at_once",
            "a_place_is_free_when_its_lease_has_ended",
            "priorities_count_behind_limits",
        ],
        limit_flow: |sound, mut limit| {
            limit.to.limits.at_once = None;
            limit.to.limits.per = None;
            sound.limit_flow(limit)
        },
        ..SOUND
    },
    Twist {
        what: "pauses what is full, with what has begun",
        breaks: &["no_more_begin_than_may_at_once"],
        claim: |sound, mut claim| {
            Box::pin(async move {
                let all = sound.limited_flows().await?;
                let all = all.iter().filter(|it| it.limits.at_once == Some(2));
                for it in all {
                    claim
                        .flows
                        .retain(|flow| !flow.names.contains(&it.flow.clone().into()));
                }
                sound.claim(claim).await
            })
        },
        ..SOUND
    },
    Twist {
        what: "does not limit how many of a label go on at once",
        breaks: &["limits_come_back", "no_more_begin_of_a_label"],
        limit_flow: |sound, mut limit| {
            limit.to.limits.per = None;
            sound.limit_flow(limit)
        },
        ..SOUND
    },
    Twist {
        what: "takes any label for that of the limit",
        breaks: &["no_more_begin_of_a_label"],
        limit_flow: |sound, mut limit| {
            if let Some(per) = &limit.to.limits.per {
                let limits = limit.to.limits.clone();
                limit.to.limits = limits.per("another", per.at_once);
            }
            sound.limit_flow(limit)
        },
        ..SOUND
    },
    Twist {
        what: "lets any number begin in a time",
        breaks: &["limits_come_back", "no_more_begin_than_a_rate"],
        limit_flow: |sound, mut limit| {
            limit.to.limits.rate = None;
            sound.limit_flow(limit)
        },
        ..SOUND
    },
    Twist {
        what: "forgets what was used of a rate",
        breaks: &["no_more_begin_than_a_rate"],
        claim: |sound, claim| {
            Box::pin(async move {
                let claimed = sound.claim(claim).await?;
                for it in sound.limited_flows().await? {
                    set_anew(sound, &it, FlowLimits::new()).await?;
                    let all = sound.limited_flows().await?;
                    let now = all.into_iter().find(|now| now.flow == it.flow);
                    if let Some(now) = now {
                        set_anew(sound, &now, it.limits.clone()).await?;
                    }
                }
                Ok(claimed)
            })
        },
        ..SOUND
    },
    Twist {
        what: "does not tell when what is limited is due",
        breaks: &[
            "a_place_is_free_when_its_lease_has_ended",
            "no_more_begin_than_a_rate",
        ],
        claim: |sound, claim| {
            Box::pin(async move {
                let mut claimed = sound.claim(claim).await?;
                if !claimed.limited.is_empty() {
                    claimed.next_due = None;
                }
                Ok(claimed)
            })
        },
        ..SOUND
    },
];

async fn set_anew(
    sound: &Sound,
    there: &LimitedFlow,
    limits: FlowLimits,
) -> Result<(), StoreError> {
    let limit = LimitFlow {
        flow: there.flow.clone(),
        revision: Some(there.revision),
        to: NewLimits {
            is_paused: there.is_paused,
            limits,
            value: there.value.clone(),
        },
    };
    sound.limit_flow(limit).await.map(drop)
}
