//! The plan of each statement that is written out in `ops`: a search of an index or of a row by its
//! number, never a scan. Statements that are put together are looked at in `walk` and `claim`.

use rusqlite::Connection;

use super::execution::{select_execution, select_info};
use crate::file::schema;

/// The files with statements.
const FILES: &[(&str, &str)] = &[
    ("changes", include_str!("changes.rs")),
    ("claim", include_str!("claim.rs")),
    ("counts", include_str!("counts.rs")),
    ("delete", include_str!("delete.rs")),
    ("duties", include_str!("duties.rs")),
    ("forms", include_str!("forms.rs")),
    ("inbox", include_str!("inbox.rs")),
    ("labels", include_str!("labels.rs")),
    ("lease", include_str!("lease.rs")),
    ("limits", include_str!("limits.rs")),
    ("log", include_str!("log.rs")),
    ("notes", include_str!("notes.rs")),
    ("root", include_str!("root.rs")),
    ("singleton", include_str!("singleton.rs")),
    ("steps", include_str!("steps.rs")),
    ("subscriptions", include_str!("subscriptions.rs")),
    ("unreadable", include_str!("unreadable.rs")),
    ("write", include_str!("write.rs")),
];

/// Returns the texts of the constants in a file, with their names.
fn constants(file: &str) -> Vec<(&str, String)> {
    let parts = file.split("const ").skip(1);
    let constants = parts.filter_map(|part| {
        let (name, rest) = part.split_once(": &str =")?;
        let rest = rest.trim_start().strip_prefix('"')?;
        let (text, _) = rest.split_once("\";")?;
        let lines = text.split("\\\n").map(str::trim_start);
        Some((name, lines.collect::<String>()))
    });
    constants.filter(|(name, _)| !name.contains(' ')).collect()
}

/// Returns the plan of a statement. Which values are bound makes no difference.
pub(super) fn plan(conn: &Connection, sql: &str) -> Vec<String> {
    let mut statement = conn
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    for n in 1..=statement.parameter_count() {
        statement.raw_bind_parameter(n, 1).unwrap();
    }
    let mut rows = statement.raw_query();
    let mut plan = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        plan.push(row.get(3).unwrap());
    }
    plan
}

#[test]
fn each_statement_searches_an_index() {
    let conn = Connection::open_in_memory().unwrap();
    schema::upgrade(&conn, "a start").unwrap();
    let mut all = vec![
        ("changes", "new", super::changes::NEW.to_owned()),
        ("changes", "failed", super::changes::FAILED.to_owned()),
        (
            "execution",
            "by key",
            select_execution!("WHERE e.key = ?1").to_owned(),
        ),
        (
            "execution",
            "by id",
            select_execution!("WHERE e.id = ?1").to_owned(),
        ),
        (
            "find",
            "list",
            select_info!("WHERE e.key IN (?1, ?2)").to_owned(),
        ),
    ];
    for (file, text) in FILES {
        let constants = constants(text);
        assert!(!constants.is_empty(), "{file}");
        all.extend(constants.into_iter().map(|(name, sql)| (*file, name, sql)));
    }
    assert!(all.len() > 35, "{} statements", all.len());
    for (file, name, sql) in all {
        for line in plan(&conn, &sql) {
            let is_search = line.starts_with("SEARCH ");
            let is_part = line.contains("SCALAR SUBQUERY");
            // The messages of one execution, in their order.
            let is_sorted = name == "SINCE" && line == "USE TEMP B-TREE FOR ORDER BY";
            // The first of a few rows.
            let is_first = line == "SCAN deleted" && sql.ends_with("LIMIT 1");
            // The keys of the executions in a list, each with the rows of its nodes.
            let is_given = name == "COUNTS"
                && (line.starts_with("SCAN k VIRTUAL TABLE")
                    || line == "USE TEMP B-TREE FOR GROUP BY");
            // The few that there are, all of them.
            let is_all = file == "subscriptions" && line.starts_with("SCAN s");
            assert!(
                is_search || is_part || is_first || is_sorted || is_given || is_all,
                "{file}, {name}: {line}"
            );
        }
    }
}
