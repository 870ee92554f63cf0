//! Rule 8: code that no longer fits a saved execution is found before anything runs, and the
//! execution is left as it was.

use steps::{
    Branch, Cause, Flow, State,
    compat::{Compatibility, Fit, Misfit},
    prelude::*,
    testing::{Injected, Lab},
};

use crate::support::{act, fail, num, ready, run};

mod v1 {
    use super::*;
    #[flow(name = "versions")]
    pub(super) async fn flow(lab: &Lab) -> Result<(), Injected> {
        steps! {
            a = act(lab, "a");
            g = { b = num(lab, 1); each = for n in [1_u32, 2] by n { c = num(lab, n + 10); } }
            wait = ready(lab, "go");
            after = act(lab, "after");
        }
        let _ = (a, g, wait, after);
        Ok(())
    }
}

macro_rules! version {
    ($name:ident($lab:ident) { $($lines:tt)* }) => {
        mod $name {
            use super::*;
            #[flow(name = "versions")]
            pub(super) async fn flow($lab: &Lab) -> Result<(), Injected> {
                steps! { $($lines)* }
                Ok(())
            }
        }
    };
}

version!(removed(lab) {
    g = { b = num(lab, 1); each = for n in [1_u32, 2] by n { c = num(lab, n + 10); } }
    wait = ready(lab, "go");
    after = act(lab, "after");
});
version!(renamed(lab) {
    #[step(alias = "a")]
    first = act(lab, "a");
    g = { b = num(lab, 1); each = for n in [1_u32, 2] by n { c = num(lab, n + 10); } }
    wait = ready(lab, "go");
    later = act(lab, "later");
});
version!(retyped(lab) {
    a = num(lab, 1);
    g = { b = num(lab, 1); each = for n in [1_u32, 2] by n { c = num(lab, n + 10); } }
    wait = ready(lab, "go");
    after = act(lab, "after");
});
version!(regrouped(lab) {
    a = act(lab, "a");
    g = if lab.is_there("x") { b = num(lab, 1); each = for n in [1_u32, 2] by n { c = num(lab, n + 10); } }
    wait = ready(lab, "go");
    after = act(lab, "after");
});
version!(reitemed(lab) {
    a = act(lab, "a");
    g = { b = num(lab, 1); each = for n in [String::new()] by n { c = num(lab, n.len() as u32); } }
    wait = ready(lab, "go");
    after = act(lab, "after");
});
version!(added_before(lab) {
    new = act(lab, "new");
    a = act(lab, "a");
    g = { b = num(lab, 1); each = for n in [1_u32, 2] by n { c = num(lab, n + 10); } }
    wait = ready(lab, "go");
    after = act(lab, "after");
});
version!(added_in_done(lab) {
    a = act(lab, "a");
    g = { b = num(lab, 1); each = for n in [1_u32, 2] by n { c = num(lab, n + 10); } new = num(lab, 9); }
    wait = ready(lab, "go");
    after = act(lab, "after");
});
version!(added_in_items(lab) {
    a = act(lab, "a");
    g = { b = num(lab, 1); each = for n in [1_u32, 2] by n { c = num(lab, n + 10); new = num(lab, c); } }
    wait = ready(lab, "go");
    after = act(lab, "after");
});
version!(grouped(lab) {
    a = { a = act(lab, "a"); }
    g = { b = num(lab, 1); each = for n in [1_u32, 2] by n { c = num(lab, n + 10); } }
    wait = ready(lab, "go");
    after = act(lab, "after");
});
version!(at_once(lab) {
    a = act(lab, "a");
    g = parallel { b = num(lab, 1); each = for n in [1_u32, 2] by n parallel { c = num(lab, n + 10); } }
    wait = ready(lab, "go");
    after = act(lab, "after");
});
version!(added_after(lab) {
    a = act(lab, "a");
    g = { b = num(lab, 1); each = for n in [1_u32, 2] by n { c = num(lab, n + 10); } }
    wait = ready(lab, "go");
    new = act(lab, "new");
    after = act(lab, "after");
});

async fn saved() -> State {
    let advance = v1::flow(&Lab::new()).advance().await.unwrap();
    State::from_json(&advance.state.state().to_json()).unwrap()
}

