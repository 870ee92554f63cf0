//! Stores that list other values of a label than there are.

use super::{SOUND, Twist};
use crate::store::Store;

pub(super) const ALL: &[Twist] = &[
    Twist {
        what: "lists values that fewer executions have",
        breaks: &["label_values_are_listed"],
        label_values: |sound, mut query| {
            query.at_least = query.at_least.min(2);
            sound.label_values(query)
        },
        ..SOUND
    },
    Twist {
        what: "lists a value again on the next page",
        breaks: &["label_values_are_listed"],
        label_values: |sound, mut query| {
            query.after = query.after.filter(|after| after.is_ascii());
            sound.label_values(query)
        },
        ..SOUND
    },
];
