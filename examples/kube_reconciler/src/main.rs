//! A Kubernetes controller that makes databases: for each `Database` object a flow makes a secret, a volume, a
//! server and a service, and undoes what it has made if a part fails, or when the object is deleted. The state of
//! the flow is kept in the object's `.status`, and nowhere else.
//!
//! ```text
//! cargo run -p kube-reconciler -- --print-crd | kubectl apply -f -
//! cargo run -p kube-reconciler -- --namespace demo
//! ```

use std::{process::ExitCode, sync::Arc};

use clap::Parser;
use futures_util::StreamExt as _;
use kube::{
    Api, Client, CustomResourceExt as _,
    runtime::{Controller, watcher},
};
use kube_reconciler::{
    database::Database,
    reconcile::{Context, error_policy, reconcile},
};

/// Makes the databases that `Database` objects ask for.
///
/// It talks to the cluster of the current context of `~/.kube/config`, or to its own if it runs in a pod.
#[derive(Parser)]
struct Args {
    /// Look after the objects of this namespace only.
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,
    /// Print the definition of `Database` as JSON, for `kubectl apply -f -`, and end.
    #[arg(long)]
    print_crd: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kube-reconciler: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), Box<dyn std::error::Error>> {
    if args.print_crd {
        println!("{}", serde_json::to_string_pretty(&Database::crd())?);
        return Ok(());
    }
    tracing_subscriber::fmt().init();
    let client = Client::try_default().await?;
    let databases: Api<Database> = match &args.namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    let context = Arc::new(Context::new(client));
    Controller::new(databases, watcher::Config::default())
        .shutdown_on_signal()
        .run(reconcile, error_policy, context)
        .for_each(|pass| async move {
            match pass {
                Ok((object, action)) => tracing::debug!(%object, ?action, "a pass"),
                Err(error) => tracing::warn!(%error, "a pass that did not get to its end"),
            }
        })
        .await;
    Ok(())
}
