//! Stores that lose messages, or deliver them wrongly.

use super::{SOUND, Sound, Twist};
use crate::{
    model::status::Status,
    store::{
        Acquired, Due, ExecutionQuery, Lease, LeaseAfter, Message, MessageReceipt, Queue, Renew,
        Renewal, SendMessage, Store, StoreError, Target, Write, Written,
    },
    testing::store::builders::write,
};

pub(super) const ALL: &[Twist] = &[
    Twist {
        what: "keeps messages in any status",
        breaks: &["tell_only_in_a_status"],
        send: |sound, mut message| {
            message.if_status.clear();
            sound.send(message)
        },
        ..SOUND
    },
    Twist {
        what: "takes no status for none",
        breaks: &["tell_only_in_a_status"],
        send: |sound, mut message| {
            if message.if_status.is_empty() {
                message.if_status.push(Status::Skipped);
            }
            sound.send(message)
        },
        ..SOUND
    },
    Twist {
        what: "wakes nobody by a message",
        breaks: &["tell_wakes_what_rests"],
        send: |sound, message| Box::pin(asleep(sound, message)),
        ..SOUND
    },
    Twist {
        what: "takes the lease from who holds it, for a message",
        breaks: &["tell_leaves_a_lease_alone"],
        send: |sound, message| {
            Box::pin(async move {
                if let Some(lease) = sound.newest(&message.id) {
                    sound.rest(lease, Due::Now).await;
                }
                sound.send(message).await
            })
        },
        ..SOUND
    },
    Twist {
        what: "counts the messages that are there",
        breaks: &["tell_numbers_grow"],
        send: |sound, message| {
            Box::pin(async move {
                Ok(match sound.send(message).await? {
                    MessageReceipt::Stored(number) => MessageReceipt::Stored(1 + number % 3),
                    other => other,
                })
            })
        },
        ..SOUND
    },
    Twist {
        what: "does not look at the case of a path",
        breaks: &["tell_replaces"],
        send: |sound, mut message| {
            if let Message::Signal { path, .. } = &mut message.message {
                path.make_ascii_lowercase();
            }
            sound.send(message)
        },
        ..SOUND
    },
    Twist {
        what: "has one place for all signals",
        breaks: &["tell_replaces", "taken_messages_are_deleted"],
        send: |sound, mut message| {
            if let Message::Signal { path, .. } = &mut message.message {
                path.clear();
            }
            sound.send(message)
        },
        ..SOUND
    },
    Twist {
        what: "replaces where messages are to queue",
        breaks: &["tell_queues"],
        send: |sound, mut message| {
            message.queue = Queue::Replace;
            sound.send(message)
        },
        ..SOUND
    },
    Twist {
        what: "queues without a bound",
        breaks: &["tell_queues"],
        send: |sound, mut message| {
            if let Queue::Behind(most) = &mut message.queue {
                *most = usize::MAX;
            }
            sound.send(message)
        },
        ..SOUND
    },
    Twist {
        what: "queues where a message is to replace others",
        breaks: &["tell_queues", "tell_replaces"],
        send: |sound, mut message| {
            message.queue = Queue::Behind(usize::MAX);
            sound.send(message)
        },
        ..SOUND
    },
    Twist {
        what: "does not look at how many messages were taken",
        breaks: &["tell_only_if_nothing_was_taken"],
        send: |sound, mut message| {
            message.if_taken = None;
            sound.send(message)
        },
        ..SOUND
    },
    Twist {
        what: "takes signals that are gone",
        breaks: &["replaced_signal_is_not_taken"],
        write: |sound, mut write| {
            write.taken.append(&mut write.signals);
            sound.write(write)
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
        what: "deletes the messages of these numbers, whosever they are",
        breaks: &["taken_messages_are_deleted"],
        write: |sound, write| Box::pin(of_others(sound, write)),
        ..SOUND
    },
    Twist {
        what: "deletes the messages that it has given to an operator",
        breaks: &["taken_messages_are_deleted"],
        acquire: |sound, acquire| {
            Box::pin(async move {
                let held = sound.acquire(acquire).await?;
                if let Acquired::Held(taken) = &held {
                    let mut write = write(taken.lease, Vec::new(), LeaseAfter::Keep);
                    write.taken = taken.messages.iter().map(|(number, _)| *number).collect();
                    sound.write(write).await?;
                }
                Ok(held)
            })
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
            if let LeaseAfter::Release {
                last_message: seen, ..
            } = &mut write.then
            {
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
            if let LeaseAfter::Release {
                last_message: seen, ..
            } = &mut write.then
            {
                *seen = 0;
            }
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "gives the newest message first",
        breaks: &["messages_come_back", "claim_gives_all"],
        acquire: |sound, acquire| {
            Box::pin(async move {
                let mut held = sound.acquire(acquire).await?;
                if let crate::store::Acquired::Held(taken) = &mut held {
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

async fn of_others(sound: &Sound, change: Write) -> Result<Written, StoreError> {
    for info in sound.list(ExecutionQuery::default()).await? {
        if change.taken.is_empty() || info.worker.is_some() {
            continue;
        }
        if let Some(taken) = sound.take(&info.id).await {
            let then = LeaseAfter::Release {
                due: info.due.map_or(Due::Never, Due::At),
                last_message: i64::MAX,
            };
            let mut other = write(taken.lease, Vec::new(), then);
            other.taken.clone_from(&change.taken);
            sound.write(other).await?;
        }
    }
    sound.write(change).await
}

async fn asleep(sound: &Sound, message: SendMessage) -> Result<MessageReceipt, StoreError> {
    let id = message.id.clone();
    let before = sound.info(&id).await;
    let told = sound.send(message).await?;
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
    for answer in sound.renew(Renew::some(lease, held)).await? {
        if let Renewal::Held(messages) = answer {
            write
                .taken
                .extend(messages.iter().map(|(number, _)| *number));
        }
    }
    sound.write(write).await
}
