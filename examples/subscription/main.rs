//! Subscriptions: a month is free, then each month is paid for, until somebody cancels or the card is
//! declined three times. Each one is an execution that waits for months, for a signal or a time.
//!
//! ```text
//! cargo run --example subscription                               # three customers, in days of 20 ms
//! cargo run --example subscription -- --dir /tmp/subs --day 2s serve
//! cargo run --example subscription -- --dir /tmp/subs start ann  # from another terminal
//! cargo run --example subscription -- --dir /tmp/subs cancel ann --reason "moving abroad"
//! cargo run --example subscription -- --dir /tmp/subs list
//! ```
//!
//! Kill `serve` with `kill -9`, and start it again: no letter is sent twice, and no month is paid twice.

mod flow;
mod shop;

use std::{error::Error, fs, path::PathBuf, time::Duration};

use clap::{Parser, Subcommand};
use steps::{AsDuration, Engine, Status, engine::Filter, prelude::*};

use crate::{
    flow::subscription,
    shop::{Customer, Shop},
};

/// Subscriptions with a free month, letters, payments and an end.
#[derive(Parser)]
struct Args {
    /// The folder of the database, subscriptions.db, and of the shop's ledger.txt; a temporary one
    /// without a command
    #[arg(long, value_name = "DIR", default_value = "subscriptions")]
    dir: PathBuf,
    /// How long a day is, such as 86400s; of those that `start` begins
    #[arg(long, value_name = "TIME", default_value = "1d", value_parser = day)]
    day: Duration,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Works on all subscriptions, until Ctrl-C
    Serve,
    /// Begins the subscription of a customer, unless they have one
    Start {
        customer: String,
        /// From this payment on, the card is declined
        #[arg(long, value_name = "N")]
        declined_from: Option<u32>,
    },
    /// Cancels it
    Cancel {
        customer: String,
        #[arg(long)]
        reason: String,
    },
    /// Lists them, the newest first
    List,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let Some(command) = args.command else {
        return demo().await;
    };
    fs::create_dir_all(&args.dir)?;
    let url = format!("sqlite:{}", args.dir.join("subscriptions.db").display());
    match command {
        Command::Serve => {
            let shop = Shop::open(&args.dir)?;
            let engine = Engine::open(&url).await?.serve(subscription::with(shop));
            let engine = engine.start().await?;
            println!("working on {}; Ctrl-C ends it", args.dir.display());
            tokio::signal::ctrl_c().await?;
            engine.shutdown(Duration::from_secs(10)).await?;
        }
        Command::Start {
            customer,
            declined_from,
        } => {
            let engine = Engine::open(&url).await?.start().await?;
            let input = Customer {
                name: customer.clone(),
                declined_from,
            };
            let start = engine.start(subscription::input(input, args.day));
            let run = start.id(customer).await?;
            println!("{}: {}", run.id(), run.status().await?);
        }
        Command::Cancel { customer, reason } => {
            let engine = Engine::open(&url).await?.start().await?;
            cancel(&engine, &customer, reason).await?;
            println!("{customer}: cancelled");
        }
        Command::List => {
            let engine = Engine::open(&url).await?.start().await?;
            for found in engine.list(Filter::new().flow::<subscription>()).await? {
                println!("{}: {}", found.id, found.status);
            }
        }
    }
    Ok(())
}

/// Whatever period it is in: the first one that waits takes the signal.
async fn cancel(engine: &Engine, customer: &str, reason: String) -> Result<(), Box<dyn Error>> {
    let run = engine.execution::<subscription>(customer).await?;
    let cancelled = subscription::STEPS.periods.cancelled.any();
    Ok(run.signal(cancelled, &reason).await?)
}

/// Ann changes her mind in the free month, Bob after his second payment, and Cy's card expires.
async fn demo() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let shop = Shop::open(folder.path())?;
    let url = format!(
        "sqlite:{}",
        folder.path().join("subscriptions.db").display()
    );
    let serve = subscription::with(shop.clone());
    let engine = Engine::open(&url).await?.serve(serve).start().await?;
    let day = Duration::from_millis(20);
    let mut runs = Vec::new();
    for (name, declined_from) in [("ann", None), ("bob", None), ("cy", Some(2))] {
        let customer = Customer {
            name: name.to_owned(),
            declined_from,
        };
        let start = engine.start(subscription::input(customer, day));
        runs.push(start.id(name).await?);
    }
    cancel(&engine, "ann", "too many letters".to_owned()).await?;
    shop.has(|line| line == "bob pays for month 2").await;
    cancel(&engine, "bob", "moving abroad".to_owned()).await?;
    for run in runs {
        let end = run.outcome().await?;
        assert_eq!(run.status().await?, Status::Done);
        println!("{}: {end}", run.id());
    }
    println!("\n{}", shop.text()?);
    engine.shutdown(Duration::from_secs(10)).await?;
    Ok(())
}

fn day(text: &str) -> Result<Duration, String> {
    text.as_duration().map_err(|error| error.to_string())
}
