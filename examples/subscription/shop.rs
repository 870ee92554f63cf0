//! What the shop does for a subscription: letters and payments, in a ledger that knows what it has.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// Who subscribes: the flow's input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Customer {
    pub(crate) name: String,
    /// From this payment on, the card is declined.
    pub(crate) declined_from: Option<u32>,
}

/// The ledger can't be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the ledger {}: {source}", file.display())]
pub(crate) struct ShopError {
    file: PathBuf,
    source: io::Error,
}

/// The ledger: a line for each thing that was done, with its key.
#[derive(Clone)]
pub(crate) struct Shop {
    file: PathBuf,
    writing: Arc<Mutex<()>>,
}

impl Shop {
    pub(crate) fn open(folder: &Path) -> Result<Self, ShopError> {
        let shop = Self {
            file: folder.join("ledger.txt"),
            writing: Arc::default(),
        };
        let created = fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(&shop.file);
        created.map_err(|source| shop.trouble(source))?;
        Ok(shop)
    }

    /// Does something once, whatever often it is asked for with the same key.
    pub(crate) fn enter(&self, key: &str, what: &str) -> Result<(), ShopError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let has_it = |line: &str| line.split_once('\t').is_some_and(|(_, of)| of == key);
        if self.read()?.lines().any(has_it) {
            return Ok(());
        }
        let append = || {
            let mut file = fs::OpenOptions::new().append(true).open(&self.file)?;
            file.write_all(format!("{what}\t{key}\n").as_bytes())?;
            file.sync_data()
        };
        append().map_err(|source| self.trouble(source))
    }

    /// Returns what was done, in order.
    pub(crate) fn text(&self) -> Result<String, ShopError> {
        let read = self.read()?;
        let lines = read.lines().filter_map(|line| line.split('\t').next());
        Ok(lines.collect::<Vec<_>>().join("\n"))
    }

    /// Waits until something has been done.
    pub(crate) async fn has(&self, is_it: impl Fn(&str) -> bool) {
        while !self.text().is_ok_and(|text| text.lines().any(&is_it)) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn read(&self) -> Result<String, ShopError> {
        fs::read_to_string(&self.file).map_err(|source| self.trouble(source))
    }

    fn trouble(&self, source: io::Error) -> ShopError {
        let file = self.file.clone();
        ShopError { file, source }
    }
}
