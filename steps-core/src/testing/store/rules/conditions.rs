//! Conditions beyond those that a query has places for, and lists that are sorted.

use super::prelude::*;
use crate::{
    model::{attrs::Attrs, trigger::Trigger},
    store::{Column, Condition, Direction, Notes, Sort},
};

/// Executions by which conditions are told apart: of most fields, each has another value or none.
async fn populate(fixture: &Fixture) -> Outcome {
    let all = [
        (
            "a",
            Status::Done,
            Trigger::Manual,
            r#"{"n":9007199254740993,"ok":true,"deep":{"er":[{"x":"1"}]},"v":"10"}"#,
            Some("100% done"),
            0,
        ),
        (
            "b",
            Status::Failed,
            Trigger::Event,
            r#"{"n":9007199254740992,"ok":false,"v":10,"name":"Ann"}"#,
            Some("a_b\\c"),
            5,
        ),
        ("c", Status::Running, Trigger::Event, "{}", None, 5),
        (
            "d",
            Status::Done,
            Trigger::from("hook"),
            r#"{"n":1e1,"ok":null,"v":10.5,"name":"ann, \"x\"","a.b":2}"#,
            Some("ABC"),
            -3,
        ),
        (
            "e",
            Status::Pending,
            Trigger::Schedule,
            r#"{"n":-1,"ok":"true"}"#,
            Some(""),
            0,
        ),
    ];
    for (n, (id, status, trigger, attrs, message, priority)) in (0..).zip(all) {
        let mut node = root(status);
        node.node.started_at = (status != Status::Pending).then(|| second(10 - n));
        node.node.done_at = status.is_final().then(|| second(100 + n));
        node.node.errors = (status == Status::Failed)
            .then(|| "no luck".to_owned())
            .into_iter()
            .collect();
        let mut creation = Creation::new(id)
            .label("zone", &format!("z{}", n % 2))
            .priority(priority)
            .nodes(vec![node])
            .due(Due::Never);
        creation.new.notes = Notes {
            attrs: Attrs::parse(attrs)
                .map_err(|error| Fault::new("the suite's own attributes", "an object", error))?,
            trigger,
            status_message: message.map(str::to_owned),
            acts: Vec::new(),
        };
        fixture.create(creation).await?;
        fixture.lapse(Duration::from_micros(10)).await?;
    }
    Ok(())
}

/// Conditions as text, each with what it finds of [`populate`], the newest first.
const CONDITIONS: &[(&str, &str)] = &[
    ("attrs.n=9007199254740993", "a"),
    ("attrs.n=[9007199254740992~]", "ba"),
    ("attrs.n=[~9007199254740992]", "edb"),
    ("attrs.n=10.0", "d"),
    ("attrs.v=10", "b"),
    ("attrs.v=\"10\"", "a"),
    ("attrs.v=[9~10.5]", "db"),
    ("attrs.v={\"10\" 10.5}", "da"),
    ("attrs.ok=true", "a"),
    ("attrs.ok=\"true\"", "e"),
    ("attrs.ok=null", "dc"),
    ("attrs.deep.er.0.x=\"1\"", "a"),
    ("attrs.deep.er=1", ""),
    ("attrs.\"a.b\"=2", "d"),
    ("attrs.a.b=2", ""),
    ("attrs.name=~ANN", "db"),
    ("attrs.name=\"ann, \\\"x\\\"\"", "d"),
    ("attrs.name=[Ann~ann]", "b"),
    ("attrs.n=~1", ""),
    ("trigger=event", "cb"),
    ("trigger=manual", "a"),
    ("trigger={hook manual}", "da"),
    ("trigger=~E", "ecb"),
    ("status_message=~0%", "a"),
    ("status_message=~%", "a"),
    ("status_message=~_", "b"),
    ("status_message=~b\\c", "b"),
    ("status_message=~bc", "d"),
    ("status_message=\"\"", "e"),
    ("status_message=abc", ""),
    ("error=~LUCK", "b"),
    ("worker=~a", ""),
    ("priority=[0~5]", "ecba"),
    ("priority={-3 5}", "dcb"),
    ("priority=[4.5~]", "cb"),
    ("id={e a x}", "ea"),
    ("id=[b~d]", "dcb"),
    ("flow=~LO", "edcba"),
    ("label.zone={z1 z7}", "db"),
    ("label.zone=~Z", "edcba"),
    ("label.zone=[z1~]", "db"),
    ("label.other=[~z]", ""),
    ("started=[~2023-11-14T22:13:28Z]", "dc"),
    ("started=[2023-11-14T22:13:29Z~]", "ba"),
    ("updated=[2000-01-01~]", "edcba"),
    ("updated=[~2000-01-01]", ""),
];

fn condition(text: &str) -> Outcome<Condition> {
    let parsed = text.parse();
    parsed.map_err(|error: String| {
        Fault::new(&format!("the suite's own {text}"), "a condition", error)
    })
}

