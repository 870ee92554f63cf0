//! A small cloud on loopback with the manners of a big one: it answers slowly, hands out an id
//! long before the thing behind it is ready, and is too busy for some requests.

use std::{
    collections::{HashMap, HashSet},
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Path, Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::Response,
    routing::{delete, get, post},
};

use crate::model::{
    Attachment, Inventory, NewAttachment, NewVm, NewVolume, Phase, Vm, VmId, Volume, VolumeId,
};

/// How long it thinks about each request.
const SLOWNESS: Duration = Duration::from_millis(30);

/// How often one must ask for a machine or a volume before it is ready.
const POLLS: u32 = 3;

/// What becomes of requests to attach a volume.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attaching {
    Works,
    Refused,
}

struct Cloud {
    attaching: Attaching,
    holds: Inventory,
    /// Ids given out so far.
    given: u32,
    /// How often each id was asked for.
    asked: HashMap<String, u32>,
    /// The kinds of request that were turned away once.
    turned_away: HashSet<&'static str>,
}

type Shared = Arc<Mutex<Cloud>>;
type Answer<T> = Result<T, (StatusCode, String)>;

/// Opens the cloud on a free port and serves it until the program ends.
pub(crate) async fn start(attaching: Attaching) -> io::Result<SocketAddr> {
    let cloud = Cloud {
        attaching,
        holds: Inventory::default(),
        given: 0,
        asked: HashMap::new(),
        turned_away: HashSet::new(),
    };
    let routes = Router::new()
        .route("/vms", post(create_vm))
        .route("/vms/{id}", get(show_vm).delete(delete_vm))
        .route("/volumes", post(create_volume))
        .route("/volumes/{id}", get(show_volume).delete(delete_volume))
        .route("/attachments", post(attach))
        .route("/attachments/{id}", delete(detach))
        .route("/messages", post(message))
        .route("/inventory", get(inventory))
        .layer(middleware::from_fn(slowly))
        .with_state(Arc::new(Mutex::new(cloud)));
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(address)
}

async fn slowly(request: Request, next: Next) -> Response {
    tokio::time::sleep(SLOWNESS).await;
    next.run(request).await
}

/// Creating the same name twice gives the same machine, so that a request may be repeated.
async fn create_vm(State(cloud): State<Shared>, Json(new): Json<NewVm>) -> Answer<Json<Vm>> {
    let mut cloud = lock(&cloud);
    if let Some(vm) = cloud.holds.vms.iter().find(|vm| vm.name == new.name) {
        return Ok(Json(vm.clone()));
    }
    let id = VmId(cloud.next_id("vm"));
    let vm = Vm {
        id,
        name: new.name,
        state: Phase::Creating,
    };
    cloud.holds.vms.push(vm.clone());
    Ok(Json(vm))
}

async fn show_vm(State(cloud): State<Shared>, Path(id): Path<String>) -> Answer<Json<Vm>> {
    let mut cloud = lock(&cloud);
    let state = cloud.progress(&id);
    let vm = cloud
        .holds
        .vms
        .iter_mut()
        .find(|vm| vm.id.0 == id)
        .ok_or_else(|| unknown(&id))?;
    vm.state = state;
    Ok(Json(vm.clone()))
}

async fn delete_vm(State(cloud): State<Shared>, Path(id): Path<String>) -> Answer<StatusCode> {
    let mut cloud = lock(&cloud);
    if cloud.holds.attachments.iter().any(|a| a.vm.0 == id) {
        return Err((StatusCode::CONFLICT, format!("{id} has a volume attached")));
    }
    remove(&mut cloud.holds.vms, &id, |vm| &vm.id.0)
}

/// Creating the same name twice gives the same volume.
async fn create_volume(
    State(cloud): State<Shared>,
    Json(new): Json<NewVolume>,
) -> Answer<Json<Volume>> {
    let mut cloud = lock(&cloud);
    cloud.turn_away_once("create a volume")?;
    if let Some(volume) = cloud
        .holds
        .volumes
        .iter()
        .find(|volume| volume.name == new.name)
    {
        return Ok(Json(volume.clone()));
    }
    let id = VolumeId(cloud.next_id("vol"));
    let NewVolume { name, size_gb } = new;
    let volume = Volume {
        id,
        name,
        size_gb,
        state: Phase::Creating,
    };
    cloud.holds.volumes.push(volume.clone());
    Ok(Json(volume))
}

