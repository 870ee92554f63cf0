//! Creates a virtual machine and a volume at once, waits until both are ready and attaches the
//! one to the other, in a small HTTP cloud that this program starts on loopback. With `--fail`
//! the cloud refuses at the end, and what was created is deleted again.
//!
//! ```text
//! cargo run --example attach_volume
//! cargo run --example attach_volume -- --fail
//! ```
//!
//! The flow is in `flow.rs`: begin there. The rest is the cloud and its client.

mod cloud_client;
mod cloud_server;
mod flow;
mod http;
mod model;

use std::{error::Error, process::ExitCode};

use clap::{Parser, builder::NonEmptyStringValueParser, value_parser};

use crate::{
    cloud_client::Cloud,
    cloud_server::Attaching,
    flow::{Spec, attach_volume},
};

/// Creates a virtual machine and a volume in a cloud, then attaches the one to the other.
///
/// The cloud is a small HTTP server inside this program. It answers slowly, is too busy for some
/// first requests, and must be polled until what it creates is ready. Every request is printed,
/// and at the end all that the cloud holds.
#[derive(Parser)]
#[command(after_help = "Exit status: 0 attached, 1 failed and rolled back, 2 bad usage.")]
struct Args {
    /// Make the cloud refuse to attach the volume, to see the rollback.
    #[arg(long)]
    fail: bool,
    /// The name of the machine.
    #[arg(long, value_name = "NAME", default_value = "my-vm", value_parser = NonEmptyStringValueParser::new())]
    vm: String,
    /// The name of the volume.
    #[arg(long, value_name = "NAME", default_value = "my-vol", value_parser = NonEmptyStringValueParser::new())]
    volume: String,
    /// The size of the volume, in gigabytes.
    #[arg(long, value_name = "GB", default_value_t = 20, value_parser = value_parser!(u32).range(1..))]
    size: u32,
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let args = Args::parse();
    let attaching = if args.fail {
        Attaching::Refused
    } else {
        Attaching::Works
    };
    let cloud = Cloud::at(cloud_server::start(attaching).await?);
    let spec = Spec {
        vm: args.vm,
        volume: args.volume,
        size_gb: args.size,
    };

    let outcome = attach_volume(&cloud, spec).await;

    println!("{}", cloud.inventory().await?);
    Ok(match outcome {
        Ok(_) => ExitCode::SUCCESS,
        Err(failure) => {
            println!("{}", failure.state.tree());
            ExitCode::FAILURE
        }
    })
}
