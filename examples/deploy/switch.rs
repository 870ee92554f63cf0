//! From the old release to the new one: the steps that touch processes, the link and the traffic.
//!
//! A step that fails leaves nothing behind: what it did, it takes back itself, because only steps
//! that are done are undone. A step that was cut off is asked by its `verify`, or simply runs
//! again: each gives the same output when what it does was done before.

#![allow(
    clippy::unused_async,
    reason = "a step and its handlers are async, whether or not they wait"
)]

use serde::{Deserialize, Serialize};
use steps::prelude::*;

use crate::{
    error::DeployError,
    process,
    release::Release,
    server,
    site::{Site, Step, Traffic},
};

/// Who answered requests before.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OutOfService {
    pub(crate) version: Option<u32>,
}

/// Lets the old release answer 503. Its number stays written down, so that a second run knows it.
#[step]
pub(crate) async fn out_of_service(site: &Site) -> Result<OutOfService, DeployError> {
    let version = site.traffic()?.map(|traffic| traffic.version);
    let out = OutOfService { version };
    site.set_traffic(version.map(closed))?;
    if let Err(error) = site.after(Step::OutOfService) {
        back_in_service(site, &out).await?;
        return Err(error);
    }
    Ok(out)
}

#[undo(out_of_service)]
pub(crate) async fn back_in_service(site: &Site, out: &OutOfService) -> Result<(), DeployError> {
    site.set_traffic(out.version.map(open))?;
    site.after_undo(Step::OutOfService);
    Ok(())
}

fn open(version: u32) -> Traffic {
    Traffic {
        version,
        open: true,
    }
}

fn closed(version: u32) -> Traffic {
    Traffic {
        version,
        open: false,
    }
}

/// The release that was current, and whether a server of it was there to be stopped.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Stopped {
    pub(crate) version: Option<u32>,
    pub(crate) ran: bool,
}

/// Stops the server of the current release.
#[step]
pub(crate) async fn stop_old(site: &Site) -> Result<Stopped, DeployError> {
    let stopped = old(site)?;
    if let Some(version) = stopped.version {
        process::stop(&site.pid_file(version)).await?;
    }
    if let Err(error) = site.after(Step::StopOld) {
        restart_old(site, &stopped).await?;
        return Err(error);
    }
    Ok(stopped)
}

/// There was a server, and it is gone.
#[verify(stop_old)]
pub(crate) async fn is_old_stopped(site: &Site) -> Result<Option<Stopped>, DeployError> {
    let stopped = old(site)?;
    match stopped.version {
        Some(version) if stopped.ran => {
            let live = process::live(&site.pid_file(version))?;
            Ok(live.is_none().then_some(stopped))
        }
        _ => Ok(None),
    }
}

#[undo(stop_old)]
pub(crate) async fn restart_old(site: &Site, stopped: &Stopped) -> Result<(), DeployError> {
    if let (Some(version), true) = (stopped.version, stopped.ran) {
        process::start(site, version).await?;
    }
    site.after_undo(Step::StopOld);
    Ok(())
}

/// A server leaves its pid file behind when it ends, so the answer stays the same.
fn old(site: &Site) -> Result<Stopped, DeployError> {
    let version = site.current()?;
    let ran = version.is_some_and(|version| site.pid_file(version).exists());
    Ok(Stopped { version, ran })
}

/// Where the link points to, and where it pointed to before.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Switched {
    pub(crate) from: Option<u32>,
    pub(crate) to: u32,
}

/// Points `current` to the new release.
#[step]
pub(crate) async fn switch_link(
    site: &Site,
    release: &Release,
    stopped: &Stopped,
) -> Result<Switched, DeployError> {
    let switched = Switched {
        from: stopped.version,
        to: release.version,
    };
    site.set_current(Some(switched.to))?;
    if let Err(error) = site.after(Step::SwitchLink) {
        switch_link_back(site, release, stopped, &switched).await?;
        return Err(error);
    }
    Ok(switched)
}

/// Where it pointed there before, nothing can be told.
#[verify(switch_link)]
pub(crate) async fn is_link_switched(
    site: &Site,
    release: &Release,
    stopped: &Stopped,
) -> Result<Option<Switched>, DeployError> {
    let switched = Switched {
        from: stopped.version,
        to: release.version,
    };
    let is_switched = switched.from != Some(switched.to) && site.current()? == Some(switched.to);
    Ok(is_switched.then_some(switched))
}

#[undo(switch_link)]
pub(crate) async fn switch_link_back(
    site: &Site,
    _release: &Release,
    _stopped: &Stopped,
    switched: &Switched,
) -> Result<(), DeployError> {
    site.set_current(switched.from)?;
    site.after_undo(Step::SwitchLink);
    Ok(())
}

/// The server of the new release.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Started {
    pub(crate) version: u32,
    pub(crate) pid: u32,
    pub(crate) port: u16,
}

impl Started {
    fn new(site: &Site, server: &process::Server) -> Self {
        Self {
            version: server.version,
            pid: server.pid,
            port: site.port(),
        }
    }
}

/// Starts the server of the new release.
#[step]
pub(crate) async fn start_new(site: &Site, release: &Release) -> Result<Started, DeployError> {
    let server = process::start(site, release.version).await?;
    let started = Started::new(site, &server);
    if let Err(error) = site.after(Step::StartNew) {
        stop_new(site, release, &started).await?;
        return Err(error);
    }
    Ok(started)
}

#[verify(start_new)]
pub(crate) async fn is_new_started(
    site: &Site,
    release: &Release,
) -> Result<Option<Started>, DeployError> {
    let live = process::live(&site.pid_file(release.version))?;
    Ok(live.map(|server| Started::new(site, &server)))
}

#[undo(start_new)]
pub(crate) async fn stop_new(
    site: &Site,
    _release: &Release,
    started: &Started,
) -> Result<(), DeployError> {
    process::stop_for_good(&site.pid_file(started.version)).await?;
    site.after_undo(Step::StartNew);
    Ok(())
}

/// What the health check of the new release answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Health {
    pub(crate) version: u32,
    pub(crate) pid: u32,
}

/// Asks the new release whether it is well; `None` means "not yet".
#[step(readonly, poll(every = "50ms", times = 20))]
pub(crate) async fn healthy(site: &Site, started: &Started) -> Result<Option<Health>, DeployError> {
    if process::live(&site.pid_file(started.version))?.is_none() {
        return Err(process::died(site, started.version));
    }
    let health = match server::get(started.port, "/health").await {
        Ok((200, body)) => serde_json::from_str::<Health>(&body).ok(),
        _ => None,
    };
    let Some(health) = health.filter(|health| health.version == started.version) else {
        return Ok(None);
    };
    site.after(Step::Healthy)?;
    Ok(Some(health))
}

/// Who answers requests now, and where.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct InService {
    pub(crate) version: u32,
    pub(crate) url: String,
}

/// Lets the new release answer requests.
#[step]
pub(crate) async fn in_service(site: &Site, health: &Health) -> Result<InService, DeployError> {
    let service = InService {
        version: health.version,
        url: site.url(),
    };
    site.set_traffic(Some(open(service.version)))?;
    if let Err(error) = site.after(Step::InService) {
        end_service(site, health, &service).await?;
        return Err(error);
    }
    Ok(service)
}

#[undo(in_service)]
pub(crate) async fn end_service(
    site: &Site,
    _health: &Health,
    service: &InService,
) -> Result<(), DeployError> {
    site.set_traffic(Some(closed(service.version)))?;
    site.after_undo(Step::InService);
    Ok(())
}
