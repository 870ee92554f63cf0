//! Signals are not lost: they queue, each is taken once, and one that no step can take is refused.

use std::time::Duration;

use steps::{
    RunLimits, SignalError, Status,
    engine::{EngineError, Execution},
    prelude::*,
    store::MemoryStore,
    testing::{Cut, CutStore},
};

use crate::support::{World, asks, failure, held, is, on_each_store, wait_for};

#[step]
async fn counted(world: &World, vote: &str) -> Result<String, String> {
    world.act(None, vote.to_owned()).await?;
    Ok(vote.to_owned())
}

#[step]
pub(crate) async fn begun(world: &World) -> Result<(), String> {
    world.act(None, "begun".to_owned()).await
}

/// Each round waits for a vote.
#[flow]
async fn petition(world: &World, votes: usize) -> Result<String, String> {
    steps! {
        begun(world);
        rounds = loop max 10 {
            vote   = steps::signal::<String>();
            so_far = more(prev.map(|round| &*round.so_far), &vote);
            counted(world, &vote);
        } until so_far.split(' ').count() >= votes;
        closed = steps::signal::<bool>();
    }
    let _ = closed;
    Ok(rounds.so_far.clone())
}

#[step]
async fn more(before: Option<&str>, vote: &str) -> Result<String, String> {
    Ok(before.map_or(vote.to_owned(), |before| format!("{before} {vote}")))
}

#[track_caller]
pub(crate) fn refused(sent: Result<(), EngineError>) -> (SignalError, String) {
    match sent {
        Err(EngineError::Signal { error, .. }) => {
            let text = error.to_string();
            (error, text)
        }
        other => panic!("it is refused, and was not: {other:?}"),
    }
}

async fn vote(run: &Execution<petition>, who: &str) -> Result<(), EngineError> {
    run.signal(petition::STEPS.rounds.vote.any(), &who.to_owned())
        .await
}

