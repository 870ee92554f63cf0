//! Volatile steps: what is not saved is made again, as any step is made, and each doing is taken back
//! once.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use steps::{Control, Outcome, State, Status, prelude::*, testing::FakeClock};

use crate::support::{pass, read};

/// A service to log in to.
#[derive(Default)]
struct Net {
    /// How often it refuses, from now on.
    refuses: AtomicU32,
    count: AtomicU32,
    log: Mutex<Vec<String>>,
}

impl Net {
    fn note(&self, text: String) {
        self.log.lock().unwrap().push(text);
    }

    fn told(&self) -> String {
        std::mem::take(&mut *self.log.lock().unwrap()).join(" ")
    }
}

/// Not a serde value.
struct Session(u32);

#[step(volatile, retry(times = 2, every = "1s"))]
async fn log_in(net: &Net) -> Result<Session, String> {
    let refused = |left: u32| left.checked_sub(1);
    if net.refuses.fetch_update(SeqCst, SeqCst, refused).is_ok() {
        net.note("refused".to_owned());
        return Err("connection refused".to_owned());
    }
    let n = net.count.fetch_add(1, SeqCst) + 1;
    net.note(format!("in{n}"));
    Ok(Session(n))
}

#[undo(log_in)]
async fn log_out(net: &Net, session: &Session) {
    net.note(format!("out{}", session.0));
}

#[step]
async fn list(net: &Net, session: &Session) -> Result<u32, String> {
    net.note(format!("list{}", session.0));
    Ok(session.0)
}

#[step]
async fn end(ok: bool) -> Result<(), String> {
    if ok { Ok(()) } else { Err("no".to_owned()) }
}

#[flow]
async fn job(net: &Net) -> Result<u32, String> {
    steps! {
        s = log_in(net);
        go = steps::signal::<bool>();
        n = list(net, s);
        end(go);
    }
    Ok(n)
}

fn give(saved: &mut Option<String>, path: &str, ok: bool) {
    let mut state = read(saved);
    state
        .signal(path, steps::Json::encode(&ok).unwrap())
        .unwrap();
    *saved = Some(state.to_json());
}

#[tokio::test]
async fn claim_volatile_fails_and_is_retried_as_any_step() {
    let (net, clock) = (Net::default(), FakeClock::new());
    let run = || job(&net).clock(Arc::new(clock.clone()));
    let mut saved = None;
    pass(&mut saved, run()).await;
    give(&mut saved, "go", true);
    net.refuses.store(2, SeqCst);
    for _ in 0..2 {
        let outcome = pass(&mut saved, run()).await;
        assert!(matches!(outcome, Outcome::Waiting { until: Some(_), .. }));
        let s = read(&saved).get("s").unwrap().clone();
        assert_eq!(
            (s.status, s.errors[0].as_str()),
            (Status::Waiting, "connection refused")
        );
        clock.advance(Duration::from_secs(1));
    }
    let outcome = pass(&mut saved, run()).await;
    assert!(matches!(outcome, Outcome::Done(2)), "{outcome:?}");
    assert_eq!(net.told(), "in1 refused refused in2 list2");
    assert_eq!(read(&saved).get("s").unwrap().attempts, 4);
}

#[tokio::test]
async fn claim_volatile_without_a_retry_left_is_the_failure_of_the_step() {
    let (net, clock) = (Net::default(), FakeClock::new());
    let mut saved = None;
    pass(&mut saved, job(&net)).await;
    give(&mut saved, "go", true);
    net.refuses.store(3, SeqCst);
    let run = job(&net).clock(Arc::new(clock.clone()));
    let failure = run.resume(read(&saved)).await.unwrap_err();
    assert_eq!(
        (failure.step(), failure.status()),
        (Some("s"), Status::Undone)
    );
    assert_eq!(failure.failed()[0].error, "connection refused");
    assert_eq!(net.told(), "in1 refused refused refused");
    // The execution can be recovered, as after any failure.
    let mut state = State::clone(&failure.state);
    state.recover().unwrap();
    let outcome = job(&net).resume(state).advance().await.unwrap().outcome;
    assert!(matches!(outcome, Outcome::Done(2)), "{outcome:?}");
    assert_eq!(net.told(), "in2 list2");
}

