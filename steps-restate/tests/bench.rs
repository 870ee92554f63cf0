//! Steps a second on Restate: a flow of ten steps against a handler that calls `ctx.run` ten times, on the same server, in
//! turns; one at a time, and 50.
//!
//! `cargo bench -p steps-restate-tests` prints the ratios. `ROUNDS` and `SECONDS` in the environment change their number
//! and their length.

#![allow(missing_docs, reason = "the macro of the SDK makes public items")]

mod common;

use std::{
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use common::server::{Server, free_port, http};
use restate_sdk::{endpoint::Endpoint, http_server::HttpServer, prelude::*};
use steps_restate_tests::ten;

/// The same ten steps, by hand.
struct Plain;

#[restate_sdk::workflow(name = "plain")]
impl Plain {
    #[handler]
    async fn run(&self, ctx: WorkflowContext<'_>, input: Json<Input>) -> HandlerResult<u32> {
        let mut n = input.0.n;
        for name in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"] {
            n = ctx.run(|| async move { Ok(n + 1) }).name(name).await?;
        }
        Ok(n)
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Input {
    n: u32,
}

/// Runs workflows for a while, as many at once. Returns their steps a second.
fn measure(ingress: u16, workflow: &str, at_once: usize, time: Duration) -> f64 {
    static KEY: AtomicU32 = AtomicU32::new(0);
    let begun = Instant::now();
    let done: u32 = thread::scope(|scope| {
        let each = || {
            let mut done = 0;
            while begun.elapsed() < time {
                let key = KEY.fetch_add(1, Ordering::Relaxed);
                let path = format!("/{workflow}/{key}/run");
                let (status, output) =
                    http(ingress, "POST", &path, r#"{"n":1}"#).expect("an answer");
                assert_eq!((status, output.trim()), (200, "11"), "{workflow}");
                done += 1;
            }
            done
        };
        let threads: Vec<_> = (0..at_once).map(|_| scope.spawn(each)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no panic"))
            .sum()
    });
    f64::from(10 * done) / begun.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn setting(name: &str, usual: u32) -> u32 {
    std::env::var(name).map_or(usual, |value| value.parse().expect("a number"))
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server = Server::start();
    let port = free_port();
    let endpoint = Endpoint::builder()
        .bind(Plain)
        .bind(steps_restate::serve(ten::with()))
        .build();
    let address = ([127, 0, 0, 1], port).into();
    runtime.spawn(HttpServer::new(endpoint).listen_and_serve(address));
    server.register(port);
    let time = Duration::from_secs(setting("SECONDS", 3).into());
    let rounds = setting("ROUNDS", 7);
    println!("at once   plain handler   steps   ratio (median of {rounds})");
    for at_once in [1, 50] {
        // Not counted: connections are made, and the server's files.
        measure(server.ingress, "plain", at_once, time / 3);
        measure(server.ingress, "ten", at_once, time / 3);
        let (mut plain, mut ours, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds {
            plain.push(measure(server.ingress, "plain", at_once, time));
            ours.push(measure(server.ingress, "ten", at_once, time));
            ratios.push(ours[ours.len() - 1] / plain[plain.len() - 1]);
        }
        let all: Vec<_> = ratios.iter().map(|ratio| format!("{ratio:.2}")).collect();
        let (plain, ours, ratio) = (median(plain), median(ours), median(ratios));
        println!(
            "{at_once:>7}   {plain:>13.0}   {ours:>5.0}   {ratio:.2}  ({})",
            all.join(" ")
        );
    }
}
