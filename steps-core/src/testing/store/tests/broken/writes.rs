//! Stores that make executions wrongly, write under any lease, or lose writes.

use super::{SOUND, Sound, Twist};
use crate::store::{
    Due, ErrorKind, ExecutionQuery, Lease, LeaseAfter, NewExecution, Store, StoreError,
    StoredExecution, Target, Write, Written,
};

const NOW: LeaseAfter = LeaseAfter::Release {
    due: Due::Now,
    last_message: 0,
};

/// Changes writes that make an execution, before they are made.
pub(super) fn making(
    mut write: Write,
    change: impl FnOnce(&mut NewExecution, &mut LeaseAfter),
) -> Write {
    if let Target::New(new) = &mut write.target {
        change(new, &mut write.then);
    }
    write
}

pub(super) fn lease(write: &Write) -> Option<Lease> {
    match write.target {
        Target::New(_) => None,
        Target::Held(lease) => Some(lease),
    }
}

/// The same write under another lease.
fn under(mut write: Write, lease: Lease) -> Write {
    if let Target::Held(_) = write.target {
        write.target = Target::Held(lease);
    }
    write
}

pub(super) const ALL: &[Twist] = &[
    Twist {
        what: "makes an execution without its nodes",
        breaks: &["create_keeps_all"],
        write: |sound, mut write| {
            if lease(&write).is_none() {
                write.nodes.clear();
            }
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "makes all executions for nobody",
        breaks: &["create_held"],
        write: |sound, write| {
            sound.write(making(write, |new, then| {
                if new.held.take().is_some() {
                    *then = NOW;
                }
            }))
        },
        ..SOUND
    },
    Twist {
        what: "makes all executions due at once",
        breaks: &["create_due", "tell_wakes_what_rests"],
        write: |sound, write| {
            sound.write(making(write, |new, then| {
                if new.held.is_none() {
                    *then = NOW;
                }
            }))
        },
        ..SOUND
    },
    Twist {
        what: "keeps the lease of one that is made and given back in one write",
        breaks: &["create_held_and_rest"],
        write: |sound, write| {
            sound.write(making(write, |new, then| {
                if new.held.is_some() {
                    *then = LeaseAfter::Keep;
                }
            }))
        },
        ..SOUND
    },
    Twist {
        what: "writes over an execution of the same id",
        breaks: &["create_exists"],
        write: |sound, write| Box::pin(over(sound, write)),
        ..SOUND
    },
    Twist {
        what: "does not mind a lease of nobody",
        breaks: &["create_without_worker_keeps_no_lease"],
        write: |sound, write| {
            sound.write(making(write, |new, then| {
                if new.held.is_none() && *then == LeaseAfter::Keep {
                    *then = NOW;
                }
            }))
        },
        ..SOUND
    },
    Twist {
        what: "makes the execution of a write that it rejects",
        breaks: &["create_without_worker_keeps_no_lease"],
        write: |sound, write| {
            Box::pin(async move {
                let result = sound.write(write.clone()).await;
                if result.is_err() && lease(&write).is_none() {
                    let anyway = making(write, |_, then| *then = NOW);
                    sound.write(anyway).await.ok();
                }
                result
            })
        },
        ..SOUND
    },
    Twist {
        what: "tells everybody that the execution is made",
        breaks: &["create_at_once", "create_exists"],
        write: |sound, write| {
            Box::pin(async move {
                Ok(match sound.write(write).await? {
                    Written::Exists(_) => Written::Created(Lease { key: 1, fence: 1 }),
                    other => other,
                })
            })
        },
        ..SOUND
    },
    Twist {
        what: "does not look at the fencing number",
        breaks: &[
            "stale_lease_is_fenced",
            "writes_at_once",
            "hold_after_the_end_of_a_lease",
        ],
        write: |sound, write| {
            let newest = lease(&write).map(|lease| Lease {
                fence: sound.instead(lease).fence,
                ..lease
            });
            let write = newest.map_or(write.clone(), |lease| under(write, lease));
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "knows only the fencing numbers that it has given itself",
        breaks: &[
            "stale_lease_is_fenced",
            "hold_after_the_end_of_a_lease",
            "opened_twice_is_one_store",
        ],
        write: |sound, write| {
            let own = lease(&write).filter(|lease| sound.gave(*lease));
            let newest = own.map(|lease| sound.instead(lease));
            let write = newest.map_or(write.clone(), |lease| under(write, lease));
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "keeps the nodes of a write that it refuses",
        breaks: &["stale_lease_is_fenced", "writes_at_once"],
        write: |sound, write| Box::pin(half(sound, write)),
        ..SOUND
    },
    Twist {
        what: "refuses writes under a lease that has ended",
        breaks: &["ended_lease_still_writes"],
        write: |sound, write| {
            Box::pin(async move {
                let mut reaper = crate::testing::store::builders::claim("reaper");
                reaper.limit = usize::from(lease(&write).is_some());
                sound.claim(reaper).await?;
                sound.write(write).await
            })
        },
        ..SOUND
    },
    Twist {
        what: "takes a lease that was given back for good",
        breaks: &["given_back_lease_is_fenced", "create_held_and_rest"],
        write: |sound, write| {
            Box::pin(async move {
                let result = sound.write(write.clone()).await;
                let Some(lease) = lease(&write).filter(|_| result.is_err()) else {
                    return result;
                };
                let id = sound.id(lease.key).unwrap_or_default();
                match sound.take(&id).await {
                    Some(taken) if taken.lease.fence == lease.fence + 1 => {
                        sound.write(under(write, taken.lease)).await
                    }
                    _ => result,
                }
            })
        },
        ..SOUND
    },
    Twist {
        what: "uses the keys of deleted executions again",
        breaks: &["lease_of_deleted_is_fenced"],
        write: |sound, write| {
            let other = lease(&write).map(|lease| sound.instead(lease));
            let other = other.filter(|other| Some(other.key) != lease(&write).map(|l| l.key));
            let write = other.map_or(write.clone(), |lease| under(write, lease));
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "loses every seventh write",
        breaks: &["writes_at_once"],
        write: |sound, write| {
            if lease(&write).is_some() && sound.calls() % 7 == 6 {
                return Box::pin(std::future::ready(Ok(Written::Kept)));
            }
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "has no transaction around the rows of a write",
        breaks: &["a_dropped_call_is_whole_or_nothing"],
        write: |sound, write| Box::pin(row_by_row(sound, write)),
        ..SOUND
    },
    Twist {
        what: "loads an execution's row and its nodes at two moments",
        breaks: &["reads_see_whole_writes"],
        load: |sound, id| {
            Box::pin(async move {
                let first = sound.load(id.clone()).await?;
                tokio::task::yield_now().await;
                let second = sound.load(id).await?;
                Ok(first.zip(second).map(|(first, second)| StoredExecution {
                    nodes: second.nodes,
                    ..first
                }))
            })
        },
        ..SOUND
    },
    Twist {
        what: "says that it has been closed of a write that it keeps",
        breaks: &["close_finishes_what_was_asked_for"],
        write: |sound, write| {
            Box::pin(async move {
                let written = sound.write(write).await;
                tokio::task::yield_now().await;
                sound.count(ExecutionQuery::default()).await?;
                written
            })
        },
        ..SOUND
    },
    Twist {
        what: "closes nothing",
        breaks: &["close_ends_all_calls"],
        close: |_, ()| Box::pin(std::future::ready(Ok(()))),
        ..SOUND
    },
    Twist {
        what: "keeps nothing when it is opened again",
        breaks: &["reopening_keeps_all", "opened_twice_is_one_store"],
        reopen: Sound::empty,
        ..SOUND
    },
];

async fn over(sound: &Sound, write: Write) -> Result<Written, StoreError> {
    let written = sound.write(write.clone()).await?;
    if let Written::Exists(existing) = &written
        && let Some(taken) = sound.take(&existing.info.id).await
    {
        let mut write = under(write, taken.lease);
        write.target = Target::Held(taken.lease);
        sound.write(write).await?;
    }
    Ok(written)
}

async fn half(sound: &Sound, write: Write) -> Result<Written, StoreError> {
    let result = sound.write(write.clone()).await;
    let fenced = result
        .as_ref()
        .is_err_and(|error| error.kind() == ErrorKind::Fenced);
    if let Some(lease) = lease(&write).filter(|_| fenced) {
        let mut write = under(write, sound.instead(lease));
        write.then = LeaseAfter::Keep;
        sound.write(write).await.ok();
    }
    result
}

async fn row_by_row(sound: &Sound, mut write: Write) -> Result<Written, StoreError> {
    if lease(&write).is_some() {
        for node in std::mem::take(&mut write.nodes) {
            let mut one = write.clone();
            one.nodes = vec![node];
            one.then = LeaseAfter::Keep;
            sound.write(one).await?;
            tokio::task::yield_now().await;
        }
    }
    sound.write(write).await
}