pub(in super::super) async fn find_by_conditions(fixture: Fixture) -> Outcome {
    populate(&fixture).await?;
    let with = |all: &[&Condition]| {
        let all = all.iter().map(|one| (*one).clone()).collect();
        query(|query| query.conditions = all)
    };
    for (text, expected) in CONDITIONS {
        let one = condition(text)?;
        let found = fixture.list(with(&[&one])).await?.concat();
        same(&format!("a list by {text}"), &&*found, expected)?;
        let count = fixture.store.count(with(&[&one])).await?;
        let number = u64::try_from(expected.len()).unwrap_or(u64::MAX);
        same(&format!("the count by {text}"), &count, &number)?;
        let both = condition("status_message=~A")?;
        let found = fixture.list(with(&[&one, &both])).await?.concat();
        let expected: String = expected.chars().filter(|id| "bd".contains(*id)).collect();
        same(&format!("a list by {text} and another"), &found, &expected)?;
    }
    let ended = condition("attrs.ok={true false}")?;
    let deleted = fixture.store.delete(with(&[&ended])).await?;
    same("how many were deleted", &deleted, &2)?;
    let left = fixture.list(ExecutionQuery::default()).await?.concat();
    same("what was left", &&*left, &"edc")
}

const ORDERS: &[(&[(Column, Direction)], &str)] = &[
    (&[(Column::Id, Direction::Ascending)], "abcde"),
    (&[(Column::Created, Direction::Ascending)], "abcde"),
    (&[(Column::Created, Direction::Descending)], "edcba"),
    (&[(Column::Started, Direction::Ascending)], "dcbae"),
    (&[(Column::Started, Direction::Descending)], "abcde"),
    (&[(Column::Ended, Direction::Descending)], "dbaec"),
    (&[(Column::Ended, Direction::Ascending)], "abdec"),
    (&[(Column::Status, Direction::Ascending)], "dabec"),
    (&[(Column::Trigger, Direction::Descending)], "eadcb"),
    (&[(Column::StatusMessage, Direction::Ascending)], "eadbc"),
    (&[(Column::Error, Direction::Ascending)], "bedca"),
    (&[(Column::Flow, Direction::Ascending)], "edcba"),
    (&[(Column::Updated, Direction::Ascending)], "abcde"),
    (
        &[
            (Column::Priority, Direction::Descending),
            (Column::Id, Direction::Ascending),
        ],
        "bcaed",
    ),
    (
        &[
            (Column::Priority, Direction::Ascending),
            (Column::Created, Direction::Ascending),
        ],
        "daebc",
    ),
    (
        &[
            (Column::Error, Direction::Descending),
            (Column::Priority, Direction::Ascending),
        ],
        "bdeac",
    ),
];

fn sorted(by: &[(Column, Direction)]) -> ExecutionQuery {
    let sort = by.iter().map(|(column, direction)| Sort {
        column: *column,
        direction: *direction,
    });
    let sort = sort.collect();
    query(|query| query.sort = sort)
}

pub(in super::super) async fn list_sorts(fixture: Fixture) -> Outcome {
    populate(&fixture).await?;
    for (by, expected) in ORDERS {
        let mut query = sorted(by);
        let found = fixture.list(query.clone()).await?.concat();
        same(&format!("a list by {by:?}"), &&*found, expected)?;
        query.limit = Some(2);
        let found = fixture.list(query.clone()).await?.concat();
        same(
            &format!("the first two by {by:?}"),
            &&*found,
            &&expected[..2],
        )?;
        let count = fixture.store.count(query).await?;
        same(&format!("the count, sorted by {by:?}"), &count, &5)?;
    }
    let mut first = sorted(&[(Column::Ended, Direction::Descending)]);
    first.limit = Some(1);
    let deleted = fixture.store.delete(first).await?;
    same("how many were deleted", &deleted, &1)?;
    let left = fixture.list(ExecutionQuery::default()).await?.concat();
    same(
        "what was left, without the first of its order",
        &&*left,
        &"ecba",
    )
}

pub(in super::super) async fn list_sorted_pages(fixture: Fixture) -> Outcome {
    populate(&fixture).await?;
    for (by, expected) in ORDERS {
        for limit in [1, 2, 5] {
            let mut query = sorted(by);
            query.limit = Some(limit);
            let mut all = String::new();
            loop {
                let page = fixture.store.list(query.clone()).await?;
                let Some(last) = page.last() else { break };
                all.extend(page.iter().map(|info| info.id.as_str()));
                // As text, as it is handed out.
                let place = query.place_of(last).to_string().parse();
                query.after =
                    Some(place.map_err(|error| Fault::new("a place as text", "a place", error))?);
                if all.len() > 5 {
                    break;
                }
            }
            same(&format!("pages of {limit} by {by:?}"), &&*all, expected)?;
        }
    }
    let mut query = sorted(&[(Column::Ended, Direction::Ascending)]);
    let all = fixture.store.list(query.clone()).await?;
    let place = all.get(1).map(|info| query.place_of(info));
    query.id = Some("b".to_owned());
    same(
        "how many were deleted",
        &fixture.store.delete(query.clone()).await?,
        &1,
    )?;
    query.id = None;
    query.after = place;
    let rest = fixture.list(query).await?.concat();
    same("what comes after one that is gone", &&*rest, &"dec")
}
