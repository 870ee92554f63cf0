//! Any node is read back as it was written.

mod common;

use std::borrow::Cow;

use common::*;
use proptest::{collection::vec, option::of, prelude::*, sample::select};
use steps_core::{
    Json, Status,
    state::{Ending, FailureCause, Kind, NodeData, Progress, Resolved, Undo, Until},
    store::{LeaseAfter, NodeRow, Store},
};

fn time() -> BoxedStrategy<jiff::Timestamp> {
    let all = jiff::Timestamp::MIN.as_second()..jiff::Timestamp::MAX.as_second();
    (
        prop_oneof![9 => 0..4_000_000_000_i64, 1 => all],
        0..1_000_000_000,
    )
        .prop_filter_map("in range", |(s, n)| jiff::Timestamp::new(s, n).ok())
        .boxed()
}

fn json() -> BoxedStrategy<Json> {
    let texts = [
        "null",
        "1",
        r#""té\u00e9xt""#,
        r#"{ "a": [1e400,  null] }"#,
        "\"\u{1F600}\"",
    ];
    select(texts.to_vec())
        .prop_map(|text| Json::parse(text).unwrap())
        .boxed()
}

fn undo() -> BoxedStrategy<Undo> {
    let resolved = of(select(vec![Resolved::Skipped, Resolved::Undone]));
    (
        ("[a-z\n\"é]{0,9}", of(time()), of(time())),
        any::<u32>(),
        of(time()),
        resolved,
    )
        .prop_map(|((err, started_at, done_at), attempts, until, resolved)| {
            let mut undo = Undo::default();
            undo.err = err;
            undo.started_at = started_at;
            undo.done_at = done_at;
            undo.attempts = attempts;
            undo.until = until;
            undo.resolved = resolved;
            undo
        })
        .boxed()
}

fn node() -> BoxedStrategy<NodeData> {
    let name = (
        "[^\0]{0,12}",
        select(&Kind::ALL[..]),
        select(&Status::ALL[..]),
    );
    let times = (
        of(time()),
        of(time()),
        any::<u32>(),
        vec("[^\0]{0,9}", 0..4),
    );
    let values = (
        of(json()),
        of(json()),
        of(json()),
        of(json()),
        of(json()),
        of(any::<bool>()),
    );
    let until = of(prop_oneof![
        Just(Until::Signal),
        Just(Until::Child),
        Just(Until::Report),
        time().prop_map(Until::Time)
    ]);
    let progress = of(any::<(u64, u64)>());
    let rest = (
        until,
        progress,
        of(undo()),
        vec(("[a-z]{0,3}", json()), 0..3),
    );
    let labels = proptest::collection::btree_map("[^\0]{0,3}", "[^\0]{0,3}", 0..3);
    let typed = (
        of(select(&FailureCause::ALL[..])),
        any::<bool>(),
        any::<u32>(),
        of(select(&Ending::ALL[..])),
        (of("[a-z]{0,3}"), of("[a-z]{0,3}"), of("[a-z]{0,3}")),
        of(time()),
    );
    (name, times, values, rest, typed, labels)
        .prop_map(|(name, times, values, rest, typed, labels)| {
            let mut node = NodeData::default();
            node.name = Cow::Owned(name.0);
            (node.kind, node.status) = (name.1, name.2);
            (node.started_at, node.done_at, node.attempts, node.errors) = times;
            (node.info, node.input, node.output) = (values.0, values.1, values.2);
            (node.before, node.after, node.decision) = (values.3, values.4, values.5);
            node.until = rest.0;
            node.progress = rest.1.map(|(done, total)| {
                let mut progress = Progress::default();
                (progress.done, progress.total) = (done, total);
                progress
            });
            (node.undo, node.extra) = (rest.2, rest.3);
            (node.cause, node.verify_owed, node.failures, node.ending) =
                (typed.0, typed.1, typed.2, typed.3);
            (node.after_err, node.on_done_err, node.on_failed_err) = typed.4;
            node.deadline = typed.5;
            node.labels = labels;
            node
        })
        .boxed()
}

#[test]
fn any_node_comes_back() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = runtime.block_on(open(&folder));
    let lease = runtime.block_on(async { created(store.write(held("a")).await.unwrap()) });
    // One write has many nodes, and replaces those before it.
    proptest!(ProptestConfig::with_cases(60), |(nodes in vec(node(), 0..40))| {
        let mut write = step(lease, 0, "", LeaseAfter::Keep);
        write.replace = true;
        let changes = nodes.iter().enumerate().map(|(n, node)| {
            let n = u32::try_from(n).unwrap();
            NodeRow::new(n * 1000, n / 2 * 1000, node.clone())
        });
        write.nodes = changes.collect();
        let expected = write.nodes.clone();
        let found = runtime.block_on(async {
            store.write(write).await.unwrap();
            store.load("a".to_owned()).await.unwrap().unwrap()
        });
        prop_assert_eq!(found.nodes.len(), expected.len());
        for (found, expected) in found.nodes.iter().zip(&expected) {
            prop_assert_eq!((found.id, found.parent), (expected.id, expected.parent));
            prop_assert_eq!(&found.node, &expected.node);
        }
        if let Some(root) = nodes.first() {
            prop_assert_eq!(found.info.status, root.status);
            prop_assert_eq!(found.info.started_at, root.started_at);
            prop_assert_eq!(found.info.error.as_ref(), root.errors.last());
            prop_assert_eq!(&found.info.output, &root.output);
        }
    });
}
