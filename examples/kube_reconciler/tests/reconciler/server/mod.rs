//! The API server of the tests: one in memory or, if `STEPS_KUBECONFIG` names the file that leads there, a real one,
//! which `cargo xtask kube` starts.

mod memory;
mod real;
mod watch;

use std::{env, path::Path};

use kube::Client;

/// A server with a namespace for one test.
pub(crate) struct Server {
    /// May do everything.
    pub(crate) user: Client,
    /// May do what the controller's role says.
    pub(crate) controller: Client,
    pub(crate) namespace: String,
}

impl Server {
    pub(crate) async fn start() -> Self {
        match env::var_os("STEPS_KUBECONFIG") {
            Some(config) => real::server(Path::new(&config)).await,
            None => memory::server(),
        }
    }
}
