//! Stores that give executions to the wrong worker, at the wrong time, or with something missing.

use super::{Answer, SOUND, Sound, Twist};
use crate::store::{
    Acquire, Acquired, Claim, Claimed, Due, FlowClaim, HeldExecution, LeaseAfter, Store,
    StoreError, TakeOver,
};

/// Changes what a claim returned.
fn after<'a>(
    sound: &'a Sound,
    claim: Claim,
    change: impl FnOnce(&mut Claimed) + Send + 'a,
) -> Answer<'a, Claimed> {
    Box::pin(async move {
        let mut claimed = sound.claim(claim).await?;
        change(&mut claimed);
        Ok(claimed)
    })
}

/// Changes what a hold took.
fn held<'a>(
    sound: &'a Sound,
    acquire: Acquire,
    change: impl FnOnce(&mut HeldExecution) + Send + 'a,
) -> Answer<'a, Acquired> {
    Box::pin(async move {
        let mut answer = sound.acquire(acquire).await?;
        if let Acquired::Held(taken) = &mut answer {
            change(taken);
        }
        Ok(answer)
    })
}

pub(super) const ALL: &[Twist] = &[
    Twist {
        what: "does not let what waits rise",
        breaks: &["claim_ageing"],
        claim: |sound, mut claim| {
            claim.ageing = None;
            sound.claim(claim)
        },
        ..SOUND
    },
    Twist {
        what: "remembers only the last of those who refused an execution",
        breaks: &["all_who_refused_are_remembered"],
        write: |sound, mut write| {
            if let LeaseAfter::Refuse(refused) = &mut write.then {
                let others = refused.by.len().saturating_sub(1);
                refused.by.drain(..others);
            }
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "gives a form a new number each time",
        breaks: &["a_form_keeps_its_number"],
        keep_form: |sound, mut form| {
            form.fingerprint = u64::try_from(sound.calls()).unwrap_or_default();
            sound.keep_form(form)
        },
        ..SOUND
    },
    Twist {
        what: "keeps the form that an execution was begun by",
        breaks: &["an_execution_has_its_newest_form"],
        write: |sound, mut write| {
            write.form = None;
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "takes over nothing that is held, even by force",
        breaks: &["hold_by_force"],
        acquire: |sound, mut acquire| {
            acquire.over = TakeOver::Ended;
            sound.acquire(acquire)
        },
        ..SOUND
    },
    Twist {
        what: "takes over what is held, without being told to",
        breaks: &["hold_only_what_nobody_holds", "holds_at_once"],
        acquire: |sound, mut acquire| {
            acquire.over = TakeOver::Any;
            sound.acquire(acquire)
        },
        ..SOUND
    },
    Twist {
        what: "gives no messages with an execution",
        breaks: &["claim_gives_all", "tell_wakes_what_rests"],
        claim: |sound, claim| {
            after(sound, claim, |claimed| {
                for taken in &mut claimed.taken {
                    taken.messages.clear();
                }
            })
        },
        ..SOUND
    },
    Twist {
        what: "gives those due last first",
        breaks: &["claim_order"],
        claim: |sound, claim| after(sound, claim, |claimed| claimed.taken.reverse()),
        ..SOUND
    },
    Twist {
        what: "knows of no priorities when it chooses",
        breaks: &["claim_order", "claim_limits"],
        claim: |sound, claim| Box::pin(by_flow(sound, claim)),
        ..SOUND
    },
    Twist {
        what: "has no limit of each flow",
        breaks: &["claim_limits"],
        claim: |sound, mut claim| {
            for flow in &mut claim.flows {
                flow.limit = usize::MAX;
            }
            sound.claim(claim)
        },
        ..SOUND
    },
    Twist {
        what: "gives all that is due at once, whatever it holds",
        breaks: &["claim_shares"],
        claim: |sound, claim| {
            Box::pin(async move {
                let mut claimed = sound.claim(claim.clone()).await?;
                while claimed.left {
                    let next = sound.claim(claim.clone()).await?;
                    claimed.left = next.left;
                    claimed.taken.extend(next.taken);
                }
                Ok(claimed)
            })
        },
        ..SOUND
    },
    Twist {
        what: "does not say that it has left what is due",
        breaks: &["claim_shares"],
        claim: |sound, claim| after(sound, claim, |claimed| claimed.left = false),
        ..SOUND
    },
    Twist {
        what: "gives the beginning of a large tree",
        breaks: &["claim_shares"],
        claim: |sound, claim| {
            after(sound, claim, |claimed| {
                for taken in &mut claimed.taken {
                    taken.nodes.truncate(crate::store::Share::ROWS);
                }
            })
        },
        ..SOUND
    },
    Twist {
        what: "knows a flow by its first name only",
        breaks: &["claim_names"],
        claim: |sound, mut claim| {
            for flow in &mut claim.flows {
                flow.names.truncate(1);
            }
            sound.claim(claim)
        },
        ..SOUND
    },
    Twist {
        what: "gives what is due later",
        breaks: &["claim_only_what_is_due", "create_due"],
        claim: |sound, claim| Box::pin(early(sound, claim)),
        ..SOUND
    },
    Twist {
        what: "does not tell from whom an execution was taken",
        breaks: &["claim_after_the_end_of_a_lease", "create_held"],
        claim: |sound, claim| {
            after(sound, claim, |claimed| {
                for taken in &mut claimed.taken {
                    taken.previous_worker = None;
                }
            })
        },
        ..SOUND
    },
    Twist {
        what: "begins with the same fencing number each time",
        breaks: &["fences_grow", "hold_after_the_end_of_a_lease"],
        acquire: |sound, acquire| held(sound, acquire, |taken| taken.lease.fence = 1),
        ..SOUND
    },
    Twist {
        what: "never knows what is due next",
        breaks: &["next_due"],
        claim: |sound, claim| after(sound, claim, |claimed| claimed.next_due = None),
        ..SOUND
    },
    Twist {
        what: "always takes it that something is due",
        breaks: &["next_due", "refused_is_passed_over"],
        claim: |sound, claim| after(sound, claim, |claimed| claimed.next_due = Some(claimed.now)),
        ..SOUND
    },
    Twist {
        what: "takes no account of what others hold when it tells what is due next",
        breaks: &["next_due"],
        claim: |sound, claim| {
            Box::pin(async move {
                let mut claimed = sound.claim(claim).await?;
                let all = sound.list(crate::store::ExecutionQuery::default()).await?;
                let held = all.iter().filter(|info| info.worker.is_some());
                if held.min_by_key(|info| info.due).map(|info| info.due) == Some(claimed.next_due) {
                    let free = all.iter().filter(|info| info.worker.is_none());
                    claimed.next_due = free.filter_map(|info| info.due).min();
                }
                Ok(claimed)
            })
        },
        ..SOUND
    },
    Twist {
        what: "takes no account of a flow without room when it tells what is due next",
        breaks: &["next_due"],
        claim: |sound, mut claim| {
            claim.flows.retain(|flow| flow.limit > 0);
            sound.claim(claim)
        },
        ..SOUND
    },
    Twist {
        what: "gives an execution to two workers",
        breaks: &["claims_at_once"],
        claim: |sound, claim| Box::pin(twice(sound, claim)),
        ..SOUND
    },
    Twist {
        what: "does not see that another process holds what it held",
        breaks: &["claim_after_the_end_of_a_lease"],
        claim: |sound, claim| Box::pin(again(sound, claim)),
        ..SOUND
    },
    Twist {
        what: "gives an operator no nodes",
        breaks: &["hold_takes"],
        acquire: |sound, acquire| held(sound, acquire, |taken| taken.nodes.clear()),
        ..SOUND
    },
    Twist {
        what: "gives an operator what a worker holds",
        breaks: &["hold_only_what_nobody_holds", "holds_at_once"],
        acquire: |sound, acquire| {
            Box::pin(async move {
                if let Some(lease) = sound.newest(&acquire.id) {
                    sound.rest(lease, Due::Now).await;
                }
                sound.acquire(acquire).await
            })
        },
        ..SOUND
    },
    Twist {
        what: "lets a worker hold once more what it holds",
        breaks: &["hold_only_what_nobody_holds"],
        acquire: |sound, acquire| {
            Box::pin(async move {
                let info = sound.info(&acquire.id).await;
                if info.is_some_and(|info| info.worker.as_ref() == Some(&acquire.worker))
                    && let Some(lease) = sound.newest(&acquire.id)
                {
                    sound.rest(lease, Due::Now).await;
                }
                sound.acquire(acquire).await
            })
        },
        ..SOUND
    },
    Twist {
        what: "does not tell an operator from whom it was taken",
        breaks: &["hold_after_the_end_of_a_lease"],
        acquire: |sound, acquire| held(sound, acquire, |taken| taken.previous_worker = None),
        ..SOUND
    },
    Twist {
        what: "forgets who refused an execution",
        breaks: &["refused_is_passed_over", "given_back_lease_is_fenced"],
        write: |sound, mut write| {
            if let LeaseAfter::Refuse(_) = write.then {
                write.then = LeaseAfter::Keep;
            }
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "does not give to an operator what a flow refused",
        breaks: &["taking_ends_a_refusal"],
        acquire: |sound, acquire| {
            Box::pin(async move {
                let info = sound.info(&acquire.id).await;
                if info.is_some_and(|info| info.refused.is_some()) {
                    return Ok(Acquired::Unknown);
                }
                sound.acquire(acquire).await
            })
        },
        ..SOUND
    },
    Twist {
        what: "readmits nothing",
        breaks: &["readmit_ends_a_refusal", "refusals_count_behind_limits"],
        forget_refusals: |_, _| Box::pin(std::future::ready(Ok(()))),
        ..SOUND
    },
    Twist {
        what: "readmits a fingerprint by any flow's name",
        breaks: &["readmit_ends_a_refusal"],
        forget_refusals: |sound, mut flows| {
            for flow in &mut flows {
                flow.names
                    .push(crate::testing::store::builders::FLOW.into());
            }
            sound.forget_refusals(flows)
        },
        ..SOUND
    },
    Twist {
        what: "adds times until they overflow",
        breaks: &["largest_numbers_are_kept"],
        claim: |sound, mut claim| {
            if claim.lease.as_secs() > 1 << 33 {
                claim.lease = std::time::Duration::ZERO;
            }
            sound.claim(claim)
        },
        ..SOUND
    },
];

/// Claims flow by flow.
async fn by_flow(sound: &Sound, claim: Claim) -> Result<Claimed, StoreError> {
    let mut all = sound
        .claim(Claim {
            limit: 0,
            ..claim.clone()
        })
        .await?;
    for flow in &claim.flows {
        let one = Claim {
            flows: vec![FlowClaim::clone(flow)],
            limit: claim.limit - all.taken.len(),
            ..claim.clone()
        };
        all.taken.extend(sound.claim(one).await?.taken);
    }
    Ok(all)
}

async fn early(sound: &Sound, claim: Claim) -> Result<Claimed, StoreError> {
    let mut claimed = sound.claim(claim.clone()).await?;
    if claim.limit == 0 {
        return Ok(claimed);
    }
    for info in sound.list(crate::store::ExecutionQuery::default()).await? {
        if info.worker.is_none() && info.due.is_some() {
            claimed.taken.extend(sound.take(&info.id).await);
        }
    }
    Ok(claimed)
}

/// Takes what this handle held, when that lease has ended, whoever holds it now.
async fn again(sound: &Sound, claim: Claim) -> Result<Claimed, StoreError> {
    if claim.limit > 0 {
        for id in sound.ended() {
            if let Some(lease) = sound.newest(&id) {
                sound.rest(lease, Due::Now).await;
            }
        }
    }
    sound.claim(claim).await
}

/// Each twentieth claim also gives what nobody has written to yet, but somebody holds.
async fn twice(sound: &Sound, claim: Claim) -> Result<Claimed, StoreError> {
    if sound.calls() % 20 == 19 {
        let held = sound.list(crate::store::ExecutionQuery::default()).await?;
        let held = held.iter().find(|info| info.worker.is_some());
        if let Some(lease) = held.and_then(|info| sound.newest(&info.id)) {
            sound.rest(lease, Due::Now).await;
        }
    }
    sound.claim(claim).await
}
