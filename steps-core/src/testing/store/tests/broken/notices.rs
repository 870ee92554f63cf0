//! Stores that do not tell what they should.

use futures_util::{StreamExt, stream};

use super::{SOUND, Twist};
use crate::store::{Notice, Store as _};

pub(super) const ALL: &[Twist] = &[Twist {
    what: "says that it listens, and tells nothing",
    breaks: &["notices_tell_what_others_leave"],
    notices: |sound| {
        let listening = stream::iter([Notice::Listening]);
        Box::pin(listening.chain(sound.notices()))
    },
    ..SOUND
}];
