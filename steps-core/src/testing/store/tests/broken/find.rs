//! Stores that find the wrong executions, or delete them.

use super::{SOUND, Sound, Twist};
use crate::{
    model::status::Status,
    store::{Cursor, Due, ExecutionInfo, ExecutionQuery, LeaseAfter, Store, StoreError, Target},
    testing::store::builders::{query, root, write},
};

pub(super) const ALL: &[Twist] = &[
    Twist {
        what: "does not look at the case of an id",
        breaks: &["load_what_is_there", "extremes_come_back"],
        write: |sound, mut write| {
            if let Target::New(new) = &mut write.target {
                new.id = new.id.to_lowercase();
            }
            sound.write(write)
        },
        load: |sound, id| sound.load(id.to_lowercase()),
        ..SOUND
    },
    Twist {
        what: "lists the oldest first",
        breaks: &["list_order", "list_filters"],
        list: |sound, query| {
            Box::pin(async move {
                let mut found = sound.list(query).await?;
                found.reverse();
                Ok(found)
            })
        },
        ..SOUND
    },
    Twist {
        what: "sorts a list by id",
        breaks: &["list_order", "list_pages"],
        list: |sound, query| {
            Box::pin(async move {
                let mut found = sound.list(query).await?;
                found.sort_by(|a, b| a.id.cmp(&b.id));
                Ok(found)
            })
        },
        ..SOUND
    },
    Twist {
        what: "gives the first page again and again",
        breaks: &["list_pages"],
        list: |sound, mut query| {
            query.after = None;
            sound.list(query)
        },
        ..SOUND
    },
    Twist {
        what: "gives those that were made at the same time the same place",
        breaks: &["list_pages"],
        list: |sound, query| {
            Box::pin(async move {
                let mut found = sound.list(query).await?;
                for info in &mut found {
                    info.created_at = jiff::Timestamp::UNIX_EPOCH;
                    info.key = 0;
                }
                Ok(found)
            })
        },
        ..SOUND
    },
    Twist {
        what: "has no page after an execution that is gone",
        breaks: &["list_goes_on_after_what_is_gone"],
        list: |sound, query| {
            Box::pin(async move {
                let all = sound.list(ExecutionQuery::default()).await?;
                let is_there = |place: &Cursor| all.iter().any(|info| info.cursor() == *place);
                if query.after.as_ref().is_some_and(|place| !is_there(place)) {
                    return Ok(Vec::new());
                }
                sound.list(query).await
            })
        },
        ..SOUND
    },
    Twist {
        what: "keeps times to the second, and has the next page begin after a time",
        breaks: &["list_pages", "list_goes_on_after_what_is_gone"],
        list: |sound, query| Box::pin(after_a_time(sound, query)),
        ..SOUND
    },
    Twist {
        what: "takes a limit of 0 for none",
        breaks: &["list_pages", "delete_what_a_query_finds"],
        list: |sound, mut query| {
            query.limit = query.limit.filter(|limit| *limit > 0);
            sound.list(query)
        },
        delete: |sound, mut query| {
            query.limit = query.limit.filter(|limit| *limit > 0);
            sound.delete(query)
        },
        ..SOUND
    },
    Twist {
        what: "does not look at the place in the list when it deletes",
        breaks: &["delete_what_a_query_finds"],
        delete: |sound, mut query| {
            query.after = None;
            sound.delete(query)
        },
        ..SOUND
    },
    Twist {
        what: "finds what has one of the labels",
        breaks: &["list_filters", "count_filters"],
        list: |sound, mut query| {
            query.labels = query.labels.into_iter().take(1).collect();
            sound.list(query)
        },
        count: |sound, mut query| {
            query.labels = query.labels.into_iter().take(1).collect();
            sound.count(query)
        },
        ..SOUND
    },
    Twist {
        what: "finds what has a label of that name",
        breaks: &["list_filters"],
        list: |sound, query| {
            Box::pin(async move {
                let names: Vec<String> = query.labels.keys().cloned().collect();
                let mut all = query;
                all.labels.clear();
                let mut found = sound.list(all).await?;
                found.retain(|info| names.iter().all(|name| info.labels.contains_key(name)));
                Ok(found)
            })
        },
        ..SOUND
    },
    Twist {
        what: "finds what was made or ended before the end of a range, or at it",
        breaks: &["list_filters", "count_filters"],
        list: |sound, query| sound.list(inclusive(query)),
        count: |sound, query| sound.count(inclusive(query)),
        ..SOUND
    },
    Twist {
        what: "counts the executions of a page",
        breaks: &["count_filters"],
        count: |sound, query| {
            Box::pin(async move {
                let found = sound.list(query).await?;
                Ok(found.iter().map(|_| 1).sum())
            })
        },
        ..SOUND
    },
    Twist {
        what: "does not tell in a list who refused an execution",
        breaks: &["list_filters"],
        list: |sound, query| {
            Box::pin(async move {
                let mut found = sound.list(query).await?;
                for info in &mut found {
                    info.refused = None;
                }
                Ok(found)
            })
        },
        ..SOUND
    },
    Twist {
        what: "finds by the status that an execution was made in",
        breaks: &["find_by_what_is_so_now"],
        list: |sound, mut query| {
            Box::pin(async move {
                let status = std::mem::take(&mut query.status);
                let mut found = sound.list(query).await?;
                found.retain(|info| {
                    let first = sound.first_status(&info.id).unwrap_or(info.status);
                    status.is_empty() || status.contains(&first)
                });
                Ok(found)
            })
        },
        ..SOUND
    },
    Twist {
        what: "counts as refused what was refused once",
        breaks: &["find_by_what_is_so_now"],
        count: |sound, mut query| {
            Box::pin(async move {
                let refused = query.refused.take();
                let mut found = sound.list(query).await?;
                found.retain(|info| refused.is_none_or(|is| is == sound.was_refused(&info.id)));
                Ok(found.iter().map(|_| 1).sum())
            })
        },
        ..SOUND
    },
    Twist {
        what: "does not look at the flow when it deletes",
        breaks: &["delete_filters"],
        delete: |sound, mut query| {
            query.flows.clear();
            sound.delete(query)
        },
        ..SOUND
    },
    Twist {
        what: "does not look at when an execution was made when it deletes",
        breaks: &["delete_filters"],
        delete: |sound, mut query| {
            query.created = None;
            sound.delete(query)
        },
        ..SOUND
    },
    Twist {
        what: "deletes what has not ended",
        breaks: &["delete_only_what_has_ended"],
        delete: |sound, query| Box::pin(all_ended(sound, query)),
        ..SOUND
    },
    Twist {
        what: "deletes what somebody holds",
        breaks: &["delete_nothing_that_is_held"],
        delete: |sound, query| {
            Box::pin(async move {
                for info in sound.list(query.clone()).await? {
                    if let Some(lease) = sound.newest(&info.id) {
                        sound.rest(lease, Due::Never).await;
                    }
                }
                sound.delete(query).await
            })
        },
        ..SOUND
    },
    Twist {
        what: "deletes the newest first",
        breaks: &["delete_what_a_query_finds"],
        delete: |sound, mut query| {
            query.after = None;
            Box::pin(async move {
                let mut count = 0;
                for info in sound.list(query).await? {
                    let one =
                        crate::testing::store::builders::query(|query| query.id = Some(info.id));
                    count += sound.delete(one).await?;
                }
                Ok(count)
            })
        },
        ..SOUND
    },
    Twist {
        what: "has no bound on what it deletes",
        breaks: &["delete_what_a_query_finds"],
        delete: |sound, mut query| {
            query.limit = None;
            sound.delete(query)
        },
        ..SOUND
    },
    Twist {
        what: "deletes nothing",
        breaks: &["delete_leaves_nothing", "delete_only_what_has_ended"],
        delete: |sound, query| sound.count(query),
        ..SOUND
    },
];

