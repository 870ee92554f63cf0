//! What is measured: the one list of engines, and the settings that each runs with.

use peers_worker::Tuning;

use crate::Result;

/// Where an engine keeps its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    /// A database in one file.
    SqliteFile,
    /// A key-value store in one file.
    RedbFile,
    /// A database in a Postgres cluster.
    Postgres,
}

/// One side of the comparison.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entrant {
    /// As it is called on the command line and in the tables.
    pub(crate) name: &'static str,
    /// What its program is named after.
    pub(crate) engine: &'static str,
    /// The crate that is measured.
    pub(crate) library: &'static str,
    pub(crate) store: Store,
    pub(crate) tuning: Tuning,
    /// How many executions are at once, if the command line says nothing else.
    pub(crate) at_once: &'static [u64],
}

/// This project's, on its two stores.
pub(crate) const ON_SQLITE: &str = "steps";
pub(crate) const ON_POSTGRES: &str = "steps-postgres";
/// No engine: rows, written by one connection.
pub(crate) const BARE: &str = "bare-postgres";

const DUROXIDE: Entrant = Entrant {
    name: "duroxide",
    engine: "duroxide",
    library: "duroxide",
    store: Store::SqliteFile,
    tuning: Tuning::Defaults,
    at_once: &[1, 50],
};

const UNDERWAY: Entrant = Entrant {
    name: "underway",
    engine: "underway",
    library: "underway",
    store: Store::Postgres,
    tuning: Tuning::Defaults,
    at_once: &[1, 50],
};

/// Those that are compared with one another stand beside each other, and are measured soon after one another.
const ALL: [Entrant; 10] = [
    Entrant {
        name: ON_SQLITE,
        engine: "steps",
        library: "steps",
        store: Store::SqliteFile,
        tuning: Tuning::Defaults,
        at_once: &[1, 50],
    },
    DUROXIDE,
    Entrant {
        name: "duroxide-tuned",
        tuning: Tuning::Tuned,
        ..DUROXIDE
    },
    Entrant {
        name: "durare",
        engine: "durare",
        library: "durare",
        store: Store::SqliteFile,
        tuning: Tuning::Defaults,
        at_once: &[1, 50],
    },
    Entrant {
        name: "cano",
        engine: "cano",
        library: "cano",
        store: Store::RedbFile,
        tuning: Tuning::Defaults,
        at_once: &[1, 50],
    },
    Entrant {
        name: BARE,
        engine: "bare",
        // What it writes with.
        library: "sqlx",
        store: Store::Postgres,
        tuning: Tuning::Defaults,
        at_once: &[1, 64],
    },
    Entrant {
        name: ON_POSTGRES,
        engine: "steps",
        library: "steps",
        store: Store::Postgres,
        tuning: Tuning::Defaults,
        at_once: &[1, 50, 64],
    },
    Entrant {
        name: "dbos",
        engine: "dbos",
        library: "dbos",
        store: Store::Postgres,
        tuning: Tuning::Defaults,
        at_once: &[1, 50],
    },
    UNDERWAY,
    Entrant {
        name: "underway-tuned",
        tuning: Tuning::Tuned,
        ..UNDERWAY
    },
];

/// Those named, or all when none is.
pub(crate) fn chosen(names: &[String]) -> Result<Vec<Entrant>> {
    if let Some(unknown) = names
        .iter()
        .find(|name| ALL.iter().all(|entrant| entrant.name != **name))
    {
        let known = ALL.map(|entrant| entrant.name).join(", ");
        return Err(format!("no engine `{unknown}`; there are {known}").into());
    }
    Ok(ALL
        .into_iter()
        .filter(|entrant| names.is_empty() || names.iter().any(|name| name == entrant.name))
        .collect())
}
