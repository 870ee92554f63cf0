//! A proxy in front of the server that passes everything on but notifications.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::AbortHandle,
};

/// The socket's name, which clients know by the server's port.
const SOCKET: &str = ".s.PGSQL.5432";

/// `NotificationResponse`.
const NOTIFICATION: u8 = b'A';

/// It ends with this.
pub struct DeafProxy {
    folder: TempDir,
    kept_back: Arc<AtomicU32>,
    task: AbortHandle,
}

impl DeafProxy {
    /// Starts one in front of the server whose socket is in this folder.
    pub async fn start(server: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let listener = UnixListener::bind(folder.path().join(SOCKET)).expect("a socket");
        let kept_back = Arc::<AtomicU32>::default();
        let (server, count) = (server.join(SOCKET), Arc::clone(&kept_back));
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, server.clone(), Arc::clone(&count)));
            }
        });
        Self {
            folder,
            kept_back,
            task: task.abort_handle(),
        }
    }

    /// How many notifications it has not passed on.
    pub fn kept_back(&self) -> u32 {
        self.kept_back.load(Ordering::SeqCst)
    }

    pub fn url(&self) -> String {
        format!(
            "postgres://steps@localhost/postgres?host={}",
            self.folder.path().display()
        )
    }
}

impl Drop for DeafProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(client: UnixStream, server: PathBuf, kept_back: Arc<AtomicU32>) {
    let server = UnixStream::connect(server).await.expect("the server");
    let (mut from_client, to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    let asks = tokio::spawn(async move {
        let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
    });
    // It ends when either has closed.
    let _ = answer(from_server, to_client, &kept_back).await;
    asks.abort();
}

/// Passes the server's messages on: each a letter, and its length with itself.
async fn answer(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    kept_back: &AtomicU32,
) -> std::io::Result<()> {
    loop {
        let kind = from.read_u8().await?;
        let length = from.read_u32().await?;
        let mut body = vec![0; length.saturating_sub(4) as usize];
        from.read_exact(&mut body).await?;
        if kind == NOTIFICATION {
            kept_back.fetch_add(1, Ordering::SeqCst);
            continue;
        }
        to.write_u8(kind).await?;
        to.write_u32(length).await?;
        to.write_all(&body).await?;
    }
}
