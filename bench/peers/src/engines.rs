//! What is compared: the one list of engines, and the settings that each runs with.

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

/// One row of the comparison.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entrant {
    /// As it is called on the command line and in the table.
    pub(crate) name: &'static str,
    /// The crate that is measured.
    pub(crate) engine: &'static str,
    pub(crate) store: Store,
    pub(crate) tuning: Tuning,
    /// How many times as fast `steps` is to be, by how many are at once.
    pub(crate) aims: &'static [(u64, f64)],
}

/// The one that the others are compared with.
pub(crate) const OURS: &str = "steps";

const DUROXIDE: Entrant = Entrant {
    name: "duroxide",
    engine: "duroxide",
    store: Store::SqliteFile,
    tuning: Tuning::Defaults,
    aims: &[(1, 20.0), (50, 20.0)],
};

const ALL: [Entrant; 6] = [
    Entrant {
        name: OURS,
        engine: "steps",
        store: Store::SqliteFile,
        tuning: Tuning::Defaults,
        aims: &[],
    },
    DUROXIDE,
    Entrant {
        name: "duroxide-tuned",
        tuning: Tuning::Tuned,
        ..DUROXIDE
    },
    Entrant {
        name: "dbos",
        engine: "dbos",
        store: Store::Postgres,
        tuning: Tuning::Defaults,
        aims: &[(1, 3.0), (50, 10.0)],
    },
    Entrant {
        name: "durare",
        engine: "durare",
        store: Store::SqliteFile,
        tuning: Tuning::Defaults,
        aims: &[(1, 10.0), (50, 10.0)],
    },
    Entrant {
        name: "cano",
        engine: "cano",
        store: Store::RedbFile,
        tuning: Tuning::Defaults,
        aims: &[(1, 10.0), (50, 10.0)],
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
