//! The process that is killed: an engine.

use std::{path::Path, time::Duration};

use steps::{Engine, Open as _};

use crate::{postgres, sqlite, world::World};

/// The first argument of a child.
pub(crate) const CHILD: &str = "--transactions-child";

/// How long each call takes.
const TAKES: Duration = Duration::from_millis(25);

/// Works until it is killed.
pub(crate) fn run(url: &str, schema: &str, log: &Path) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let world = World::slow(schema, log, TAKES);
        let engine = Engine::open(url).await.expect("it opens");
        let engine = engine
            .poll(Duration::from_millis(10))
            .lease(Duration::from_millis(300));
        let engine = match schema {
            "" => engine.serve(sqlite::book::with(world)),
            _ => engine.serve(postgres::book::with(world)),
        };
        let _engine = engine.start().await.expect("it starts");
        std::future::pending::<()>().await;
    });
}
