//! The same question has the same answer in memory and in the file: random queries over random executions,
//! as lists, in pages, as counts and as deletions.

mod common;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use proptest::prelude::*;
use steps_core::{
    Attrs, Json, Status, Trigger,
    state::{Kind, NodeData},
    store::{
        Column, Condition, Direction, Due, ExecutionQuery, MemoryStore, NewExecution, NodeRow,
        Notes, Sort, Store, Target, Write,
    },
    testing::FakeClock,
};

/// An execution, by what it has.
#[derive(Clone, Debug)]
struct Made {
    flow: &'static str,
    status: Status,
    priority: i32,
    zone: Option<&'static str>,
    attrs: String,
    trigger: &'static str,
    message: Option<&'static str>,
    error: Option<&'static str>,
    started: Option<i64>,
    ended: Option<i64>,
    /// When a step of it was done.
    step: Option<i64>,
    /// How much later the next one is made.
    pause: u64,
}

const VALUES: &[&str] = &[
    "1",
    "1.0",
    "-3",
    "2.5",
    "9007199254740992",
    "9007199254740993",
    "18446744073709551616",
    "1e400",
    "\"1\"",
    "\"\"",
    "\"abc\"",
    "\"a_b%c\"",
    "\"ÄBC\"",
    "true",
    "false",
    "null",
];
const TEXTS: &[&str] = &["", "a", "A", "a_b%c", "100%", "Ä", "z,y", "\\"];
const PATHS: &[&str] = &["n", "deep.er", "deep.er.0", "deep", "\"a.b\"", "none.there"];

fn second(number: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + number).unwrap()
}

