//! Stores that do not keep nodes and values as they were written.

use super::{
    SOUND, Sound, Twist,
    writes::{lease, making},
};
use crate::{
    base::json::Json,
    model::{state::NodeData, status::Status},
    store::{Acquired, Past, RowRanges, Store, StoreError, Write, Written},
    testing::store::fixture::micros,
};

/// Changes all nodes of a write.
fn nodes(mut write: Write, change: impl FnMut(&mut NodeData)) -> Write {
    let nodes = write.nodes.iter_mut().map(|change| &mut change.node);
    nodes.for_each(change);
    write
}

pub(super) const ALL: &[Twist] = &[
    Twist {
        what: "keeps the node that was there first",
        breaks: &["nodes_replace_those_of_their_number"],
        write: |sound, write| Box::pin(first(sound, write)),
        ..SOUND
    },
    Twist {
        what: "does not remember what is past",
        breaks: &["claims_leave_out_what_is_past"],
        write: |sound, mut write| {
            write.past = None;
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "gives an operator no more than a worker",
        breaks: &["claims_leave_out_what_is_past"],
        acquire: |sound, acquire| {
            Box::pin(async move {
                let mut acquired = sound.acquire(acquire).await?;
                if let Acquired::Held(held) = &mut acquired {
                    held.nodes.retain(|row| row.id == 0 || row.id > 5);
                }
                Ok(acquired)
            })
        },
        ..SOUND
    },
    Twist {
        what: "leaves out what was past when all rows are replaced",
        breaks: &["claims_leave_out_what_is_past"],
        write: |sound, mut write| {
            if write.replace {
                let by = crate::testing::store::builders::refuser(1);
                let rows = "1-2".parse().unwrap_or_default();
                write.past = Some(Past { by, rows });
            }
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "has no room for a step that begins at the end of another",
        breaks: &[
            "a_step_begins_with_the_end_of_another",
            "a_step_that_began_so_stands_by_itself",
        ],
        write: |sound, mut write| {
            let from = write.new_from.unwrap_or(u32::MAX).max(2);
            write.nodes.retain(|row| row.id < from);
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "deletes no rows",
        breaks: &["replace_deletes_the_others", "many_rows_come_back"],
        write: |sound, mut write| {
            write.replace = false;
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "deletes no rows that are gone",
        breaks: &["removed_rows_are_gone"],
        write: |sound, mut write| {
            write.removed = RowRanges::default();
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "deletes all rows up to the last that is gone",
        breaks: &["removed_rows_are_gone"],
        write: |sound, mut write| {
            (1..write.removed.last().unwrap_or(0)).for_each(|row| write.removed.insert(row));
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "keeps the root when all rows are replaced",
        breaks: &["replace_may_leave_no_root"],
        write: |sound, write| Box::pin(with_old_root(sound, write)),
        ..SOUND
    },
    Twist {
        what: "forgets what is known of an execution with its root's row",
        breaks: &["replace_may_leave_no_root"],
        write: |sound, mut write| {
            let is_gone = write.replace && write.nodes.iter().all(|node| node.id != 0);
            if is_gone && lease(&write).is_some() {
                let pending = crate::testing::store::builders::root(Status::Pending);
                write.nodes.push(pending);
            }
            sound.write(write)
        },
        load: |sound, id| {
            Box::pin(async move {
                let mut saved = sound.load(id).await?;
                if let Some(saved) = &mut saved {
                    saved
                        .nodes
                        .retain(|node| node.id != 0 || node.node.status != Status::Pending);
                }
                Ok(saved)
            })
        },
        ..SOUND
    },
    Twist {
        what: "deletes the rows that a write does not name",
        breaks: &[
            "nodes_replace_those_of_their_number",
            "every_node_comes_back",
        ],
        write: |sound, mut write| {
            write.replace = true;
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "cuts times off at the microsecond",
        breaks: &["every_node_comes_back", "root_comes_back"],
        write: |sound, write| {
            sound.write(nodes(write, |node| {
                node.started_at = node.started_at.map(micros);
            }))
        },
        ..SOUND
    },
    Twist {
        what: "has no column for what was seen before",
        breaks: &["every_node_comes_back", "root_comes_back"],
        write: |sound, write| sound.write(nodes(write, |node| node.before = None)),
        ..SOUND
    },
    Twist {
        what: "parses JSON and writes it anew",
        breaks: &[
            "every_node_comes_back",
            "extremes_come_back",
            "create_keeps_all",
        ],
        write: |sound, write| {
            let anew = |json: &mut Json| {
                let value = json.decode::<serde_json::Value>();
                if let Ok(value) = value.and_then(|value| Json::encode(&value)) {
                    *json = value;
                }
            };
            let write = making(write, |new, _| anew(&mut new.input));
            sound.write(nodes(write, |node| {
                node.output.iter_mut().for_each(anew);
            }))
        },
        ..SOUND
    },
    Twist {
        what: "cuts values off at 64 KiB",
        breaks: &["large_values_come_back"],
        write: |sound, write| {
            sound.write(nodes(write, |node| {
                for error in &mut node.errors {
                    error.truncate(error.floor_char_boundary(1 << 16));
                }
            }))
        },
        ..SOUND
    },
    Twist {
        what: "writes a thousand rows at most",
        breaks: &["many_rows_come_back"],
        write: |sound, mut write| {
            write.nodes.truncate(1000);
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "keeps an error of the root that is over",
        breaks: &["root_tells_the_execution"],
        load: |sound, id| {
            Box::pin(async move {
                let mut saved = sound.load(id).await?;
                if let Some(saved) = &mut saved {
                    let started = saved.info.started_at.is_some();
                    let error = saved.info.error.take();
                    saved.info.error = error.or(started.then(|| "last".to_owned()));
                }
                Ok(saved)
            })
        },
        ..SOUND
    },
];

async fn with_old_root(sound: &Sound, mut write: Write) -> Result<Written, StoreError> {
    if write.replace
        && write.nodes.iter().all(|node| node.id != 0)
        && let Some(id) = lease(&write).and_then(|lease| sound.id(lease.key))
        && let Some(saved) = sound.load(id).await?
    {
        let root = saved.nodes.into_iter().find(|node| node.id == 0);
        write.nodes.extend(root);
    }
    sound.write(write).await
}

async fn first(sound: &Sound, mut write: Write) -> Result<Written, StoreError> {
    if let Some(id) = lease(&write).and_then(|lease| sound.id(lease.key))
        && let Some(saved) = sound.load(id).await?
    {
        let there = |id: u32| saved.nodes.iter().any(|node| node.id == id);
        write.nodes.retain(|node| !there(node.id));
    }
    sound.write(write).await
}
