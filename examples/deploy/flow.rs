//! The deployment: its steps in order.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    error::DeployError,
    progress::{Row, on_event, print_tree},
    release::{self, Packed, Release, Unpacked},
    site::Site,
    switch::{self, Health, InService, OutOfService, Started, Stopped, Switched},
};

/// Deploys a release, or goes back to what was there before.
pub(crate) async fn deploy(
    site: &Site,
    release: Release,
    _state: Option<&Path>,
) -> Result<InService, DeployError> {
    let mut done = Done::default();
    let deployed = forward(site, &release, &mut done).await;
    if deployed.is_err() {
        back(site, &release, &mut done).await?;
    }
    print_tree(done.rows);
    deployed
}

#[derive(Default)]
struct Done {
    rows: Vec<Row<'static>>,
    pack: Option<Packed>,
    unpack: Option<Unpacked>,
    out_of_service: Option<OutOfService>,
    stop_old: Option<Stopped>,
    switch_link: Option<Switched>,
    start_new: Option<Started>,
}

impl Done {
    fn end<T>(
        &mut self,
        name: &'static str,
        begun: Instant,
        result: Result<T, DeployError>,
    ) -> Result<T, DeployError> {
        let status = if result.is_ok() { "done" } else { "failed" };
        let error = result.as_ref().err().map(ToString::to_string);
        on_event(name, status, 1, error.as_deref());
        self.rows.push(Row {
            depth: 1,
            name,
            status,
            took: Some(begun.elapsed()),
        });
        result
    }

    fn undone(
        &mut self,
        name: &'static str,
        result: Result<(), DeployError>,
    ) -> Result<(), DeployError> {
        let error = result.as_ref().err().map(ToString::to_string);
        let status = error.as_ref().map_or("undone", |_| "undo_failed");
        on_event(name, status, 1, error.as_deref());
        for row in self.rows.iter_mut().filter(|row| row.name == name) {
            row.status = status;
        }
        result
    }
}

/// A failed step whose effect did happen is done.
macro_rules! verified {
    ($result:expr, $verify:expr) => {
        match $result {
            Err(error) => $verify?.ok_or(error),
            ok => ok,
        }
    };
}

async fn forward(
    site: &Site,
    release: &Release,
    done: &mut Done,
) -> Result<InService, DeployError> {
    let begun = Instant::now();
    let packed = done.end("pack", begun, release::pack(site, release))?;
    done.pack = Some(packed.clone());

    let begun = Instant::now();
    let result = release::unpack(site, release, &packed);
    done.unpack = Some(done.end("unpack", begun, result)?);

    let begun = Instant::now();
    let result = switch::out_of_service(site).await;
    done.out_of_service = Some(done.end("out_of_service", begun, result)?);

    let begun = Instant::now();
    let result = verified!(
        switch::stop_old(site).await,
        switch::is_old_stopped(site).await
    );
    let stopped = done.end("stop_old", begun, result)?;
    done.stop_old = Some(stopped.clone());

    let begun = Instant::now();
    let result = verified!(
        switch::switch_link(site, release, &stopped).await,
        switch::is_link_switched(site, release, &stopped).await
    );
    done.switch_link = Some(done.end("switch_link", begun, result)?);

    let begun = Instant::now();
    let result = verified!(
        switch::start_new(site, release).await,
        switch::is_new_started(site, release).await
    );
    let started = done.end("start_new", begun, result)?;
    done.start_new = Some(started.clone());

    let begun = Instant::now();
    let result = poll(site, &started).await;
    let health = done.end("healthy", begun, result)?;

    let begun = Instant::now();
    let result = switch::in_service(site, &health).await;
    done.end("in_service", begun, result)
}

async fn poll(site: &Site, started: &Started) -> Result<Health, DeployError> {
    for attempt in 1..=20 {
        if let Some(health) = switch::healthy(site, started).await? {
            return Ok(health);
        }
        on_event("healthy", "waiting", attempt, None);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(DeployError::NotHealthy(started.version))
}

async fn back(site: &Site, release: &Release, done: &mut Done) -> Result<(), DeployError> {
    if let Some(started) = done.start_new.take() {
        let result = switch::stop_new(site, release, &started).await;
        done.undone("start_new", result)?;
    }
    let stopped = done.stop_old.take();
    if let (Some(stopped), Some(switched)) = (&stopped, done.switch_link.take()) {
        let result = switch::switch_link_back(site, release, stopped, &switched).await;
        done.undone("switch_link", result)?;
    }
    if let Some(stopped) = &stopped {
        let result = switch::restart_old(site, stopped).await;
        done.undone("stop_old", result)?;
    }
    if let Some(out) = done.out_of_service.take() {
        let result = switch::back_in_service(site, &out).await;
        done.undone("out_of_service", result)?;
    }
    let packed = done.pack.take();
    if let (Some(packed), Some(unpacked)) = (&packed, done.unpack.take()) {
        let result = release::remove_release(site, release, packed, &unpacked);
        done.undone("unpack", result)?;
    }
    if let Some(packed) = &packed {
        let result = release::discard_tarball(site, release, packed);
        done.undone("pack", result)?;
    }
    Ok(())
}
