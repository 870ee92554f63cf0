//! Schedules, by a clock that only the tests move: it jumps to the next tick when nobody has work.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use steps::{
    Trigger,
    clock::TestClock as _,
    engine::{Engine, EngineError, Filter, Missed, Overlap, ScheduleChange, ScheduleError},
    store::Store,
    testing::{Cut, CutStore},
};

use self::place::{Place, slow, ticks};

mod place;

const HOUR: Duration = Duration::from_hours(1);
const HALF: Duration = Duration::from_mins(30);

fn input() -> steps::Input<ticks> {
    ticks::input("x".to_owned())
}

/// The hour of each execution of a schedule, the oldest first.
async fn hours(engine: &Engine, schedule: &str) -> Vec<String> {
    let filter = Filter::new().label("schedule", schedule).limit(1000);
    let found = engine.list(filter).await.expect("a list");
    let mut hours: Vec<String> = found
        .iter()
        .map(|info| {
            assert_eq!(info.trigger, Trigger::Schedule);
            let tick = &info.labels["tick"];
            assert_eq!(info.id, format!("{schedule}@{tick}"));
            tick["2030-01-01T".len()..][..5].to_owned()
        })
        .collect();
    hours.sort();
    hours
}

fn why(error: EngineError) -> ScheduleError {
    match error {
        EngineError::Schedule { error, .. } => error,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn each_tick_is_made_once_by_two_engines() {
    for place in Place::all() {
        let one = place.engine().await;
        let scheduled = one.schedule("hourly", input()).every(HOUR).label("a", "b");
        let scheduled = scheduled.priority(7).await.expect("it is kept");
        assert_eq!(scheduled.next.len(), 5);
        let other = place.engine().await;
        place.pass(5 * HOUR).await;
        assert!(scheduled.schedule.pause().await.expect("it is there"));
        let expected = ["01:00", "02:00", "03:00", "04:00", "05:00"];
        assert_eq!(hours(&other, "hourly").await, expected);
        let seen = expected.map(|hour| format!("x hourly 2030-01-01T{hour}:00Z"));
        assert_eq!(
            place.world.log(),
            seen,
            "once each, and the steps see the tick's time"
        );
        let info = one
            .list(Filter::new().label("a", "b"))
            .await
            .expect("a list");
        assert_eq!(info.len(), 5);
        assert!(info.iter().all(|info| info.priority == 7));
    }
}

#[tokio::test]
async fn a_registration_tells_what_it_changed_and_the_next_five_ticks() {
    for place in Place::all() {
        let engine = place.idle().await.start().await.expect("it starts");
        let nightly = |minute: u32| {
            let expression = format!("0 {minute} 2 * * *");
            engine
                .schedule("nightly", input())
                .cron(expression, "Europe/Berlin")
        };
        let told = nightly(30).next(2).expect("times");
        assert!(
            engine.schedules().await.expect("a list").is_empty(),
            "only asked"
        );
        let new = nightly(30).await.expect("it is kept");
        assert_eq!(new.change, ScheduleChange::New);
        let next: Vec<_> = new.next.iter().map(ToString::to_string).collect();
        assert_eq!(next[0], "2030-01-01T01:30:00Z");
        assert_eq!(next.len(), 5);
        assert_eq!(told, new.next[..2]);
        assert_eq!(new.schedule.next(5).await.expect("times"), new.next);
        let shown = new.to_string();
        assert!(
            shown.contains("nightly") && shown.contains(&next[4]),
            "{shown}"
        );

        let before = engine.schedules().await.expect("a list");
        let same = nightly(30).await.expect("it is there");
        assert_eq!(same.change, ScheduleChange::Unchanged);
        assert_eq!(engine.schedules().await.expect("a list"), before);

        new.schedule.pause().await.expect("it is there");
        let other = nightly(45).await.expect("it is kept");
        let ScheduleChange::Replaced { before } = other.change else {
            panic!("{:?}", other.change);
        };
        assert!(before.contains("0 30 2 * * *"), "{before}");
        let info = other.schedule.info().await.expect("it is there");
        assert!(info.is_paused && other.next.is_empty(), "it stays paused");
        other.schedule.resume().await.expect("it is there");
        let next = other.schedule.next(1).await.expect("times");
        assert_eq!(next[0].to_string(), "2030-01-01T01:45:00Z");
        assert_eq!(engine.schedules().await.expect("a list").len(), 1);
        // Another input is another definition.
        let input = ticks::input("y".to_owned());
        let other = engine
            .schedule("nightly", input)
            .cron("0 45 2 * * *", "Europe/Berlin");
        let other = other.await.expect("it is kept");
        assert!(matches!(other.change, ScheduleChange::Replaced { .. }));
    }
}

#[tokio::test]
async fn what_can_be_no_schedule_is_told_and_changes_nothing() {
    for place in Place::all() {
        let engine = place.engine().await;
        engine
            .schedule("there", input())
            .every("1h")
            .await
            .expect("it is kept");
        let before = engine.schedules().await.expect("a list");
        let new = |name: &str| engine.schedule(name, input());
        let past: Timestamp = "2029-12-31T00:00:00Z".parse().expect("a time");
        for (schedule, word) in [
            (new("").every("1h"), "it is empty"),
            (new("a\nb").every("1h"), "control character"),
            (new(&"x".repeat(201)).every("1h"), "200 bytes"),
            (new("there"), "not said when"),
            (new("there").every("0s"), "a second at least"),
            (new("there").every("soon"), "no duration"),
            (new("there").cron("0 30 25 * * *", "Europe/Berlin"), "hours"),
            (new("there").cron("*/90 * * * *", "Europe/Berlin"), "`*/90`"),
            (
                new("there").cron("0 30 2 * * *", "Europe/Atlantis"),
                "Europe/Atlantis",
            ),
            (new("there").cron("0 0 31 2 *", "UTC"), "no tick after 2030"),
            (new("there").go_cron("0 0 * * *"), "six"),
            (new("there").at(past), "no tick after 2030"),
            (
                new("there").every("1h").missed(Missed::All(0)),
                "from 1 to 1000",
            ),
            (new("there").every("1h").late("x"), "no duration"),
            (new("there").every("1h").label("tick", "1"), "`tick`"),
        ] {
            let error = schedule.await.expect_err(word).to_string();
            assert!(
                error.starts_with("schedule `") && error.contains(word),
                "{error}"
            );
        }
        let error = new("there")
            .every("1h")
            .priority(101)
            .await
            .expect_err("too high");
        assert!(matches!(error, EngineError::Priority { .. }), "{error}");
        assert_eq!(engine.schedules().await.expect("a list"), before);
        let error = why(engine.get_schedule("nobody").await.expect_err("none"));
        assert_eq!(error, ScheduleError::Unknown);
    }
}

/// The process that registered it is gone, and the one that is there serves another flow.
#[tokio::test]
async fn ticks_that_nobody_could_make_are_missed_until_somebody_serves_the_flow() {
    for (missed, expected) in [
        (Missed::Skip, &["06:00"][..]),
        (Missed::One, &["05:00", "06:00"]),
        (Missed::All(2), &["04:00", "05:00", "06:00"]),
        (
            Missed::All(9),
            &["01:00", "02:00", "03:00", "04:00", "05:00", "06:00"],
        ),
    ] {
        for place in Place::all() {
            let first = place.engine().await;
            let scheduled = first.schedule("hourly", input()).every(HOUR).missed(missed);
            scheduled.await.expect("it is kept");
            first.shutdown(HOUR).await.expect("it ends");
            let other = place.idle().await.serve(slow::with(place.world.clone()));
            let other = other.start().await.expect("it starts");
            place.pass(5 * HOUR + HALF).await;
            assert_eq!(
                hours(&other, "hourly").await,
                [""; 0],
                "it does not serve the flow"
            );
            let schedule = other.get_schedule("hourly").await.expect("it is there");
            let overdue = schedule.next(2).await.expect("times");
            assert_eq!(overdue[0].to_string(), "2030-01-01T01:00:00Z");

            let last = place.engine().await;
            place.pass(HALF + HALF / 2).await;
            schedule.pause().await.expect("it is there");
            assert_eq!(hours(&last, "hourly").await, expected, "{missed:?}");
            let info = schedule.info().await.expect("it is there");
            assert_eq!(info.left_out.is_some(), expected.len() < 6, "{info:?}");
        }
    }
}

#[tokio::test]
async fn ticks_that_overlap_start_at_once_or_not_at_all_or_later() {
    for (overlap, expected, begun) in [
        (
            Overlap::Allow,
            &["01:00", "02:00", "03:00", "04:00"][..],
            "",
        ),
        (Overlap::Skip, &["01:00", "03:00"], ""),
        (Overlap::Queue, &["01:00", "02:00", "03:00"], "02:30"),
    ] {
        for place in Place::all() {
            let engine = place.engine().await;
            let other = place.engine().await;
            let input = slow::input("x".to_owned());
            let scheduled = engine
                .schedule("hourly", input)
                .every(HOUR)
                .overlap(overlap);
            let scheduled = scheduled.await.expect("it is kept");
            place.pass(4 * HOUR + HALF / 2).await;
            scheduled.schedule.pause().await.expect("it is there");
            assert_eq!(hours(&engine, "hourly").await, expected, "{overlap:?}");
            let id = "hourly@2030-01-01T02:00:00Z";
            if !begun.is_empty() {
                let run = engine.get(id).await.expect("it is there");
                let info = run.info();
                let started = info
                    .await
                    .expect("it is there")
                    .started_at
                    .expect("it began");
                assert!(started.to_string().contains(begun), "{started}");
                let info = scheduled.schedule.info().await.expect("it is there");
                assert_eq!(info.queued, 1, "that of four o'clock");
            }
            drop(other);
        }
    }
}

#[tokio::test]
async fn a_paused_schedule_makes_no_ticks_and_a_removed_one_is_gone_and_no_other() {
    for place in Place::all() {
        let engine = place.engine().await;
        for name in ["a", "a/b", "b"] {
            engine
                .schedule(name, input())
                .every(HOUR)
                .await
                .expect("it is kept");
        }
        let a = engine.get_schedule("a").await.expect("it is there");
        let b = engine.get_schedule("b").await.expect("it is there");
        assert!(a.pause().await.expect("it is there"));
        assert!(!a.pause().await.expect("it is there"), "it was");
        assert!(b.remove().await.expect("it is there"));
        assert!(!b.remove().await.expect("it is gone"), "it was");
        assert_eq!(a.next(3).await.expect("times"), []);
        place.pass(2 * HOUR).await;
        assert!(a.resume().await.expect("it is there"));
        assert!(!a.resume().await.expect("it is there"), "it was");
        place.pass(HOUR).await;
        let names: Vec<_> = engine.schedules().await.expect("a list");
        let names: Vec<_> = names.into_iter().map(|info| info.name).collect();
        assert_eq!(names, ["a", "a/b"]);
        assert_eq!(
            hours(&engine, "a").await,
            ["03:00"],
            "what passed meanwhile is not made up for"
        );
        assert_eq!(hours(&engine, "a/b").await, ["01:00", "02:00", "03:00"]);
        assert_eq!(hours(&engine, "b").await, [""; 0]);
        assert_eq!(
            why(b.info().await.expect_err("gone")),
            ScheduleError::Unknown
        );
    }
}

#[tokio::test]
async fn a_time_is_one_tick_and_the_schedule_stays() {
    for place in Place::all() {
        let engine = place.engine().await;
        let at = place.clock.now() + SignedDuration::from_hours(2);
        let once = || engine.schedule("once", input()).at(at);
        let scheduled = once().await.expect("it is kept");
        assert_eq!(scheduled.next, [at]);
        place.pass(5 * HOUR).await;
        assert_eq!(place.world.log().len(), 1);
        let again = once().await.expect("it is there");
        assert_eq!(
            (again.change, again.next),
            (ScheduleChange::Unchanged, vec![])
        );
        let info = again.schedule.info().await.expect("it is there");
        assert_eq!((info.next, info.last), (None, Some(at)));
    }
}

/// Whoever has started the execution of a tick: there is one.
#[tokio::test]
async fn a_tick_whose_execution_is_there_already_starts_no_other() {
    for place in Place::all() {
        let engine = place.engine().await;
        let id = "hourly@2030-01-01T01:00:00Z";
        engine.start(input()).id(id).await.expect("it starts");
        let scheduled = engine.schedule("hourly", input()).every(HOUR);
        let scheduled = scheduled.await.expect("it is kept");
        place.pass(2 * HOUR).await;
        scheduled.schedule.pause().await.expect("it is there");
        assert_eq!(hours(&engine, "hourly").await, ["02:00"]);
        assert_eq!(place.world.log().len(), 2);
    }
}

#[tokio::test]
async fn clock_set_back_doubles_no_tick() {
    for place in Place::all() {
        let engine = place.engine().await;
        let scheduled = engine.schedule("hourly", input()).every(HOUR);
        let scheduled = scheduled.await.expect("it is kept");
        place.pass(2 * HOUR).await;
        place
            .clock
            .set(place.clock.now() - SignedDuration::from_mins(90));
        place.pass(3 * HOUR).await;
        scheduled.schedule.pause().await.expect("it is there");
        assert_eq!(hours(&engine, "hourly").await, ["01:00", "02:00", "03:00"]);
    }
}

/// An engine that dies at this call of its store. The first that counts is the registration, the second
/// the tick.
async fn dies_at(place: &Place, store: impl Store, cut: Cut) {
    let store = CutStore::new(store).cut_at(Some(cut));
    let builder = Engine::with_store(store.clone()).clock(Arc::new(place.clock.clone()));
    let engine = place.serving(builder).start().await.expect("it starts");
    let scheduled = engine.schedule("hourly", input()).every(HOUR);
    scheduled.await.expect("it is kept");
    store.struck().await;
}

#[tokio::test]
async fn crash_between_a_tick_and_its_start_neither_loses_nor_doubles_it() {
    for cut in [Cut::Before(2), Cut::After(2)] {
        for place in Place::all() {
            match place.sqlite().await {
                Some(store) => dies_at(&place, store, cut).await,
                None => dies_at(&place, place.memory.reopen(), cut).await,
            }
            // One that serves the flow makes at once what was not made.
            let looks = place.idle().await.start().await.expect("it starts");
            let made = hours(&looks, "hourly").await;
            assert_eq!(made.len(), usize::from(cut == Cut::After(2)));
            let engine = place.engine().await;
            let schedule = engine.get_schedule("hourly").await.expect("it is there");
            place.pass(HOUR + HALF).await;
            schedule.pause().await.expect("it is there");
            assert_eq!(
                hours(&engine, "hourly").await,
                ["01:00", "02:00"],
                "{cut:?}"
            );
            assert_eq!(place.world.log().len(), 2);
        }
    }
}
