//! The handlers of nested flows: each is called for its own flow, as if that had run alone.

use std::time::Duration;

use steps::{
    Control, Engine, State, Status,
    prelude::*,
    testing::{Explorer, Fault, Injected, Lab},
};

#[step]
async fn make(lab: &Lab, name: &str) -> Result<(), Injected> {
    lab.act(name)
}

#[undo(make)]
async fn unmake(lab: &Lab, name: &str, (): &()) -> Result<(), Injected> {
    lab.undo(name)
}

#[flow]
async fn part(lab: &Lab, name: String) -> Result<String, Injected> {
    steps! {
        made = make(lab, &name);
        more = make(lab, &format!("{name}+"));
    }
    let _ = (made, more);
    Ok(name)
}

#[on_done(part)]
async fn part_done(lab: &Lab, name: &String, output: &String) -> Result<(), Injected> {
    assert_eq!(name, output);
    lab.act(format!("{name} done"))
}

#[on_failed(part)]
async fn part_failed(lab: &Lab, name: &String, failure: &Failure) -> Result<(), Injected> {
    let step = failure.step().unwrap_or("nothing").to_owned();
    assert_eq!(failure.flow, "part");
    lab.act(format!("{name} {}: {step}", failure.status()))
}

#[flow]
async fn whole(lab: &Lab) -> Result<String, Injected> {
    steps! {
        one  = flow part(lab, "a".to_owned());
        both = parallel {
            #[optional]
            two   = flow part(lab, "b".to_owned());
            three = make(lab, "c");
        }
        last = make(lab, "d");
    }
    let _ = (both, last);
    Ok(one)
}

#[on_done(whole)]
async fn whole_done(lab: &Lab, output: &String) -> Result<(), Injected> {
    lab.act(format!("all done: {output}"))
}

fn at(lab: &Lab, text: &str) -> usize {
    let texts = lab.texts();
    let found = texts.iter().position(|found| found == text);
    found.unwrap_or_else(|| panic!("no {text} in {texts:?}"))
}

#[tokio::test]
async fn what_is_done_is_told_before_the_flow_goes_on() {
    let lab = Lab::new();
    whole(&lab).await.unwrap();
    assert!(at(&lab, "a done") < at(&lab, "b"));
    assert!(at(&lab, "b done") < at(&lab, "d"));
    assert_eq!(lab.texts().last().unwrap(), "all done: a");
}

#[tokio::test]
async fn one_that_is_passed_over_is_told_when_it_is_undone() {
    let lab = Lab::new();
    lab.fault("b+", Fault::FailBefore);
    whole(&lab).await.unwrap();
    assert!(at(&lab, "undo b") < at(&lab, "b undone: more"));
    assert!(at(&lab, "b undone: more") < at(&lab, "d"));
    assert!(!lab.is_there("b done"));
}

#[tokio::test]
async fn those_that_were_done_are_told_when_they_are_taken_back() {
    let lab = Lab::new();
    lab.fault("d", Fault::FailBefore);
    let failure = whole(&lab).await.unwrap_err();
    assert_eq!(failure.status(), Status::Undone);
    for (undone, told) in [
        ("undo a", "a undone: nothing"),
        ("undo b", "b undone: nothing"),
    ] {
        assert!(at(&lab, undone) < at(&lab, told));
    }
    let told = lab
        .texts()
        .into_iter()
        .filter(|text| text.contains("undone"));
    assert_eq!(told.count(), 2);
}

#[tokio::test]
async fn one_that_could_not_be_undone_is_told_too() {
    let lab = Lab::new();
    lab.fault("d", Fault::FailBefore);
    lab.fault("undo a", Fault::FailBefore);
    let failure = whole(&lab).await.unwrap_err();
    assert_eq!(failure.status(), Status::Stuck);
    at(&lab, "a undo_failed: nothing");
}

#[tokio::test]
async fn an_error_of_a_handler_is_kept_at_its_flow_and_changes_nothing_else() {
    let lab = Lab::new();
    lab.fault("a done", Fault::FailBefore);
    let (_, state) = whole(&lab).with_state().await.unwrap();
    let node = state.state().get("one").unwrap();
    assert_eq!(node.status, Status::Done);
    assert_eq!(node.on_done_err.as_deref(), Some("made to fail: a done"));
}

#[tokio::test]
async fn a_flow_that_was_done_is_told_when_it_is_undone() {
    let lab = Lab::new();
    let engine = Engine::open("memory:").await.unwrap();
    let engine = engine.serve(part::with(lab.clone())).start().await.unwrap();
    let run = engine.start(part::input("x".to_owned())).await.unwrap();
    run.outcome().await.unwrap();
    run.undo().await.unwrap();
    assert_eq!(run.ended().await.unwrap().status, Status::Undone);
    let texts = [
        "x",
        "x+",
        "x done",
        "undo x+",
        "undo x",
        "x undone: nothing",
    ];
    assert_eq!(lab.texts(), texts);
}

