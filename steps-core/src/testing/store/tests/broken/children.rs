//! Stores that lose what a write makes besides its own execution, or make it without the write.

use super::{SOUND, Sound, Twist};
use crate::store::{Due, ErrorKind, LeaseAfter, Store, StoreError, Target, Write, Written};

pub(super) const ALL: &[Twist] = &[
    Twist {
        what: "starts no children",
        breaks: &["children_come_with_the_write", "taken_ids_refuse_the_write"],
        write: |sound, mut write| {
            write.children.clear();
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "starts children by writes of their own, before",
        breaks: &["taken_ids_refuse_the_write"],
        write: |sound, write| Box::pin(apart(sound, write)),
        ..SOUND
    },
    Twist {
        what: "does not keep who has started a child",
        breaks: &["children_come_with_the_write", "children_are_found"],
        write: |sound, mut write| {
            for child in &mut write.children {
                child.new.parent = None;
            }
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "has all children due at once",
        breaks: &["children_come_with_the_write"],
        write: |sound, mut write| {
            for child in &mut write.children {
                child.due = Due::Now;
            }
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "sends no messages with a write",
        breaks: &["told_with_the_write"],
        write: |sound, mut write| {
            write.tells.clear();
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "sends the messages of a write before it, also if it is refused",
        breaks: &["told_with_the_write", "taken_ids_refuse_the_write"],
        write: |sound, mut write| {
            Box::pin(async move {
                for message in std::mem::take(&mut write.tells) {
                    sound.send(message).await?;
                }
                sound.write(write).await
            })
        },
        ..SOUND
    },
    Twist {
        what: "does not look at whose children a query asks for",
        breaks: &["children_are_found"],
        list: |sound, mut query| {
            query.parent = None;
            sound.list(query)
        },
        ..SOUND
    },
    Twist {
        what: "deletes children whose parent is there where it should not",
        breaks: &["those_without_parent_are_found"],
        delete: |sound, mut query| {
            query.without_parent = false;
            sound.delete(query)
        },
        ..SOUND
    },
    Twist {
        what: "deletes whosever children",
        breaks: &["children_are_found"],
        delete: |sound, mut query| {
            query.parent = None;
            sound.delete(query)
        },
        ..SOUND
    },
];

async fn apart(sound: &Sound, mut write: Write) -> Result<Written, StoreError> {
    for child in std::mem::take(&mut write.children) {
        let then = LeaseAfter::Release {
            due: child.due,
            last_message: 0,
        };
        let child = Write {
            nodes: child.nodes,
            ..Write::new(Target::New(Box::new(child.new)), then)
        };
        if let Written::Exists(existing) = sound.write(child).await? {
            let id = &existing.info.id;
            let error = StoreError::new(ErrorKind::Exists, id);
            return Err(error);
        }
    }
    sound.write(write).await
}
