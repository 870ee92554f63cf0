//! Nodes of every kind, and values that stores are known to trip over.

use std::time::Duration;

use jiff::Timestamp;

use super::builders::json;
use crate::{
    base::json::Json,
    model::{
        state::{
            Ending, FailureCause, Kind, Labels, NodeData, Progress, Resolved, StepKind, Undo, Until,
        },
        status::Status,
        task::{Task, TaskStatus},
    },
};

/// Texts to be kept as they are. None holds a NUL, which a text of `PostgreSQL` can't.
pub(super) const TEXTS: &[&str] = &[
    "",
    " ",
    "'; DROP TABLE executions; --",
    "\"quoted\" 'twice' `thrice`",
    "100% _under_ \\back\\slash",
    "tab\tnewline\nreturn\r\n",
    "\u{1}\u{8}\u{1b}\u{1f}\u{7f}\u{85}",
    "ümläut ß 漢字 עברית 🦀 👩‍👩‍👧",
    "e\u{301} \u{feff}bom \u{202e}rtl \u{2028}\u{fffd}\u{10ffff}",
    "{\"json\": [null]}",
    "$1 ?1 :name @name",
    "/a/b/../c",
    "NULL",
    "0",
    "2022-03-19T16:54:44Z",
];

/// JSON texts to be kept to the byte.
pub(super) const JSONS: &[&str] = &[
    "null",
    "false",
    "\"\"",
    "{}",
    "[ ]",
    "1e400",
    "-0.0",
    "123456789012345678901234567890",
    "0.1000000000000000055511151231257827",
    r#"{"b": 1, "a": 2, "b": 3}"#,
    r#"{ "spaces" :  [ 1 ,2 ] }"#,
    r#""\u0000 \u00e9 \ud83e\udd80 \/""#,
    "\"漢字 🦀\"",
];

