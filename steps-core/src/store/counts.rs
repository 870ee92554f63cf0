//! How many steps of an execution are in which status.

use std::fmt;

use crate::model::status::Status;

/// How many steps of an execution are in each status: those that have begun, were skipped, or wait;
/// each item's and each round's by itself. Groups and other nodes are not counted.
///
/// ```
/// use steps::{Status, store::StepCounts};
///
/// let mut counts = StepCounts::default();
/// counts.add(Status::Done, 3);
/// counts.add(Status::Failed, 1);
/// assert_eq!((counts.of(Status::Done), counts.total()), (3, 4));
/// assert_eq!(counts.to_string(), "3 done, 1 failed");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct StepCounts([u64; Status::ALL.len()]);

impl StepCounts {
    /// Returns how many are in this status.
    pub fn of(&self, status: Status) -> u64 {
        self.0[status as usize]
    }

    /// Returns how many there are in all.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Returns each status with its number, if that is not 0.
    pub fn iter(&self) -> impl Iterator<Item = (Status, u64)> + '_ {
        let all = Status::ALL.into_iter();
        all.map(|status| (status, self.of(status)))
            .filter(|(_, count)| *count > 0)
    }

    /// Counts so many more, for a store.
    pub fn add(&mut self, status: Status, count: u64) {
        self.0[status as usize] += count;
    }
}

impl fmt::Display for StepCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (status, count)) in self.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{count} {status}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for StepCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_a_number_of_its_own() {
        for (index, status) in Status::ALL.into_iter().enumerate() {
            assert_eq!(status as usize, index);
        }
    }
}
