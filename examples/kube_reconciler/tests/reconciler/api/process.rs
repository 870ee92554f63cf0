//! A controller as a process of its own: the program, which reaches the server over loopback and can be killed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use http::Request;
use http_body_util::BodyExt as _;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use kube::client::Body;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};

use super::Api;

/// The program. It is killed when this is dropped.
pub(crate) struct Process(Child);

impl Process {
    /// Starts it, with this file as its `KUBECONFIG`.
    pub(crate) fn start(api: &Api, config: &Path) -> Self {
        let mut program = Command::new(env!("CARGO_BIN_EXE_kube-reconciler"));
        program.args(["--namespace", api.namespace()]);
        program.env("KUBECONFIG", config).stdout(Stdio::null());
        Self(program.spawn().expect("it starts"))
    }

    /// Ends it with SIGKILL.
    pub(crate) fn kill(mut self) {
        assert_eq!(
            self.0.try_wait().expect("its status"),
            None,
            "it has ended by itself"
        );
        self.end();
    }

    fn end(&mut self) {
        self.0.kill().expect("it is killed");
        self.0.wait().expect("it is gone");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

impl Api {
    /// Lets processes be the controller. Returns the file that tells them where to go.
    pub(crate) async fn serve(&self) -> PathBuf {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let api = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer_all(api.clone(), stream));
            }
        });
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{ "name": "test", "cluster": { "server": format!("http://{address}") } }],
            "users": [{ "name": "test", "user": {} }],
            "contexts": [{ "name": "test", "context": { "cluster": "test", "user": "test" } }],
        });
        let file = format!("kubeconfig-{}.json", address.port());
        let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(file);
        fs::write(&file, config.to_string()).expect("the file is written");
        file
    }
}

/// Answers what comes over a connection, until it is closed or cut.
async fn answer_all(api: Api, stream: TcpStream) {
    let service = service_fn(move |request: Request<Incoming>| {
        let api = api.clone();
        async move {
            let (mut head, body) = request.into_parts();
            let body = body.collect().await.map_err(kube::Error::HyperError)?;
            let body = Body::from(body.to_bytes());
            // The server has another name.
            head.headers.remove(http::header::HOST);
            api.answer(Request::from_parts(head, body)).await
        }
    });
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // An error is that the process has died.
    served.await.ok();
}
