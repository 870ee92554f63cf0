//! Stores that lose the trace of an execution.

use super::{SOUND, Twist};
use crate::store::{Store, Target};

pub(super) const ALL: &[Twist] = &[
    Twist {
        what: "keeps no trace",
        breaks: &["a_trace_comes_back"],
        write: |sound, mut write| {
            if let Target::New(new) = &mut write.target {
                new.trace = None;
            }
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "forgets the trace of children",
        breaks: &["a_trace_comes_back"],
        write: |sound, mut write| {
            for child in &mut write.children {
                child.new.trace = None;
            }
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "gives no trace to who claims",
        breaks: &["a_trace_comes_back"],
        claim: |sound, claim| {
            Box::pin(async move {
                let mut claimed = sound.claim(claim).await?;
                for taken in &mut claimed.taken {
                    taken.info.trace = None;
                }
                Ok(claimed)
            })
        },
        ..SOUND
    },
];
