//! What a step's context offers, in arguments and conditions.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use steps::{Outcome, prelude::*, testing::Lab};

use crate::support::{fail, num, pass, run};

#[step(poll(every = "1h"))]
async fn submit(cx: &Cx, lab: &Lab, path: &str, key: &str) -> Result<Option<u32>, String> {
    assert_eq!(
        (cx.path().as_str(), cx.idempotency_key().as_str()),
        (path, key)
    );
    lab.act(format!("{} {}", cx.attempt(), key)).unwrap();
    let seen: Vec<u32> = cx.saved().unwrap_or_default();
    cx.progress(seen.len() as u64, 3);
    if seen.len() == 3 {
        return Ok(Some(seen.iter().sum()));
    }
    let seen: Vec<u32> = seen.into_iter().chain([cx.attempt()]).collect();
    cx.save(&seen).map_err(|e| e.to_string())?;
    Ok(None)
}

#[flow]
async fn submits(lab: &Lab) -> Result<u32, String> {
    steps! {
        g = if cx.path() == "g" && cx.attempt() == 1 && !cx.cancelled() {
            all = for n in [7_u32] by format!("{n}.{}", cx.path().len()) {
                s = submit(cx, lab, &cx.path(), &cx.idempotency_key());
            }
        }
    }
    let g = g.ok_or("no g")?;
    Ok(g.all[0].s)
}

/// A5, A10: working data is kept between passes, and a job that was submitted is met again under
/// the same key.
#[tokio::test]
async fn attempts_keys_and_working_data_are_kept_between_passes() {
    let lab = Lab::new();
    let mut saved = None;
    for passes in 1..=3 {
        let outcome = pass(&mut saved, submits(&lab)).await;
        assert!(matches!(outcome, Outcome::Waiting { .. }), "{outcome:?}");
        let state = crate::support::read(&saved);
        // The key of the item has a dot in it.
        let node = state.get("g.all.7\\.5.s").unwrap();
        assert_eq!(
            (node.attempts, node.progress.unwrap().done),
            (passes, u64::from(passes) - 1)
        );
        assert_eq!(
            node.info
                .as_ref()
                .unwrap()
                .decode::<Vec<u32>>()
                .unwrap()
                .len(),
            passes as usize
        );
    }
    let outcome = pass(&mut saved, submits(&lab)).await;
    assert!(matches!(outcome, Outcome::Done(6)), "{outcome:?}");
    let texts = lab.texts();
    let key = texts[0].split_once(' ').unwrap().1.to_owned();
    for (index, text) in texts.iter().enumerate() {
        assert_eq!(*text, format!("{} {key}", index + 1));
    }
    // Another execution has other keys.
    let other = Lab::new();
    let _ = pass(&mut None, submits(&other)).await;
    assert_ne!(other.texts()[0], texts[0]);
}

#[step]
async fn works(cx: &Cx, lab: &Lab) -> Result<(), String> {
    for unit in 0..10 {
        lab.clock().sleep(Duration::from_secs(1)).await;
        if cx.cancelled() {
            return Err(format!("gave up after {unit}"));
        }
    }
    Ok(())
}

#[step]
async fn fails_late(lab: &Lab) -> Result<(), String> {
    lab.clock().sleep(Duration::from_millis(3500)).await;
    Err("late".to_owned())
}

#[flow]
async fn cancels(lab: &Lab) -> Result<(), String> {
    steps! { p = parallel { a = works(cx, lab); b = fails_late(lab); } }
    drop(p);
    Ok(())
}

#[tokio::test]
async fn a_running_step_may_look_whether_a_sibling_failed() {
    let lab = Lab::new();
    let failure = run(cancels(&lab), lab.clock()).await.unwrap_err();
    let errors: Vec<_> = failure.failed().iter().map(|step| &*step.error).collect();
    assert_eq!(errors, ["late", "gave up after 3"]);
}

#[flow]
async fn watched(lab: &Lab) -> Result<(), String> {
    steps! {
        s = submit(cx, lab, &cx.path(), &cx.idempotency_key());
        n = num(lab, 1);
        bad = fail(lab, "no");
    }
    let _ = (s, n, bad);
    Ok(())
}

#[tokio::test]
async fn an_observer_sees_each_transition() {
    let lab = Lab::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&seen);
    let observed = watched(&lab).observe(move |event| {
        let so_far = into.lock().unwrap().len() as u64;
        assert_eq!(
            event.number,
            so_far + 1,
            "in the order in which things happened"
        );
        let mut text = format!("{} {}", event.path, event.status);
        if let Some(progress) = event.progress {
            text.push_str(&format!(" {}/{}", progress.done, progress.total));
        }
        if let Some(error) = &event.error {
            text.push_str(&format!(": {error}"));
        }
        into.lock().unwrap().push(text);
        assert!(event.path != "n", "an observer that panics harms nothing");
    });
    run(observed, lab.clock()).await.unwrap_err();
    let seen = seen.lock().unwrap();
    let of = |path: &str| -> Vec<&str> {
        let mine = seen.iter().filter_map(|text| text.split_once(' '));
        let mine = mine.filter(|(of, _)| *of == path).map(|(_, text)| text);
        mine.collect()
    };
    assert_eq!(of("n"), ["running", "done", "undoing", "undone"]);
    assert_eq!(of("bad"), ["running", "failed: no"]);
    assert_eq!(of("s").first(), Some(&"running"));
    assert_eq!(of("s").last(), Some(&"done 3/3"));
    assert!(of("s").contains(&"running 2/3"), "{:?}", of("s"));
    let root = of("");
    assert_eq!(root.last(), Some(&"undone: bad: no"), "{root:?}");
}
