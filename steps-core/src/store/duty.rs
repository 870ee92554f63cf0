//! Duties: what somebody has to do at some time, whoever it is, such as the next tick of a schedule.

use jiff::Timestamp;

use super::write::Child;
use crate::base::json::Json;

/// Something that one process of many is to do: a small row by a name, which is changed by
/// [compare-and-set](SetDuty). So of all who see it due only one does it, and a crash loses nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    /// The name, which no other duty in the store has.
    pub name: String,
    /// Grows with each change, and is larger than that of any duty that had the name before.
    pub revision: i64,
    /// When somebody should look at it; `None` if at no time. The store only compares it with that
    /// of a [query](DutyQuery::due_until): by whose clock it is meant is the caller's business.
    pub due: Option<Timestamp>,
    /// What whoever does it needs to know.
    pub value: Json,
}

/// Which duties to list: those that meet every condition that is set. By default, all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DutyQuery {
    /// Whose name begins with this.
    pub prefix: String,
    /// That are due at this time or before. Then the list has what is due first at the front, and of
    /// those due at the same time the first by name; otherwise it is in the order of the names, by
    /// their bytes.
    pub due_until: Option<Timestamp>,
    /// The next page: those that come after this one in the list, whether or not it is still there.
    pub after: Option<Duty>,
    /// The maximum number of duties; `None` is no limit.
    pub limit: Option<usize>,
}

impl DutyQuery {
    /// Those whose name begins with this, in the order of their names.
    pub fn named(prefix: impl Into<String>) -> Self {
        Self {
            prefix: prefix.into(),
            ..Self::default()
        }
    }

    /// Returns the first text behind all that begin with the prefix; `None` if there is none.
    ///
    /// ```
    /// use steps::store::DutyQuery;
    ///
    /// assert_eq!(DutyQuery::named("ab").end().as_deref(), Some("ac"));
    /// assert_eq!(DutyQuery::default().end(), None);
    /// ```
    pub fn end(&self) -> Option<String> {
        let mut end = self.prefix.clone();
        while let Some(last) = end.pop() {
            // The code points from D800 to DFFF are no characters.
            let next = [1, 0x801].map(|by| char::from_u32(u32::from(last) + by));
            if let Some(next) = next.into_iter().flatten().next() {
                end.push(next);
                return Some(end);
            }
        }
        None
    }
}

/// A change of a duty, made only if nobody else was faster: it is stored completely or not at all.
#[derive(Clone, Debug)]
pub struct SetDuty {
    /// The name of the duty.
    pub name: String,
    /// The revision that the caller has read; `None` if there was no such duty.
    pub revision: Option<i64>,
    /// What the duty is from now on; `None` removes it.
    pub to: Option<NewDuty>,
    /// Executions that are created with the change. If an id is already in use, nothing is changed.
    pub start: Vec<Child>,
}

/// What a duty is after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDuty {
    /// When somebody should look at it; `None` if at no time.
    pub due: Option<Timestamp>,
    /// What whoever does it needs to know.
    pub value: Json,
}

/// The result of a [`SetDuty`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DutySet {
    /// The change was stored, with its executions. The duty has this revision now; `None` if it was
    /// removed.
    Set(Option<i64>),
    /// Nothing was changed, as the duty has another revision. This is what it is now; `None` if it is
    /// gone.
    Changed(Option<Duty>),
    /// Nothing was changed, as there is an execution with this id already, or the change gives the id
    /// twice.
    Exists(String),
}