/// Resumes with another version of the flow, and wants it refused, naming `path`.
macro_rules! refused {
    ($version:ident, $path:literal, $fit:pat) => {{
        let (state, lab) = (saved().await, Lab::new());
        lab.act("go").unwrap();
        let failure = run($version::flow(&lab).resume(state.clone()), lab.clock())
            .await
            .unwrap_err();
        let Cause::Misfit(Misfit::Tree(answer)) = &failure.cause else {
            panic!("{failure}");
        };
        let node = answer.nodes.iter().find(|node| node.breaks).unwrap();
        assert!(node.path == $path && matches!(node.fit, $fit), "{node:?}");
        assert!(
            failure.to_string().contains(concat!("`", $path, "`")),
            "{failure}"
        );
        assert_eq!(*failure.state, state);
        assert_eq!(lab.texts(), ["go"]);
        // One pass refuses it just so.
        let failure = $version::flow(&lab)
            .resume(state.clone())
            .advance()
            .await
            .unwrap_err();
        assert_eq!(*failure.state, state);
    }};
}

#[tokio::test]
async fn what_does_not_fit_any_more_is_refused_and_left_as_it_was() {
    refused!(removed, "a", Fit::Removed);
    refused!(retyped, "a", Fit::Retyped { .. });
    refused!(regrouped, "g", Fit::Retyped { .. });
    refused!(added_before, "new", Fit::Added);
}

#[tokio::test]
async fn regression_what_was_new_in_a_done_group_was_taken_to_fit_and_had_no_value() {
    refused!(added_in_done, "g.new", Fit::Added);
    refused!(added_in_items, "g.each.1.new", Fit::Added);
    refused!(grouped, "a", Fit::Retyped { .. });
}

#[tokio::test]
async fn regression_items_that_do_not_parse_any_more_failed_the_flow_and_left_it_stuck() {
    refused!(reitemed, "g.each", Fit::Retyped { .. });
}

/// Resumes with another version, and wants it to go on.
macro_rules! goes_on {
    ($version:ident, $texts:expr) => {{
        let lab = Lab::new();
        lab.act("go").unwrap();
        run($version::flow(&lab).resume(saved().await), lab.clock())
            .await
            .unwrap();
        assert_eq!(lab.texts(), $texts);
    }};
}

#[tokio::test]
async fn what_still_fits_goes_on() {
    goes_on!(at_once, ["go", "after"]);
    goes_on!(added_after, ["go", "new", "after"]);
    // A step that had not begun may be another; one that had is known by its alias.
    goes_on!(renamed, ["go", "later"]);
}

version!(mended(lab) {
    #[step(alias = "first")]
    a = act(lab, "a");
    g = { b = num(lab, 1); each = for n in [1_u32, 2] by n { c = num(lab, n + 10); } }
    wait = ready(lab, "go");
    after = act(lab, "after");
});

#[tokio::test]
async fn regression_an_alias_that_mends_a_flow_left_its_fingerprint_as_it_was() {
    const BROKEN: u64 = <v1::flow as Flow>::FINGERPRINT;
    const MENDED: u64 = <mended::flow as Flow>::FINGERPRINT;
    assert_ne!(BROKEN, MENDED);

    // Saved by a version that renamed the step, and was taken back.
    let lab = Lab::new();
    let saved = renamed::flow(&lab).advance().await.unwrap().state;
    let saved = saved.state().clone();
    lab.act("go").unwrap();
    assert!(!Compatibility::of::<v1::flow>(&saved).is_compatible());
    run(mended::flow(&lab).resume(saved), lab.clock())
        .await
        .unwrap();
}

#[tokio::test]
async fn there_is_an_answer_for_each_step() {
    let answer = Compatibility::of::<renamed::flow>(&saved().await);
    assert!(answer.is_compatible());
    let differ: Vec<String> = answer.differences().map(ToString::to_string).collect();
    assert_eq!(
        differ.len(),
        2 + usize::from(differ.len() > 2),
        "{differ:?}"
    );
    assert_eq!(differ[0], "`first` was saved as `a`");
    const SAME: u64 = <v1::flow as Flow>::FINGERPRINT;
    assert_ne!(SAME, <renamed::flow as Flow>::FINGERPRINT);
}

