//! The shop's own data, in a SQLite file of its own. It knows nothing of steps: what changes
//! something takes a key, and does it once for each key.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Row, params};
use serde::Serialize;

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS product (
        name TEXT PRIMARY KEY, cents INTEGER NOT NULL, stock INTEGER NOT NULL CHECK (stock >= 0)
    );
    CREATE TABLE IF NOT EXISTS reservation (
        key TEXT PRIMARY KEY, product TEXT NOT NULL, quantity INTEGER NOT NULL, open INTEGER NOT NULL
    );
    CREATE TABLE IF NOT EXISTS charge (
        key TEXT PRIMARY KEY, customer TEXT NOT NULL, cents INTEGER NOT NULL, refunded INTEGER NOT NULL
    );
    CREATE TABLE IF NOT EXISTS parcel (
        number INTEGER PRIMARY KEY, key TEXT UNIQUE NOT NULL, content TEXT NOT NULL, open INTEGER NOT NULL
    );
    INSERT OR IGNORE INTO product VALUES ('lamp', 4900, 10), ('chair', 8900, 20), ('bulb', 290, 1000);
";

/// Why the shop could not do something.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ShopError {
    #[error("there is no product `{0}`")]
    NoProduct(String),
    #[error("there are not {0} of `{1}` in stock")]
    SoldOut(u32, String),
    #[error("turned down by {0}")]
    TurnedDown(String),
    #[error("the shop's database: {0}")]
    Database(#[from] rusqlite::Error),
}

impl ShopError {
    /// Whether it may go better soon.
    pub(crate) fn is_transient(&self) -> bool {
        let Self::Database(error) = self else {
            return false;
        };
        let code = error.sqlite_error_code();
        matches!(
            code,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
        )
    }
}

/// A product and what is left of it.
#[derive(Serialize)]
pub(crate) struct Product {
    name: String,
    cents: u64,
    stock: u32,
}

/// What was charged.
#[derive(Serialize)]
pub(crate) struct Charge {
    customer: String,
    cents: u64,
    refunded: bool,
}

/// The shop. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Shop {
    db: Arc<Mutex<Connection>>,
    packing: Duration,
    approve_from: u64,
}

impl Shop {
    pub(crate) fn open(path: &Path, packing: Duration) -> Result<Self, ShopError> {
        let db = Connection::open(path)?;
        db.busy_timeout(Duration::from_secs(5))?;
        db.execute_batch(SCHEMA)?;
        Ok(Self {
            db: Arc::new(Mutex::new(db)),
            packing,
            approve_from: u64::MAX,
        })
    }

    pub(crate) fn with_approval_from(mut self, cents: u64) -> Self {
        self.approve_from = cents;
        self
    }

    /// Orders of so many cents need an approval.
    pub(crate) fn approve_from(&self) -> u64 {
        self.approve_from
    }

    fn db(&self) -> MutexGuard<'_, Connection> {
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn products(&self) -> Result<Vec<Product>, ShopError> {
        self.all(
            "SELECT name, cents, stock FROM product ORDER BY name",
            |row| {
                Ok(Product {
                    name: row.get(0)?,
                    cents: row.get(1)?,
                    stock: row.get(2)?,
                })
            },
        )
    }

    pub(crate) fn charges(&self) -> Result<Vec<Charge>, ShopError> {
        self.all("SELECT customer, cents, refunded FROM charge", |row| {
            Ok(Charge {
                customer: row.get(0)?,
                cents: row.get(1)?,
                refunded: row.get(2)?,
            })
        })
    }

    fn all<T>(
        &self,
        sql: &str,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, ShopError> {
        let db = self.db();
        let mut query = db.prepare_cached(sql)?;
        let rows = query.query_map([], read)?.collect::<Result<_, _>>()?;
        Ok(rows)
    }

    /// In cents.
    pub(crate) fn price(&self, product: &str) -> Result<u64, ShopError> {
        let sql = "SELECT cents FROM product WHERE name = ?";
        let price = self
            .db()
            .query_row(sql, [product], |row| row.get(0))
            .optional()?;
        price.ok_or_else(|| ShopError::NoProduct(product.to_owned()))
    }

    /// Takes something out of the stock.
    pub(crate) fn reserve(&self, key: &str, product: &str, quantity: u32) -> Result<(), ShopError> {
        let mut db = self.db();
        let transaction = db.transaction()?;
        let new = transaction.execute(
            "INSERT OR IGNORE INTO reservation VALUES (?, ?, ?, TRUE)",
            params![key, product, quantity],
        )?;
        if new == 1 {
            let taken = transaction.execute(
                "UPDATE product SET stock = stock - ?1 WHERE name = ?2 AND stock >= ?1",
                params![quantity, product],
            )?;
            if taken == 0 {
                return Err(ShopError::SoldOut(quantity, product.to_owned()));
            }
        }
        Ok(transaction.commit()?)
    }

    /// Puts it back.
    pub(crate) fn release(&self, key: &str) -> Result<(), ShopError> {
        let mut db = self.db();
        let transaction = db.transaction()?;
        let closed = transaction
            .query_row(
                "UPDATE reservation SET open = FALSE WHERE key = ? AND open
                 RETURNING product, quantity",
                [key],
                |row| Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?)),
            )
            .optional()?;
        if let Some((product, quantity)) = closed {
            let sql = "UPDATE product SET stock = stock + ? WHERE name = ?";
            transaction.execute(sql, params![quantity, product])?;
        }
        Ok(transaction.commit()?)
    }

    pub(crate) fn charge(&self, key: &str, customer: &str, cents: u64) -> Result<(), ShopError> {
        let sql = "INSERT OR IGNORE INTO charge VALUES (?, ?, ?, FALSE)";
        self.db().execute(sql, params![key, customer, cents])?;
        Ok(())
    }

    pub(crate) fn refund(&self, key: &str) -> Result<(), ShopError> {
        let sql = "UPDATE charge SET refunded = TRUE WHERE key = ?";
        self.db().execute(sql, [key])?;
        Ok(())
    }

    /// Gives the parcel's number.
    pub(crate) fn pack(&self, key: &str, product: &str, quantity: u32) -> Result<u64, ShopError> {
        thread::sleep(self.packing);
        let sql = "INSERT INTO parcel (key, content, open) VALUES (?, ?, TRUE)
                   ON CONFLICT (key) DO UPDATE SET open = TRUE RETURNING number";
        let content = format!("{quantity} × {product}");
        let number = self
            .db()
            .query_row(sql, params![key, content], |row| row.get(0));
        Ok(number?)
    }

    pub(crate) fn unpack(&self, parcel: u64) -> Result<(), ShopError> {
        let sql = "UPDATE parcel SET open = FALSE WHERE number = ?";
        self.db().execute(sql, [parcel])?;
        Ok(())
    }

    /// Whether the carrier has taken a parcel: it takes whatever is packed.
    pub(crate) fn is_taken(&self, parcel: u64) -> Result<Option<()>, ShopError> {
        let sql = "SELECT 1 FROM parcel WHERE number = ? AND open";
        let found = self.db().query_row(sql, [parcel], |_| Ok(())).optional()?;
        Ok(found)
    }
}
