//! A server with a service that is registered there.

use std::{
    fs::File,
    net::TcpStream,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use steps::{Failure, Flow, Input};
use steps_restate::{Client, ClientError, Execution};
use steps_restate_tests::World;
use tempfile::TempDir;

use super::server::{Server, free_port, kill_9, until};

/// A server, a service, and a folder of the world.
pub struct Setting {
    pub server: Server,
    pub world: Arc<World>,
    pub client: Client,
    folder: TempDir,
    port: u16,
    service: Option<Child>,
}

impl Setting {
    pub fn new() -> Self {
        let server = Server::start();
        let folder = tempfile::tempdir().expect("a folder");
        let mut setting = Self {
            client: Client::new(&server.url()).expect("an address"),
            world: Arc::new(World(folder.path().to_owned())),
            server,
            folder,
            port: free_port(),
            service: None,
        };
        setting.serve();
        setting.server.register(setting.port);
        setting
    }

    /// Which steps were undone, in order, each once.
    pub fn undone(&self) -> Vec<String> {
        let mut undone = Vec::new();
        for line in self.world.lines() {
            if let Some(name) = line.strip_prefix("undone ")
                && !undone.contains(&name.to_owned())
            {
                undone.push(name.to_owned());
            }
        }
        undone
    }

    /// Starts the service.
    pub fn serve(&mut self) {
        assert!(self.service.is_none(), "it runs");
        let log = self.folder.path().join("service");
        let log = File::options()
            .create(true)
            .append(true)
            .open(log)
            .expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_restate-flows"));
        command
            .arg(self.folder.path())
            .arg(self.port.to_string())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the file"))
            .stderr(log);
        self.service = Some(command.spawn().expect("the service can be started"));
        until("the service listens", || {
            TcpStream::connect(("127.0.0.1", self.port)).is_ok()
        });
    }

    /// Ends the service in the middle of whatever it does.
    pub fn kill_service(&mut self) {
        kill_9(self.service.as_mut().expect("it runs"));
        self.service = None;
    }

    /// Kills the service, and starts it again.
    pub fn restart_service(&mut self) {
        self.kill_service();
        self.serve();
    }

    /// Kills the server, and starts it again.
    pub fn restart_server(&mut self) {
        self.server.kill();
        self.server.again();
    }

    /// Kills both, and starts them again.
    pub fn restart_both(&mut self) {
        self.kill_service();
        self.restart_server();
        self.serve();
    }

    /// Starts an execution.
    pub async fn start<F: Flow>(&self, input: Input<F>, id: &str) -> Execution<F> {
        let started = self.client.start(input).id(id).await;
        started.expect("it is started")
    }

    /// Waits until no invocation is left that goes on.
    pub fn until_all_has_ended(&self) {
        let query = "SELECT id FROM sys_invocation WHERE status != 'completed'";
        until("all has ended", || self.server.sql(query).is_empty());
    }

    /// Waits until a line is in the log this often.
    pub fn until_log(&self, line: &str, times: usize) {
        until(&format!("`{line}` in the log"), || {
            self.world.count(line) >= times
        });
    }

    /// Waits until the journal of an execution has an entry of this kind.
    pub fn until_entry(&self, key: &str, kind: &str) {
        let query = format!(
            "SELECT index FROM sys_journal j JOIN sys_invocation i ON i.id = j.id \
             WHERE i.target_service_key = '{key}' AND i.target_handler_name = 'run' \
             AND j.entry_type = '{kind}'"
        );
        until(kind, || !self.server.sql(&query).is_empty());
    }
}

/// How an execution has failed.
pub fn failed<T: std::fmt::Debug>(outcome: Result<T, ClientError>) -> Failure {
    match outcome {
        Err(ClientError::Failed { failure, .. }) => *failure,
        other => panic!("it has not failed: {other:?}"),
    }
}

impl Drop for Setting {
    fn drop(&mut self) {
        if self.service.is_some() {
            self.kill_service();
        }
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.folder.path().join("service"));
            eprintln!("the service's log:\n{}", log.unwrap_or_default());
            eprintln!("what the steps did: {:?}", self.world.lines());
        }
    }
}
