//! Collecting executions: how many there are, how they ended, and which are looked at more closely.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashSet},
    time::Duration,
};

use jiff::Timestamp;

use super::{
    HourStatistics, PeriodStatistics, SlowExecution, Statistics, StatisticsQuery, steps::Steps,
    times::Times,
};
use crate::model::{state::NodeData, status::Status};

const HOUR: i64 = 3600;

/// An execution, as a [`Collector`] is told of it. Times are nanoseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// The store's [key](crate::store::ExecutionInfo::key) of it.
    pub key: i64,
    /// Its status.
    pub status: Status,
    /// When it was created.
    pub created_at: i64,
    /// When it first began.
    pub started_at: Option<i64>,
    /// When it ended.
    pub done_at: Option<i64>,
}

/// What makes [`Statistics`] of what a store has.
///
/// A store tells it of each execution that was created in [both periods](StatisticsQuery::both), then of
/// the nodes of those in the [sample](Self::sample), and of the ids of the [slowest](Self::slowest).
#[derive(Debug)]
pub struct Collector {
    query: StatisticsQuery,
    /// When the current period begins.
    start: i64,
    current: Period,
    before: Period,
    slowest: BinaryHeap<Reverse<(u64, i64)>>,
    slow: BTreeMap<i64, Slow>,
    /// The keys of the current period's sample, once it was asked for.
    sampled: HashSet<i64>,
    hours: BTreeMap<i64, Hour>,
}

#[derive(Debug)]
struct Slow {
    seen: Seen,
    id: String,
}

#[derive(Debug, Default)]
struct Hour {
    created: u64,
    done: u64,
    failed: u64,
    times: Times,
}

#[derive(Debug, Default)]
struct Period {
    executions: u64,
    by_status: [u64; Status::ALL.len()],
    times: Times,
    queue: Times,
    /// The keys with the least places, the largest place first.
    sample: BinaryHeap<(u32, i64)>,
    sampled: u64,
    steps: Steps,
}

/// Where a key stands in the order in which executions are chosen. Multiplying by an odd number near 2³²
/// divided by the golden ratio spreads keys that follow one another evenly, whichever are there.
fn place(key: i64) -> u32 {
    let low = u32::try_from(key & i64::from(u32::MAX)).unwrap_or_default();
    low.wrapping_mul(2_654_435_761)
}

fn nanos_between(from: i64, to: i64) -> u64 {
    u64::try_from(to.saturating_sub(from)).unwrap_or_default()
}

impl Period {
    fn see(&mut self, seen: Seen, sample: usize) {
        self.executions += 1;
        self.by_status[seen.status as usize] += 1;
        if let Some(started) = seen.started_at {
            self.queue.add(nanos_between(seen.created_at, started));
        }
        let place = (place(seen.key), seen.key);
        if self.sample.len() < sample {
            self.sample.push(place);
        } else if self.sample.peek().is_some_and(|largest| place < *largest) {
            self.sample.pop();
            self.sample.push(place);
        }
    }

    fn finish(self) -> PeriodStatistics {
        let counts = Status::ALL.into_iter().zip(self.by_status);
        PeriodStatistics {
            executions: self.executions,
            by_status: counts.filter(|(_, count)| *count > 0).collect(),
            times: self.times.quantiles(),
            queue: self.queue.quantiles(),
            sampled: self.sampled,
            steps: self.steps.finish(),
        }
    }
}

impl Collector {
    /// Begins to collect.
    pub fn new(query: StatisticsQuery) -> Self {
        Self {
            start: nanos_of(query.period.start),
            query,
            current: Period::default(),
            before: Period::default(),
            slowest: BinaryHeap::new(),
            slow: BTreeMap::new(),
            sampled: HashSet::new(),
            hours: BTreeMap::new(),
        }
    }

