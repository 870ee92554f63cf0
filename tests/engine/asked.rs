//! What is asked for is waited for.

use steps::Status;

use crate::support::{World, failure, job, on_each_store};

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
                assert_eq!(run.rest().await.expect("it rests").status, Status::Undone);
            }
        }
    }
}
