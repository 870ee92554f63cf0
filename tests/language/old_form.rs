//! What earlier versions said in an error's text, or in a field that has another meaning: a saved
//! execution of that time goes on right, and no text of a step's own is taken for such a mark.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use steps::{Failure, State, Status, prelude::*, testing::Lab};

use crate::support::run;

type Texts = Mutex<Vec<String>>;

fn say(texts: &Texts, text: &str) {
    texts.lock().unwrap().push(text.to_owned());
}

#[step]
async fn fail_with(text: &str) -> Result<(), String> {
    Err(text.to_owned())
}

#[step(retry(times = 9, every = "1h"))]
async fn fail_slowly() -> Result<(), String> {
    Err("not yet".to_owned())
}

#[flow(on_failure = "hold")]
async fn side_by_side(text: String) -> Result<(), String> {
    steps! {
        both = parallel {
            slow  = fail_slowly();
            quick = fail_with(&text);
        }
    }
    Ok(())
}

const MARKS: [&str; 2] = [
    "given up, as a step beside it failed",
    "given up, as it is to be undone",
];

#[tokio::test]
async fn regression_an_error_that_reads_like_our_own_mark_was_not_reported() {
    for text in MARKS {
        let failure = side_by_side(text.to_owned()).await.unwrap_err();
        assert_eq!(failure.failed().len(), 1, "{failure}");
        assert_eq!(failure.step(), Some("both.quick"), "{failure}");
        // The same when it was saved and read again.
        let saved = State::from_json(&failure.state.to_json()).unwrap();
        let again = side_by_side(text.to_owned()).resume(saved).await;
        assert_eq!(again.unwrap_err().step(), Some("both.quick"));
    }
}

#[tokio::test]
async fn a_branch_that_was_given_up_by_an_earlier_version_is_no_cause() {
    for mark in MARKS {
        let saved = State::from_json(&format!(
            r#"{{"name":"side_by_side","kind":"flow","err":"both: quick: no",
              "startedAt":"2026-01-01T00:00:00Z","doneAt":"2026-01-01T00:00:03Z",
              "input":{{"text":"no"}},"states":[
              {{"name":"both","kind":"parallel","err":"quick: no",
                "startedAt":"2026-01-01T00:00:00Z","doneAt":"2026-01-01T00:00:03Z","states":[
                {{"name":"slow","err":"not yet; {mark}","errs":["not yet","{mark}"],
                  "startedAt":"2026-01-01T00:00:00Z","doneAt":"2026-01-01T00:00:01Z"}},
                {{"name":"quick","err":"no",
                  "startedAt":"2026-01-01T00:00:00Z","doneAt":"2026-01-01T00:00:02Z"}}]}}]}}"#
        ));
        let failure = side_by_side("no".to_owned()).resume(saved.unwrap()).await;
        let failure = failure.unwrap_err();
        assert_eq!(failure.failed().len(), 1, "{failure}");
        assert_eq!(failure.step(), Some("both.quick"));
    }
}

#[step(retry(times = 5, every = "1s"))]
async fn pay(texts: &Texts, fails: bool) -> Result<u32, String> {
    say(texts, "pay");
    if fails {
        return Err("the bank said: its verify failed: no such account".to_owned());
    }
    Ok(1)
}

#[verify(pay)]
async fn paid(texts: &Texts, _: bool) -> Option<u32> {
    say(texts, "verify");
    None
}

#[flow]
async fn pays(texts: &Texts, fails: bool) -> Result<u32, String> {
    steps! { p = pay(texts, fails); }
    Ok(p)
}

#[tokio::test]
async fn a_verify_that_an_earlier_version_owed_is_asked_before_the_next_attempt() {
    let texts = Texts::default();
    let saved = State::from_json(
        r#"{"name":"pays","kind":"flow","status":"waiting","until":"2026-01-01T00:00:01Z",
            "startedAt":"2026-01-01T00:00:00Z","input":{"fails":false},"states":[
            {"name":"p","status":"waiting","until":"2026-01-01T00:00:01Z",
             "err":"no answer (its verify failed: no route)","startedAt":"2026-01-01T00:00:00Z"}]}"#,
    );
    let ended = pays(&texts, false).resume(saved.unwrap()).await;
    assert_eq!(ended.unwrap(), 1);
    assert_eq!(*texts.lock().unwrap(), ["verify", "pay"]);
}

