//! Statistics of a flow.

use super::prelude::*;
use crate::{
    model::state::{Kind, Undo},
    store::{PeriodStatistics, Quantiles, Statistics, StatisticsQuery},
};

fn node(id: u32, parent: u32, name: &str, kind: Kind, took: i64) -> NodeRow {
    let mut row = step(id, name);
    row.parent = parent;
    row.node.kind = kind;
    row.node.done_at = Some(second(1 + took));
    row
}

/// An execution that ended in some status after as many seconds: a step, a loop of two rounds, a step that
/// was tried twice, and one that has begun when that ended.
async fn make(fixture: &Fixture, id: &str, flow: &str, status: Status, took: i64) -> Outcome {
    let mut end = root(status);
    end.node.done_at = status.is_final().then(|| second(1 + took));
    let mut retried = node(6, 0, "retried", Kind::Step, took);
    retried.node.attempts = 2;
    retried.node.waited = Some(Duration::from_millis(500));
    let mut last = node(7, 0, "last", Kind::Step, 0);
    last.node.started_at = retried.node.done_at;
    (last.node.status, last.node.done_at, last.node.output) = (Status::Running, None, None);
    if status != Status::Running {
        (last.node.status, last.node.done_at) = (Status::Failed, Some(second(2 + took)));
        last.node.errors = vec!["no".to_owned()];
    }
    let mut first = node(1, 0, "first", Kind::Step, 2);
    if status == Status::Undone {
        first.node.status = Status::Undone;
        first.node.undo = Some(Undo {
            started_at: Some(second(10)),
            done_at: Some(second(13)),
            attempts: 1,
            ..Undo::default()
        });
    }
    let nodes = vec![
        end,
        first,
        node(2, 0, "all", Kind::Loop, 2),
        node(3, 2, "1", Kind::Round, 1),
        node(4, 3, "tick.tock", Kind::Step, 1),
        node(5, 2, "2", Kind::Round, 1),
        node(8, 5, "tick.tock", Kind::Step, 3),
        retried,
        last,
    ];
    let creation = Creation::new(id).flow(flow).nodes(nodes).due(Due::Never);
    fixture.create(creation).await?;
    fixture.lapse(Duration::from_micros(10)).await
}

/// Three executions of the period before, and five of this one, one of which goes on.
async fn populate(fixture: &Fixture, sample: usize) -> Outcome<Statistics> {
    for n in 0..3 {
        make(fixture, &format!("before {n}"), FLOW, Status::Done, 5).await?;
    }
    make(fixture, "another flow's", "other", Status::Done, 70).await?;
    let now = [
        ("a", FLOW, Status::Done, 2),
        ("b", "old name", Status::Done, 8),
        ("c", FLOW, Status::Undone, 4),
        ("d", FLOW, Status::Running, 1),
        ("e", FLOW, Status::Stuck, 6),
    ];
    for (id, flow, status, took) in now {
        make(fixture, id, flow, status, took).await?;
    }
    let start = fixture.load("a").await?.info.created_at;
    let flows = vec![FLOW.to_owned(), "old name".to_owned()];
    let mut query = StatisticsQuery::new(flows, start..start + HOUR);
    query.sample = sample;
    query.slowest = 2;
    Ok(fixture.store.statistics(query).await?)
}

fn told(times: Option<Quantiles>) -> String {
    let Some(all) = times else {
        return "none".to_owned();
    };
    let spans = [all.p50, all.p90, all.p99, all.longest, all.mean];
    let spans = spans.map(|span| span.as_millis().to_string());
    format!("{} of {}", spans.join(" "), all.count)
}

