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
    World, after, before, branches, cut_off, items, journey, large, lengthy, parted, ten,
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
        .bind(serve(large::with(world())));
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
