//! `#[caught]`: the failure of a line as a value, which is the same in each process.

use steps::{
    Outcome, Status, StepFailure,
    compat::Compatibility,
    prelude::*,
    testing::{FakeClock, Fault, Lab},
};

use crate::support::{act, fail, num, pass, read, ready, run};

/// Leaves a trace of what a line has come to.
#[step]
async fn tell(lab: &Lab, value: String) -> Result<String, String> {
    lab.act(&value).map_err(|e| e.to_string())?;
    Ok(value)
}

fn text<T: std::fmt::Debug>(value: &Result<T, StepFailure>) -> String {
    match value {
        Ok(value) => format!("{value:?}"),
        Err(failure) => failure.to_string(),
    }
}

#[flow]
async fn inner(lab: &Lab) -> Result<String, String> {
    steps! { x = act(lab, "x"); y = act(lab, "y"); }
    let _ = y;
    Ok(x)
}

#[flow]
async fn each_form(lab: &Lab, names: Vec<String>) -> Result<String, String> {
    steps! {
        #[caught]
        step = fail(lab, "no");
        #[caught]
        good = num(lab, 1);
        #[caught]
        group = { a = act(lab, "a"); b = fail(lab, "not b"); }
        #[caught]
        at_once = parallel { c = act(lab, "c"); d = fail(lab, &c); }
        #[caught]
        nested = flow inner(lab);
        #[caught]
        maybe = if names.is_empty() { never = act(lab, "never"); }
        #[caught]
        either = if names.is_empty() { n = num(lab, 2); } else { f = fail(lab, "not else"); }
        #[caught]
        items = for name in names by name { e = act(lab, name); f = fail(lab, name); }
        #[caught]
        rounds = loop { n = num(lab, 3); f = fail(lab, "not round"); } until n > 3;
        #[caught]
        let value: u32 = "x".parse::<u32>()?;
        all = for name in names by name parallel {
            #[caught]
            scan = fail(lab, name);
        }
        bad = if let Err(failure) = step { t = tell(lab, failure.path.clone()); }
        let texts: Vec<String> = all.iter().map(|item| text(&item.scan)).collect();
        sum = tell(lab, texts.join(" "));
    }
    assert!(maybe.unwrap().is_none() && bad.is_some());
    let _ = texts;
    let texts = [
        text(&step),
        text(&good),
        text(&group.map(|group| group.a)),
        text(&at_once.map(|group| group.c)),
        text(&nested),
        text(&either.map(|_| ())),
        text(&items.map(|items| items.len())),
        text(&rounds.map(|round| round.n)),
        text(&value),
        sum,
    ];
    Ok(texts.join("; "))
}

const TEXTS: &str = "`step`: no; 1; `group.b`: not b; `at_once.d`: c; `nested.y`: made to fail: y; \
                     `either.f`: not else; `items.i.f`: i; `rounds.1.f`: not round; \
                     `value`: invalid digit found in string; `all.i.scan`: i `all.j.scan`: j";

#[tokio::test]
async fn the_failure_of_each_form_is_its_value_and_what_was_done_inside_is_undone() {
    let names = || vec!["i".to_owned(), "j".to_owned()];
    let lab = Lab::new();
    lab.fault("y", Fault::FailBefore);
    let texts = each_form(&lab, names()).await.unwrap();
    assert_eq!(texts, TEXTS);
    assert_eq!(
        lab.texts()[..9],
        [
            "1", "a", "undo a", "c", "undo c", "x", "undo x", "i", "undo i"
        ]
    );
}

#[flow]
async fn then_waits(lab: &Lab) -> Result<String, String> {
    steps! {
        #[caught]
        first = { a = act(lab, "a"); b = fail(lab, "not b"); }
        pause = ready(lab, "gate");
        let told: String = text(&first.as_ref().map(|first| &first.a).map_err(Clone::clone));
        second = tell(lab, told.clone());
        path = if let Err(failure) = first { path = tell(lab, failure.path.clone()); }
        last = fail(lab, "last");
    }
    let _ = (first, pause, told, path, last);
    Ok(second)
}

