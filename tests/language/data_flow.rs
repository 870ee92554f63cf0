//! Lines of a `parallel` that use each other's values: when each begins, and is undone.

use std::{sync::Mutex, time::Duration};

use steps::{
    Cause, Flow, Json, Status,
    compat::{Compatibility, Misfit},
    prelude::*,
    testing::{FakeClock, Fault, Lab},
};

use crate::support::{act, fail, num, pass, read, run};

/// A clock, and what happened when, in milliseconds.
#[derive(Default)]
struct Shop {
    clock: FakeClock,
    log: Mutex<Vec<(String, u128)>>,
}

impl Shop {
    fn note(&self, what: String) {
        let at = steps::clock::TestClock::elapsed(&self.clock).as_millis();
        self.log.lock().unwrap().push((what, at));
    }

    fn at(&self, what: &str) -> u128 {
        let log = self.log.lock().unwrap();
        log.iter().find(|(it, _)| it == what).unwrap().1
    }
}

#[step]
async fn make(shop: &Shop, name: &str, takes: u64, _from: &[u64]) -> Result<u64, String> {
    shop.note(format!("begin {name}"));
    shop.clock.sleep(Duration::from_millis(takes)).await;
    if name == "bad" {
        return Err("bad".to_owned());
    }
    Ok(takes)
}

#[undo(make)]
async fn unmake(shop: &Shop, name: &str, takes: u64, _from: &[u64], _: &u64) {
    shop.note(format!("undo {name}"));
    shop.clock.sleep(Duration::from_millis(takes)).await;
}

#[flow]
async fn diamond(shop: &Shop, ends: bool) -> Result<(), String> {
    steps! {
        build = parallel {
            a = make(shop, "a", 100, &[]);
            b = make(shop, "b", 200, &[a]);
            c = make(shop, "c", 300, &[a]);
            d = make(shop, "d", 100, &[b, c]);
            e = make(shop, "e", 250, &[b]);
        }
        last = if !ends { bad = make(shop, "bad", 0, &[build.d]); }
    }
    let _ = last;
    Ok(())
}

/// The diamond took 1.20 s or 0.85 s, as a `parallel` in a group or groups in a `parallel`.
#[tokio::test]
async fn the_diamond_takes_its_critical_path() {
    let shop = Shop::default();
    run(diamond(&shop, true), &shop.clock).await.unwrap();
    let begins = ["a", "b", "c", "d", "e"].map(|name| shop.at(&format!("begin {name}")));
    assert_eq!(begins, [0, 100, 100, 400, 300]);
    let all = steps::clock::TestClock::elapsed(&shop.clock);
    assert_eq!(all.as_millis(), 550);
}

#[tokio::test]
async fn the_diamond_is_undone_against_its_arrows() {
    let shop = Shop::default();
    let failure = run(diamond(&shop, false), &shop.clock).await.unwrap_err();
    assert_eq!(failure.state.status, Status::Undone);
    let begun = shop.at("undo d");
    let undos = ["a", "b", "c", "d", "e"].map(|name| shop.at(&format!("undo {name}")) - begun);
    assert_eq!(undos, [450, 250, 100, 0, 0]);
}

#[flow]
async fn fails_within(lab: &Lab) -> Result<(), String> {
    steps! {
        all = parallel {
            a = num(lab, 1);
            b = fail(lab, "no b");
            c = num(lab, a + 10);
            d = num(lab, b + c);
            #[atomic]
            e = num(lab, b);
            f = { g = num(lab, d); }
        }
    }
    let _ = all;
    Ok(())
}

#[tokio::test]
async fn what_uses_a_line_that_failed_is_skipped() {
    let lab = Lab::new();
    let failure = fails_within(&lab).await.unwrap_err();
    assert!(
        failure.to_string().contains("failed at `all.b`: no b"),
        "{failure}"
    );
    let status = |path| failure.state.get(path).unwrap().status;
    assert_eq!(status("all.b"), Status::Failed);
    for path in ["all.d", "all.e", "all.f"] {
        assert_eq!(status(path), Status::Skipped, "{path}");
    }
    // As in any `parallel`, what has begun runs to its end, and nothing else begins.
    assert_eq!(lab.texts(), ["1", "undo 1"]);
}

