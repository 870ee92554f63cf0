//! Stores that lose messages, or deliver them wrongly.

use super::{SOUND, Sound, Twist};
use crate::{
    model::status::Status,
    store::{
        Due, Lease, Message, Renew, Renewal, Store, StoreError, Target, Tell, Then, Told, Write,
        Written,
    },
};

pub(super) const ALL: &[Twist] = &[
    Twist {
        what: "keeps messages in any status",
        breaks: &["tell_only_in_a_status"],
        tell: |sound, mut tell| {
            tell.only.clear();
            sound.tell(tell)
        },
        ..SOUND
    },
    Twist {
        what: "takes no status for none",
        breaks: &["tell_only_in_a_status"],
        tell: |sound, mut tell| {
            if tell.only.is_empty() {
                tell.only.push(Status::Skipped);
            }
            sound.tell(tell)
        },
        ..SOUND
    },
    Twist {
        what: "wakes nobody by a message",
        breaks: &["tell_wakes_what_rests"],
        tell: |sound, tell| Box::pin(asleep(sound, tell)),
        ..SOUND
    },
    Twist {
        what: "takes the lease from who holds it, for a message",
        breaks: &["tell_leaves_a_lease_alone"],
        tell: |sound, tell| {
            Box::pin(async move {
                if let Some(lease) = sound.newest(&tell.id) {
                    sound.rest(lease, Due::Now).await;
                }
                sound.tell(tell).await
            })
        },
        ..SOUND
    },
    Twist {
        what: "counts the messages that are there",
        breaks: &["tell_numbers_grow"],
        tell: |sound, tell| {
            Box::pin(async move {
                Ok(match sound.tell(tell).await? {
                    Told::Kept(number) => Told::Kept(1 + number % 3),
                    other => other,
                })
            })
        },
        ..SOUND
    },
    Twist {
        what: "does not look at the case of a path",
        breaks: &["tell_replaces"],
        tell: |sound, mut tell| {
            if let Message::Signal { path, .. } = &mut tell.message {
                path.make_ascii_lowercase();
            }
            sound.tell(tell)
        },
        ..SOUND
    },
    Twist {
        what: "has one place for all signals",
        breaks: &["tell_replaces", "taken_messages_are_deleted"],
        tell: |sound, mut tell| {
            if let Message::Signal { path, .. } = &mut tell.message {
                path.clear();
            }
            sound.tell(tell)
        },
        ..SOUND
    },
    Twist {
        what: "forgets which messages were taken",
        breaks: &[
            "taken_messages_are_deleted",
            "rest_is_over_if_a_message_came",
        ],
        write: |sound, mut write| {
            write.taken.clear();
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "deletes all messages when one was taken",
        breaks: &["taken_messages_are_deleted"],
        write: |sound, write| Box::pin(all_taken(sound, write)),
        ..SOUND
    },
    Twist {
        what: "lets rest without a look at what came meanwhile",
        breaks: &[
            "rest_is_over_if_a_message_came",
            "messages_at_once_are_not_lost",
        ],
        write: |sound, mut write| {
            if let Then::Rest { seen, .. } = &mut write.then {
                *seen = i64::MAX;
            }
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "does not tell that a message came meanwhile",
        breaks: &["rest_is_over_if_a_message_came"],
        write: |sound, write| {
            Box::pin(async move {
                Ok(match sound.write(write).await? {
                    Written::Recalled => Written::Kept,
                    other => other,
                })
            })
        },
        ..SOUND
    },
    Twist {
        what: "wakes for messages that were seen",
        breaks: &["rest_is_over_if_a_message_came"],
        write: |sound, mut write| {
            if let Then::Rest { seen, .. } = &mut write.then {
                *seen = 0;
            }
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "gives the newest message first",
        breaks: &["messages_come_back", "claim_gives_all"],
        hold: |sound, hold| {
            Box::pin(async move {
                let mut held = sound.hold(hold).await?;
                if let crate::store::Held::Taken(taken) = &mut held {
                    taken.messages.reverse();
                }
                Ok(held)
            })
        },
        claim: |sound, claim| {
            Box::pin(async move {
                let mut claimed = sound.claim(claim).await?;
                for taken in &mut claimed.taken {
                    taken.messages.reverse();
                }
                Ok(claimed)
            })
        },
        ..SOUND
    },
];

async fn asleep(sound: &Sound, tell: Tell) -> Result<Told, StoreError> {
    let id = tell.id.clone();
    let before = sound.info(&id).await;
    let told = sound.tell(tell).await?;
    if let Some(before) = before.filter(|info| info.worker.is_none())
        && let Some(taken) = sound.take(&id).await
    {
        let due = before.due.map_or(Due::Never, Due::At);
        sound.rest(taken.lease, due).await;
    }
    Ok(told)
}

async fn all_taken(sound: &Sound, mut write: Write) -> Result<Written, StoreError> {
    let held = match write.target {
        Target::Held(lease) if !write.taken.is_empty() => vec![(Lease::clone(&lease), 0)],
        _ => Vec::new(),
    };
    let lease = std::time::Duration::from_hours(1);
    for answer in sound.renew(Renew { lease, held }).await? {
        if let Renewal::Held(messages) = answer {
            write
                .taken
                .extend(messages.iter().map(|(number, _)| *number));
        }
    }
    sound.write(write).await
}
