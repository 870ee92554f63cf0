//! Stores that lose something of what comes from another store, or goes to one.

use super::{SOUND, Twist};
use crate::store::{Store, Target, Written};

pub(super) const ALL: &[Twist] = &[
    Twist {
        what: "loads no messages",
        breaks: &["load_gives_the_inbox"],
        load: |sound, id| {
            Box::pin(async move {
                let mut found = sound.load(id).await?;
                if let Some(saved) = &mut found {
                    saved.messages.clear();
                }
                Ok(found)
            })
        },
        ..SOUND
    },
    Twist {
        what: "makes each execution now",
        breaks: &["made_elsewhere_keeps_its_time"],
        write: |sound, mut write| {
            if let Target::New(new) = &mut write.target {
                new.created_at = None;
            }
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "sends no message to what it makes",
        breaks: &["what_is_made_may_have_messages"],
        write: |sound, mut write| {
            if let Target::New(new) = &write.target {
                let id = new.id.clone();
                write.tells.retain(|message| message.id != id);
            }
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "sends the messages of a write that makes nothing",
        breaks: &["what_is_made_may_have_messages"],
        write: |sound, write| {
            Box::pin(async move {
                let tells = write.tells.clone();
                let written = sound.write(write).await?;
                if matches!(written, Written::Exists(_)) {
                    for message in tells {
                        sound.send(message).await?;
                    }
                }
                Ok(written)
            })
        },
        ..SOUND
    },
];