#[flow]
async fn values(lab: &Lab, b: Vec<u32>) -> Result<u32, String> {
    steps! {
        all = parallel {
            #[optional]
            maybe = fail(lab, "no");
            twice = num(lab, maybe.map_or(2, |n| n));
            let four: u32 = twice + 2;
            group = { one = num(lab, four + 1); two = num(lab, one + 1); }
            each = for n in 0..2_u32 by n parallel { it = num(lab, 10 + n + group.two); }
            some = if let Some(last) = each.last() { it = num(lab, last.it + 10); } else { none = num(lab, 0); }
            rounds = loop { n = num(lab, prev.map_or(40, |prev| prev.n + twice)); } until n >= 42;
            sub = flow inner(lab, rounds.n);
        }
    }
    let some = all.some.then().map_or(0, |then| then.it);
    Ok(some + all.sub + b.len() as u32)
}

#[flow]
async fn inner(lab: &Lab, n: u32) -> Result<u32, String> {
    steps! {
        x = num(lab, n);
    }
    Ok(x)
}

#[tokio::test]
async fn a_line_of_each_kind_uses_and_is_used() {
    let lab = Lab::new();
    assert_eq!(values(&lab, vec![]).await.unwrap(), 27 + 42);
}

#[step]
async fn slow(shop: &Shop, name: &str, _: u64) -> Result<u64, String> {
    shop.note(format!("begin {name}"));
    shop.clock.sleep(Duration::from_millis(100)).await;
    Ok(1)
}

struct Spec {
    a: u64,
}

mod a {
    pub(super) const SEVEN: u64 = 7;
}

/// `a` is a field, a part of a path, a name of their own or one in a text here, and no line.
#[flow]
async fn no_arrows(shop: &Shop, spec: &Spec) -> Result<(), String> {
    steps! {
        all = parallel {
            a = slow(shop, "a", 0);
            b = slow(shop, "b", spec.a);
            c = slow(shop, "c", Spec { a: 1 }.a);
            d = slow(shop, "a", a::SEVEN);
            e = { a = slow(shop, "e1", 2); own = slow(shop, "e", a); }
            f = for a in 0..1_u64 by a { own = slow(shop, "f", a); }
            g = if let Some(a) = Some(3) { own = slow(shop, "g", a); }
        }
    }
    let _ = all;
    Ok(())
}

#[tokio::test]
async fn what_only_looks_like_a_name_of_the_parallel_is_no_dependence() {
    let shop = Shop::default();
    run(no_arrows(&shop, &Spec { a: 1 }), &shop.clock)
        .await
        .unwrap();
    let begun = ["a", "b", "c", "e1", "f", "g"].map(|name| shop.at(&format!("begin {name}")));
    assert_eq!(begun, [0; 6]);
    assert_eq!(shop.at("begin e"), 100);
}

#[flow]
async fn waits(lab: &Lab) -> Result<u32, String> {
    steps! {
        all = parallel {
            word = steps::signal::<u32>();
            pause = steps::sleep(Duration::from_secs(60));
            told = num(lab, word);
            other = act(lab, "other");
            both = act(lab, &format!("{told} {other}"));
        }
    }
    let _: &() = &all.pause;
    Ok(all.told + all.both.len() as u32)
}

#[tokio::test]
async fn it_goes_on_from_each_pass() {
    let lab = Lab::new();
    let mut saved = None;
    pass(&mut saved, waits(&lab)).await;
    assert_eq!(lab.texts(), ["other"]);
    let mut state = read(&saved);
    state.signal("all.word", Json::encode(&7).unwrap()).unwrap();
    saved = Some(state.to_json());
    pass(&mut saved, waits(&lab)).await;
    assert_eq!(lab.texts(), ["other", "7", "7 other"]);
    let tree = read(&saved).tree().to_string();
    let drawn = |line: &str| tree.lines().any(|it| it.contains(line));
    assert!(drawn("✓ told ← word"), "{tree}");
    assert!(drawn("✓ both ← told, other"), "{tree}");
}

#[tokio::test]
async fn its_undo_that_fails_keeps_what_it_used() {
    let lab = Lab::new();
    lab.fault("undo 3", Fault::FailBefore);
    let failure = kept(&lab).await.unwrap_err();
    assert_eq!(failure.state.status, Status::Stuck);
    let status = |path| failure.state.get(path).unwrap().status;
    assert_eq!(status("all.two"), Status::UndoFailed);
    assert_eq!(status("all.one"), Status::Done);
    assert_eq!(status("all.other"), Status::Undone);
}