/// Numbers that are the same in each run.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number: `SplitMix64`, <https://prng.di.unimi.it/splitmix64.c>.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below this one, which is not 0.
    pub(super) fn below(&mut self, end: u32) -> u32 {
        u32::try_from(self.next() % u64::from(end)).unwrap_or(0)
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        let index = self.below(u32::try_from(of.len()).unwrap_or(u32::MAX));
        of[index as usize]
    }

    /// Half of the time nothing.
    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.next() & 1 == 0).then(|| make(self))
    }

    fn text(&mut self) -> String {
        self.one(TEXTS).to_owned()
    }

    fn json(&mut self) -> Json {
        json(self.one(JSONS))
    }

    fn time(&mut self) -> Timestamp {
        let seconds = self.one(&[
            0,
            -1,
            1_700_000_000,
            253_402_207_199,
            -62_135_596_801,
            Timestamp::MIN.as_second() + 1,
            Timestamp::MAX.as_second(),
        ]);
        let nanos = self.one(&[0, 1, 999_999_999, 120_000_000, 123_456_789]);
        Timestamp::new(seconds, nanos).unwrap_or(Timestamp::MAX)
    }

    fn undo(&mut self) -> Undo {
        Undo {
            err: self.text(),
            started_at: self.maybe(Self::time),
            done_at: self.maybe(Self::time),
            attempts: self.one(&[0, 1, u32::MAX]),
            deaths: self.one(&[0, 1, u32::MAX]),
            until: self.maybe(Self::time),
            resolved: self.maybe(|dice| dice.one(&[Resolved::Skipped, Resolved::Undone])),
        }
    }

    /// Some value, for a field in which `null` is the same as nothing.
    fn value(&mut self) -> Option<Json> {
        self.maybe(Self::json).filter(|value| !value.is_null())
    }

    /// An external task on which was reported.
    fn task(&mut self) -> Task {
        let id = self.one(&[
            "0123456789abcdef0123456789abcdef.a~20b",
            "ffffffffffffffffffffffffffffffff.a",
        ]);
        let mut task = Task::new(id.parse().expect("an id"));
        task.revision = self.one(&[0, 1, u64::MAX]);
        task.status = self.one(&TaskStatus::ALL);
        task.output = self.maybe(Self::json);
        task.error = self.maybe(Self::text);
        task.check_in = self.maybe(Self::json);
        task.stop_asked = self.next() & 1 == 0;
        task.stop_err = self.maybe(Self::text);
        task
    }

    /// A node whose status and fields do not contradict each other.
    fn node(&mut self, kind: Kind, status: Status) -> NodeData {
        let info = self.value();
        let errors = (0..self.below(4)).map(|_| self.text()).collect();
        let started_at = self.maybe(Self::time);
        let attempts = self.one(&[1, 2, u32::MAX]);
        let done_at = match status {
            Status::Done | Status::Failed => Some(self.time()),
            Status::Pending | Status::Running | Status::Waiting => None,
            _ => self.maybe(Self::time),
        };
        NodeData {
            name: self.text().into(),
            kind,
            step_kind: self.maybe(|dice| dice.one(&StepKind::ALL)),
            status,
            info,
            errors: if status == Status::Done {
                Vec::new()
            } else {
                errors
            },
            started_at,
            done_at,
            until: self.maybe(|dice| {
                let other = dice.one(&[Until::Signal, Until::Child, Until::Report]);
                dice.maybe(Self::time).map_or(other, Until::Time)
            }),
            since: self.maybe(Self::time),
            deadline: self.maybe(Self::time),
            attempts,
            input: self.value(),
            // A flow decides nothing.
            decision: match kind {
                Kind::Flow => None,
                _ => self.maybe(|dice| dice.next() & 1 == 0),
            },
            output: self.value(),
            before: self.maybe(Self::json),
            after: self.maybe(Self::json),
            progress: self.maybe(|dice| Progress {
                done: dice.one(&[0, 1, u64::MAX]),
                total: dice.one(&[0, 1, u64::MAX]),
            }),
            undo: self.maybe(Self::undo),
            parallel: self.next() & 1 == 0,
            cause: self.maybe(|dice| dice.one(&FailureCause::ALL)),
            verify_owed: self.next() & 1 == 0,
            failures: self.one(&[0, 1, u32::MAX]),
            deaths: self.one(&[0, 1, u32::MAX]),
            waited: self.maybe(|dice| Duration::from_nanos(dice.one(&[0, 1, u64::MAX]))),
            generation: self.maybe(|dice| dice.one(&[0, 1, u32::MAX])),
            begun_after: self.maybe(Self::text).map(Into::into),
            chosen: self.maybe(Self::text).map(Into::into),
            needs: self.maybe(Self::text).into_iter().map(Into::into).collect(),
            errors_left_out: self.one(&[0, 1, u32::MAX]),
            task: self.maybe(Self::task).map(Box::new),
            after_err: self.maybe(Self::text),
            ending: self.maybe(|dice| dice.one(&Ending::ALL)),
            on_done_err: self.maybe(Self::text),
            on_failed_err: self.maybe(Self::text),
            on_stopped_err: self.maybe(Self::text),
            instance: self.maybe(Self::text).map(Into::into),
            extra: self
                .maybe(|dice| ("unknown field".to_owned(), dice.json()))
                .into_iter()
                .collect(),
            // Those of the root are kept with the execution.
            id: None,
            labels: Labels::new(),
        }
    }
}

/// This many nodes, of each kind and in each status.
pub(super) fn nodes(dice: &mut Dice, count: usize) -> Vec<NodeData> {
    let kinds = Kind::ALL.iter().cycle();
    let statuses = Status::ALL.iter().cycle();
    kinds
        .zip(statuses)
        .take(count)
        .map(|(kind, status)| dice.node(*kind, *status))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::state::State;

    /// So a store may keep them as the JSON of a state.
    #[test]
    fn generated_nodes_survive_their_own_json() {
        for node in nodes(&mut Dice::new(3), 2000) {
            let text = State::from(node.clone()).to_json();
            assert_eq!(State::from_json(&text).unwrap().node, node, "{text}");
        }
    }
}