on_each_store! {
    async fn votes_lost(db) {
        let world = World::new();
        let engine = db.engine().await.serve(petition::with(world.clone())).start().await.expect("it starts");
        let run = engine.start(petition::input(4)).await.expect("it starts");
        run.signal(petition::STEPS.closed, &true).await.expect("it is kept");
        for who in ["ann", "bob"] {
            vote(&run, who).await.expect("it is kept");
        }
        run.signal_path("rounds.*.vote", "cy").await.expect("it is kept");
        run.signal_path("rounds.*.vote", "dan").await.expect("it is kept");
        assert_eq!(run.outcome().await.expect("done"), "ann bob cy dan");
        assert_eq!(world.log(), ["begun", "ann", "bob", "cy", "dan"]);
    }

    /// By three senders, from another process, before and after the loop has begun.
    async fn votes_of_other_processes_are_taken_each_once(db) {
        let world = World::new();
        world.closes("begun");
        let engine = db.engine().await.serve(petition::with(world.clone())).start().await.expect("it starts");
        engine.start(petition::input(9)).id("p").await.expect("it starts");
        world.saw("begun").await;
        let web = db.engine().await.start().await.expect("it starts");
        let run = web.execution::<petition>("p").await.expect("it is there");
        let vote = async |who: &str| {
            for n in 0..3 {
                vote(&run, &format!("{who}{n}")).await.expect("it is kept");
                if n == 1 {
                    world.opens();
                }
            }
        };
        tokio::join!(vote("ann"), vote("bob"), vote("cy"));
        run.signal(petition::STEPS.closed, &true).await.expect("it is kept");
        let all = run.outcome().await.expect("done");
        for who in ["ann", "bob", "cy"] {
            let own: Vec<_> = all.split(' ').filter(|vote| vote.starts_with(who)).collect();
            assert_eq!(own, [0, 1, 2].map(|n| format!("{who}{n}")), "{all}");
        }
    }

    async fn five_ways_to_send_a_signal_that_vanished(db) {
        let world = World::new();
        let engine = db.engine().await.serve(petition::with(world.clone())).start().await.expect("it starts");
        let run = engine.start(petition::input(2)).await.expect("it starts");
        is(&run, Status::Waiting).await;
        // To a step that is no signal, and to what the flow does not have.
        for (path, said) in [
            ("begun", "the step `begun` takes no signals; the flow's signals are `rounds.*.vote`, `closed`"),
            ("nonsense", "the flow `petition` has no step `nonsense`; the flow's signals are"),
            ("", "`` is no signal, but has steps of its own; the flow's"),
            ("rounds", "`rounds` is no signal, but has steps of its own; the flow's"),
            ("rounds.1", "`rounds.1` is no signal, but has steps of its own; the flow's"),
            ("rounds.1.nonsense", "the flow `petition` has no step `rounds.1.nonsense`"),
            ("rounds.1.vote.x", "the flow `petition` has no step `rounds.1.vote.x`"),
            ("*.vote", "the flow `petition` has no step `*.vote`"),
        ] {
            let (error, text) = refused(run.signal_path(path, "ann").await);
            assert!(matches!(error, SignalError::NoSignal { .. }), "{text}");
            assert!(text.starts_with(said), "{path}: {text}");
        }
        // Without the round, which only text can do: `vote` is taken for a round.
        let (error, text) = refused(run.signal_path("rounds.vote", "ann").await);
        assert!(matches!(error, SignalError::NoItem { .. }), "{text}");
        assert!(text.ends_with("the rounds of `rounds` are 1 to 10, not `vote`"), "{text}");
        // To a round that there is not.
        for round in ["0", "2", "10"] {
            let vote = petition::STEPS.rounds.vote.at(round);
            let (error, text) = refused(run.signal(vote, &"ann".to_owned()).await);
            assert!(matches!(error, SignalError::NoItem { .. }), "{text}");
        }
        let (_, text) = refused(run.signal_path("rounds.2.vote", "ann").await);
        assert!(text.ends_with("`rounds` has had 1 rounds so far: `rounds.*` is whichever waits"), "{text}");
        // To a step that has taken one.
        run.signal(petition::STEPS.rounds.vote.at(1), &"ann".to_owned()).await.expect("it waits");
        world.saw("ann").await;
        let late = run.signal(petition::STEPS.rounds.vote.at(1), &"bob".to_owned()).await;
        let (error, text) = refused(late);
        assert!(matches!(error, SignalError::TakesNone { .. }), "{text}");
        // When the loop has ended, it takes none, whichever round is meant.
        vote(&run, "bob").await.expect("it waits");
        world.saw("bob").await;
        wait_for("the loop's end", async || run.tree().await.expect("it is there").succeeded("rounds")).await;
        let (error, text) = refused(vote(&run, "cy").await);
        assert!(matches!(error, SignalError::TakesNone { .. }), "{text}");
        assert_eq!(text, "the step `rounds.*.vote` can take no signal any more: `rounds` is done");
        run.signal(petition::STEPS.closed, &true).await.expect("it waits");
        assert_eq!(run.outcome().await.expect("done"), "ann bob");
    }

    /// The second of two senders is told so, however close they are.
    async fn of_two_answers_at_once_one_is_refused(db) {
        let world = World::new();
        let engine = db.engine().await.serve(asks::with(world.clone())).start().await.expect("it starts");
        for n in 0..30 {
            let run = engine.start(asks::input(format!("{n}"))).await.expect("it starts");
            let answer = async |answer: u32| {
                // Some come before the step waits, some while it takes the other one.
                tokio::time::sleep(Duration::from_micros(u64::from(answer * n) * 20)).await;
                run.signal(asks::STEPS.answer, &answer).await
            };
            let (one, two) = tokio::join!(answer(1), answer(2));
            let taken = run.outcome().await.expect("done");
            let sent: Vec<u32> = [one, two].iter().zip(1..).filter(|(it, _)| it.is_ok()).map(|(_, n)| n).collect();
            assert_eq!(sent, [taken], "the one that was acknowledged");
        }
    }

    /// However many send at once, in the process of the run, and even if they give up waiting.
    async fn signals_of_many_senders_at_once_are_all_seen(db) {
        let world = World::new();
        let engine = db.engine().await.serve(petition::with(world.clone())).start().await.expect("it starts");
        for round in 0..5 {
            let run = engine.start(petition::input(10)).await.expect("it starts");
            let sent = (0..10).map(|n| {
                let run = run.clone();
                tokio::spawn(async move {
                    let who = format!("{n}");
                    let vote = vote(&run, &who);
                    if n != 3 {
                        return vote.await.expect("it is kept");
                    }
                    // Its sender gives up, perhaps when it is kept and not delivered.
                    let pause = Duration::from_micros(30 * round);
                    if tokio::time::timeout(pause, vote).await.is_err() {
                        let _ = run.tree().await;
                    }
                })
            });
            for sent in sent.collect::<Vec<_>>() {
                sent.await.expect("it is sent");
            }
            // In the place of the one that may have got lost with its sender.
            let last = async {
                vote(&run, "3").await.ok();
                run.signal(petition::STEPS.closed, &true).await.expect("it is kept");
            };
            let (outcome, ()) = tokio::join!(run.outcome(), last);
            assert_eq!(outcome.expect("done").split(' ').count(), 10);
        }
    }

    /// The other process holds the first one already, and may not take it any more.
    async fn one_that_was_replaced_is_not_taken_by_a_process_that_holds_it(db) {
        let world = World::new();
        world.closes("x.a");
        let engine = db.engine().await.serve(asks::with(world.clone())).start().await.expect("it starts");
        let own = engine.start(asks::input("x".into())).id("x").await.expect("it starts");
        world.saw("x.a").await;
        own.signal(asks::STEPS.answer, &1).await.expect("it is kept");
        let web = db.engine().await.start().await.expect("it starts");
        let run = web.execution::<asks>("x").await.expect("it is there");
        run.replace_signal(asks::STEPS.answer, &2).await.expect("it is kept");
        world.opens();
        assert_eq!(run.outcome().await.expect("done"), 2);
        let log = world.log();
        assert_eq!(log, ["x.a", "x.b"], "no step ran twice");
    }

    async fn a_path_by_text_is_checked_as_far_as_it_is_known(db) {
        let world = World::new();
        let engine = db.engine().await.serve(asks::with(world.clone())).start().await.expect("it starts");
        world.closes("x.a");
        engine.start(asks::input("x".into())).id("x").await.expect("it starts");
        world.saw("x.a").await;
        // A process that serves the flow knows its signals; another one only those that wait.
        let worker = engine.get("x").await.expect("it is there");
        let error = worker.signal_path("answer", "no number").await.expect_err("it is no number");
        assert!(matches!(error, EngineError::InvalidValue { .. }), "{error}");
        let web = db.engine().await.start().await.expect("it starts");
        let run = web.get("x").await.expect("it is there");
        let (error, text) = refused(run.signal_path("answer", &1).await);
        assert!(matches!(error, SignalError::NotWaiting { .. }), "{text}");
        world.opens();
        is(&run, Status::Waiting).await;
        let (_, text) = refused(run.signal_path("nonsense", &1).await);
        assert_eq!(text, "`nonsense` does not wait for a signal now; `answer` does");
        run.signal_path("answer", &1).await.expect("it waits");
        run.ended().await.expect("done");
    }

    async fn one_that_was_stopped_keeps_its_signals(db) {
        let world = World::new();
        let engine = db.engine().await.serve(petition::with(world.clone())).start().await.expect("it starts");
        let run = engine.start(petition::input(3)).await.expect("it starts");
        is(&run, Status::Waiting).await;
        run.stop_and_wait(Duration::from_secs(20)).await.expect("it stops");
        for who in ["ann", "bob", "cy"] {
            vote(&run, who).await.expect("it is kept");
        }
        run.signal(petition::STEPS.closed, &true).await.expect("it is kept");
        let (_, text) = refused(run.signal(petition::STEPS.closed, &false).await);
        assert_eq!(text, "the step `closed` can take no signal any more: it has been given one");
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert_eq!(run.status().await.expect("it is there"), Status::Stopped);
        run.recover().await.expect("it goes on");
        assert_eq!(run.outcome().await.expect("done"), "ann bob cy");
        // What has ended takes none.
        let done = vote(&run, "dan").await.expect_err("it has ended");
        assert!(matches!(done, EngineError::Status { status: Status::Done, .. }), "{done}");
        run.undo().await.expect("it is undone");
        is(&run, Status::Undone).await;
        let undone = vote(&run, "dan").await.expect_err("it has ended");
        assert!(matches!(undone, EngineError::Status { status: Status::Undone, .. }), "{undone}");
    }

    async fn one_that_has_failed_takes_no_signal(db) {
        let world = World::new();
        world.breaks("x.b");
        let engine = db.engine().await.serve(held::with(world.clone())).start().await.expect("it starts");
        let run = engine.start(held::input("x".into())).await.expect("it starts");
        failure(run.outcome().await);
        let failed = run.signal_path("a", &1).await.expect_err("it has failed");
        assert!(matches!(failed, EngineError::Status { status: Status::Failed, .. }), "{failed}");
    }

    async fn a_queue_has_a_bound(db) {
        let world = World::new();
        world.closes("begun");
        let limits = RunLimits::DEFAULT.signals(2).payload(40);
        let engine = db.engine().await.limits(limits).serve(petition::with(world.clone())).start().await.expect("it starts");
        let run = engine.start(petition::input(2)).await.expect("it starts");
        world.saw("begun").await;
        vote(&run, "ann").await.expect("it is kept");
        vote(&run, "bob").await.expect("it is kept");
        let (error, text) = refused(vote(&run, "cy").await);
        assert!(matches!(error, SignalError::Full { most: 2, .. }), "{text}");
        assert_eq!(
            text,
            "the signal to `rounds.*.vote` was not sent: 2 are queued for it already, the most that may be"
        );
        run.signal(petition::STEPS.closed, &true).await.expect("another path has its own queue");
        // One that replaces takes the place of all of them.
        let votes = petition::STEPS.rounds.vote;
        run.replace_signal(votes.any(), &"eve".to_owned()).await.expect("it is kept");
        run.replace_signal_path("closed", &false).await.expect("it is kept");
        vote(&run, "fay").await.expect("there is room");
        world.opens();
        assert_eq!(run.outcome().await.expect("done"), "eve fay");
        assert_eq!(run.state().await.expect("it is there").closed.output().expect("it is read"), Some(false));
    }

    async fn regression_a_signal_over_the_limit_was_acknowledged_and_rolled_all_back(db) {
        let world = World::new();
        let limits = RunLimits::DEFAULT.payload(40);
        let engine = db.engine().await.limits(limits).serve(petition::with(world.clone())).start().await.expect("it starts");
        let run = engine.start(petition::input(1)).await.expect("it starts");
        let error = vote(&run, &"x".repeat(200)).await.expect_err("it is too large");
        assert!(matches!(error, EngineError::InvalidValue { .. }), "{error}");
        assert!(error.to_string().contains("the signal to `rounds.*.vote` is 202 bytes of JSON, and the limit is 40"), "{error}");
        vote(&run, "ann").await.expect("it is kept");
        run.signal(petition::STEPS.closed, &true).await.expect("it is kept");
        assert_eq!(run.outcome().await.expect("done"), "ann");
    }
}

