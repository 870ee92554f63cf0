//! The forms one by one.

use std::time::Duration;

use steps::{
    prelude::*,
    testing::{Explorer, Fault, Injected, Lab},
};

/// Does one thing, in three moments, so that things at once get mixed.
#[step]
pub(crate) async fn act(lab: &Lab, name: &str) -> Result<String, Injected> {
    lab.clock().sleep(Duration::from_millis(3)).await;
    lab.act(name)?;
    lab.clock().sleep(Duration::from_millis(3)).await;
    Ok(format!("did {name}"))
}

#[undo(act)]
async fn act_back(lab: &Lab, name: &str, output: &String) -> Result<(), Injected> {
    assert_eq!(*output, format!("did {name}"));
    lab.undo(name)
}

/// The same, found out about.
#[step]
pub(crate) async fn charge(lab: &Lab, name: &str) -> Result<String, Injected> {
    lab.act(name)?;
    Ok(format!("charged {name}"))
}

#[undo(charge)]
async fn refund(lab: &Lab, name: &str, _: &String) -> Result<(), Injected> {
    lab.undo(name)
}

#[verify(charge)]
async fn charged(lab: &Lab, name: &str) -> Option<String> {
    lab.is_there(name).then(|| format!("charged {name}"))
}

/// Numbers in text, so that `Copy` and others both occur.
#[step]
pub(crate) async fn count(lab: &Lab, name: &str, n: u32) -> Result<u32, Injected> {
    lab.act(format!("{name}{n}"))?;
    Ok(n)
}

#[undo(count)]
async fn count_back(lab: &Lab, name: &str, n: u32, _: &u32) -> Result<(), Injected> {
    lab.undo(format!("{name}{n}"))
}

#[flow]
pub(crate) async fn in_order(lab: &Lab) -> Result<String, Injected> {
    steps! {
        a = act(lab, "a");
        g = {
            b = act(lab, "b");
            c = charge(lab, &format!("c of {b}"));
        }
        d = act(lab, &format!("d of {}", g.c));
    }
    Ok(format!("{a} {d}"))
}

#[tokio::test]
async fn lines_in_order() {
    let report = Explorer::new(Lab::clone, in_order)
        .once(["c of did b"])
        .explore()
        .await
        .unwrap();
    assert!(report.cuts > 500, "{report:?}");
    assert_eq!(
        report.ends.into_iter().collect::<Vec<_>>(),
        ["done", "stuck", "undone"]
    );
    assert!(report.faults.contains("d of charged c of did b"));
    assert!(report.faults.contains("undo a"));
}

#[flow]
pub(crate) async fn at_once(lab: &Lab) -> Result<String, Injected> {
    steps! {
        a = act(lab, "a");
        p = parallel {
            b = act(lab, "b");
            c = { x = act(lab, "x"); y = charge(lab, &format!("y {x}")); }
            d = charge(lab, "d");
        }
        e = act(lab, &p.c.y);
    }
    Ok(format!("{a} {e}"))
}

#[tokio::test]
async fn branches_at_once() {
    let report = Explorer::new(Lab::clone, at_once)
        .once(["d", "y did x"])
        .concurrent()
        .explore()
        .await
        .unwrap();
    assert!(report.faults.contains("undo x"), "{report:?}");
}

#[flow]
async fn choosing(lab: &Lab, n: u32) -> Result<u32, Injected> {
    steps! {
        a = count(lab, "a", n);
        no = if a > 100 {
            never = count(lab, "never", a);
        }
        yes = if a < 100 {
            b = count(lab, "b", a);
            c = count(lab, "c", b + 1);
        }
        either = if let Some(yes) = yes {
            d = count(lab, "d", yes.b + yes.c);
        } else {
            e = count(lab, "e", 0);
        }
        other = if let Some(never) = no {
            f = count(lab, "f", never.never);
        } else {
            g = count(lab, "g", 1);
        }
        last = count(lab, "last", either.then().map_or(0, |d| d.d));
    }
    Ok(last)
}

#[tokio::test]
async fn choices() {
    let report = Explorer::new(Lab::clone, |lab| choosing(lab, 3))
        .explore()
        .await
        .unwrap();
    assert!(report.faults.contains("last7"), "{report:?}");
}

#[flow]
async fn listing(lab: &Lab, names: Vec<String>) -> Result<usize, Injected> {
    steps! {
        all = for name in names by name {
            a = act(lab, name);
            b = charge(lab, &format!("b of {name}"));
        }
        again = for (index, item) in all.iter().enumerate().map(|(i, x)| (i as u32, x.a.clone())) by index {
            c = count(lab, &item, index);
        }
        none = for n in 0..0_u32 by n {
            never = count(lab, "never", n);
        }
    }
    Ok(all.len() + again.len() + none.len())
}

pub(crate) fn three() -> Vec<String> {
    ["x", "y", "z"].map(str::to_owned).to_vec()
}

#[tokio::test]
async fn items_in_order() {
    Explorer::new(Lab::clone, |lab| listing(lab, three()))
        .once(["b of x", "b of y"])
        .explore()
        .await
        .unwrap();
}

#[flow]
pub(crate) async fn listing_at_once(lab: &Lab, names: Vec<String>) -> Result<usize, Injected> {
    steps! {
        all = for name in names by name parallel(2) {
            a = act(lab, name);
            b = charge(lab, &format!("b of {name}"));
        }
        last = act(lab, "last");
    }
    drop(last);
    Ok(all.len())
}

