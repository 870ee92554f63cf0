//! Stores that keep what is noted of an execution wrong, or count its steps wrong.

use super::{SOUND, Twist};
use crate::{
    Attrs,
    model::trigger::Trigger,
    store::{NoteChange, Store, Target},
};

/// The attributes as a JSON library reads them whose numbers are all floating point.
fn rounded(attrs: &Attrs) -> Attrs {
    let value: serde_json::Value = attrs.decode().unwrap_or_default();
    let mut value = value;
    for number in value
        .as_object_mut()
        .into_iter()
        .flat_map(|all| all.values_mut())
    {
        if let Some(float) = number.as_f64() {
            *number = float.into();
        }
    }
    Attrs::encode(&value).unwrap_or_default()
}

pub(super) const ALL: &[Twist] = &[
    Twist {
        what: "keeps numbers in attributes as floating point numbers",
        breaks: &["notes_come_back"],
        write: |sound, mut write| {
            if let Target::New(new) = &mut write.target {
                new.notes.attrs = rounded(&new.notes.attrs);
            }
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "knows only its own triggers",
        breaks: &["notes_come_back"],
        write: |sound, mut write| {
            if let Target::New(new) = &mut write.target
                && matches!(new.notes.trigger, Trigger::Other(_))
            {
                new.notes.trigger = Trigger::Event;
            }
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "replaces attributes where it should patch them",
        breaks: &["notes_change"],
        annotate: |sound, (id, changes)| {
            let changes = changes.into_iter().map(|change| match change {
                NoteChange::Patch(attrs) => NoteChange::Attrs(attrs),
                other => other,
            });
            sound.annotate(id, changes.collect())
        },
        ..SOUND
    },
    Twist {
        what: "keeps only the newest act",
        breaks: &["notes_come_back"],
        write: |sound, mut write| {
            if let Target::New(new) = &mut write.target {
                let acts = &mut new.notes.acts;
                acts.drain(..acts.len().saturating_sub(1));
            }
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "makes only the last change of a note",
        breaks: &["notes_change"],
        annotate: |sound, (id, changes)| {
            sound.annotate(id, changes.into_iter().next_back().into_iter().collect())
        },
        ..SOUND
    },
    Twist {
        what: "makes the notes of a write before it looks at the lease",
        breaks: &["notes_of_a_write"],
        write: |sound, mut write| {
            Box::pin(async move {
                let notes = std::mem::take(&mut write.notes);
                if let Target::Held(lease) = &write.target
                    && let Some(id) = sound.id(lease.key)
                {
                    sound.annotate(id, notes).await?;
                }
                sound.write(write).await
            })
        },
        ..SOUND
    },
    Twist {
        what: "does not count steps",
        breaks: &["steps_are_counted"],
        list: |sound, mut query| {
            query.brief = true;
            sound.list(query)
        },
        ..SOUND
    },
    Twist {
        what: "counts in a brief list",
        breaks: &["steps_are_counted"],
        list: |sound, mut query| {
            query.brief = false;
            sound.list(query)
        },
        ..SOUND
    },
];
