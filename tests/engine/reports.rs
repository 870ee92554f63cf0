//! Reports of executions, and statistics of flows, on each store.

use std::time::Duration;

use steps::{
    Status,
    engine::{EngineError, Filter},
    prelude::*,
};

use crate::support::{World, is, on_each_store};

#[step(retry(times = 3, every = "20ms"))]
async fn fetch(world: &World, n: u32) -> Result<u32, String> {
    let tries = world
        .log()
        .iter()
        .filter(|line| **line == format!("fetch {n}"))
        .count();
    world.act(None, format!("fetch {n}")).await?;
    if tries == 0 {
        Err("busy".to_owned())
    } else {
        Ok(n)
    }
}

#[undo(fetch)]
async fn forget(world: &World, n: u32, _: &u32) -> Result<(), String> {
    world.act(None, format!("forget {n}")).await
}

#[step]
async fn check(n: u32) -> Result<u32, String> {
    if n.is_multiple_of(4) {
        Err(format!("{n} is <bad>"))
    } else {
        Ok(n)
    }
}

#[flow]
async fn fetching(world: &World, n: u32) -> Result<u32, String> {
    steps! {
        got = fetch(world, n);
        nap = steps::sleep(Duration::from_millis(5));
        sound = check(got);
    }
    let () = nap;
    Ok(sound)
}

on_each_store! {
    async fn a_report_says_where_time_went(db) {
        let world = World::new();
        let engine = db.engine().await.serve(fetching::with(world.clone())).start().await.expect("starts");
        let run = engine.start(fetching::input(4)).id("run-4").await.expect("it starts");
        is(&run, Status::Undone).await;
        let report = run.report().await.expect("there is one");
        assert_eq!((report.id.as_deref(), &*report.flow), (Some("run-4"), "fetching"));
        let paths: Vec<&str> = report.nodes.iter().map(|node| &*node.path).collect();
        assert_eq!(paths, ["", "got", "nap", "sound"]);
        // The pause before its second attempt is recorded, so its work is known.
        let got = &report.nodes[1];
        assert_eq!((got.attempts, got.time.unknown), (2, Duration::ZERO));
        assert!(got.time.between_attempts > Duration::ZERO, "{got:?}");
        assert_eq!(Some(got.time.work + got.time.between_attempts), got.took);
        assert_eq!(report.nodes[2].time.sleep, report.nodes[2].took.expect("it has ended"));
        assert_eq!(report.undone, [1]);
        assert!(report.queue.is_some() && report.created_at.is_some(), "{report:?}");
        let text = report.text().to_string();
        assert!(text.contains("sound      1  4 is <bad>"), "{text}");
        let html = report.html().to_string();
        assert!(html.contains("4 is &lt;bad&gt;") && !html.contains("<bad>"), "{html}");
    }

    async fn statistics_are_of_the_time_that_is_asked_for(db) {
        let world = World::new();
        let engine = db.engine().await.serve(fetching::with(world.clone())).start().await.expect("starts");
        for n in 1..9 {
            let run = engine.start(fetching::input(n)).id(format!("run-{n}")).await.expect("it starts");
            let end = if n.is_multiple_of(4) { Status::Undone } else { Status::Done };
            is(&run, end).await;
        }
        let all = engine.statistics_of::<fetching>().last("1h").await.expect("there are some");
        assert_eq!((all.current.executions, all.before.executions), (8, 0));
        assert_eq!(all.current.failure_rate(), Some(0.25));
        let told: Vec<_> = (all.current.steps.iter())
            .map(|step| (&*step.path, step.count, step.failed, step.retried, step.undone))
            .collect();
        let expected = [("got", 8, 0, 8, 2), ("nap", 8, 0, 0, 0), ("sound", 8, 2, 0, 0)];
        assert_eq!(told, expected);
        let waits = all.current.steps.iter().map(|step| step.time.waiting() > Duration::ZERO);
        assert_eq!(waits.collect::<Vec<_>>(), [true, true, false]);
        assert_eq!(all.slowest.len(), 8);
        let json = all.json();
        assert!(json.get().contains(r#""path":"sound","count":8,"failed":2"#), "{json}");
        assert!(all.text().to_string().contains("undone           2  25.0 %"), "{}", all.text());

        // From the fifth on, compared with those before.
        let fifth = engine.list(Filter::new().ascending(steps::store::Column::Created)).await.expect("listed")[4].created_at;
        let half = engine.statistics("fetching").since(fifth).sample(2).slowest(1).await.expect("there are some");
        assert_eq!((half.current.executions, half.current.sampled), (4, 2));
        assert_eq!(half.slowest.len(), 1);
        let none = engine.statistics("nothing").await.expect("there are none");
        assert_eq!((none.current.executions, none.current.steps.len()), (0, 0));

        let wrong = engine.statistics("fetching").last("soon").await.expect_err("no duration");
        assert!(matches!(&wrong, EngineError::Filter { why } if why.contains("soon")), "{wrong}");
        let wrong = engine.statistics("fetching").until(fifth).since(fifth).await.expect_err("no time");
        assert!(matches!(&wrong, EngineError::Filter { why } if why.contains("not after")), "{wrong}");
    }
}
