//! What steps have logged.

use super::prelude::*;
use crate::store::{LogLevel, LogLine, LogQuery, NewLine, NewLines};

fn line(key: i64, path: &str, message: &str) -> NewLine {
    NewLine {
        key,
        left_out: 0,
        at: second(1),
        level: LogLevel::Info,
        path: path.to_owned(),
        attempt: 1,
        is_undo: false,
        message: message.to_owned(),
    }
}

async fn log(fixture: &Fixture, lines: Vec<NewLine>) -> Outcome {
    Ok(fixture.store.log(NewLines::new(lines)).await?)
}

fn of(id: &str) -> LogQuery {
    LogQuery {
        id: id.to_owned(),
        ..LogQuery::default()
    }
}

async fn logged(fixture: &Fixture, query: LogQuery) -> Outcome<Vec<LogLine>> {
    let what = format!("a log by {query:?}");
    let log = fixture.store.logged(query).await?;
    let log = log.ok_or_else(|| Fault::new(&what, "a log", ()))?;
    Ok(log.lines)
}

/// The texts of the lines that a query finds, which must have growing numbers.
async fn texts(fixture: &Fixture, query: LogQuery) -> Outcome<String> {
    let lines = logged(fixture, query).await?;
    let grow = lines.is_sorted_by(|a, b| a.number < b.number);
    holds("the numbers of lines", "growing", &lines, grow)?;
    let texts: Vec<String> = lines.into_iter().map(|line| line.message).collect();
    Ok(texts.join(" "))
}

pub(in super::super) async fn a_log_comes_back(fixture: Fixture) -> Outcome {
    let key = fixture.held("id").await?.key;
    fixture.due("other").await?;
    same(
        "a log without lines",
        &logged(&fixture, of("id")).await?,
        &vec![],
    )?;
    let nanos = jiff::Timestamp::new(1_767_225_600, 123_456_789).unwrap_or_default();
    let texts = ["", "so; 'soon' \u{1f980}\n\u{85}", "c"];
    let all = texts.iter().zip(LogLevel::ALL.into_iter().rev());
    let new: Vec<NewLine> = all
        .map(|(text, level)| NewLine {
            at: nanos,
            level,
            attempt: u32::MAX,
            is_undo: level == LogLevel::Warn,
            ..line(key, r"all.10\.0.a", text)
        })
        .collect();
    let expected: Vec<LogLine> = (0..)
        .zip(new.clone())
        .map(|(last, line)| line.behind(last, last))
        .collect();
    log(&fixture, new).await?;
    let found = fixture.store.logged(of("id")).await?;
    let found = found.ok_or_else(|| Fault::new("a log", "a log", ()))?;
    same("the key of the execution of a log", &found.key, &key)?;
    let numbers: Vec<i64> = found.lines.iter().map(|line| line.number).collect();
    let renumbered: Vec<LogLine> = expected
        .into_iter()
        .zip(&numbers)
        .map(|(mut line, number)| {
            line.number = *number;
            line
        })
        .collect();
    same("the lines of a log", &found.lines, &renumbered)?;
    same(
        "another one's log",
        &logged(&fixture, of("other")).await?,
        &vec![],
    )?;
    let none = fixture.store.logged(of("none")).await?;
    holds("the log of nothing", "None", &none, none.is_none())
}

