//! What a release runs: an HTTP server on loopback, and the few lines it takes to ask it.

use std::{io, net::Ipv4Addr, path::PathBuf, time::Duration};

use axum::{Json, Router, extract::State, http::StatusCode, routing::get as on_get};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

use crate::{
    process,
    release::{HealthCheck, Manifest},
    site,
};

#[derive(Clone)]
struct Served {
    root: PathBuf,
    manifest: Manifest,
}

/// Serves the release that this executable was unpacked with, for at most `max_life`.
pub(crate) async fn serve(root: PathBuf, max_life: Option<Duration>) -> io::Result<()> {
    let program = std::env::current_exe()?;
    let folder = program.parent().ok_or(io::ErrorKind::NotFound)?;
    let manifest = Manifest::of_folder(folder)?;
    let version = manifest.version;
    let listener = listen(site::read_port(&root)?).await?;
    let _known = process::register(&site::pid_file(&root, version), version)?;
    let app = Router::new()
        .route("/", on_get(greet))
        .route("/health", on_get(health))
        .with_state(Served { root, manifest });
    let server = axum::serve(listener, app);
    let Some(max_life) = max_life else {
        return server.await;
    };
    let ended = timeout(max_life, server.into_future()).await;
    ended.unwrap_or_else(|_| {
        eprintln!("release {version} ends after {max_life:?}, by --max-life");
        Ok(())
    })
}

/// The server before this one may be about to end.
async fn listen(port: u16) -> io::Result<TcpListener> {
    for _ in 0..20 {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                sleep(Duration::from_millis(50)).await;
            }
            bound => return bound,
        }
    }
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await
}

async fn greet(State(served): State<Served>) -> (StatusCode, String) {
    let version = served.manifest.version;
    match site::traffic(&served.root) {
        Ok(Some(traffic)) if traffic.open && traffic.version == version => {
            (StatusCode::OK, format!("hello from release {version}\n"))
        }
        Ok(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("release {version} is out of service\n"),
        ),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}

async fn health(State(served): State<Served>) -> (StatusCode, Json<Value>) {
    let status = match served.manifest.health {
        HealthCheck::Good => StatusCode::OK,
        HealthCheck::NeverGood => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let version = served.manifest.version;
    let body = json!({ "version": version, "pid": std::process::id() });
    (status, Json(body))
}

/// The status and the body that a server on loopback answers with.
pub(crate) async fn get(port: u16, path: &str) -> io::Result<(u16, String)> {
    let exchange = async {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        let request = format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        parse(&answer).ok_or_else(|| io::ErrorKind::InvalidData.into())
    };
    timeout(Duration::from_secs(1), exchange).await?
}

fn parse(answer: &str) -> Option<(u16, String)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}