    /// Takes an execution that was created in one of the periods.
    pub fn see(&mut self, seen: Seen) {
        let is_current = seen.created_at >= self.start;
        let sample = self.query.sample;
        self.period(is_current).see(seen, sample);
        let ended = seen.done_at.filter(|_| seen.status.is_final());
        let took = seen
            .started_at
            .zip(ended)
            .map(|(from, to)| nanos_between(from, to));
        if let Some(took) = took {
            self.period(is_current).times.add(took);
        }
        if !is_current {
            return;
        }
        self.hour(seen.created_at).created += 1;
        if let Some(ended) = ended {
            let hour = self.hour(ended);
            match seen.status {
                Status::Done => hour.done += 1,
                _ => hour.failed += 1,
            }
            if let Some(took) = took {
                hour.times.add(took);
            }
        }
        if let Some(took) = took {
            self.note_slow(seen, took);
        }
    }

    fn period(&mut self, is_current: bool) -> &mut Period {
        if is_current {
            &mut self.current
        } else {
            &mut self.before
        }
    }

    fn hour(&mut self, nanos: i64) -> &mut Hour {
        self.hours
            .entry(nanos.div_euclid(HOUR * 1_000_000_000))
            .or_default()
    }

    fn note_slow(&mut self, seen: Seen, took: u64) {
        // Of those that took as long, the ones that were created last.
        let slow = Reverse((took, seen.key));
        if self.slowest.len() >= self.query.slowest {
            match self.slowest.peek() {
                Some(least) if slow < *least => {}
                _ => return,
            }
            if let Some(Reverse((_, key))) = self.slowest.pop() {
                self.slow.remove(&key);
            }
        }
        self.slowest.push(slow);
        let id = String::new();
        self.slow.insert(seen.key, Slow { seen, id });
    }

    /// Returns the keys of the executions whose nodes are to be [told](Self::nodes) of, in their order.
    pub fn sample(&mut self) -> Vec<i64> {
        self.sampled = self.current.sample.iter().map(|(_, key)| *key).collect();
        let both = self.current.sample.iter().chain(&self.before.sample);
        let mut keys: Vec<i64> = both.map(|(_, key)| *key).collect();
        keys.sort_unstable();
        keys
    }

    /// Takes the nodes of an execution in the sample: each with its number, and that of the one above it.
    /// The root need not be among them. Of a node, only what it is, its status, times and attempts,
    /// whether it has an error, and its undo count.
    pub fn nodes(&mut self, key: i64, nodes: &[(u32, u32, NodeData)]) {
        let is_current = self.sampled.contains(&key);
        let period = self.period(is_current);
        period.sampled += 1;
        period.steps.add(nodes);
    }

    /// Returns the keys of the slowest executions, whose ids are to be [told](Self::id).
    pub fn slowest(&self) -> Vec<i64> {
        self.slow.keys().copied().collect()
    }

    /// Takes the id of one of the slowest.
    pub fn id(&mut self, key: i64, id: impl Into<String>) {
        if let Some(slow) = self.slow.get_mut(&key) {
            slow.id = id.into();
        }
    }

    /// Returns the statistics.
    pub fn finish(self) -> Statistics {
        let slow = self.slow;
        let slowest = self.slowest.into_sorted_vec().into_iter();
        let slowest = slowest.filter_map(|Reverse((took, key))| {
            let slow = slow.get(&key)?;
            Some(SlowExecution {
                id: slow.id.clone(),
                status: slow.seen.status,
                created_at: time_of(slow.seen.created_at),
                took: Duration::from_nanos(took),
            })
        });
        let hours = self.hours.into_iter().map(|(hour, of)| HourStatistics {
            from: Timestamp::from_second(hour * HOUR).unwrap_or(Timestamp::MIN),
            created: of.created,
            done: of.done,
            failed: of.failed,
            times: of.times.quantiles(),
        });
        Statistics {
            flow: self.query.flows.into_iter().next().unwrap_or_default(),
            period: self.query.period,
            current: self.current.finish(),
            before: self.before.finish(),
            slowest: slowest.collect(),
            hours: hours.collect(),
        }
    }
}

/// A time as nanoseconds since 1970, or the nearest that 64 bits can hold.
pub(crate) fn nanos_of(time: Timestamp) -> i64 {
    let least = if time.as_second() < 0 {
        i64::MIN
    } else {
        i64::MAX
    };
    i64::try_from(time.as_nanosecond()).unwrap_or(least)
}

fn time_of(nanos: i64) -> Timestamp {
    Timestamp::from_nanosecond(nanos.into()).unwrap_or(Timestamp::MAX)
}
