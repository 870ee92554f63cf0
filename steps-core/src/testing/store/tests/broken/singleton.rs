//! Stores that give a key to several.

use super::{SOUND, Twist};
use crate::store::{ErrorKind, Store, Target, Written};

pub(super) const ALL: &[Twist] = &[
    Twist {
        what: "knows no keys",
        breaks: &[
            "a_key_is_that_of_one",
            "a_key_is_needed_to_go_on_again",
            "keys_at_once",
        ],
        write: |sound, mut write| {
            if let Target::New(new) = &mut write.target {
                new.singleton = None;
            }
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "takes a key for one of all flows",
        breaks: &["a_key_is_that_of_one"],
        write: |sound, mut write| {
            if let Target::New(new) = &mut write.target
                && new.singleton.is_some()
            {
                new.flow.clear();
            }
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "says that what needs a key goes on, and leaves it as it was",
        breaks: &["a_key_is_needed_to_go_on_again"],
        write: |sound, write| {
            Box::pin(async move {
                match sound.write(write).await {
                    Err(error) if error.kind() == ErrorKind::Taken => Ok(Written::Kept),
                    told => told,
                }
            })
        },
        ..SOUND
    },
];
