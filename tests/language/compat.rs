//! Rule 8: code that no longer fits a saved execution is found before anything runs, and the
//! execution is left as it was.

use steps::{
    Cause, Flow, State,
    compat::{Compatibility, Fit, Misfit},
    prelude::*,
    testing::{Injected, Lab},
};

use crate::support::{act, num, ready, run};

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
