//! Opening a file, and who has it open.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use steps_core::store::StoreError;
use tokio::sync::Semaphore;

use super::{Inner, SqliteStore, WAITING};
use crate::{
    file::options::SqliteOptions,
    threads::{readers::Readers, writer::Writer},
};

impl Clone for SqliteStore {
    /// The same file, open as long as any other is.
    fn clone(&self) -> Self {
        self.inner.open.fetch_add(1, Ordering::Relaxed);
        Self {
            inner: Arc::clone(&self.inner),
            is_closed: AtomicBool::new(false),
        }
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        if !*self.is_closed.get_mut() {
            self.inner.open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.lookups.close();
        self.lists.close();
        self.writer.queue.close();
    }
}

impl SqliteOptions {
    /// Opens the file, creates its tables or brings them up to date, and checks that SQLite has
    /// taken each setting.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Foreign`](steps_core::store::ErrorKind::Foreign) where the file belongs to a
    /// newer version of this library or to another program; other kinds for what SQLite or the file
    /// system reports.
    pub async fn open(self) -> Result<SqliteStore, StoreError> {
        SqliteStore::open_with(self).await
    }
}

impl SqliteStore {
    /// Opens the file of a URL, such as `sqlite:steps.db`, or of a path. It is created if there is
    /// none. See [`SqliteOptions::from_url`] for the settings that a URL can have, and
    /// [`SqliteOptions::open`] for the errors.
    ///
    /// ```
    /// use steps_core::store::{ExecutionQuery, Store};
    /// use steps_sqlite::SqliteStore;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let url = format!("sqlite:{}/steps.db", folder.path().display());
    /// // url: "sqlite:steps.db"
    /// let store = SqliteStore::open(&url).await?;
    /// assert_eq!(store.count(ExecutionQuery::default()).await?, 0);
    /// store.close().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        SqliteOptions::from_url(url)?.open().await
    }

    async fn open_with(options: SqliteOptions) -> Result<Self, StoreError> {
        let _held = options.clock.hold();
        let (writer, ended) = Writer::start(options.clone()).await?;
        Ok(Self {
            is_closed: AtomicBool::new(false),
            inner: Arc::new(Inner {
                open: AtomicUsize::new(1),
                clock: options.clock.clone(),
                lookups: Readers::new(options.clone(), writer.file.clone()),
                lists: Readers::new(options, writer.file.clone()),
                writer,
                room: Arc::new(Semaphore::new(WAITING as usize)),
                ended: Mutex::new(Some(ended)),
            }),
        })
    }
}
