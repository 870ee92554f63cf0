//! Which version the tables of a file have, without changing the file: for tools that must not bring it up
//! to date under a service that has it open.

use rusqlite::{Connection, OpenFlags};
use steps_core::store::{StoreError, Tables};

use super::{options::SqliteOptions, schema};

impl SqliteOptions {
    /// Returns the version of the file's tables, and changes nothing.
    ///
    /// ```
    /// # use steps_sqlite::{SqliteOptions, SqliteStore};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("steps.db");
    /// let options = SqliteOptions::new(&path);
    /// assert!(options.tables().is_err());
    /// # use steps_core::store::Store;
    /// options.clone().open().await?.close().await?;
    /// let tables = options.tables()?;
    /// assert_eq!(tables.version, tables.newest);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no such file, if it can't be read, or if it belongs to a newer version of this
    /// library or to another program: as of [`open`](Self::open).
    pub fn tables(&self) -> Result<Tables, StoreError> {
        let path = self.path();
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let version = Connection::open_with_flags(path, flags)
            .map_err(crate::error::Fail::from)
            .and_then(|conn| schema::version(&conn))
            .map_err(|fail| fail.of(path))?;
        Ok(Tables::new(version, schema::latest()))
    }
}
