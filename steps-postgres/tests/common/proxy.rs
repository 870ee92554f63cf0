//! Proxies in front of the server's socket, which do something else than to pass everything on.

use std::{path::Path, sync::Arc};

use tempfile::TempDir;
use tokio::{
    net::{UnixListener, UnixStream},
    task::AbortHandle,
};

/// The socket's name, which clients know by the server's port.
const SOCKET: &str = ".s.PGSQL.5432";

/// What is done with a connection.
pub trait Between: Send + Sync + 'static {
    /// Carries what both sides say, until either has closed or it has.
    fn carry(&self, client: UnixStream, server: UnixStream) -> impl Future<Output = ()> + Send;
}

/// A proxy. It ends with this.
pub struct Proxy<B> {
    folder: TempDir,
    between: Arc<B>,
    task: AbortHandle,
}

impl<B: Between> Proxy<B> {
    /// Starts one in front of the server whose socket is in this folder.
    pub async fn start(server: &Path, between: B) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let listener = UnixListener::bind(folder.path().join(SOCKET)).expect("a socket");
        let between = Arc::new(between);
        let (server, shared) = (server.join(SOCKET), Arc::clone(&between));
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(&server).await.expect("the server");
                let between = Arc::clone(&shared);
                tokio::spawn(async move { between.carry(client, server).await });
            }
        });
        Self {
            folder,
            between,
            task: task.abort_handle(),
        }
    }

    pub fn between(&self) -> &B {
        &self.between
    }

    /// The URL of the database behind it. The answer to the question whether connections may be encrypted has another
    /// form than all others, so it is not asked.
    pub fn url(&self) -> String {
        format!(
            "postgres://steps@localhost/postgres?sslmode=disable&host={}",
            self.folder.path().display()
        )
    }
}

impl<B> Drop for Proxy<B> {
    fn drop(&mut self) {
        self.task.abort();
    }
}
