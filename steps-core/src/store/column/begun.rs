//! A step that has only begun, when the one before it ended, as the column `next` of the row of that one.

use std::borrow::Cow;

use jiff::Timestamp;

use super::nanos::exact;
use crate::{
    model::{
        state::{Kind, NodeData},
        status::Status,
    },
    store::NodeRow,
};

/// Returns whether the name of the step `next`, in the row before it, says all that there is to say of it.
pub fn goes_without_saying(before: &NodeRow, next: &NodeRow) -> bool {
    next.id.checked_sub(1) == Some(before.id)
        && next.parent == before.parent
        && next.node.started_at.and_then(exact).is_some()
        && next.node == node(before.node.done_at, next.node.name.clone())
}

/// Returns the step of this name that began when the one before it ended, and of which no more is known.
pub fn node(at: Option<Timestamp>, name: Cow<'static, str>) -> NodeData {
    NodeData {
        name,
        kind: Kind::Step,
        status: Status::Running,
        attempts: 1,
        started_at: at,
        ..NodeData::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_row_before_tells_goes_without_saying() {
        let time = |second| Timestamp::from_second(second).ok();
        let mut before = NodeRow::new(4, 2, node(time(1), "a".into()));
        (before.node.status, before.node.done_at) = (Status::Done, time(2));
        let next = NodeRow::new(5, 2, node(time(2), "b".into()));
        assert!(goes_without_saying(&before, &next));
        let others: [fn(&mut NodeRow); 6] = [
            |row| row.id = 6,
            |row| row.parent = 0,
            |row| row.node.attempts = 2,
            |row| row.node.started_at = None,
            |row| row.node.decision = Some(true),
            |row| row.node.generation = Some(1),
        ];
        for change in others {
            let mut other = next.clone();
            change(&mut other);
            assert!(!goes_without_saying(&before, &other), "{other:?}");
        }
        assert!(!goes_without_saying(&next, &before));
    }
}
