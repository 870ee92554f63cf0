//! The flow: what a deployment does, in order. Each step is a function in `release.rs` or
//! `switch.rs`, with what undoes it beside it.

use std::sync::Arc;

use steps::{Cause, prelude::*};

use crate::{
    error::DeployError,
    progress,
    release::{Release, pack, unpack},
    site::Site,
    state_file::StateFile,
    switch::{InService, healthy, in_service, out_of_service, start_new, stop_old, switch_link},
};

/// Deploys a release, or goes back to what was there before.
#[flow(reversible)]
pub(crate) async fn deploy(site: &Site, release: Release) -> Result<InService, DeployError> {
    steps! {
        pack(site, &release);
        unpack(site, &release, &pack);
        out_of_service(site);
        stop_old(site);
        switch_link(site, &release, &stop_old);
        start_new(site, &release);
        healthy(site, &start_new);
        in_service(site, &healthy);
    }
    Ok(in_service)
}

/// Runs the flow, shows what happens, and keeps its state in a file if there is to be one.
pub(crate) async fn run(
    site: &Site,
    release: Release,
    file: Option<StateFile>,
) -> Result<InService, Failure> {
    let mut run = deploy(site, release).observe(progress::on_event);
    if let Some(mut file) = file {
        if let Some(state) = file.take_unfinished() {
            run = run.resume(state);
        }
        run = run.journal(Arc::new(file));
    }
    match run.with_state().await {
        Ok((service, state)) => {
            progress::show_tree(state.state());
            Ok(service)
        }
        Err(failure) => {
            // Where the saved state was refused, nothing ran.
            if !matches!(failure.cause, Cause::Misfit(_)) {
                progress::show_tree(&failure.state);
            }
            Err(failure)
        }
    }
}
