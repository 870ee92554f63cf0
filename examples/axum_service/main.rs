//! A small web shop, as a service with axum and its own SQLite data, whose orders are executions.
//!
//! ```sh
//! cargo run --example axum_service -- --dir /tmp/shop --port 8080
//! curl -i 127.0.0.1:8080/orders -H 'Idempotency-Key: 1' -H 'Content-Type: application/json' \
//!      -d '{"customer": "ann", "product": "lamp", "quantity": 2}'
//! curl 127.0.0.1:8080/orders/order-1
//! ```
//!
//! It sells a `lamp` for 49.00, a `chair` for 89.00 and a `bulb` for 2.90. An order of 100.00 or more
//! (`--approve-from`, in cents) waits for an approval:
//!
//! ```sh
//! curl 127.0.0.1:8080/orders -H 'Idempotency-Key: 2' -H 'Content-Type: application/json' \
//!      -d '{"customer": "ann", "product": "lamp", "quantity": 3}'
//! curl 127.0.0.1:8080/orders/order-2/approval -H 'Content-Type: application/json' \
//!      -d '{"granted": true, "by": "bob"}'
//! ```
//!
//! | request | does |
//! |---|---|
//! | `GET /` | all of this, with the products, the threshold and the bodies to send |
//! | `GET /products` | what is in stock: the shop's own data |
//! | `GET /ledger` | what was charged and refunded: the shop's own data |
//! | `POST /orders`, with a header `Idempotency-Key` | starts an execution: 202 and its `Location` |
//! | `GET /orders?status=waiting&customer=ann` | lists executions, the newest first |
//! | `GET /orders/{id}` | one, with its tree of steps |
//! | `POST /orders/{id}/approval` | gives the step that waits for it a signal; 409 if none does |
//! | `GET /steps` | the page of `steps-web`, for this machine alone: what an operator sees and does |
//! | `DELETE /orders/{id}` | cancels: what was done is undone; 409 for an order that has left the house |
//!
//! The flow is in `flow.rs`, the handlers that use the engine in `orders.rs`. `shop.rs` is what such
//! a service has anyway: a database of its own. It uses the rusqlite (0.39) that the engine's store
//! does, as a program can link only one SQLite; sqlx 0.9 takes the same one and would do as well.
//!
//! Executions are in a file, unless `--db` names another store. With `--features postgres` that may be a database:
//! `--db postgres://shop@localhost/shop`, which several of these processes may share.
//!
//! Kill it with `kill -9` and start it again: the orders go on. On SIGTERM or Ctrl-C it takes no more
//! requests, lets the steps at work end, and exits with 0; orders that wait are taken up by the
//! next start.

mod error;
mod flow;
mod orders;
mod products;
mod shop;

use std::{
    error::Error,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use axum::Router;
use clap::Parser;
use steps::{Engine, prelude::*};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::Notify,
    time::timeout,
};

use crate::{error::ApiError, flow::fulfil, shop::Shop};

/// Serves a small web shop on loopback.
#[derive(Parser)]
#[command(
    after_help = "Exit status: 0 ended by SIGTERM or Ctrl-C, 1 could not start, 2 bad usage."
)]
struct Args {
    /// The folder of both databases, shop.db and orders.db
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// Where executions are, if not in orders.db: any store that `Engine::open` takes
    #[arg(long, value_name = "URL")]
    db: Option<String>,
    /// The port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Orders of this many cents or more wait for an approval
    #[arg(long, value_name = "CENTS", default_value_t = 10_000)]
    approve_from: u64,
    /// How long it takes to pack a parcel, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 100)]
    packing: u64,
    /// How long after this process was killed its orders are taken up, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 10_000)]
    lease: u64,
    /// How long requests and steps at work may take to end after SIGTERM, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 10_000)]
    grace: u64,
}

/// What the handlers share.
#[derive(Clone)]
struct App {
    shop: Shop,
    engine: Engine,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    fs::create_dir_all(&args.dir)?;
    let shop = Shop::open(
        &args.dir.join("shop.db"),
        Duration::from_millis(args.packing),
    )?;
    let shop = shop.with_approval_from(args.approve_from);
    let orders = format!("sqlite:{}", args.dir.join("orders.db").display());
    let engine = Engine::open(&args.db.unwrap_or(orders))
        .await?
        .serve(fulfil::with(shop.clone()))
        .lease(Duration::from_millis(args.lease))
        .start()
        .await?;

    let end = Arc::new(Notify::new());
    // Without a token, it is for this machine alone.
    let page = steps_web::router(engine.clone())
        .title("Shop")
        .until(Arc::clone(&end).notified_owned())
        .build()?;
    let app = Router::new()
        .nest("/steps", page)
        .merge(products::routes())
        .merge(orders::routes())
        .fallback(ApiError::no_route)
        .method_not_allowed_fallback(ApiError::wrong_method)
        .with_state(App {
            shop,
            engine: engine.clone(),
        });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let ended = Arc::clone(&end).notified_owned();
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(ended);
    let mut server = tokio::spawn(server.into_future());

    tokio::select! {
        ended = &mut server => return Ok(ended??),
        signal = terminated() => println!("{}: shutting down", signal?),
    }
    let grace = Duration::from_millis(args.grace);
    // No new requests; those at work get their answers, from an engine that still works.
    end.notify_waiters();
    if timeout(grace, server).await.is_err() {
        println!("some requests had not ended after {grace:?}");
    }
    // No new steps; those at work end.
    engine.shutdown(grace).await?;
    println!("bye");
    // Returning would wait for the thread of a blocking step that was cut off, however long it takes.
    std::process::exit(0)
}

/// Ends with SIGTERM or Ctrl-C.
async fn terminated() -> std::io::Result<&'static str> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    })
}
