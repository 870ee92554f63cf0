//! The service that the tests start and kill: `restate-flows FOLDER PORT`.

use std::{path::PathBuf, sync::Arc, time::Duration};

use steps_restate::{
    sdk::{
        endpoint::{Endpoint, ServiceOptions},
        http_server::HttpServer,
    },
    serve,
};
use steps_restate_tests::{
    World, after, before, branches, cut_off,
    family::{grandparent, household, kid, leaving, parent, pivoted},
    forms::{forms, offspring},
    items, journey, large, lengthy,
    outside::{publish, scans},
    parted, ten,
};

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let folder = PathBuf::from(args.next().expect("a folder"));
    let port: u16 = args
        .next()
        .and_then(|port| port.parse().ok())
        .expect("a port");
    let world = || Arc::new(World(folder.clone()));
    let impatient = || ServiceOptions::new().inactivity_timeout(Duration::from_millis(300));
    let endpoint = Endpoint::builder()
        .bind(serve(ten::with()))
        .bind(serve(branches::with(world())))
        .bind(serve(journey::with(world())))
        .bind(serve(items::with(world())))
        .bind(serve(parted::with(world())).part(8, 1 << 20))
        .bind(serve(lengthy::with(world())).options(impatient()))
        .bind(
            serve(cut_off::with(world()))
                .abort_after(Duration::from_millis(300))
                .options(impatient()),
        )
        .bind(serve(large::with(world())))
        .bind(serve(publish::with(world())))
        .bind(serve(scans::with(world())).part(8, 1 << 20))
        .bind(serve(kid::with(world())))
        .bind(serve(parent::with(world())))
        .bind(serve(grandparent::with(world())))
        .bind(serve(household::with(world())).part(10, 1 << 20))
        .bind(serve(leaving::with(world())))
        .bind(serve(pivoted::with(world())))
        .bind(serve(forms::with(world())))
        .bind(serve(offspring::with(world())));
    // A test changes the program by this file.
    let endpoint = if folder.join("changed").exists() {
        endpoint.bind(serve(after::changed::with(world())))
    } else {
        endpoint.bind(serve(before::changed::with(world())))
    };
    let address = ([127, 0, 0, 1], port).into();
    HttpServer::new(endpoint.build())
        .listen_and_serve(address)
        .await;
}
