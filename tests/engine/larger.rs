//! Executions that are larger than the limits of the engine that takes them up.

use std::sync::Arc;

use steps::{RunLimits, Status, prelude::*};

use crate::support::{World, act, failure, is, on_each_store};

#[flow]
async fn many(world: &World, items: usize) -> Result<usize, String> {
    steps! {
        first = for n in 0..items by n { a = act(cx, world, &format!("{n}")); }
        go = steps::signal::<bool>();
        second = for n in 0..items by n { a = act(cx, world, &format!("again {n}")); }
    }
    let _ = go;
    Ok(first.len() + second.len())
}

on_each_store! {
    async fn claim_nodes_limit(db) {
        let world = World::new();
        let nodes = |most| RunLimits::DEFAULT.nodes(most);
        let large = db.engine().await.serve(many::with(Arc::clone(&world)));
        let large = large.limits(nodes(100)).start().await.unwrap();
        for id in ["signal", "undo", "delete"] {
            let run = large.start(many::input(20)).id(id).await.unwrap();
            is(&run, Status::Waiting).await;
        }
        large.shutdown(std::time::Duration::from_secs(10)).await.unwrap();
        let begun = world.log().len();

        let small = db.engine().await.serve(many::with(Arc::clone(&world)));
        let small = small.limits(nodes(10)).start().await.unwrap();
        let run = small.execution::<many>("signal").await.unwrap();
        assert_eq!(run.tree().await.unwrap().walk().count(), 43);
        run.signal(many::STEPS.go, &true).await.unwrap();
        let failed = failure(run.outcome().await);
        assert_eq!((failed.step(), failed.status()), (Some("second"), Status::Undone));
        assert!(failed.to_string().contains("64 nodes with it, and the limit is 10"), "{failed}");
        assert_eq!(world.log()[begun], "undo 19");
        assert_eq!(world.log().len(), begun + 20);

        let run = small.execution::<many>("undo").await.unwrap();
        run.undo().await.unwrap();
        is(&run, Status::Undone).await;
        assert_eq!(world.log().len(), begun + 40);

        let run = small.execution::<many>("delete").await.unwrap();
        run.stop().await.unwrap();
        is(&run, Status::Stopped).await;
        run.delete().await.unwrap();
        assert!(small.get("delete").await.is_err());
    }
}
