//! The order of a list, and the places in it.

use std::cmp::Ordering;

use super::{condition::Column, cursor::Cursor, info::ExecutionInfo, query::ExecutionQuery};

/// By what a list is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sort {
    /// The column. Executions without a value in it come last, in either direction.
    pub column: Column,
    /// The direction.
    pub direction: Direction,
}

/// The direction of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The least first.
    Ascending,
    /// The largest first.
    Descending,
}

impl ExecutionQuery {
    /// Returns the direction in which executions come that are the same in all columns that the list is
    /// sorted by, by when they were created and by their key: the newest first, but if the last of the
    /// columns is that time, in its direction.
    pub fn tie(&self) -> Direction {
        match self.sort.last() {
            Some(last) if last.column == Column::Created => last.direction,
            _ => Direction::Descending,
        }
    }

    /// Returns the place of an execution in the list.
    pub fn place_of(&self, info: &ExecutionInfo) -> Cursor {
        let by = self.sort.iter().map(|sort| sort.column.value(info));
        Cursor {
            created_at: info.created_at,
            key: info.key,
            by: by.collect(),
        }
    }

    /// Compares two places in the list: the one that comes first is less.
    pub fn compare(&self, one: &Cursor, other: &Cursor) -> Ordering {
        let mut values = self.sort.iter().zip(one.by.iter().zip(&other.by));
        let first = values.find_map(|(sort, (one, other))| {
            let order = match (one, other) {
                (None, None) => Ordering::Equal,
                (None, Some(_)) => Ordering::Greater,
                (Some(_), None) => Ordering::Less,
                (Some(one), Some(other)) => sort.direction.of(one.cmp(other)),
            };
            order.is_ne().then_some(order)
        });
        let created = (one.created_at, one.key).cmp(&(other.created_at, other.key));
        first.unwrap_or_else(|| self.tie().of(created))
    }
}

impl Direction {
    fn of(self, order: Ordering) -> Ordering {
        match self {
            Self::Ascending => order,
            Self::Descending => order.reverse(),
        }
    }
}
