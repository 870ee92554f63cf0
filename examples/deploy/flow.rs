//! The flow: what a deployment does, in order. Each step is a function in `release.rs` or
//! `switch.rs`, with what undoes it beside it. How it is run is in `run.rs`.

use steps::prelude::*;

use crate::{
    error::DeployError,
    release::{Release, pack, unpack},
    site::Site,
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
