//! What watching a large execution costs, counted in rows that are read.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use steps::{engine::Engine, prelude::*};

use crate::{
    between::{Between, Counts},
    support::{World, act, on_each_store},
};

#[flow]
async fn many(world: &World, items: usize) -> Result<usize, String> {
    steps! {
        all = for n in 0..items by n { a = act(cx, world, &n.to_string()); }
    }
    Ok(all.len())
}

on_each_store! {
    /// A look at a large tree is followed by a rest in proportion to it, but for the last one.
    async fn scale_watcher(db) {
        const ITEMS: usize = 600;
        let world = World::new();
        let counts: Arc<Counts> = Arc::default();
        let store = Between::counting(db.store().await, &counts);
        let engine = Engine::with_store(store).serve(many::with(Arc::clone(&world)));
        let engine = engine.start().await.unwrap();
        let begun = Instant::now();
        let run = engine.start(many::input(ITEMS)).await.unwrap();
        let mut watch = run.watch();
        let mut last = None;
        while let Some(watched) = watch.next().await {
            last = Some(watched.unwrap());
        }
        let took = begun.elapsed();
        let last = last.expect("it told of the execution");
        assert!(last.state.state().status == steps::Status::Done);
        let loaded = counts.loaded.lock().unwrap().clone();
        let rows: usize = loaded[..loaded.len() - 1].iter().sum();
        let rests = Duration::from_micros(20) * u32::try_from(rows).unwrap();
        // The end comes at once: the rest before it is cut short.
        let cut = Duration::from_micros(20) * u32::try_from(2 * ITEMS + 2).unwrap();
        assert!(rests <= took + cut, "{} looks at {rows} rows in {took:?}", loaded.len());
        assert_eq!(run.outcome().await.unwrap(), ITEMS);
    }
}