async fn after_a_time(
    sound: &Sound,
    mut query: ExecutionQuery,
) -> Result<Vec<ExecutionInfo>, StoreError> {
    let (after, limit) = (query.after.take(), query.limit.take());
    let mut found = sound.list(query).await?;
    for info in &mut found {
        let second = info.created_at.as_second();
        info.created_at = jiff::Timestamp::from_second(second).unwrap_or(info.created_at);
    }
    found.retain(|info| {
        after
            .as_ref()
            .is_none_or(|place| info.created_at < place.created_at)
    });
    found.truncate(limit.unwrap_or(usize::MAX));
    Ok(found)
}

fn inclusive(mut query: ExecutionQuery) -> ExecutionQuery {
    let ranges = [&mut query.created, &mut query.ended];
    for range in ranges.into_iter().flatten() {
        range.end += std::time::Duration::from_nanos(1);
    }
    query
}

async fn all_ended(sound: &Sound, found: ExecutionQuery) -> Result<u64, StoreError> {
    for info in sound.list(query(|_| ())).await? {
        if let Some(taken) = sound.take(&info.id).await {
            let then = LeaseAfter::Release {
                due: Due::Never,
                last_message: 0,
            };
            sound
                .write(write(taken.lease, vec![root(Status::Done)], then))
                .await?;
        }
    }
    sound.delete(found).await
}
