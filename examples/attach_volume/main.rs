//! Creates a virtual machine and a volume at once, waits until both are ready and attaches the
//! one to the other, in a small HTTP cloud that this program starts on loopback.
//!
//! ```text
//! cargo run --example attach_volume
//! cargo run --example attach_volume -- --fail
//! ```

#![allow(dead_code, reason = "its flow is not wired yet")]

mod cloud_client;
mod cloud_server;
mod http;
mod model;

use std::{error::Error, process::ExitCode};

use clap::Parser;

use crate::{cloud_client::Cloud, cloud_server::Attaching};

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
    #[arg(long, value_name = "NAME", default_value = "my-vm")]
    vm: String,
    /// The name of the volume.
    #[arg(long, value_name = "NAME", default_value = "my-vol")]
    volume: String,
    /// The size of the volume, in gigabytes.
    #[arg(long, value_name = "GB", default_value_t = 20)]
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
    println!("{}", cloud.inventory().await?);
    Ok(ExitCode::FAILURE)
}
