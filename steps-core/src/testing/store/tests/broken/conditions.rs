//! Stores that take conditions or the order of a list for others.

use super::{SOUND, Sound, Twist};
use crate::store::{
    Column, Condition, Direction, ExecutionInfo, ExecutionQuery, Field, Store, StoreError, Test,
    Value,
};

pub(super) const ALL: &[Twist] = &[
    Twist {
        what: "compares attributes as texts",
        breaks: &["find_by_conditions"],
        list: |sound, mut query| {
            for condition in &mut query.conditions {
                if let (Field::Attr(_), Test::AnyOf(all)) = (&condition.field, &mut condition.test)
                {
                    let both = all.iter().flat_map(|value| {
                        let text = Value::Text(value.to_string().trim_matches('"').to_owned());
                        [value.clone(), text]
                    });
                    *all = both.collect();
                }
            }
            sound.list(query)
        },
        ..SOUND
    },
    Twist {
        what: "takes a `%` in a part for anything",
        breaks: &["find_by_conditions"],
        list: |sound, mut query| {
            for condition in &mut query.conditions {
                if let Test::Contains(part) = &mut condition.test {
                    *part = part.replace('%', "");
                }
            }
            sound.list(query)
        },
        ..SOUND
    },
    Twist {
        what: "passes over conditions that it does not know when it counts",
        breaks: &["find_by_conditions"],
        count: |sound, mut query| {
            query
                .conditions
                .retain(|Condition { field, .. }| !matches!(field, Field::Attr(_)));
            sound.count(query)
        },
        ..SOUND
    },
    Twist {
        what: "deletes by one condition of several",
        breaks: &["find_by_conditions"],
        delete: |sound, mut query| {
            query.conditions.clear();
            sound.delete(query)
        },
        ..SOUND
    },
    Twist {
        what: "has those without a value first",
        breaks: &["list_sorts"],
        list: |sound, query| Box::pin(missing_first(sound, query)),
        ..SOUND
    },
    Twist {
        what: "sorts by the first column only",
        breaks: &["list_sorts", "list_sorted_pages"],
        list: |sound, mut query| {
            query.sort.truncate(1);
            sound.list(query)
        },
        ..SOUND
    },
    Twist {
        what: "sorts a page and not the list",
        breaks: &["list_sorts"],
        list: |sound, query| {
            Box::pin(async move {
                let mut newest = query.clone();
                newest.sort.clear();
                let mut page = sound.list(newest).await?;
                page.sort_by(|a, b| query.compare(&query.place_of(a), &query.place_of(b)));
                Ok(page)
            })
        },
        ..SOUND
    },
    Twist {
        what: "has a page of a sorted list begin after a value",
        breaks: &["list_sorted_pages"],
        list: |sound, query| {
            Box::pin(async move {
                let after = query.after.clone();
                let mut found = sound.list(query.clone()).await?;
                found.retain(|info| {
                    let by = query.place_of(info).by;
                    after
                        .as_ref()
                        .is_none_or(|after| query.sort.is_empty() || by != after.by)
                });
                Ok(found)
            })
        },
        ..SOUND
    },
    Twist {
        what: "deletes the oldest first, whatever the order",
        breaks: &["list_sorts"],
        delete: |sound, mut query| {
            query.sort.clear();
            sound.delete(query)
        },
        ..SOUND
    },
];

async fn missing_first(
    sound: &Sound,
    query: ExecutionQuery,
) -> Result<Vec<ExecutionInfo>, StoreError> {
    let column = query.sort.first().map(|sort| (sort.column, sort.direction));
    let mut found = sound.list(query).await?;
    if let Some((Column::Ended, Direction::Ascending)) = column {
        found.sort_by_key(|info| info.done_at.is_some());
    }
    Ok(found)
}
