//! The text of filters: what is taken, what is refused, and that each is its text.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::store::{Number, Sort};

/// Of each text, the one that the filter is written as.
#[test]
fn query_texts_are_read_as_they_are_meant() {
    for (text, written) in [
        ("", ""),
        ("  ", ""),
        ("status=done", "status=done"),
        (
            " flow = x ,status= {done  failed} ",
            "flow=x,status={done failed}",
        ),
        (
            "Status=done,StatusMessage=~x",
            "status=done,status_message=~x",
        ),
        ("status=~FAIL", "status=failed"),
        ("id=req-42", "id=req-42"),
        ("id={a b}", "id={a b}"),
        ("error=no space left", "error=\"no space left\""),
        (r"flow=\~x", "flow=\"~x\""),
        (r"flow=\[x]", "flow=\"[x]\""),
        (r#"flow="a,b""#, r#"flow="a,b""#),
        (r#"flow={"a b" c}"#, r#"flow={"a b" c}"#),
        (r#"error=~"50%, \"x\" \\""#, r#"error=~"50%, \"x\" \\""#),
        (
            "start_time=[2026-01-01~2026-01-31]",
            "started=[2026-01-01T00:00:00Z~2026-01-31T23:59:59.999999999Z]",
        ),
        ("created=[2026-01-01~]", "created=[2026-01-01T00:00:00Z~]"),
        (
            "ended=[~2026-01-01T10:00:00+01:00]",
            "ended=[~2026-01-01T09:00:00Z]",
        ),
        (
            "created=2026-02-28",
            "created=[2026-02-28T00:00:00Z~2026-02-28T23:59:59.999999999Z]",
        ),
        (
            "updated=2026-01-01T10:00:00",
            "updated=[2026-01-01T10:00:00Z~2026-01-01T10:00:00Z]",
        ),
        ("extra_attrs.a.b=x", "attrs.a.b=x"),
        (r#"attrs."a.b"."=,"=1.50"#, r#"attrs."a.b"."=,"=1.5"#),
        (r#"attrs.n="1",attrs.m=1"#, r#"attrs.n="1",attrs.m=1"#),
        ("attrs.n=[9007199254740993~]", "attrs.n=[9007199254740993~]"),
        ("attrs.a=true,attrs.b=null", "attrs.a=true,attrs.b=null"),
        ("labels.zone=a", "label.zone=a"),
        (
            "label.zone={a b},label.\"x y\"=~a",
            "label.zone={a b},label.\"x y\"=~a",
        ),
        ("priority=[-5~5]", "priority=[-5~5]"),
        ("trigger=schedule", "trigger=schedule"),
        (
            "unfinished=true,incompatible=true",
            "incompatible=true,unfinished=true",
        ),
        ("unfinished=false", "unfinished=false"),
        ("sort=-end_time", "sort=-ended"),
        (
            "sort={flow -started},limit=5",
            "sort={flow -started},limit=5",
        ),
        (
            "after=1767225600000000000_42",
            "after=1767225600000000000_42",
        ),
    ] {
        let filter = Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(filter.to_string(), written, "{text}");
        assert_eq!(written.parse(), Ok(filter), "{text}");
    }
}

/// What is no query is told why, and is never everything.
#[test]
fn query_texts_that_are_wrong_are_refused() {
    for (text, why) in [
        ("status", "`status` has no value"),
        ("status,flow=x", "`status` has no value"),
        ("=done", "a `=` has no key"),
        ("status=", "`status` has no value"),
        ("status= ,flow=x", "`status` has no value"),
        (",", "`` has no value"),
        ("status=done,", "after the last comma comes nothing"),
        ("status=done,,flow=x", "`` has no value"),
        ("flow=~", "nothing to look for"),
        ("flow=~\"\"", "nothing to look for"),
        ("started=[~]", "has no end"),
        ("started=[]", "with one `~`"),
        ("started=[2026-01-01]", "with one `~`"),
        ("started=[2026-01-01~2026-01-02~2026-01-03]", "with one `~`"),
        ("started=[2026-01-01~", "is not closed"),
        ("started=[2026-01-01", "is not closed"),
        ("started=[2026-01-01~]x", "comes a comma or the end"),
        ("status={}", "the list of `status` is empty"),
        ("status={done", "is not closed"),
        ("status={done,failed}", "separated by spaces"),
        ("status={done}x", "comes a comma or the end"),
        ("flow=(a b)", "asks for several values at once"),
        ("flow=\"a", "is not closed"),
        ("flow=\"a\"b", "comes a comma or the end"),
        (r#"flow="\n""#, "after `\\` comes"),
        ("status=doen", "`doen` is no status: pending, running"),
        ("status={done doen}", "`doen` is no status"),
        ("status=[done~]", "a status has no order"),
        ("status=~zzz", "no status contains `zzz`"),
        ("started=yesterday", "`yesterday` is none"),
        ("started=2026-13-01", "is none"),
        ("started=2026-01-01T25:00:00", "is none"),
        ("started=[2026-02-01~2026-01-01]", "ends before it begins"),
        ("started=~2026", "is a time"),
        ("started={2026-01-01 2026-01-02}", "is a time"),
        ("priority=high", "`high` is none"),
        ("priority=~5", "has no text to look for"),
        (
            "colour=red",
            "there is no key `colour`: id, flow, status, trigger",
        ),
        ("colour=red,status=done", "attrs.PATH"),
        ("vendor.type=x", "there is no key `vendor.type`"),
        ("label=x", "there is no key `label`"),
        ("attrs=1", "there is no key `attrs`"),
        ("label.=x", "no name of a label"),
        ("attrs.=1", "a part of it is empty"),
        ("attrs.a..b=1", "a part of it is empty"),
        ("attrs.a b=1", "stand in quotes"),
        ("attrs.n=[1~a]", "of different kinds"),
        ("attrs.n=[5~1]", "ends before it begins"),
        ("attrs.n=[true~]", "are numbers or texts"),
        ("status=done,status=failed", "`status` stands twice"),
        (
            "started=2026-01-01,start_time=2026-01-02",
            "`started` stands twice",
        ),
        (
            "sort=colour",
            "can't be sorted by `colour`, but by id, flow",
        ),
        ("sort=attrs.a", "can't be sorted by `attrs.a`"),
        ("sort=~id", "neither a range nor a part"),
        ("limit=x", "`x` is none"),
        ("limit=-1", "`-1` is none"),
        ("limit={1 2}", "has one value"),
        ("after=x", "is no place in a list"),
        ("unfinished=maybe", "`true` or `false`"),
    ] {
        let error = match Filter::parse(text) {
            Ok(filter) => panic!("{text}: {filter:?}"),
            Err(error) => error.to_string(),
        };
        assert!(error.contains(why), "{text}: {error}");
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9]{0,4}",
        "[ ,~\\[\\]{}()=\"\\\\.a1-]{0,6}",
        "\\PC{0,3}",
        Just("true".to_owned())
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        text().prop_map(Value::Text),
        any::<i64>().prop_map(|it| Value::Number(it.into())),
        any::<f64>().prop_filter_map("finite", |it| it
            .to_string()
            .parse::<Number>()
            .ok()
            .map(Value::Number)),
        any::<bool>().prop_map(Value::Bool),
        Just(Value::Null),
    ]
}

fn condition() -> impl Strategy<Value = Condition> {
    let path = prop::collection::vec(text(), 1..3).prop_map(AttrPath::new);
    let attr = (path, prop::collection::vec(value(), 1..3)).prop_map(|(path, all)| Condition {
        field: Field::Attr(path),
        test: Test::AnyOf(all),
    });
    let part = text().prop_filter("not empty", |text| !text.is_empty());
    let part = part.prop_map(|part| Condition {
        field: Field::Column(Column::Error),
        test: Test::Contains(part),
    });
    let least = any::<u64>().prop_map(|least| Condition {
        field: Field::Column(Column::Priority),
        test: Test::Within {
            from: Some(least.into()),
            to: None,
        },
    });
    prop_oneof![attr, part, least]
}

fn filter() -> impl Strategy<Value = Filter> {
    let times = (0_i64..5000, 1_i64..5000).prop_map(|(from, long)| {
        let second = |it| Timestamp::from_second(it).unwrap();
        second(from)..second(from + long)
    });
    let some = prop::option::of(times);
    let sort = prop::sample::subsequence(&Column::ALL[..], 0..3);
    let fields = (
        prop::collection::vec(text(), 0..3),
        prop::sample::subsequence(&[Status::Done, Status::Failed, Status::Running][..], 0..3),
        prop::option::of((
            text().prop_filter("a name", |name| !name.is_empty()),
            text(),
        )),
        some.clone(),
        some,
        prop::option::of(condition()),
        sort,
        prop::option::of(0_usize..100),
    );
    fields.prop_map(
        |(flows, status, label, created, ended, condition, sort, limit)| {
            let mut filter = Filter::new();
            filter = flows.into_iter().fold(filter, Filter::flow_name);
            filter = status.into_iter().fold(filter, Filter::status);
            if let Some((name, value)) = label {
                filter = filter.label(name, value);
            }
            if let Some(created) = created {
                filter = filter.created(created);
            }
            if let Some(ended) = ended {
                filter = filter.ended_within(ended);
            }
            filter = condition.into_iter().fold(filter, Filter::matching);
            let sort = sort.into_iter().enumerate().map(|(n, column)| Sort {
                column,
                direction: if n == 0 {
                    Direction::Descending
                } else {
                    Direction::Ascending
                },
            });
            filter.query.sort = sort.collect();
            limit.into_iter().fold(filter, Filter::limit)
        },
    )
}

proptest! {
    #[test]
    fn query_texts_are_what_they_are_written_as(filter in filter()) {
        let text = filter.to_string();
        prop_assert_eq!(Filter::parse(&text), Ok(filter), "{}", text);
    }

    /// Whatever it is, it is a filter or is told what is wrong, and no panic.
    #[test]
    fn query_texts_may_be_any_text(text in "(\\PC|[=,~\\[\\]{}\"\\\\ ]|attrs\\.|status=|created=){0,12}") {
        if let Err(error) = Filter::parse(&text) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