/// Wherever the process dies, each vote that was acknowledged is counted once.
#[tokio::test]
async fn votes_survive_a_crash_at_each_write() {
    let mut cuts = 0;
    for n in 1.. {
        let mut struck = false;
        for cut in [Cut::Before(n), Cut::After(n)] {
            let world = World::new();
            let memory = MemoryStore::new();
            let web = Engine::with_store(memory.reopen())
                .start()
                .await
                .expect("it starts");
            let start = web.start(petition::input(4)).id("p");
            let run = start.await.expect("it starts");
            for who in ["ann", "bob", "cy", "dan"] {
                vote(&run, who).await.expect("it is kept");
            }
            run.signal(petition::STEPS.closed, &true)
                .await
                .expect("it is kept");
            let store = CutStore::new(memory.reopen()).cut_at(Some(cut));
            let lease = Duration::from_millis(30);
            let first = Engine::with_store(store.clone()).serve(petition::with(world.clone()));
            let first = first.lease(lease).start().await.expect("it starts");
            struck |= tokio::select! {
                _ = run.ended() => false,
                () = store.struck() => true,
            };
            drop(first);
            let second = Engine::with_store(memory.reopen()).serve(petition::with(world.clone()));
            let _second = second.lease(lease).start().await.expect("it starts");
            let outcome = tokio::time::timeout(Duration::from_secs(20), run.outcome()).await;
            let counted = outcome.expect("it goes on").expect("done");
            assert_eq!(counted, "ann bob cy dan", "cut at {cut:?}");
        }
        if !struck {
            break;
        }
        cuts += 1;
    }
    assert!(cuts > 8, "only {cuts} writes");
}