pub(in super::super) async fn statistics_count_all(fixture: Fixture) -> Outcome {
    let all = populate(&fixture, 100).await?;
    let (current, before) = (&all.current, &all.before);
    same("how many executions there are", &current.executions, &5)?;
    same("how many there were before", &before.executions, &3)?;
    let statuses: Vec<String> = (current.by_status.iter())
        .map(|(status, count)| format!("{count} {status}"))
        .collect();
    let expected = "1 running, 2 done, 1 undone, 1 stuck";
    same("their statuses", &&*statuses.join(", "), &expected)?;
    let times = told(current.times);
    same(
        "how long they took",
        &&*times,
        &"4000 8000 8000 8000 5000 of 4",
    )?;
    same(
        "how long they took before",
        &&*told(before.times),
        &"5000 5000 5000 5000 5000 of 3",
    )?;
    same(
        "of how many the queue is known",
        &current.queue.map(|of| of.count),
        &Some(5),
    )?;
    let slow: Vec<String> = (all.slowest.iter())
        .map(|slow| format!("{} {} {}", slow.id, slow.status, slow.took.as_secs()))
        .collect();
    same("the slowest", &&*slow.join(", "), &"b done 8, e stuck 6")?;
    let created: u64 = all.hours.iter().map(|hour| hour.created).sum();
    same("how many were created in all hours", &created, &5)?;
    // They ended long ago, by their own times.
    let ended: Vec<String> = (all.hours.iter())
        .filter(|hour| hour.done + hour.failed > 0)
        .map(|hour| {
            format!(
                "{} {} {} {}",
                hour.from,
                hour.done,
                hour.failed,
                told(hour.times)
            )
        })
        .collect();
    let expected = "2023-11-14T22:00:00Z 2 2 4000 8000 8000 8000 5000 of 4";
    same(
        "the hours in which they ended",
        &&*ended.join(", "),
        &expected,
    )
}

pub(in super::super) async fn statistics_of_steps(fixture: Fixture) -> Outcome {
    let all = populate(&fixture, 100).await?;
    same("how many were looked at", &all.current.sampled, &5)?;
    same("how many were looked at of before", &all.before.sampled, &3)?;
    let told: Vec<String> = (all.current.steps.iter())
        .map(|step| {
            let (work, waiting) = (step.time.work.as_millis(), step.time.waiting().as_millis());
            format!(
                "{}: {} began, {} failed, {} retried, {} undone; {}; work {work}, waiting {waiting}, undo {}",
                step.path,
                step.count,
                step.failed,
                step.retried,
                step.undone,
                told(step.times),
                step.time.undo.as_millis()
            )
        })
        .collect();
    let expected = [
        r"all.*.tick\.tock: 10 began, 0 failed, 0 retried, 0 undone; 1000 3000 3000 3000 2000 of 10; work 20000, waiting 0, undo 0",
        "first: 5 began, 0 failed, 0 retried, 1 undone; 2000 2000 2000 2000 2000 of 5; work 10000, waiting 0, undo 3000",
        "last: 5 began, 4 failed, 0 retried, 0 undone; 1000 1000 1000 1000 1000 of 4; work 4000, waiting 0, undo 0",
        "retried: 5 began, 0 failed, 5 retried, 0 undone; 4000 8000 8000 8000 4200 of 5; work 18500, waiting 2500, undo 0",
    ];
    same("the steps", &told, &expected.map(str::to_owned).to_vec())
}

pub(in super::super) async fn statistics_of_a_sample(fixture: Fixture) -> Outcome {
    let all = populate(&fixture, 2).await?;
    same("how many executions there are", &all.current.executions, &5)?;
    same("how many were looked at", &all.current.sampled, &2)?;
    same("how many were looked at of before", &all.before.sampled, &2)?;
    let count = all.current.steps.iter().map(|step| step.count).sum::<u64>();
    same("how often steps began in these", &count, &10)?;
    let none = StatisticsQuery::new(vec!["none".to_owned()], second(0)..second(1));
    let none = fixture.store.statistics(none).await?;
    same(
        "how many there are of no flow",
        &none.current,
        &PeriodStatistics::default(),
    )
}
