//! Stores that change a duty under a wrong revision, list duties wrong, or start executions without the
//! change.

use super::{SOUND, Sound, Twist};
use crate::store::{DutySet, LeaseAfter, SetDuty, Store, StoreError, Target, Write, Written};

pub(super) const ALL: &[Twist] = &[
    Twist {
        what: "does not keep when a duty is due",
        breaks: &["duties_come_back", "duties_are_listed"],
        set_duty: |sound, mut set| {
            if let Some(to) = &mut set.to {
                to.due = None;
            }
            sound.set_duty(set)
        },
        ..SOUND
    },
    Twist {
        what: "changes a duty whatever its revision",
        breaks: &[
            "duties_change_by_revision",
            "duties_at_once",
            "duties_start_executions",
        ],
        set_duty: |sound, set| Box::pin(anyhow(sound, set)),
        ..SOUND
    },
    Twist {
        what: "takes a revision for one of the duty though it is of one that was removed",
        breaks: &["duties_change_by_revision"],
        set_duty: |sound, mut set| {
            Box::pin(async move {
                let there = sound.duty(set.name.clone()).await?;
                if let (Some(there), Some(revision)) = (there, set.revision)
                    && there.value.get() == "3"
                    && revision < there.revision
                {
                    set.revision = Some(there.revision);
                }
                sound.set_duty(set).await
            })
        },
        ..SOUND
    },
    Twist {
        what: "removes no duties",
        breaks: &["duties_change_by_revision", "duties_start_executions"],
        set_duty: |sound, set| match set.to {
            Some(_) => sound.set_duty(set),
            None => Box::pin(std::future::ready(Ok(DutySet::Set(None)))),
        },
        ..SOUND
    },
    Twist {
        what: "lists duties whatever their names begin with",
        breaks: &["duties_are_listed"],
        duties: |sound, mut query| {
            query.prefix.clear();
            sound.duties(query)
        },
        ..SOUND
    },
    Twist {
        what: "lists duties that are not due",
        breaks: &["duties_are_listed"],
        duties: |sound, mut query| {
            query.due_until = query.due_until.map(|_| jiff::Timestamp::MAX);
            sound.duties(query)
        },
        ..SOUND
    },
    Twist {
        what: "begins each page of due duties by time only",
        breaks: &["duties_are_listed"],
        duties: |sound, mut query| {
            if let Some(after) = query.after.as_mut().filter(|_| query.due_until.is_some()) {
                after.name = "\u{10ffff}".repeat(9);
            }
            sound.duties(query)
        },
        ..SOUND
    },
    Twist {
        what: "starts nothing with a duty",
        breaks: &["duties_start_executions", "duties_at_once"],
        set_duty: |sound, mut set| {
            set.start.clear();
            sound.set_duty(set)
        },
        ..SOUND
    },
    Twist {
        what: "starts executions by writes of their own, before it looks at the revision",
        breaks: &["duties_start_executions", "duties_at_once"],
        set_duty: |sound, set| Box::pin(apart(sound, set)),
        ..SOUND
    },
];

async fn anyhow(sound: &Sound, mut set: SetDuty) -> Result<DutySet, StoreError> {
    let there = sound.duty(set.name.clone()).await?;
    set.revision = there.map(|duty| duty.revision);
    sound.set_duty(set).await
}

async fn apart(sound: &Sound, mut set: SetDuty) -> Result<DutySet, StoreError> {
    for child in std::mem::take(&mut set.start) {
        let then = LeaseAfter::Release {
            due: child.due,
            last_message: 0,
        };
        let new = Write::new(Target::New(Box::new(child.new)), then);
        if let Written::Exists(existing) = sound.write(new).await? {
            return Ok(DutySet::Exists(existing.info.id));
        }
    }
    sound.set_duty(set).await
}
