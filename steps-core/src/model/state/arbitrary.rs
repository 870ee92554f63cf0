//! Random states for the tests of this folder.

use std::{borrow::Cow, time::Duration};

use jiff::Timestamp;
use proptest::{
    collection::{btree_map, vec},
    option::of,
    prelude::*,
    sample::select,
};

use super::{
    Ending, FailureCause, Kind, NodeData, Progress, Resolved, State, StepKind, Undo, Until,
};
use crate::{
    base::json::Json,
    model::{
        status::Status,
        task::{Task, TaskStatus},
    },
};

pub(super) fn time() -> BoxedStrategy<Timestamp> {
    let seconds = prop_oneof![
        8 => 0..4_000_000_000_i64,
        1 => -62_200_000_000..253_400_000_000_i64,
        1 => Timestamp::MIN.as_second()..Timestamp::MAX.as_second(),
    ];
    let nanos = prop_oneof![
        Just(0),
        -999_999_999..=999_999_999,
        (0..1000).prop_map(|n| n * 1_000_000)
    ];
    (seconds, nanos)
        .prop_filter_map("in range", |(s, n)| Timestamp::new(s, n).ok())
        .boxed()
}

fn json() -> BoxedStrategy<Json> {
    select(vec![
        "1",
        "true",
        "[]",
        r#"["10.0.0.4","10.0.0.9"]"#,
        r#"{"a": {"b": [null, "\u00e9\n"]}}"#,
        "1e400",
        r#""text""#,
    ])
    .prop_map(|text| Json::parse(text).unwrap())
    .boxed()
}

fn maybe_null() -> BoxedStrategy<Json> {
    prop_oneof![4 => json(), 1 => Just(Json::parse("null").unwrap())].boxed()
}

fn undo() -> BoxedStrategy<Undo> {
    let resolved = select(vec![Resolved::Skipped, Resolved::Undone]);
    (
        "[a-z]{0,3}",
        of(time()),
        of(time()),
        (0..4_u32, 0..2_u32),
        of(time()),
        of(resolved),
    )
        .prop_map(
            |(err, started_at, done_at, (attempts, deaths), until, resolved)| Undo {
                err,
                started_at,
                done_at,
                attempts,
                deaths,
                until,
                resolved,
            },
        )
        .boxed()
}

fn until() -> BoxedStrategy<Until> {
    prop_oneof![
        Just(Until::Signal),
        Just(Until::Child),
        Just(Until::Report),
        time().prop_map(Until::Time)
    ]
    .boxed()
}

fn task() -> BoxedStrategy<Box<Task>> {
    let reported = (0..3_u64, select(&TaskStatus::ALL[..]), of(maybe_null()));
    (reported, of("[a-z]{0,3}"), of(maybe_null()), any::<bool>())
        .prop_map(
            |((revision, status, output), error, check_in, stop_asked)| {
                let id = "0123456789abcdef0123456789abcdef.a~20b".parse();
                let mut task = Task::new(id.expect("an id"));
                (task.revision, task.status, task.output) = (revision, status, output);
                (task.error, task.check_in, task.stop_asked) = (error, check_in, stop_asked);
                Box::new(task)
            },
        )
        .boxed()
}

/// Returns a random node without children, whose status and fields do not contradict each other.
fn node() -> BoxedStrategy<State> {
    let seed = (
        "[a-c. \\\\é\"]{0,3}",
        select(&Kind::ALL[..]),
        select(&Status::ALL[..]),
        vec("[a-z;\" ]{0,4}", 0..3),
        of(time()),
        of(time()),
        0..4_u32,
    )
        .boxed();
    let values = (
        of(json()),
        of(maybe_null()),
        of(any::<bool>()),
        of(json()),
        of(maybe_null()),
        of(maybe_null()),
    )
        .boxed();
    let rest = (
        of((any::<u64>(), any::<u64>()).prop_map(|(done, total)| Progress { done, total })),
        of(undo()),
        (of(until()), of(time())),
        vec(("x[a-z]{0,2}", maybe_null()), 0..2),
        (
            of(select(&FailureCause::ALL[..])),
            (any::<bool>(), any::<bool>(), of(time())),
            (0..3_u32, 0..3_u32, 0..3_u32, of(0..3_u32), of(any::<u64>())),
            of(select(&Ending::ALL[..])),
            vec(of("[a-z]{0,3}"), 6),
            (of(select(&StepKind::ALL[..])), of(task())),
        ),
        time(),
        of("[ -~é]{1,60}".prop_map(std::sync::Arc::from)),
        btree_map("[a-z]{0,3}", "[a-z \"]{0,3}", 0..3),
    )
        .boxed();
    (seed, values, rest)
        .prop_map(|(seed, values, rest)| {
            let (name, kind, status, errors, started_at, done_at, attempts) = seed;
            let (info, input, decision, output, before, after) = values;
            let (progress, undo, (until, deadline), extra, typed, some, id, labels) = rest;
            let (cause, (verify_owed, parallel, since), counts, ending, mut texts, external) =
                typed;
            let (failures, errors_left_out, deaths, generation, waited) = counts;
            let (step_kind, task) = external;
            let mut text = || texts.pop().flatten();
            State::from(NodeData {
                name: Cow::Owned(name),
                kind,
                step_kind,
                status,
                info,
                errors: if status == Status::Done {
                    Vec::new()
                } else {
                    errors
                },
                errors_left_out,
                started_at,
                done_at: match status {
                    Status::Done | Status::Failed => done_at.or(Some(some)),
                    Status::Pending | Status::Running | Status::Waiting => None,
                    _ => done_at,
                },
                until,
                since,
                deadline,
                attempts,
                input,
                // A flow has no decision.
                decision: decision.filter(|_| kind != Kind::Flow),
                output,
                before,
                after,
                progress,
                undo,
                parallel,
                cause,
                verify_owed,
                failures,
                deaths,
                waited: waited.map(Duration::from_nanos),
                generation,
                begun_after: text().map(Into::into),
                chosen: text().map(Into::into),
                needs: text().into_iter().map(Into::into).collect(),
                task,
                after_err: text(),
                ending,
                on_done_err: text(),
                on_failed_err: text(),
                on_stopped_err: text(),
                instance: text().map(Into::into),
                id,
                labels,
                extra,
            })
        })
        .boxed()
}

/// Returns a random tree whose siblings have different names.
pub(crate) fn state() -> BoxedStrategy<State> {
    node()
        .prop_recursive(4, 24, 5, |below| {
            (node(), vec(below, 0..5)).prop_map(|(mut node, mut states)| {
                let mut names = Vec::new();
                states.retain(|state: &State| {
                    let new = !names.contains(&state.name);
                    names.push(state.name.clone());
                    new
                });
                node.states = states;
                node
            })
        })
        .boxed()
}
