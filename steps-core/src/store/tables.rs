//! Which version the tables of a store have: for tools that must not bring it up to date under a service that uses it.

/// The version of a store's tables, and the newest that this library knows. Opening a store of an older
/// version brings its tables up to date; a process with an older library then takes up nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tables {
    /// That of the store; 0 if there are none.
    pub version: i64,
    /// The newest that this library knows.
    pub newest: i64,
}

impl Tables {
    /// Tables of a version, of which this library knows a newest one.
    pub const fn new(version: i64, newest: i64) -> Self {
        Self { version, newest }
    }
}
