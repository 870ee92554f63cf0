//! A proxy that cuts a connection at a request: before the server gets it, or when it is done and before its answer.

use std::sync::Mutex;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

use super::proxy::Between;

/// The end of each answer, but for a last byte: `ReadyForQuery`.
const READY: [u8; 5] = [b'Z', 0, 0, 0, 5];

/// Where a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Before this request, counted from 0, is passed on.
    Before(u32),
    /// After the server has done it, and before its answer is passed on.
    After(u32),
}

/// Cuts one connection, once, at the request that it was told.
#[derive(Default)]
pub struct Cutting(Mutex<Option<Cut>>);

/// What to do with a request.
enum Do {
    Pass,
    CutBefore,
    CutAfter,
}

impl Cutting {
    /// Cuts there, counted from the next request of any connection.
    pub fn cut_at(&self, cut: Cut) {
        *self.0.lock().expect("nobody panicked") = Some(cut);
    }

    /// Whether it has cut where it was told. If not, it forgets it.
    pub fn has_cut(&self) -> bool {
        self.0.lock().expect("nobody panicked").take().is_none()
    }

    fn next(&self) -> Do {
        let mut cut = self.0.lock().expect("nobody panicked");
        let (left, now) = match &mut *cut {
            None => return Do::Pass,
            Some(Cut::Before(left)) => (left, Do::CutBefore),
            Some(Cut::After(left)) => (left, Do::CutAfter),
        };
        if *left > 0 {
            *left -= 1;
            return Do::Pass;
        }
        *cut = None;
        now
    }

    async fn try_carry(
        &self,
        mut client: UnixStream,
        mut server: UnixStream,
    ) -> std::io::Result<()> {
        let (mut asked, mut said) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        // The server's answers are not passed on any more.
        let mut is_cut = false;
        let mut last = Vec::new();
        loop {
            tokio::select! {
                read = client.read(&mut asked), if !is_cut => {
                    // The client sends a request at once, and waits for its answer.
                    let request = &asked[..read?];
                    match if request.is_empty() { Do::CutBefore } else { self.next() } {
                        Do::CutBefore => return Ok(()),
                        Do::CutAfter => is_cut = true,
                        Do::Pass => {}
                    }
                    server.write_all(request).await?;
                }
                read = server.read(&mut said) => {
                    let answer = &said[..read?];
                    if answer.is_empty() {
                        return Ok(());
                    }
                    if !is_cut {
                        client.write_all(answer).await?;
                        continue;
                    }
                    last.extend_from_slice(answer);
                    if last.len() > READY.len() && last[..last.len() - 1].ends_with(&READY) {
                        return Ok(());
                    }
                }
            }
        }
    }
}

impl Between for Cutting {
    async fn carry(&self, client: UnixStream, server: UnixStream) {
        // That a side has closed ends it, too.
        let _ = self.try_carry(client, server).await;
    }
}