#[tokio::test]
async fn claim_volatile_each_doing_is_taken_back_once() {
    // In the process that did it.
    let net = Net::default();
    let signals = steps::Signals::new();
    signals.send(job::STEPS.go, &false).unwrap();
    job(&net).signals(&signals).await.unwrap_err();
    assert_eq!(net.told(), "in1 list1 out1");

    // An undo in another one.
    let mut saved = None;
    pass(&mut saved, job(&net)).await;
    assert_eq!(net.told(), "in2");
    let undone = job(&net).resume(read(&saved)).undo().await.unwrap_err();
    assert_eq!(
        (undone.status(), net.told().as_str()),
        (Status::Undone, "in3 out3")
    );

    // The same, by a request that comes before the run.
    let control = Control::new();
    control.undo();
    let run = job(&net).resume(read(&saved)).control(&control);
    assert_eq!(run.await.unwrap_err().status(), Status::Undone);
    assert_eq!(net.told(), "in4 out4");

    // A failure in another one.
    give(&mut saved, "go", false);
    job(&net).resume(read(&saved)).await.unwrap_err();
    assert_eq!(net.told(), "in5 list5 out5");
}

#[tokio::test]
async fn claim_volatile_that_fails_in_a_rollback_can_be_tried_again() {
    let (net, clock) = (Net::default(), FakeClock::new());
    let mut saved = None;
    pass(&mut saved, job(&net)).await;
    net.refuses.store(100, SeqCst);
    let run = job(&net).clock(Arc::new(clock.clone()));
    let stuck = run.resume(read(&saved)).undo().await.unwrap_err();
    assert_eq!(stuck.status(), Status::Stuck, "{stuck}");
    assert_eq!(stuck.undo_failed()[0].error, "connection refused");
    net.told();
    net.refuses.store(0, SeqCst);
    let mut state = State::clone(&stuck.state);
    assert_eq!(state.retry_undo().unwrap(), 1);
    let undone = job(&net).resume(state).await.unwrap_err();
    assert_eq!(
        (undone.status(), net.told().as_str()),
        (Status::Undone, "in2 out2")
    );
}

#[flow]
async fn forms(net: &Net) -> Result<u32, String> {
    steps! {
        g = { s = log_in(net); }
        all = for n in 0..2_u32 by n { s = log_in(net); }
        side = parallel { a = log_in(net); b = { c = log_in(net); } }
        some = if g.s.0 > 0 { s = log_in(net); }
        rounds = loop { s = log_in(net); } until s.0 > 6;
        inner = flow nested(net);
        go = steps::signal::<bool>();
        end(go);
    }
    let all: u32 = all.iter().map(|item| item.s.0).sum();
    let sum = g.s.0 + all + side.a.0 + side.b.c.0 + some.map_or(0, |some| some.s.0);
    Ok(sum + rounds.s.0 + inner)
}

#[flow]
async fn nested(net: &Net) -> Result<u32, String> {
    steps! { s = log_in(net); }
    Ok(s.0)
}

#[tokio::test]
async fn volatile_steps_of_finished_groups_are_made_again_where_they_stand() {
    let net = Net::default();
    let mut saved = None;
    pass(&mut saved, forms(&net)).await;
    assert_eq!(net.told(), "in1 in2 in3 in4 in5 in6 in7 in8");
    give(&mut saved, "go", true);
    // One that fails lets the others go on after its retries.
    net.refuses.store(1, SeqCst);
    let clock = FakeClock::new();
    let run = forms(&net).clock(Arc::new(clock)).resume(read(&saved));
    let (sum, state) = run.with_state().await.unwrap();
    // That of the nested flow is not needed: its output is saved.
    assert_eq!(net.told(), "refused in9 in10 in11 in12 in13 in14 in15");
    assert_eq!(sum, (9..=15).sum::<u32>() + 8);
    // The decisions and the number of rounds are those that were recorded.
    assert_eq!(state.state().get("rounds").unwrap().states.len(), 1);
}
