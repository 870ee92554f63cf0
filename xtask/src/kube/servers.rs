//! The two servers, on loopback, with free ports and fresh folders. They end with this value.

use std::{
    fs::{self, File},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use super::Folder;
use crate::{Result, cargo};

/// Fresh at each start; what goes on with it is by who knows these words.
const TOKENS: &str = "\
of-admin,admin,admin,system:masters
of-controller,controller,controller
";

pub(super) struct Servers {
    /// Of this run.
    folder: PathBuf,
    // Ended in this order.
    api_server: Server,
    etcd: Server,
}

struct Server {
    name: &'static str,
    child: Child,
}

impl Servers {
    pub(super) fn start(folder: &Folder) -> Result<Self> {
        let run = folder.path("run").join(std::process::id().to_string());
        if run.exists() {
            fs::remove_dir_all(&run)?;
        }
        fs::create_dir_all(&run)?;
        let [clients, peers, secure] = free_ports()?;
        let start = Instant::now();

        let clients_url = format!("http://127.0.0.1:{clients}");
        let peers_url = format!("http://127.0.0.1:{peers}");
        let mut etcd = cargo::command(folder.bin("etcd"));
        etcd.args(["--name", "one", "--data-dir"])
            .arg(run.join("etcd"));
        etcd.args(["--listen-client-urls", &clients_url]);
        etcd.args(["--advertise-client-urls", &clients_url]);
        etcd.args(["--listen-peer-urls", &peers_url]);
        etcd.args(["--initial-advertise-peer-urls", &peers_url]);
        etcd.args(["--initial-cluster", &format!("one={peers_url}")]);
        let mut etcd = Server::start("etcd", &mut etcd, &run)?;
        etcd.until_it_listens(clients)?;

        // A certificate for the address, signed by itself.
        let mut certificate = Command::new(folder.bin("certificate"));
        certificate.args(["--host", "127.0.0.1"]).current_dir(&run);
        cargo::output(&mut certificate)?;
        fs::write(run.join("tokens.csv"), TOKENS)?;
        let mut api_server = cargo::command(folder.bin("kube-apiserver"));
        api_server.current_dir(&run);
        api_server.args([
            &*format!("--etcd-servers={clients_url}"),
            &format!("--secure-port={secure}"),
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--tls-cert-file=cert.pem",
            "--tls-private-key-file=key.pem",
            "--service-account-issuer=https://127.0.0.1",
            "--service-account-signing-key-file=key.pem",
            "--service-account-key-file=key.pem",
            "--token-auth-file=tokens.csv",
            "--authorization-mode=RBAC",
            // It adds a finalizer to volumes, which a controller removes that is not here.
            "--disable-admission-plugins=StorageObjectInUseProtection",
        ]);
        let mut api_server = Server::start("kube-apiserver", &mut api_server, &run)?;
        api_server.until_it_listens(secure)?;
        eprintln!(
            "── etcd and kube-apiserver listen after {:.1} s",
            start.elapsed().as_secs_f32()
        );
        fs::write(run.join("kubeconfig"), config(&run, secure))?;
        Ok(Self {
            folder: run,
            api_server,
            etcd,
        })
    }

    /// The file that leads there, with a context `admin` and one `controller`.
    pub(super) fn config(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    pub(super) fn logs(&self) -> String {
        self.folder.display().to_string()
    }

    /// Ends both, and removes what they have written.
    pub(super) fn end(mut self) -> Result {
        let folder = self.folder.clone();
        for server in [&mut self.api_server, &mut self.etcd] {
            if let Some(status) = server.child.try_wait()? {
                return Err(format!(
                    "{} has ended by itself: {status}; {}",
                    server.name,
                    folder.display()
                )
                .into());
            }
        }
        drop(self);
        fs::remove_dir_all(folder)?;
        Ok(())
    }
}

fn config(run: &Path, port: u16) -> String {
    let context =
        |user: &str| json!({ "name": user, "context": { "cluster": "test", "user": user } });
    let user = |user: &str| json!({ "name": user, "user": { "token": format!("of-{user}") } });
    let server = format!("https://127.0.0.1:{port}");
    let cluster = json!({ "server": server, "certificate-authority": run.join("cert.pem") });
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "controller",
        "clusters": [{ "name": "test", "cluster": cluster }],
        "users": [user("admin"), user("controller")],
        "contexts": [context("admin"), context("controller")],
    });
    config.to_string()
}

/// Ports that nobody listens on.
fn free_ports<const N: usize>() -> Result<[u16; N]> {
    // All are held at once, so that they differ.
    let held: Vec<_> = (0..N)
        .map(|_| TcpListener::bind("127.0.0.1:0"))
        .collect::<Result<_, _>>()?;
    let mut ports = [0; N];
    for (port, held) in ports.iter_mut().zip(&held) {
        *port = held.local_addr()?.port();
    }
    Ok(ports)
}

impl Server {
    /// Starts it. What it writes goes to a file of the folder.
    fn start(name: &'static str, command: &mut Command, folder: &Path) -> Result<Self> {
        let log = File::create(folder.join(format!("{name}.log")))?;
        command.stdin(Stdio::null());
        command.stdout(log.try_clone()?).stderr(log);
        let child = command
            .spawn()
            .map_err(|error| format!("{name}: {error}"))?;
        eprintln!("── {name} is process {}", child.id());
        Ok(Self { name, child })
    }

    fn until_it_listens(&mut self, port: u16) -> Result {
        let name = self.name;
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = self.child.try_wait()? {
                return Err(
                    format!("{name} has ended: {status}; its log is in target/kube/run").into(),
                );
            }
            if start.elapsed() > Duration::from_mins(3) {
                return Err(
                    format!("{name} does not listen on port {port} after 3 minutes").into(),
                );
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is gone already if this fails.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
