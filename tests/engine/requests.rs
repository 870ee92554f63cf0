//! What is asked for is waited for; what runs is told at once.

use steps::{Status, prelude::*};

use crate::support::{World, act, failure, job, on_each_store};

#[flow]
async fn beside(world: &World, name: String) -> Result<String, String> {
    steps! {
        p = parallel {
            long = act(cx, world, &format!("{name}.long"));
            told = { word = steps::signal::<String>(); said = act(cx, world, &word); }
        }
    }
    Ok(p.told.said)
}

on_each_store! {
    /// The end that it had before is not its end any more.
    async fn who_waits_after_an_undo_waits_for_that(db) {
        let engine = db.engine().await.serve(job::with(World::new())).start().await.expect("it starts");
        for outcome in [true, false] {
            let run = engine.start(job::input("x".into())).await.expect("it starts");
            run.outcome().await.expect("done");
            run.undo().await.expect("it is asked for");
            if outcome {
                assert_eq!(failure(run.outcome().await).status(), Status::Undone);
            } else {
                assert_eq!(run.ended().await.expect("it rests").status, Status::Undone);
            }
        }
    }

    async fn a_step_is_given_its_signal_while_another_runs_beside_it(db) {
        let world = World::new();
        world.closes("x.long");
        let engine = db.engine().await.serve(beside::with(world.clone())).start().await.expect("it starts");
        let run = engine.start(beside::input("x".into())).await.expect("it starts");
        world.saw("x.long").await;
        tokio::time::sleep(std::time::Duration::from_millis(30)).await;
        run.signal(beside::STEPS.p.told.word, &"hello".to_owned()).await.expect("it is kept");
        world.saw("hello").await;
        world.opens();
        assert_eq!(run.outcome().await.expect("done"), "hello");
    }
}
