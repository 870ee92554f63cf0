//! Rule 1, D7: a panic in any function of the user's is recorded as that step's failure.

use serde::{Deserialize, Serialize};
use steps::{
    Failure, State, Status,
    prelude::*,
    testing::{Fault, Injected, Lab},
};

use crate::support::{act, num};

/// Panics, if this is where it is to.
fn at(place: &str, here: &str) -> u32 {
    assert_ne!(place, here, "boom at {here}");
    1
}

/// The same as a method, which may stand in arguments.
trait At {
    fn at(&self, here: &str) -> u32;
}

impl At for str {
    fn at(&self, here: &str) -> u32 {
        at(self, here)
    }
}

#[step]
async fn observed(lab: &Lab, place: &str) -> Result<u32, Injected> {
    lab.act("observed")?;
    at(place, "step");
    Ok(1)
}

#[observe(observed)]
async fn look(_lab: &Lab, place: &str) -> u32 {
    at(place, "observe")
}

#[verify(observed)]
async fn check(_lab: &Lab, place: &str) -> Option<u32> {
    at(place, "verify");
    None
}

#[flow]
async fn inner(place: &str, lab: &Lab, n: u32) -> Result<u32, Injected> {
    steps! { a = num(lab, n); }
    at(place, "inner tail");
    Ok(a)
}

#[flow]
async fn everywhere(place: &str, lab: &Lab) -> Result<u32, Injected> {
    steps! {
        first = act(lab, "first");
        o = observed(lab, place);
        arg = num(lab, place.at("argument"));
        cond = if at(place, "condition") == 1 { a = act(lab, "a"); }
        look = if let Some(n) = Some(at(place, "look")) { b = num(lab, n); }
        list = for n in 0..at(place, "list") by { at(place, "key"); n } { c = num(lab, n); }
        rounds = loop { d = num(lab, 5); } until at(place, "until") == 1;
        nested = flow inner(place, lab, place.at("input"));
    }
    let _ = (first, arg, cond, look, list, rounds, nested, o);
    Ok(at(place, "tail"))
}

#[on_done(everywhere)]
async fn done(place: &str, _lab: &Lab, _: &u32) {
    at(place, "on_done");
}

#[on_failed(everywhere)]
async fn failed(place: &str, lab: &Lab, failure: &Failure) {
    lab.act("told").unwrap();
    if failure.step() == Some("arg") {
        at(place, "argument");
    }
}

#[tokio::test]
async fn a_panic_anywhere_is_a_failure_where_it_happened() {
    let places = [
        ("step", "o"),
        ("observe", "o"),
        ("argument", "arg"),
        ("condition", "cond"),
        ("look", "look"),
        ("list", "list"),
        ("key", "list"),
        ("until", "rounds.1"),
        ("input", "nested"),
        ("inner tail", "nested"),
        ("tail", ""),
    ];
    for (place, step) in places {
        let lab = Lab::new();
        let failure = everywhere(place, &lab).await.unwrap_err();
        assert_eq!(failure.step(), Some(step), "{place}: {failure}");
        let error = &failure.failed()[0].error;
        assert!(error.starts_with("panicked: ") && error.contains(&format!("boom at {place}")));
        assert_eq!(failure.status(), Status::Undone, "{place}");
        assert_eq!(
            lab.texts().last().map(String::as_str),
            Some("told"),
            "{place}"
        );
        let left: Vec<_> = lab.there().into_iter().collect();
        let observed: &[&str] = if place == "observe" {
            &["told"]
        } else {
            &["observed", "told"]
        };
        assert_eq!(left, observed, "{place}");
    }
    let lab = Lab::new();
    everywhere("on_done", &lab).await.unwrap();
    lab.fault("observed", Fault::FailBefore);
    let failure = everywhere("verify", &lab).await.unwrap_err();
    assert!(
        failure.failed()[0]
            .error
            .contains("its verify failed: panicked"),
        "{failure}"
    );
}

/// What is lent behind a reference that panics.
struct Shut;

struct Open {
    n: u32,
}

impl std::ops::Deref for Shut {
    type Target = Open;
    fn deref(&self) -> &Open {
        panic!("boom at the reference")
    }
}

#[flow]
async fn lends_shut(shut: &Shut, lab: &Lab) -> Result<u32, Injected> {
    steps! { first = act(lab, "first"); arg = num(lab, shut.n); }
    Ok(arg)
}

#[tokio::test]
async fn a_panic_where_an_argument_only_refers_to_a_field_is_a_failure_of_its_step() {
    let lab = Lab::new();
    let failure = lends_shut(&Shut, &lab).await.unwrap_err();
    assert_eq!(failure.step(), Some("arg"), "{failure}");
    let error = &failure.failed()[0].error;
    assert!(error.contains("boom at the reference"), "{error}");
    assert_eq!(failure.status(), Status::Undone);
}

/// A value that panics when it is written, or read back, unless it is fine.
#[derive(Debug)]
struct Bad(String);

impl Serialize for Bad {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        assert_ne!(self.0, "write", "boom in serialize");
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bad {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        assert_ne!(text, "read", "boom in deserialize");
        Ok(Self(text))
    }
}

#[step(retry(times = 3, every = "1ms"))]
async fn gives_bad(cx: &Cx, what: &str) -> Result<Bad, String> {
    assert_eq!(cx.attempt(), 1, "what can't be saved is not tried again");
    Ok(Bad(what.to_owned()))
}

#[flow]
async fn bad(lab: &Lab, what: String) -> Result<String, Injected> {
    steps! { b = gives_bad(cx, &what); a = act(lab, "a"); }
    Ok(format!("{b:?} {a}"))
}

#[tokio::test]
async fn a_panic_while_a_value_is_written_or_read_is_an_error() {
    for (what, boom) in [
        ("write", "boom in serialize"),
        ("read", "boom in deserialize"),
    ] {
        let failure = bad(&Lab::new(), what.into()).await.unwrap_err();
        assert_eq!(failure.step(), Some("b"));
        assert!(failure.failed()[0].error.contains(boom), "{failure}");
    }
    let lab = Lab::new();
    let (_, state) = bad(&lab, "fine".into()).with_state().await.unwrap();
    let text = state
        .to_json()
        .replace(r#""output":"fine""#, r#""output":"read""#);
    let before = State::from_json(&text).unwrap();
    let run = bad(&lab, "fine".into()).resume(before.clone());
    let failure = run.await.unwrap_err();
    assert!(failure.to_string().contains("`b`"), "{failure}");
    assert_eq!(*failure.state, before);
}