fn made() -> impl Strategy<Value = Made> {
    let value = || prop::sample::select(VALUES);
    let attrs =
        (value(), value(), value(), 0..4_u8).prop_map(|(n, deep, list, which)| match which {
            0 => "{}".to_owned(),
            1 => format!(r#"{{"n":{n}}}"#),
            2 => format!(r#"{{"n": {n} ,"deep":{{"er":{deep}}},"a.b":{list}}}"#),
            _ => format!(r#"{{"deep":{{"er":[{list},{deep}]}}}}"#),
        });
    let seconds = || prop::option::of(0..6_i64);
    let text = || prop::option::of(prop::sample::select(TEXTS));
    let status =
        prop::sample::select(&[Status::Done, Status::Failed, Status::Running, Status::Stuck][..]);
    let first = (
        prop::sample::select(&["one", "two", "ONE"][..]),
        status,
        -1..2_i32,
        prop::option::of(prop::sample::select(&["a", "b", ""][..])),
        attrs,
        prop::sample::select(&["manual", "event", "schedule", "hook"][..]),
    );
    let rest = (text(), text(), seconds(), seconds(), seconds(), 0..2_u64);
    (first, rest).prop_map(|(first, rest)| {
        let (flow, status, priority, zone, attrs, trigger) = first;
        let (message, error, started, ended, step, pause) = rest;
        Made {
            flow,
            status,
            priority,
            zone,
            attrs,
            trigger,
            message,
            error,
            started,
            ended,
            step,
            pause,
        }
    })
}

fn write(id: usize, made: &Made) -> Write {
    let mut root = NodeData::default();
    root.name = made.flow.into();
    root.kind = Kind::Flow;
    root.status = made.status;
    root.attempts = 1;
    root.started_at = made.started.map(second);
    root.done_at = made.ended.map(second);
    root.errors = made.error.iter().map(|text| (*text).to_owned()).collect();
    let mut nodes = vec![NodeRow::new(0, 0, root)];
    if let Some(step) = made.step {
        let mut node = common::node("step").node;
        node.kind = Kind::Step;
        // Later than any time of the clock.
        node.done_at = Some(second(1 << 30).max(second((1 << 30) + step)));
        nodes.push(NodeRow::new(1, 0, node));
    }
    let new = NewExecution {
        id: id.to_string(),
        flow: made.flow.to_owned(),
        input: Json::parse("{}").unwrap(),
        labels: made
            .zone
            .iter()
            .map(|zone| ("zone".to_owned(), (*zone).to_owned()))
            .collect(),
        notes: Notes {
            attrs: Attrs::parse(made.attrs.clone()).unwrap(),
            trigger: Trigger::from(made.trigger),
            status_message: made.message.map(str::to_owned),
            acts: Vec::new(),
        },
        priority: made.priority,
        form: None,
        parent: None,
        singleton: None,
        trace: None,
        created_at: None,
        held: None,
    };
    Write {
        nodes,
        ..Write::new(Target::New(Box::new(new)), common::rest(Due::Never))
    }
}

/// The text of a condition, which may be none.
fn condition() -> impl Strategy<Value = String> {
    let attr = (prop::sample::select(PATHS), said(VALUES))
        .prop_map(|(path, said)| format!("attrs.{path}={said}"));
    let texts: &[&str] = &[
        "\"\"",
        "a",
        "A",
        "\"a_b%c\"",
        "_",
        "\"%\"",
        "Ä",
        "one",
        "event",
        "manual",
        "1",
        "\"z,y\"",
        "\"\\\\\"",
    ];
    let columns: &[&str] = &[
        "id",
        "flow",
        "trigger",
        "status_message",
        "error",
        "worker",
        "label.zone",
        "label.no",
    ];
    let text = (prop::sample::select(columns), said(texts))
        .prop_map(|(key, said)| format!("{key}={said}"));
    let number = said(&["-1", "0", "0.5", "1"]).prop_map(|said| format!("priority={said}"));
    let times: &[&str] = &[
        "2023-11-14T22:13:21Z",
        "2023-11-14T22:13:23Z",
        "2023-11-15",
        "2057-11-16T05:37:06Z",
    ];
    let time = (
        prop::sample::select(&["started", "updated", "ended", "created"][..]),
        said(times),
    );
    let time = time.prop_map(|(key, said)| format!("{key}={said}"));
    prop_oneof![4 => attr, 4 => text, 1 => number, 3 => time]
}

fn said(values: &'static [&'static str]) -> impl Strategy<Value = String> {
    let value = move || prop::sample::select(values);
    prop_oneof![
        value().prop_map(str::to_owned),
        value().prop_map(|it| format!("~{it}")),
        (value(), value()).prop_map(|(a, b)| format!("[{a}~{b}]")),
        value().prop_map(|it| format!("[{it}~]")),
        value().prop_map(|it| format!("[~{it}]")),
        (value(), value()).prop_map(|(a, b)| format!("{{{a} {b}}}")),
    ]
}

fn query() -> impl Strategy<Value = ExecutionQuery> {
    let conditions = prop::collection::vec(condition(), 0..3);
    let sort = prop::collection::vec(
        (prop::sample::select(&Column::ALL[..]), any::<bool>()),
        0..3,
    );
    let range = || {
        prop::option::of(
            (0..4_i64, 1..4_i64).prop_map(|(from, long)| second(from)..second(from + long)),
        )
    };
    let status =
        prop::sample::subsequence(&[Status::Done, Status::Failed, Status::Running][..], 0..3);
    let fields = (
        conditions,
        sort,
        range(),
        status,
        prop::sample::subsequence(&["one", "two"][..], 0..2),
        prop::option::weighted(0.2, prop::sample::select(&["a", "b"][..])),
        1..4_usize,
    );
    fields.prop_map(|(conditions, sort, ended, status, flows, zone, limit)| {
        let mut query = ExecutionQuery::default();
        // What the grammar refuses is left out.
        query.conditions = conditions
            .iter()
            .filter_map(|text| text.parse::<Condition>().ok())
            .collect();
        query.sort = sort
            .into_iter()
            .map(|(column, up)| Sort {
                column,
                direction: if up {
                    Direction::Ascending
                } else {
                    Direction::Descending
                },
            })
            .collect();
        query.ended = ended;
        query.status = status;
        query.flows = flows.into_iter().map(str::to_owned).collect();
        query.labels = zone
            .iter()
            .map(|zone| ("zone".to_owned(), (*zone).to_owned()))
            .collect();
        query.limit = Some(limit);
        query
    })
}

async fn ids(store: &dyn Store, query: &ExecutionQuery) -> Vec<String> {
    let found = store.list(query.clone()).await.unwrap();
    found.into_iter().map(|info| info.id).collect()
}

async fn all_pages(store: &dyn Store, query: &ExecutionQuery) -> Vec<String> {
    let mut query = query.clone();
    let mut all = Vec::new();
    loop {
        let page = store.list(query.clone()).await.unwrap();
        let Some(last) = page.last() else { return all };
        query.after = Some(query.place_of(last));
        all.extend(page.into_iter().map(|info| info.id));
        assert!(all.len() < 100, "{query:?}");
    }
}

async fn same_answers(made: Vec<Made>, queries: Vec<ExecutionQuery>) {
    let folder = tempfile::tempdir().unwrap();
    let clock = FakeClock::new();
    let memory = MemoryStore::with_clock(Arc::new(clock.clone()));
    let file = common::options(&folder)
        .clock(Arc::new(clock.clone()))
        .open()
        .await
        .unwrap();
    for (id, one) in made.iter().enumerate() {
        memory.write(write(id, one)).await.unwrap();
        file.write(write(id, one)).await.unwrap();
        clock.advance(Duration::from_secs(one.pause));
    }
    for query in &queries {
        let mut whole = query.clone();
        whole.limit = None;
        let expected = ids(&memory, &whole).await;
        assert_eq!(ids(&file, &whole).await, expected, "{whole:?}");
        assert_eq!(
            all_pages(&file, query).await,
            expected,
            "pages of {query:?}"
        );
        assert_eq!(
            all_pages(&memory, query).await,
            expected,
            "pages in memory of {query:?}"
        );
        let count = expected.len() as u64;
        assert_eq!(file.count(query.clone()).await.unwrap(), count, "{query:?}");
        assert_eq!(
            memory.count(query.clone()).await.unwrap(),
            count,
            "{query:?}"
        );
    }
    for query in &queries {
        let deleted = memory.delete(query.clone()).await.unwrap();
        assert_eq!(
            file.delete(query.clone()).await.unwrap(),
            deleted,
            "{query:?}"
        );
        let all = ExecutionQuery::default();
        assert_eq!(
            ids(&file, &all).await,
            ids(&memory, &all).await,
            "after {query:?}"
        );
    }
    let left = async |store: &dyn Store| {
        let mut left = store.list(ExecutionQuery::default()).await.unwrap();
        for info in &mut left {
            // The clock moves on between the two writes.
            if info.updated_at == info.created_at {
                info.updated_at = second(0);
            }
            info.created_at = second(0);
        }
        left
    };
    assert_eq!(left(&file).await, left(&memory).await);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(40) })]

    #[test]
    fn memory_and_file_give_the_same_answers(
        made in prop::collection::vec(made(), 1..14),
        queries in prop::collection::vec(query(), 12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(same_answers(made, queries));
    }
}