#[tokio::test]
async fn a_verify_is_not_owed_because_of_what_the_error_says() {
    let (texts, lab) = (Texts::default(), Lab::new());
    let pass = pays(&texts, true)
        .clock(Arc::new(lab.clock().clone()))
        .advance()
        .await
        .unwrap();
    // The attempt, and the verify that every failed attempt is followed by.
    assert_eq!(*texts.lock().unwrap(), ["pay", "verify"]);
    let saved = State::from_json(&pass.state.to_json()).unwrap();
    lab.clock().advance(Duration::from_secs(2));
    texts.lock().unwrap().clear();
    let again = pays(&texts, true)
        .clock(Arc::new(lab.clock().clone()))
        .resume(saved)
        .advance();
    let _ = again.await.unwrap();
    assert_eq!(*texts.lock().unwrap(), ["pay", "verify"]);
}

#[step]
async fn work(texts: &Texts, fails: bool) -> Result<u32, String> {
    say(texts, "work");
    if fails { Err("no".to_owned()) } else { Ok(7) }
}

#[flow(on_failure = "hold")]
async fn ends(texts: &Texts, fails: bool) -> Result<u32, String> {
    steps! { w = work(texts, fails); }
    say(texts, "after");
    Ok(w)
}

#[on_done(ends)]
async fn done(texts: &Texts, _: &bool, output: &u32) -> Result<(), String> {
    say(texts, &format!("on_done {output}"));
    Ok(())
}

#[on_failed(ends)]
async fn failed(texts: &Texts, _: &bool, failure: &Failure) -> Result<(), String> {
    say(
        texts,
        &format!("on_failed {}", failure.step().unwrap_or("?")),
    );
    Ok(())
}

#[tokio::test]
async fn a_handler_that_an_earlier_version_had_still_to_call_is_called() {
    let texts = Texts::default();
    let saved = State::from_json(
        r#"{"name":"ends","kind":"flow","startedAt":"2026-01-01T00:00:00Z","decision":true,
            "input":{"fails":false},"output":7,"states":[
            {"name":"w","output":7,"startedAt":"2026-01-01T00:00:00Z","doneAt":"2026-01-01T00:00:01Z"}]}"#,
    );
    let ended = run(
        ends(&texts, false).resume(saved.unwrap()),
        Lab::new().clock(),
    )
    .await;
    assert_eq!(ended.unwrap(), 7);
    assert_eq!(*texts.lock().unwrap(), ["on_done 7"]);

    texts.lock().unwrap().clear();
    let saved = State::from_json(
        r#"{"name":"ends","kind":"flow","err":"w: no","startedAt":"2026-01-01T00:00:00Z",
            "doneAt":"2026-01-01T00:00:02Z","decision":false,"input":{"fails":true},"states":[
            {"name":"w","err":"no","startedAt":"2026-01-01T00:00:00Z","doneAt":"2026-01-01T00:00:01Z"}]}"#,
    );
    let failure = ends(&texts, true).resume(saved.unwrap()).await.unwrap_err();
    assert_eq!(failure.status(), Status::Failed);
    assert_eq!(*texts.lock().unwrap(), ["on_failed w"]);
}

#[step(poll(every = "1s", times = 3), retry(times = 9, every = "1s"))]
async fn arrived(texts: &Texts) -> Result<Option<u32>, String> {
    say(texts, "ask");
    Ok(None)
}

#[flow(on_failure = "hold")]
async fn awaits(texts: &Texts) -> Result<u32, String> {
    steps! { there = arrived(texts); }
    Ok(there)
}

/// Of four attempts two had failed, so there were two polls; the third is the last.
#[tokio::test]
async fn failed_attempts_that_an_earlier_version_counted_are_no_polls() {
    for failures in ["", r#""failures":2,"#] {
        let texts = Texts::default();
        let saved = State::from_json(&format!(
            r#"{{"name":"awaits","kind":"flow","status":"waiting","until":"2026-01-01T00:00:01Z",
                "startedAt":"2026-01-01T00:00:00Z","input":{{}},"states":[
                {{"name":"there","status":"waiting","until":"2026-01-01T00:00:01Z","attempts":4,{failures}
                 "startedAt":"2026-01-01T00:00:00Z"}}]}}"#
        ));
        let failure = awaits(&texts).resume(saved.unwrap()).await.unwrap_err();
        let polls = if failures.is_empty() { 5 } else { 3 };
        let error = &failure.failed()[0].error;
        assert!(error.contains(&format!("after {polls} polls")), "{error}");
        assert_eq!(texts.lock().unwrap().len(), 1);
    }
}