version!(with_if(lab) {
    a = act(lab, "a");
    g = if lab.is_there("x") { b = num(lab, 1); }
    wait = ready(lab, "go");
    after = act(lab, if g.is_some() { "x" } else { "no x" });
});
version!(with_else(lab) {
    a = act(lab, "a");
    g = if lab.is_there("x") { b = num(lab, 1); } else { c = num(lab, 2); }
    wait = ready(lab, "go");
    after = act(lab, match g { Branch::Then(_) => "x", Branch::Else(_) => "no x" });
});
version!(with_optional(lab) {
    #[optional]
    a = fail(lab, "a");
    wait = ready(lab, "go");
    after = act(lab, "after");
});
version!(without_optional(lab) {
    a = fail(lab, "a");
    wait = ready(lab, "go");
    after = act(lab, &a.to_string());
});
version!(optional_in_group(lab) {
    g = parallel { one = num(lab, 1); #[optional] a = fail(lab, "a"); }
    wait = ready(lab, "go");
    after = act(lab, &g.one.to_string());
});
version!(in_group(lab) {
    g = parallel { one = num(lab, 1); a = fail(lab, "a"); }
    wait = ready(lab, "go");
    after = act(lab, &g.a.to_string());
});
version!(as_group(lab) {
    a = { }
    wait = ready(lab, "go");
    after = act(lab, "after");
});
version!(as_step(lab) {
    a = step_of_nothing(lab);
    wait = ready(lab, "go");
    after = act(lab, "after");
});

#[step]
async fn step_of_nothing(lab: &Lab) -> Result<(), Injected> {
    lab.act("nothing")
}

/// One version makes a pass; what it leaves is resumed with another, and refused.
macro_rules! refused_after {
    ($before:ident, $after:ident, $message:literal) => {{
        let lab = Lab::new();
        let saved = $before::flow(&lab).advance().await.unwrap().state;
        let saved = State::from_json(&saved.state().to_json()).unwrap();
        lab.act("go").unwrap();
        let failure = run($after::flow(&lab).resume(saved.clone()), lab.clock())
            .await
            .unwrap_err();
        assert!(matches!(failure.cause, Cause::Misfit(_)), "{failure}");
        assert!(failure.to_string().contains($message), "{failure}");
        assert_eq!(*failure.state, saved);
    }};
}

#[tokio::test]
async fn regression_an_else_that_was_new_in_a_done_if_had_no_value() {
    refused_after!(with_if, with_else, "`g.c` is new");
}

#[tokio::test]
async fn regression_a_failure_that_was_passed_over_was_rolled_back_once_the_mark_was_gone() {
    refused_after!(
        with_optional,
        without_optional,
        "`a` does not fit: it failed, which was passed over, and it is neither `#[optional]` nor `#[caught]`"
    );
    refused_after!(
        optional_in_group,
        in_group,
        "`g.a` does not fit: it failed, which was passed over, and it is neither `#[optional]` nor `#[caught]`"
    );
}

#[tokio::test]
async fn regression_a_step_without_output_was_taken_for_a_group_of_another_program() {
    refused_after!(as_step, as_group, "its kind was `step`, and is `group` now");
    refused_after!(as_group, as_step, "its kind was `group`, and is `step` now");
}

mod one_input {
    use super::*;
    #[flow(name = "inputs")]
    pub(super) async fn flow(lab: &Lab, a: u32) -> Result<u32, Injected> {
        steps! { wait = ready(lab, "go"); n = num(lab, a); }
        Ok(n)
    }
}

mod two_inputs {
    use super::*;
    #[flow(name = "inputs")]
    pub(super) async fn flow(lab: &Lab, a: u32, b: Option<u32>) -> Result<u32, Injected> {
        steps! { wait = ready(lab, "go"); n = num(lab, a + b.unwrap_or(10)); }
        Ok(n)
    }
}

#[tokio::test]
async fn regression_an_input_that_was_new_and_optional_was_refused() {
    let lab = Lab::new();
    let advance = one_input::flow(&lab, 1).advance().await.unwrap();
    let saved = || advance.state.state().clone();
    lab.act("go").unwrap();
    let resumed = two_inputs::flow::resume(&lab, saved()).unwrap();
    assert_eq!(run(resumed, lab.clock()).await.unwrap(), 11);
    let given = two_inputs::flow(&lab, 1, None).resume(saved());
    assert_eq!(run(given, lab.clock()).await.unwrap(), 11);

    let failure = run(
        two_inputs::flow(&lab, 1, Some(2)).resume(saved()),
        lab.clock(),
    )
    .await
    .unwrap_err();
    assert!(
        matches!(failure.cause, Cause::Misfit(Misfit::OtherInput { .. })),
        "{failure}"
    );
}

#[tokio::test]
async fn an_input_that_is_gone_is_refused() {
    let lab = Lab::new();
    let advance = two_inputs::flow(&lab, 1, Some(2)).advance().await.unwrap();
    lab.act("go").unwrap();
    let saved = advance.state.state().clone();
    let failure = one_input::flow::resume(&lab, saved).map(drop).unwrap_err();
    assert!(
        matches!(&failure.cause, Cause::Misfit(Misfit::Input(why)) if why.contains("field `b`")),
        "{failure}"
    );
}