#[flow(on_failure = "hold")]
async fn held(lab: &Lab) -> Result<(), Injected> {
    steps! { x = make(lab, "x"); y = make(lab, "y"); }
    let _ = (x, y);
    Ok(())
}

#[on_failed(held)]
async fn held_failed(lab: &Lab, failure: &Failure) -> Result<(), Injected> {
    lab.act(format!("held {}", failure.status()))
}

#[flow]
async fn holds(lab: &Lab) -> Result<(), Injected> {
    steps! { inner = flow held(lab); }
    Ok(inner)
}

#[tokio::test]
async fn one_that_is_held_is_told_when_it_fails_and_when_it_is_undone() {
    let lab = Lab::new();
    lab.fault("y", Fault::FailBefore);
    holds(&lab).await.unwrap_err();
    assert_eq!(lab.texts(), ["x", "held failed", "undo x", "held undone"]);
}

#[flow]
async fn asks(lab: &Lab, name: String) -> Result<u32, Injected> {
    steps! {
        asked  = make(lab, &name);
        answer = steps::signal::<u32>();
    }
    let () = asked;
    Ok(answer)
}

#[on_stopped(asks)]
async fn asks_stopped(lab: &Lab, name: &String, stopped: &Failure) -> Result<(), Injected> {
    assert!(stopped.state.succeeded("asked"));
    lab.act(format!("{name} {}", stopped.status()))
}

#[flow]
async fn between(lab: &Lab, name: String) -> Result<u32, Injected> {
    steps! { inner = flow asks(lab, format!("{name}.inner")); }
    Ok(inner)
}

#[on_stopped(between)]
async fn between_stopped(lab: &Lab, name: &String, _: &Failure) -> Result<(), Injected> {
    lab.act(format!("{name} stopped"))
}

#[flow]
async fn many(lab: &Lab) -> Result<(), Injected> {
    steps! {
        prefix = name_it();
        done   = flow part(lab, "p".to_owned());
        all = parallel {
            items = for n in [1, 2] by n parallel { inner = flow asks(lab, format!("{prefix}{n}")); }
            turns = loop { inner = flow between(lab, format!("{prefix}turn")); } until inner > 0;
        }
    }
    let _ = (done, all);
    Ok(())
}

#[step]
async fn name_it() -> Result<String, Injected> {
    Ok("n".to_owned())
}

const STOPPED: [&str; 4] = [
    "n1 stopped",
    "n2 stopped",
    "nturn stopped",
    "nturn.inner stopped",
];

fn stopped(lab: &Lab) -> Vec<String> {
    let texts = lab.there().into_iter();
    texts.filter(|text| text.ends_with("stopped")).collect()
}

#[tokio::test]
async fn those_at_work_are_told_of_a_stop_the_inner_ones_first() {
    let lab = Lab::new();
    let engine = Engine::open("memory:").await.unwrap();
    let engine = engine.serve(many::with(lab.clone())).start().await.unwrap();
    let run = engine.start(many::input()).await.unwrap();
    let waits = |state: &State| {
        state
            .walk()
            .filter(|(_, node)| node.waits_for_signal())
            .count()
    };
    while waits(&run.tree().await.unwrap()) < 3 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    run.stop_and_wait(Duration::from_secs(20)).await.unwrap();
    assert_eq!(stopped(&lab), STOPPED);
    assert!(at(&lab, "nturn.inner stopped") < at(&lab, "nturn stopped"));

    // Another program, which has nothing of it in memory.
    run.recover().await.unwrap();
    run.undo().await.unwrap();
    assert_eq!(run.ended().await.unwrap().status, Status::Undone);
    at(&lab, "p undone: nothing");
}

#[tokio::test]
async fn from_a_saved_state_they_are_told_of_a_stop() {
    let lab = Lab::new();
    let pass = many(&lab).advance().await.unwrap();
    assert!(stopped(&lab).is_empty());
    let control = Control::new();
    control.stop();
    let run = many(&lab).resume(State::from(pass.state)).control(&control);
    assert_eq!(run.await.unwrap_err().status(), Status::Stopped);
    assert_eq!(stopped(&lab), STOPPED);
}

#[tokio::test]
async fn wherever_it_is_cut_off() {
    let report = Explorer::new(Lab::clone, whole)
        .concurrent()
        .explore()
        .await
        .unwrap();
    for fault in ["a done", "b done", "all done: a", "undo a"] {
        assert!(report.faults.contains(fault), "{report:?}");
    }
}