async fn show_volume(State(cloud): State<Shared>, Path(id): Path<String>) -> Answer<Json<Volume>> {
    let mut cloud = lock(&cloud);
    let state = cloud.progress(&id);
    let mut volumes = cloud.holds.volumes.iter_mut();
    let volume = volumes
        .find(|volume| volume.id.0 == id)
        .ok_or_else(|| unknown(&id))?;
    volume.state = state;
    Ok(Json(volume.clone()))
}

async fn delete_volume(State(cloud): State<Shared>, Path(id): Path<String>) -> Answer<StatusCode> {
    let mut cloud = lock(&cloud);
    cloud.turn_away_once("delete a volume")?;
    if cloud.holds.attachments.iter().any(|a| a.volume.0 == id) {
        return Err((StatusCode::CONFLICT, format!("{id} is attached")));
    }
    remove(&mut cloud.holds.volumes, &id, |volume| &volume.id.0)
}

async fn attach(
    State(cloud): State<Shared>,
    Json(new): Json<NewAttachment>,
) -> Answer<Json<Attachment>> {
    let mut cloud = lock(&cloud);
    let NewAttachment { vm, volume } = new;
    if cloud.attaching == Attaching::Refused {
        return Err((StatusCode::CONFLICT, format!("no slot is free in {vm}")));
    }
    let ready = cloud
        .holds
        .vms
        .iter()
        .any(|v| v.id == vm && v.state == Phase::Ready)
        && cloud
            .holds
            .volumes
            .iter()
            .any(|v| v.id == volume && v.state == Phase::Ready);
    if !ready {
        return Err((
            StatusCode::CONFLICT,
            format!("{vm} or {volume} is not ready"),
        ));
    }
    let id = cloud.next_id("att");
    let attachment = Attachment {
        id,
        vm,
        volume,
        device: "/dev/vdb".to_owned(),
    };
    cloud.holds.attachments.push(attachment.clone());
    Ok(Json(attachment))
}

async fn detach(State(cloud): State<Shared>, Path(id): Path<String>) -> Answer<StatusCode> {
    remove(&mut lock(&cloud).holds.attachments, &id, |attachment| {
        &attachment.id
    })
}

async fn message(State(cloud): State<Shared>, Json(text): Json<String>) -> StatusCode {
    lock(&cloud).holds.messages.push(text);
    StatusCode::NO_CONTENT
}

async fn inventory(State(cloud): State<Shared>) -> Json<Inventory> {
    Json(lock(&cloud).holds.clone())
}

impl Cloud {
    fn next_id(&mut self, kind: &str) -> String {
        self.given += 1;
        format!("{kind}-{}", self.given)
    }

    fn progress(&mut self, id: &str) -> Phase {
        let asked = self.asked.entry(id.to_owned()).or_default();
        *asked += 1;
        if *asked < POLLS {
            Phase::Creating
        } else {
            Phase::Ready
        }
    }

    fn turn_away_once(&mut self, what: &'static str) -> Answer<()> {
        if self.turned_away.insert(what) {
            return Err((
                StatusCode::SERVICE_UNAVAILABLE,
                format!("too busy to {what}"),
            ));
        }
        Ok(())
    }
}

fn remove<T>(all: &mut Vec<T>, id: &str, id_of: fn(&T) -> &String) -> Answer<StatusCode> {
    let at = all
        .iter()
        .position(|one| id_of(one) == id)
        .ok_or_else(|| unknown(id))?;
    all.remove(at);
    Ok(StatusCode::NO_CONTENT)
}

fn unknown(id: &str) -> (StatusCode, String) {
    (StatusCode::NOT_FOUND, format!("there is no {id}"))
}

fn lock(cloud: &Mutex<Cloud>) -> MutexGuard<'_, Cloud> {
    cloud.lock().unwrap_or_else(PoisonError::into_inner)
}
