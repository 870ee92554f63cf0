//! What is told, to whom, and in which order.

use std::{collections::HashSet, time::Duration};

use steps::{
    engine::{EngineError, Filter, OnChange, StatusChange},
    prelude::*,
    store::Change,
};

use crate::support::{Db, Told, eventually, nothing_waits, numbers, on_each_store, other};

on_each_store! {
    async fn an_execution_and_its_steps_are_told_in_order(db) {
        let (runs, steps) = (Told::default(), Told::default());
        let engine = db.engine().await
            .serve(numbers::with())
            .on_execution_change("runs", OnChange::new(), runs.function())
            .on_step_change("steps", OnChange::new(), steps.function())
            .start().await.unwrap();
        let run = engine.start(numbers::input(2)).id("a").await.unwrap();
        run.outcome().await.unwrap_err();
        nothing_waits(&engine).await;
        let told = runs.lines(2).await;
        // The latter if it found no place at its start, as during a claim.
        let begins = ["a nothing > running", "a nothing > pending"];
        assert!(begins.contains(&&*told[0]), "{told:#?}");
        assert!(told.last().unwrap().contains("> undone"), "{told:#?}");
        for pair in runs.all().windows(2) {
            assert_eq!(pair[1].from, Some(pair[0].to), "{told:#?}");
        }
        let told = steps.lines(4).await;
        let begin = [
            "a nothing > running, checked #1",
            "a running > done, checked #1",
            "a nothing > running, inner.odd #1",
        ];
        assert_eq!(told[..3], begin, "{told:#?}");
        assert!(told.iter().any(|line| line.contains("> failed, inner.odd #3: 2 is even")), "{told:#?}");
        assert!(told.last().unwrap().contains("> undone, checked"), "{told:#?}");
        let numbers: Vec<i64> = steps.all().iter().map(|change| change.number).collect();
        assert!(numbers.is_sorted(), "{numbers:?}");
        let keys: HashSet<String> = steps.all().iter().map(Change::key).collect();
        assert_eq!(keys.len(), numbers.len());
        engine.shutdown(Duration::from_secs(5)).await.unwrap();
    }

    async fn each_is_told_what_it_asks_for(db) {
        let told: Vec<Told> = std::iter::repeat_with(Told::default).take(6).collect();
        let on = OnChange::new;
        let engine = db.engine().await
            .serve(numbers::with())
            .serve(other::with())
            .on_execution_change("all", on(), told[0].function())
            .on_execution_change("of one", on().flow::<numbers>(), told[1].function())
            .on_execution_change("to two", on().status(Status::Done).status(Status::Undone), told[2].function())
            .on_execution_change("of none", on().flow_name("none"), told[3].function())
            .on_step_change("done", on().flow::<other>().status(Status::Done), told[4].function())
            .on_step_change("of both", on().flow_name("other").flow::<numbers>().status(Status::Done), told[5].function())
            .start().await.unwrap();
        engine.start(numbers::input(1)).id("a").await.unwrap().outcome().await.unwrap();
        engine.start(numbers::input(2)).id("b").await.unwrap().outcome().await.unwrap_err();
        engine.start(other::input()).id("c").await.unwrap().outcome().await.unwrap();
        nothing_waits(&engine).await;
        let of = |n: usize, to: Status| -> Vec<String> {
            let all = told[n].all();
            let mut of: Vec<_> = all.into_iter().filter(|it| it.to == to).map(|it| it.execution).collect();
            of.sort();
            of.dedup();
            of
        };
        assert_eq!(of(0, Status::Done), ["a", "c"]);
        assert_eq!(of(0, Status::Running), ["a", "b", "c"]);
        assert_eq!((of(1, Status::Done), of(1, Status::Running).len()), (vec!["a".to_owned()], 2));
        assert_eq!((of(2, Status::Done).len(), of(2, Status::Undone).len(), told[2].all().len()), (2, 1, 3));
        assert!(told[3].all().is_empty());
        assert_eq!(told[4].lines(1).await, ["c running > done, one #1"]);
        assert_eq!(told[5].all().len(), 4, "{:?}", told[5].all());
    }

    async fn a_function_reaches_the_execution(db) {
        let told = Told::default();
        let keep = told.clone();
        let engine = db.engine().await
            .serve(numbers::with())
            .serve(other::with())
            .on_execution_change("follow", OnChange::new().flow::<numbers>().status(Status::Done), move |change: StatusChange| {
                let keep = keep.clone();
                async move {
                    let info = change.handle().info().await?;
                    assert_eq!((&*info.id, info.status), ("a", Status::Done));
                    // The key makes a repeat start nothing.
                    let next = change.engine().start(other::input()).id(change.key());
                    next.await?.outcome().await?;
                    keep.keep(&change);
                    Ok::<(), EngineError>(())
                }
            })
            .start().await.unwrap();
        engine.start(numbers::input(1)).id("a").await.unwrap();
        told.lines(1).await;
        let key = told.all()[0].key();
        assert_eq!(engine.execution::<other>(key).await.unwrap().outcome().await.unwrap(), 1);
    }

    async fn what_was_before_is_not_told_and_what_comes_while_nobody_is_there_is(db) {
        let told = Told::default();
        let on = || OnChange::new().status(Status::Done);
        let before = db.engine().await.serve(other::with()).start().await.unwrap();
        before.start(other::input()).id("before").await.unwrap().outcome().await.unwrap();
        let with = db.engine().await.on_execution_change("late", on(), told.function());
        with.start().await.unwrap().shutdown(Duration::from_secs(5)).await.unwrap();
        // By an engine that has no such function.
        before.start(other::input()).id("after").await.unwrap().outcome().await.unwrap();
        before.start(other::input()).id("gone").await.unwrap().outcome().await.unwrap();
        before.get("gone").await.unwrap().delete().await.unwrap();
        let all = before.subscriptions().await.unwrap();
        assert_eq!((all.len(), all[0].info.waiting, &all[0].teller), (1, 2, &None));
        assert!(told.all().is_empty());
        let with = db.engine().await.on_execution_change("late", on(), told.function());
        let with = with.start().await.unwrap();
        assert_eq!(told.lines(2).await, ["after running > done", "gone running > done"]);
        nothing_waits(&with).await;
    }

    async fn what_an_operator_does_is_told(db) {
        let (runs, steps) = (Told::default(), Told::default());
        let engine = db.engine().await
            .serve(numbers::with())
            .on_execution_change("runs", OnChange::new(), runs.function())
            .on_step_change("steps", OnChange::new(), steps.function())
            .start().await.unwrap();
        let operator = db.engine().await.start().await.unwrap();
        let run = engine.start(numbers::input(2)).id("a").await.unwrap();
        run.outcome().await.unwrap_err();
        nothing_waits(&engine).await;
        let (before, steps_before) = (runs.all().len(), steps.all().len());
        operator.get("a").await.unwrap().recover().await.unwrap();
        let told = runs.lines(before + 2).await;
        assert_eq!(told[before], "a undone > running");
        let told = steps.lines(steps_before + 2).await;
        assert!(told[steps_before..].iter().any(|line| line.contains("> pending, ")), "{told:#?}");
        let late = operator.start(other::input()).id("nobody's").await.unwrap();
        late.force_stop().await.unwrap();
        let stopped = || runs.all().iter().any(|it| it.execution == "nobody's" && it.to == Status::Stopped);
        eventually(stopped, || format!("{:#?}", runs.all())).await;
    }

    async fn another_filter_under_a_name_takes_its_place(db) {
        let told = Told::default();
        let first = db.engine().await
            .on_execution_change("one", OnChange::new().flow_name("none"), told.function())
            .start().await.unwrap();
        first.shutdown(Duration::from_secs(5)).await.unwrap();
        let engine = db.engine().await
            .serve(other::with())
            .on_step_change("one", OnChange::new().flow::<other>().status(Status::Done), told.function())
            .start().await.unwrap();
        let all = engine.subscriptions().await.unwrap();
        assert_eq!((all.len(), &*all[0].info.subscription.flows), (1, &["other".to_owned()][..]));
        engine.start(other::input()).id("a").await.unwrap();
        assert_eq!(told.lines(1).await, ["a running > done, one #1"]);
        assert!(engine.forget_changes("one").await.unwrap());
        assert!(!engine.forget_changes("one").await.unwrap());
        engine.start(other::input()).id("b").await.unwrap().outcome().await.unwrap();
        assert!(engine.subscriptions().await.unwrap().is_empty());
        assert_eq!(engine.count(Filter::new()).await.unwrap(), 2);
        assert_eq!(told.all().len(), 1);
    }

    async fn two_functions_of_one_name_are_refused_and_the_first_subscription_stays(db) {
        let told = Told::default();
        let first = db.engine().await
            .on_execution_change("one", OnChange::new().flow_name("kept"), told.function())
            .start().await.unwrap();
        let both = db.engine().await
            .on_execution_change("two", OnChange::new(), told.function())
            .on_execution_change("one", OnChange::new(), told.function())
            .on_step_change("one", OnChange::new(), told.function());
        let error = both.start().await.unwrap_err().to_string();
        assert!(error.contains("`one`") && error.contains("two functions"), "{error}");
        let all = first.subscriptions().await.unwrap();
        assert_eq!((all.len(), &*all[0].info.subscription.flows), (1, &["kept".to_owned()][..]));
    }
}

#[tokio::test]
async fn what_can_be_no_function_is_refused_by_its_name() {
    let told = Told::default();
    let never = || OnChange::new().status(Status::Skipped);
    let stuck = || OnChange::new().status(Status::Stuck);
    for (name, on, says) in [
        ("", OnChange::new(), "it is empty"),
        ("a\nb", OnChange::new(), "control character"),
        ("runs", never(), "an execution is never skipped"),
        (
            "runs",
            OnChange::new().timeout("soon"),
            "`soon` is no duration",
        ),
        ("runs", OnChange::new().pauses("1s", ""), "no duration"),
        ("runs", OnChange::new().give_up_after("x"), "no duration"),
    ] {
        let engine = Db::memory().engine().await;
        let engine = engine.on_execution_change(name, on, told.function());
        let error = engine.start().await.unwrap_err();
        assert!(
            matches!(error, EngineError::ChangeFunction { .. }),
            "{error}"
        );
        let error = error.to_string();
        assert!(error.contains(says) && error.contains(name), "{error}");
    }
    let engine = Db::memory().engine().await;
    let engine = engine.on_step_change("steps", stuck(), told.function());
    let error = engine.start().await.unwrap_err().to_string();
    assert!(error.contains("a step is never stuck"), "{error}");
}
