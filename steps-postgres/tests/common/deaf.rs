//! A proxy that passes everything on but notifications.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use super::proxy::Between;

/// `NotificationResponse`.
const NOTIFICATION: u8 = b'A';

/// Keeps notifications back.
#[derive(Default)]
pub struct Deaf {
    kept_back: AtomicU32,
}

impl Deaf {
    /// How many notifications were not passed on.
    pub fn kept_back(&self) -> u32 {
        self.kept_back.load(Ordering::SeqCst)
    }

    /// Passes the server's messages on: each a letter, and its length with itself.
    async fn answer(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> std::io::Result<()> {
        loop {
            let kind = from.read_u8().await?;
            let length = from.read_u32().await?;
            let mut body = vec![0; length.saturating_sub(4) as usize];
            from.read_exact(&mut body).await?;
            if kind == NOTIFICATION {
                self.kept_back.fetch_add(1, Ordering::SeqCst);
                continue;
            }
            to.write_u8(kind).await?;
            to.write_u32(length).await?;
            to.write_all(&body).await?;
        }
    }
}

impl Between for Deaf {
    async fn carry(&self, client: UnixStream, server: UnixStream) {
        let (mut from_client, to_client) = client.into_split();
        let (from_server, mut to_server) = server.into_split();
        let asks = tokio::spawn(async move {
            let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
        });
        // It ends when either has closed.
        let _ = self.answer(from_server, to_client).await;
        asks.abort();
    }
}