#[tokio::test]
async fn a_resume_reads_the_same_failure() {
    let lab = Lab::new();
    let mut saved = None;
    pass(&mut saved, then_waits(&lab)).await;
    assert_eq!(lab.texts(), ["a", "undo a"]);
    let state = read(&saved);
    assert_eq!(state.get("first").unwrap().status, Status::Undone);
    lab.act("gate").unwrap();
    pass(&mut saved, then_waits(&lab)).await;
    assert_eq!(lab.texts()[3..], ["`first.b`: not b", "first.b"]);
    let failure = then_waits(&lab).resume(read(&saved)).await.unwrap_err();
    assert_eq!(failure.failed().len(), 1, "{failure}");
    assert_eq!(failure.step(), Some("last"), "what was caught is no cause");
}

#[flow]
async fn retried(lab: &Lab) -> Result<bool, String> {
    steps! {
        #[caught]
        #[step(retry(times = 2, every = "1h"))]
        a = act(lab, "a");
        #[caught]
        #[deadline("3h")]
        b = ready(lab, "never");
    }
    assert_eq!(a.unwrap_err().error, "made to fail: a");
    Ok(b.unwrap_err().passed_deadline())
}

#[tokio::test]
async fn a_failure_is_caught_after_its_retries_and_a_deadline_tells_itself() {
    let (lab, clock) = (Lab::new(), FakeClock::new());
    lab.fault("a", Fault::FailBefore);
    assert!(run(retried(&lab), &clock).await.unwrap());
    let took = steps::clock::TestClock::elapsed(&clock);
    assert_eq!(took.as_secs(), 5 * 3600);
}

#[flow]
async fn stuck_inside(lab: &Lab) -> Result<bool, String> {
    steps! {
        #[caught]
        first = { a = act(lab, "a"); b = fail(lab, "not b"); }
        second = act(lab, "second");
    }
    let _ = second;
    Ok(first.is_err())
}

#[tokio::test]
async fn a_failure_is_not_caught_if_what_was_done_can_not_be_undone() {
    let lab = Lab::new();
    lab.fault("undo a", Fault::FailBefore);
    let failure = stuck_inside(&lab).await.unwrap_err();
    assert_eq!(failure.status(), Status::Stuck);
    assert_eq!(failure.step(), Some("first.b"));
    assert!(!lab.texts().contains(&"second".to_owned()));
}

mod before {
    use super::*;

    #[flow]
    pub(super) async fn changed(lab: &Lab) -> Result<(), String> {
        steps! {
            #[optional]
            first = { a = act(lab, "a"); b = fail(lab, "not b"); }
            gate = ready(lab, "gate");
        }
        let _ = (first, gate);
        Ok(())
    }
}

#[flow]
async fn changed(lab: &Lab) -> Result<String, String> {
    steps! {
        #[caught]
        first = { a = act(lab, "a"); b = fail(lab, "not b"); }
        gate = ready(lab, "gate");
    }
    let _ = gate;
    Ok(text(&first.map(|first| first.a)))
}

#[flow]
async fn unmarked(lab: &Lab) -> Result<(), String> {
    steps! {
        first = { a = act(lab, "a"); b = fail(lab, "not b"); }
        gate = ready(lab, "gate");
    }
    let _ = (first, gate);
    Ok(())
}

#[tokio::test]
async fn an_optional_line_becomes_a_caught_one() {
    let lab = Lab::new();
    let mut saved = None;
    pass(&mut saved, before::changed(&lab)).await;
    lab.act("gate").unwrap();
    let comparison = Compatibility::of::<unmarked>(&read(&saved));
    let told: Vec<_> = comparison.differences().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "`first` does not fit: it failed, which was passed over, and it is neither `#[optional]` nor \
             `#[caught]` any more"
        ]
    );
    let ended = pass(&mut saved, changed(&lab)).await;
    assert!(matches!(ended, Outcome::Done(text) if text == "`first.b`: not b"));
}
