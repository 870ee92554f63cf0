//! Executions at which their process has died more than once in a row: they are taken up one after
//! the other, so that one that kills its process does not take the others along each time.

use std::{sync::Mutex, time::Duration};

use crate::base::{clock::Moment, sync::lock};

/// With this many deaths in a row, an execution is a suspect. One death may be a matter of chance.
pub(crate) const SUSPECT_FROM: u32 = 2;

/// The longest pause before a suspect is taken up again.
const LONGEST: Duration = Duration::from_mins(5);

/// For how many leases a suspect has to live before it no longer keeps others from running.
const PROBATION: u32 = 10;

/// Returns how long a suspect pauses: one lease, and twice as long with each further death.
pub(crate) fn pause(lease: Duration, deaths: u32) -> Duration {
    let doublings = deaths.saturating_sub(SUSPECT_FROM).min(16);
    lease.saturating_mul(1 << doublings).min(LONGEST.max(lease))
}

/// The suspects that run in this process.
#[derive(Default)]
pub(crate) struct Suspects(Mutex<Table>);

#[derive(Default)]
struct Table {
    /// Those on probation: their numbers, and when they began.
    on_probation: Vec<(u64, Moment)>,
    begun: u64,
    /// How many have ended well or lived for long enough. Each makes room for one more, so that
    /// many that were lost without a fault of theirs are soon all running.
    survived: usize,
}

/// The place of one suspect. Dropping it says that its turn has ended.
pub(crate) struct Suspect<'a> {
    of: &'a Suspects,
    number: u64,
}

impl Suspects {
    /// Returns a place for one more suspect, if there is one.
    pub(crate) fn admit(&self, now: Moment, lease: Duration) -> Option<Suspect<'_>> {
        let mut table = lock(&self.0);
        let table = &mut *table;
        let all = table.on_probation.len();
        let over = lease.saturating_mul(PROBATION);
        table
            .on_probation
            .retain(|(_, began)| now.since(*began) < over);
        table.survived += all - table.on_probation.len();
        if table.on_probation.len() > table.survived {
            return None;
        }
        let number = table.begun;
        table.begun += 1;
        table.on_probation.push((number, now));
        Some(Suspect { of: self, number })
    }
}

impl Drop for Suspect<'_> {
    fn drop(&mut self) {
        let mut table = lock(&self.of.0);
        let all = table.on_probation.len();
        let number = self.number;
        table.on_probation.retain(|(other, _)| *other != number);
        table.survived += all - table.on_probation.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(10);

    fn at(second: u64) -> Moment {
        Moment::default().after(Duration::from_secs(second))
    }

    #[test]
    fn suspects_run_one_after_the_other_and_then_more() {
        let suspects = Suspects::default();
        let first = suspects.admit(at(0), LEASE).expect("the first");
        assert!(suspects.admit(at(99), LEASE).is_none());
        drop(first);
        let two = [(); 2].map(|()| suspects.admit(at(99), LEASE).expect("two have room"));
        assert!(suspects.admit(at(99), LEASE).is_none());
        // They have lived for ten leases.
        let four = [(); 4].map(|()| suspects.admit(at(199), LEASE).expect("four have room"));
        assert!(suspects.admit(at(199), LEASE).is_none());
        drop((two, four));
    }

    #[test]
    fn the_pause_grows_up_to_a_bound() {
        let pauses = [2, 3, 4, 5, u32::MAX].map(|deaths| pause(LEASE, deaths).as_secs());
        assert_eq!(pauses, [10, 20, 40, 80, 300]);
        assert_eq!(pause(Duration::from_hours(1), 9), Duration::from_hours(1));
    }
}