#[flow]
async fn kept(lab: &Lab) -> Result<(), String> {
    steps! {
        all = parallel {
            one = num(lab, 1);
            two = num(lab, one + 2);
            other = num(lab, 9);
        }
        last = fail(lab, "no");
    }
    let _ = (all, last);
    Ok(())
}

#[flow]
async fn pivot_within(lab: &Lab) -> Result<(), String> {
    steps! {
        before = num(lab, 0);
        all = parallel {
            one = num(lab, 1);
            #[pivot]
            two = num(lab, one + 2);
            other = num(lab, 9);
            after = num(lab, two + 1);
        }
        last = fail(lab, "no");
    }
    let _ = (before, all, last);
    Ok(())
}

#[tokio::test]
async fn what_a_pivot_used_is_not_undone() {
    let lab = Lab::new();
    pivot_within(&lab).await.unwrap_err();
    assert_eq!(lab.there().into_iter().collect::<Vec<_>>(), ["0", "1", "3"]);
}

/// Other branches of a `parallel` stay; what used the step's value is made again.
#[tokio::test]
async fn beginning_again_with_a_line_takes_those_that_used_it() {
    let lab = Lab::new();
    let (_, state) = chain(&lab).with_state().await.unwrap();
    let mut state = state.state().clone();
    state.reset("all.b").unwrap();
    let there = |path| state.get(path).unwrap().status;
    assert_eq!(there("all.a"), Status::Done);
    assert_eq!(there("all.other"), Status::Done);
    assert_eq!(["all.b", "all.c", "all.d"].map(there), [Status::Pending; 3]);
    let lab = Lab::new();
    chain(&lab).resume(state).await.unwrap();
    assert_eq!(lab.texts(), ["2", "3", "4"]);
}

#[flow]
async fn chain(lab: &Lab) -> Result<u32, String> {
    steps! {
        all = parallel {
            a = num(lab, 1);
            b = num(lab, a + 1);
            c = num(lab, b + 1);
            other = num(lab, 9);
            d = { e = num(lab, c + 1); }
        }
    }
    Ok(all.d.e)
}

mod old {
    use super::*;
    #[flow(name = "f")]
    pub(super) async fn f(lab: &Lab) -> Result<(), String> {
        steps! {
            all = parallel {
                word = steps::signal::<u32>();
                told = num(lab, 1);
                asked = act(lab, &format!("{told}"));
            }
        }
        let _ = all;
        Ok(())
    }
}

mod new {
    use super::*;
    #[flow(name = "f")]
    pub(super) async fn f(lab: &Lab) -> Result<(), String> {
        steps! {
            all = parallel {
                word = steps::signal::<u32>();
                told = num(lab, word);
                asked = act(lab, "without it");
            }
        }
        let _ = all;
        Ok(())
    }
}

mod free {
    use super::*;
    #[flow(name = "f")]
    pub(super) async fn f(lab: &Lab) -> Result<(), String> {
        steps! {
            all = parallel {
                word = steps::signal::<u32>();
                told = num(lab, 1);
                asked = act(lab, "1");
            }
        }
        let _ = all;
        Ok(())
    }
}

#[tokio::test]
async fn a_line_of_a_parallel_uses_one_that_is_not_done() {
    let lab = Lab::new();
    let mut saved = None;
    pass(&mut saved, old::f(&lab)).await;
    let failure = new::f(&lab).resume(read(&saved)).await.unwrap_err();
    let Cause::Misfit(Misfit::Tree(found)) = &failure.cause else {
        panic!("{failure}")
    };
    let breaks: Vec<_> = found.nodes.iter().filter(|node| node.breaks).collect();
    assert_eq!(breaks.len(), 1);
    assert_eq!(
        breaks[0].to_string(),
        "`all.word` does not fit: `told` uses its value now, and began without it"
    );
}

#[tokio::test]
async fn a_line_of_a_parallel_uses_one_no_more() {
    let lab = Lab::new();
    let mut saved = None;
    pass(&mut saved, old::f(&lab)).await;
    let mut state = read(&saved);
    assert!(Compatibility::of::<free::f>(&state).is_compatible());
    assert_ne!(old::f::FINGERPRINT, free::f::FINGERPRINT);
    state.signal("all.word", Json::encode(&7).unwrap()).unwrap();
    let ((), state) = free::f(&lab).resume(state).with_state().await.unwrap();
    assert!(state.state().get("all.asked").unwrap().needs.is_empty());
}