#[tokio::test]
async fn items_at_once() {
    Explorer::new(Lab::clone, |lab| listing_at_once(lab, three()))
        .once(["b of x", "b of y"])
        .concurrent()
        .explore()
        .await
        .unwrap();
}

#[flow]
async fn looping(lab: &Lab) -> Result<u32, Injected> {
    steps! {
        rounds = loop max 5 {
            a = count(lab, "a", prev.map_or(0, |p| p.b + 1));
            odd = if let Some(prev) = prev {
                x = count(lab, "x", prev.a);
            }
            b = count(lab, "b", a + odd.as_ref().map_or(0, |odd| odd.x * 10));
        } until b > 5;
        last = count(lab, "last", rounds.b);
    }
    Ok(last)
}

#[tokio::test]
async fn rounds_that_name_the_round_before() {
    let report = Explorer::new(Lab::clone, looping).explore().await.unwrap();
    assert!(report.faults.contains("undo a0"), "{report:?}");
}

/// Rounds that are over are left out at each waking, and brought back to be undone.
#[flow]
pub(crate) async fn monitoring(lab: &Lab) -> Result<u32, Injected> {
    steps! {
        watched = loop max 9 {
            seen  = count(lab, "seen", prev.map_or(0, |prev| prev.seen + 1));
            odd   = if seen == 2 { told = count(lab, "told", seen); }
            pause = steps::sleep(Duration::from_secs(60));
        } until seen == 4;
        last = count(lab, "last", watched.seen);
    }
    Ok(last)
}

#[flow]
async fn inner(lab: &Lab, n: u32) -> Result<u32, Injected> {
    steps! {
        a = count(lab, "inner a", n);
        b = count(lab, "inner b", a + 1);
    }
    lab.act("tail of inner")?;
    Ok(b)
}

#[flow]
pub(crate) async fn nesting(lab: &Lab) -> Result<u32, Injected> {
    steps! {
        before = count(lab, "before", 1);
        nested = flow inner(lab, before + 1);
        after = count(lab, "after", nested);
    }
    lab.act("tail")?;
    Ok(after)
}

#[tokio::test]
async fn nested_flows() {
    let report = Explorer::new(Lab::clone, nesting).explore().await.unwrap();
    assert!(report.faults.contains("tail of inner"), "{report:?}");
    assert!(report.faults.contains("undo inner b3"), "{report:?}");
}

#[flow]
async fn passing_over(lab: &Lab) -> Result<bool, Injected> {
    steps! {
        a = act(lab, "a");
        #[optional]
        o = act(lab, "o");
        #[optional]
        g = {
            x = act(lab, "x");
            y = charge(lab, "y");
        }
        b = act(lab, &format!("b {}", o.is_some() || g.is_some()));
        #[optional]
        n = flow inner(lab, 7);
        c = act(lab, "c");
    }
    Ok(!a.is_empty() && !b.is_empty() && !c.is_empty() && n.is_some())
}

#[tokio::test]
async fn optional_lines() {
    let report = Explorer::new(Lab::clone, passing_over)
        .once(["y"])
        .explore()
        .await
        .unwrap();
    assert!(report.ends.contains("stuck"), "{report:?}");
}

#[flow]
async fn no_return(lab: &Lab) -> Result<(), Injected> {
    steps! {
        a = act(lab, "a");
        p = parallel {
            b = { #[pivot] point = act(lab, "point"); then = act(lab, "then"); }
            c = act(lab, "c");
        }
        d = act(lab, "d");
    }
    let _ = (a, p, d);
    Ok(())
}

#[tokio::test]
async fn what_came_before_a_pivot_stays() {
    Explorer::new(Lab::clone, no_return)
        .concurrent()
        .explore()
        .await
        .unwrap();
}

/// Asks thrice.
#[step(poll(every = "1h", times = 5), retry(times = 2, every = "1m"))]
async fn ask(cx: &Cx, lab: &Lab, name: &str) -> Result<Option<u32>, Injected> {
    let asked: u32 = cx.saved().unwrap_or_default();
    if asked < 2 {
        cx.save(&(asked + 1)).map_err(|e| Injected(e.to_string()))?;
        return Ok(None);
    }
    lab.act(name)?;
    Ok(Some(asked))
}

#[undo(ask, retry(times = 1, every = "1m"))]
async fn unask(_cx: &Cx, lab: &Lab, name: &str, _: &u32) -> Result<(), Injected> {
    lab.undo(name)
}

#[flow]
pub(crate) async fn waiting(lab: &Lab) -> Result<u32, Injected> {
    steps! {
        asked = ask(cx, lab, "asked");
        pause = steps::sleep(Duration::from_secs(3600));
        p = parallel {
            x = ask(cx, lab, "x");
            nap = steps::sleep(Duration::from_secs(60));
            y = act(lab, "y");
        }
        done = act(lab, "done");
    }
    let _ = (pause, p, done);
    Ok(asked)
}

#[tokio::test]
async fn waits_and_polls() {
    Explorer::new(Lab::clone, waiting)
        .concurrent()
        .explore()
        .await
        .unwrap();
}

#[flow(on_failure = "hold")]
async fn holding(lab: &Lab) -> Result<(), Injected> {
    steps! {
        a = act(lab, "a");
        g = { b = charge(lab, "b"); }
        n = flow inner(lab, 1);
    }
    let _ = (a, g, n);
    Ok(())
}

#[tokio::test]
async fn held_flows() {
    let report = Explorer::new(Lab::clone, holding)
        .once(["b"])
        .faults([Fault::FailBefore, Fault::PanicAfter])
        .explore()
        .await
        .unwrap();
    assert!(report.ends.contains("failed"), "{report:?}");
}
