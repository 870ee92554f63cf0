//! How an execution's node becomes the columns of a row, and a row becomes a node.
//!
//! `columns` converts between the two; `overflow` holds what has no column of its own, as one JSON
//! object; `size` estimates how much memory a call holds. What stands in a column as other stores have it is
//! `steps_core::store::column`. The SQL that reads and writes the rows is left to `ops`.

pub(crate) use steps_core::store::column::{begun, nanos, past, refusers};

pub(crate) mod columns;
pub(crate) mod overflow;
pub(crate) mod size;

#[cfg(test)]
mod tests {
    use steps_core::store::Refuser;

    use super::refusers::column;

    /// Older versions of this library wrote numbers into the column, which has their type.
    #[test]
    fn who_has_refused_is_never_taken_for_a_number() {
        let all = [0, 1, 0x1234_5678_9012_3456, u64::MAX].map(|number| Refuser {
            fingerprint: number,
            build: !number,
        });
        let conn = rusqlite::Connection::open_in_memory().unwrap();
        conn.execute_batch("CREATE TABLE t (refused INTEGER)")
            .unwrap();
        for one in all {
            conn.execute("INSERT INTO t VALUES (?1)", [column(&[one])])
                .unwrap();
        }
        let mut types = conn.prepare("SELECT typeof(refused) FROM t").unwrap();
        let types = types.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let types: Vec<_> = types.map(Result::unwrap).collect();
        assert_eq!(types, ["text"; 4]);
    }
}
