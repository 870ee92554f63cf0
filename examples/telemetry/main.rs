//! What a service tells of its executions: traces by OpenTelemetry, metrics by Prometheus, and the log.
//!
//! ```text
//! cargo run --example telemetry            # two orders, their traces, and what Prometheus reads
//! cargo run --example telemetry -- --stay  # goes on until Ctrl-C, to be scraped: curl 127.0.0.1:9464/metrics
//! ```
//!
//! The first order goes on in another engine, as after a restart of the service: its trace does, too.

mod flow;
mod scrape;
mod traces;

use std::{error::Error, io, net::SocketAddr, time::Duration};

use clap::Parser;
use metrics_exporter_prometheus::PrometheusBuilder;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use steps::{
    engine::{Execution, Filter},
    otel::OpenTelemetry,
    prelude::*,
};
use tracing::{Instrument, Level, level_filters::LevelFilter};
use tracing_subscriber::{Layer, filter::Targets, layer::SubscriberExt};

use crate::flow::order;

/// Two orders, and what is told of them: the log on stderr, traces and metrics on stdout.
#[derive(Parser)]
struct Args {
    /// Where Prometheus may ask for the metrics
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9464")]
    metrics: SocketAddr,
    /// Goes on until Ctrl-C
    #[arg(long)]
    stay: bool,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let spans = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder();
    let provider = provider.with_simple_exporter(spans.clone()).build();
    set_up_tracing(&provider)?;
    // Before the engine starts, which tells it what each metric means.
    PrometheusBuilder::new()
        .with_http_listener(args.metrics)
        .install()?;

    let folder = tempfile::tempdir()?;
    let url = format!("sqlite:{}", folder.path().join("orders.db").display());
    let engine = start_engine(&url).await?;
    request(&engine, "ann", "lamp").await?;
    let declined = request(&engine, "nobody", "chair").await?;
    declined.outcome().await.expect_err("the card was declined");
    waits_for_signal(&engine, "ann-lamp").await?;
    engine.shutdown(Duration::from_secs(5)).await?;

    let engine = start_engine(&url).await?;
    let run = engine.execution::<order>("ann-lamp").await?;
    run.signal(order::STEPS.packed, &()).await?;
    run.outcome().await?;
    let ended = engine.count(Filter::new().flow::<order>()).await?;
    println!("{ended} orders have ended\n");
    for line in scrape::scrape(args.metrics).await? {
        println!("{line}");
    }
    if args.stay {
        println!("\nhttp://{}/metrics; Ctrl-C ends it", args.metrics);
        tokio::signal::ctrl_c().await?;
    }
    engine.shutdown(Duration::from_secs(5)).await?;
    println!();
    traces::print(spans.get_finished_spans()?);
    provider.shutdown()?;
    Ok(())
}

/// Spans of steps are of the level `debug`. The log needs no more than `info`.
fn set_up_tracing(provider: &SdkTracerProvider) -> Result<(), Box<dyn Error>> {
    let of_traces = Targets::new()
        .with_target("steps_core", Level::DEBUG)
        .with_target(env!("CARGO_CRATE_NAME"), Level::INFO);
    let traces = tracing_opentelemetry::layer().with_tracer(provider.tracer("orders"));
    let log = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let subscriber = tracing_subscriber::registry()
        .with(traces.with_filter(of_traces))
        .with(log.with_filter(LevelFilter::INFO));
    tracing::subscriber::set_global_default(subscriber)?;
    Ok(())
}

async fn start_engine(url: &str) -> Result<Engine, EngineError> {
    let engine = Engine::open(url).await?.serve(order::with());
    engine.propagator(OpenTelemetry).start().await
}

/// What a web framework's middleware does: each request has a span.
async fn request(
    engine: &Engine,
    customer: &str,
    article: &str,
) -> Result<Execution<order>, EngineError> {
    let span = tracing::info_span!("POST /orders", otel.kind = "server");
    let start = engine.start(order::input(customer.into(), article.into()));
    let start = start.id(format!("{customer}-{article}"));
    async { start.await }.instrument(span).await
}

async fn waits_for_signal(engine: &Engine, id: &str) -> Result<(), EngineError> {
    let run = engine.execution::<order>(id).await?;
    let mut watch = run.watch();
    loop {
        let tree = run.tree().await?;
        let step = tree.get("packed");
        if step.is_some_and(|step| step.status == Status::Waiting) {
            return Ok(());
        }
        watch.next().await;
    }
}
