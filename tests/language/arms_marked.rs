//! Marks on a `match` and on its arms.

use steps::{State, prelude::*, testing::Lab};

use crate::support::{act, fail, ready, run};

#[flow]
async fn marked(lab: &Lab, n: u32) -> Result<String, String> {
    steps! {
        #[optional]
        maybe = match n { one = 1 => { a = act(lab, "a"); f = fail(lab, "no"); } other = _ => {} }
        #[caught]
        caught = match n { one = 1 => fail(lab, "caught"); other = _ => {} }
        inside = match n {
            #[optional]
            one = 1 => { b = act(lab, "b"); f = fail(lab, "no"); }
            #[caught]
            two = 2 => fail(lab, "two");
            #[deadline("1h")]
            late = 3 => ready(lab, "never");
            #[step(name = "fourth", retry(times = 2, every = "1s"))]
            four = 4 => act(lab, "four");
            other = _ => {}
        }
        at_once = parallel {
            bad = fail(lab, "bad");
            #[atomic]
            always = match n { any = _ => act(lab, "always"); }
        }
    }
    let _ = (maybe, caught, at_once);
    Ok(match inside {
        MarkedInside::One(one) => format!("{}", one.is_none()),
        MarkedInside::Two(two) => two.unwrap_err().error,
        MarkedInside::Late(()) => "ready".to_owned(),
        MarkedInside::Four(four) => four,
        MarkedInside::Other(_) => "other".to_owned(),
    })
}

#[tokio::test]
async fn marks_on_a_match_and_on_its_arms() {
    for n in 1..=5 {
        let lab = Lab::new();
        let clock = lab.clock().clone();
        let failure = run(marked(&lab, n), &clock).await.unwrap_err();
        let state = State::from_json(&failure.state.to_json()).unwrap();
        if n == 3 {
            assert_eq!(failure.step(), Some("inside.late"));
            assert!(failure.failed()[0].passed_deadline());
            continue;
        }
        assert_eq!(failure.step(), Some("at_once.bad"), "{failure}");
        assert!(lab.texts().contains(&"undo always".to_owned()));
        let (there, taken) = match n {
            1 => ("undo b", "one"),
            2 => ("undo always", "two"),
            4 => ("undo four", "fourth"),
            _ => ("undo always", "other"),
        };
        assert!(lab.texts().contains(&there.to_owned()), "{n}");
        let inside = state.get("inside").unwrap();
        assert_eq!(inside.chosen.as_deref(), Some(taken));
        let again = marked(&lab, n).resume(state).await.unwrap_err();
        assert_eq!(again.to_string(), failure.to_string());
    }
}
