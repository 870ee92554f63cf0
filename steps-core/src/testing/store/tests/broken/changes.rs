//! Stores that keep changes wrong, or tell the wrong ones.

use super::{SOUND, Twist};
use crate::store::{ChangeKind, Store, WhichChanges};

pub(super) const ALL: &[Twist] = &[
    Twist {
        what: "keeps changes whatever their flow",
        breaks: &["changes_are_kept", "subscriptions_come_back"],
        subscribe: |sound, mut subscription| {
            subscription.flows.clear();
            sound.subscribe(subscription)
        },
        ..SOUND
    },
    Twist {
        what: "keeps changes to whatever status",
        breaks: &["changes_are_kept", "subscriptions_come_back"],
        subscribe: |sound, mut subscription| {
            subscription.statuses.clear();
            sound.subscribe(subscription)
        },
        ..SOUND
    },
    Twist {
        what: "keeps only changes of executions",
        breaks: &[
            "changes_are_kept",
            "changes_begin_with_a_step",
            "changes_of_a_replaced_tree",
        ],
        subscribe: |sound, mut subscription| {
            subscription.kind = ChangeKind::Execution;
            sound.subscribe(subscription)
        },
        ..SOUND
    },
    Twist {
        what: "keeps a change of an execution that was made elsewhere",
        breaks: &["changes_come_with_the_write"],
        write: |sound, mut write| {
            if let crate::store::Target::New(new) = &mut write.target {
                new.created_at = None;
            }
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "writes a tree that replaces another one without looking at that",
        breaks: &["changes_of_a_replaced_tree"],
        write: |sound, mut write| {
            write.replace = false;
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "does not keep which step it was",
        breaks: &["changes_are_kept"],
        changes: |sound, query| {
            Box::pin(async move {
                let mut found = sound.changes(query).await?;
                for step in found.iter_mut().filter_map(|change| change.step.as_mut()) {
                    step.path.clone_from(&step.name);
                }
                Ok(found)
            })
        },
        ..SOUND
    },
    Twist {
        what: "lists changes from the first on",
        breaks: &["changes_are_listed"],
        changes: |sound, mut query| {
            if let WhichChanges::New { after } = &mut query.which {
                *after = 0;
            }
            sound.changes(query)
        },
        ..SOUND
    },
    Twist {
        what: "lists all changes, whatever the limit",
        breaks: &["changes_are_listed"],
        changes: |sound, mut query| {
            query.limit = usize::MAX;
            sound.changes(query)
        },
        ..SOUND
    },
    Twist {
        what: "settles nothing",
        breaks: &["changes_are_listed", "changes_are_settled"],
        settle: |_, _| Box::pin(std::future::ready(Ok(()))),
        ..SOUND
    },
    Twist {
        what: "forgets when a change is told again",
        breaks: &["changes_are_settled", "changes_are_listed"],
        settle: |sound, mut settled| {
            for failed in &mut settled.failed {
                failed.due = jiff::Timestamp::UNIX_EPOCH;
            }
            sound.settle(settled)
        },
        ..SOUND
    },
    Twist {
        what: "deletes changes with their execution",
        breaks: &["changes_outlast_the_execution"],
        delete: |sound, query| {
            Box::pin(async move {
                for info in sound.subscriptions().await? {
                    let subscription = info.subscription.clone();
                    sound.unsubscribe(subscription.name.clone()).await?;
                    sound.subscribe(subscription).await?;
                }
                sound.delete(query).await
            })
        },
        ..SOUND
    },
    Twist {
        what: "opens a subscription again that has ended",
        breaks: &["subscriptions_end"],
        subscribe: |sound, subscription| {
            Box::pin(async move {
                let there = sound.subscriptions().await?;
                let is_over = |name: &str| {
                    let info = there.iter().find(|info| info.subscription.name == name);
                    info.is_some_and(|info| info.ended.is_some())
                };
                if is_over(&subscription.name) {
                    sound.unsubscribe(subscription.name.clone()).await?;
                }
                sound.subscribe(subscription).await
            })
        },
        ..SOUND
    },
    Twist {
        what: "removes the changes of a subscription only with its end",
        breaks: &["subscriptions_end"],
        unsubscribe: |sound, name| {
            Box::pin(async move {
                let there = sound.subscriptions().await?;
                let waits = there
                    .iter()
                    .any(|info| info.subscription.name == name && info.waiting > 0);
                if waits {
                    return Ok(true);
                }
                sound.unsubscribe(name).await
            })
        },
        ..SOUND
    },
];