pub(in super::super) async fn a_log_is_found_by_step(fixture: Fixture) -> Outcome {
    let key = fixture.held("id").await?.key;
    let all = [
        ("a", "1"),
        ("a.b", "2"),
        ("a-b", "3"),
        ("ab", "4"),
        ("a.b.c", "5"),
        ("", "6"),
        ("A", "7"),
        (r"a\.b", "8"),
        ("a", "9"),
    ];
    for (path, text) in all {
        log(&fixture, vec![line(key, path, text)]).await?;
    }
    let lines = logged(&fixture, of("id")).await?;
    let fifth = lines.get(4).map(|line| line.number);
    let step = |path: &str| LogQuery {
        step: Some(path.to_owned()),
        ..of("id")
    };
    let limited = |query: LogQuery, limit, newest| LogQuery {
        limit: Some(limit),
        newest,
        ..query
    };
    let after = |query: LogQuery| LogQuery {
        after: fifth,
        ..query
    };
    let queries = [
        (of("id"), "1 2 3 4 5 6 7 8 9"),
        (step("a"), "1 2 5 9"),
        (step("a.b"), "2 5"),
        (step(r"a\.b"), "8"),
        (step(""), "1 2 3 4 5 6 7 8 9"),
        (step("b"), ""),
        (limited(of("id"), 2, false), "1 2"),
        (limited(of("id"), 2, true), "8 9"),
        (limited(of("id"), 0, true), ""),
        (limited(step("a"), 3, true), "2 5 9"),
        (after(of("id")), "6 7 8 9"),
        (after(step("a")), "9"),
        (limited(after(of("id")), 1, false), "6"),
        (limited(after(of("id")), 9, true), "6 7 8 9"),
    ];
    for (query, expected) in queries {
        let what = format!("the log by {query:?}");
        same(&what, &texts(&fixture, query).await?.as_str(), &expected)?;
    }
    Ok(())
}

pub(in super::super) async fn a_log_is_bounded(fixture: Fixture) -> Outcome {
    let key = fixture.held("id").await?.key;
    let other = fixture.held("other").await?.key;
    log(&fixture, vec![line(other, "a", "other")]).await?;
    let bounded = |lines| NewLines {
        per_step: 2,
        per_execution: 5,
        ..NewLines::new(lines)
    };
    let new = ["1", "2", "3"].map(|text| line(key, "a", text));
    fixture.store.log(bounded(new.into())).await?;
    same(
        "the newest lines of a step",
        &texts(&fixture, of("id")).await?.as_str(),
        &"2 3",
    )?;
    // What was left out counts as if it had been kept.
    let mut more = line(key, "a", "4");
    more.left_out = 10;
    fixture
        .store
        .log(bounded(vec![line(key, "b", "x"), more]))
        .await?;
    let lines = logged(&fixture, of("id")).await?;
    let told: Vec<String> = lines
        .iter()
        .map(|line| format!("{}{} {}", line.path, line.of_step, line.message))
        .collect();
    let expected = ["b1 x", "a14 4"].map(str::to_owned);
    same("the newest lines of each step", &told, &expected.into())?;
    for n in 0..4 {
        let path = format!("c{n}");
        fixture
            .store
            .log(bounded(vec![line(key, &path, "y")]))
            .await?;
    }
    same(
        "the newest lines",
        &texts(&fixture, of("id")).await?.as_str(),
        &"4 y y y y",
    )?;
    same(
        "those of another one",
        &texts(&fixture, of("other")).await?.as_str(),
        &"other",
    )
}

pub(in super::super) async fn a_log_goes_with_its_execution(fixture: Fixture) -> Outcome {
    let done = || {
        Creation::new("id")
            .nodes(vec![root(Status::Done)])
            .due(Due::Never)
    };
    let lost = fixture
        .create(Creation::new("id").held("first", SHORT))
        .await?;
    fixture.lapse(SHORT).await?;
    let taken = fixture.claim_one("second", "id").await?;
    log(&fixture, vec![line(lost.key, "a", "by the first")]).await?;
    log(&fixture, vec![line(taken.lease.key, "a", "by the second")]).await?;
    same(
        "what two workers have logged",
        &texts(&fixture, of("id")).await?.as_str(),
        &"by the first by the second",
    )?;
    let ended = write(taken.lease, vec![root(Status::Done)], LeaseAfter::Keep);
    fixture.write(ended).await?;
    fixture.rest(taken.lease, Due::Never).await?;
    same(
        "how many were deleted",
        &fixture.store.delete(ExecutionQuery::default()).await?,
        &1,
    )?;
    let none = fixture.store.logged(of("id")).await?;
    holds("the log of what was deleted", "None", &none, none.is_none())?;
    let new = fixture.create(done()).await?;
    let lines = vec![
        line(lost.key, "a", "too late"),
        line(new.key, "a", "of the new one"),
    ];
    log(&fixture, lines).await?;
    let lines = logged(&fixture, of("id")).await?;
    let told: Vec<(i64, &str)> = lines.iter().map(|it| (it.of_step, &*it.message)).collect();
    same(
        "the log of a new one of its id",
        &told,
        &vec![(1, "of the new one")],
    )
}
